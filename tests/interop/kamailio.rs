//! Our client registers at Kamailio by Digest: MD5 and SHA-256 over UDP, TCP and TLS; a restart; unregister.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use homing::dns::Table;
use homing::{
    AccountConfig, Aor, Password, Resolver, Roots, ServerChoice, StaticCredentials, Transport, UserAgent,
};
use homing_server_mock::shell::ca::{Authority, Certificate};

use crate::peer::{Peer, beside, eventually, find, folder, free_ports, runtime};

const PURPOSE: &str = "our client at Kamailio";
const SOON: Duration = Duration::from_secs(15);

#[test]
fn kamailio_with_md5() {
    at_kamailio("MD5");
}

#[test]
fn kamailio_with_sha_256() {
    at_kamailio("SHA-256");
}

struct Kamailio {
    program: std::path::PathBuf,
    control: std::path::PathBuf,
    folder: std::path::PathBuf,
    port: u16,
    tls_port: u16,
    peer: Option<Peer>,
}

/// Over streams a broken connection tells of the restart; over UDP nothing does, so there the time a
/// registration lasts is short and the next refresh brings it back.
const LIVES: [(Transport, u32); 3] = [(Transport::Udp, 20), (Transport::Tcp, 600), (Transport::Tls, 600)];

fn at_kamailio(algorithm: &str) {
    let (Some(program), Some(control)) = (find("kamailio", PURPOSE), find("kamcmd", PURPOSE)) else { return };
    for (transport, expires) in LIVES {
        let folder = folder(&format!("kamailio-{algorithm}-{transport}"));
        certificate(&folder);
        let [port, tls_port] = free_ports();
        let config = std::fs::read_to_string(beside("kamailio/registrar.cfg"))
            .unwrap()
            .replace("@FOLDER@", folder.to_str().unwrap())
            .replace("@PORT@", &port.to_string())
            .replace("@TLSPORT@", &tls_port.to_string())
            .replace("@ALGORITHM@", algorithm)
            .replace("@EXPIRES@", &expires.to_string());
        std::fs::write(folder.join("kamailio.cfg"), config).unwrap();
        let (program, control) = (program.clone(), control.clone());
        let mut kamailio = Kamailio { program, control, folder, port, tls_port, peer: None };
        kamailio.start();
        runtime().block_on(register_and_leave(&mut kamailio, algorithm, transport));
    }
}

async fn register_and_leave(kamailio: &mut Kamailio, algorithm: &str, transport: Transport) {
    let root = std::fs::read_to_string(kamailio.folder.join("root.pem")).unwrap();
    let table = Table::default().address("kamailio.network.com", Ipv4Addr::LOCALHOST);
    let ua = UserAgent::builder()
        .resolver(Resolver::custom(Arc::new(table)))
        .roots(Roots::pem(&root).unwrap())
        .build()
        .unwrap();
    let port = if transport == Transport::Tls { kamailio.tls_port } else { kamailio.port };
    let mut config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101");
    config.server =
        ServerChoice::Fixed { host: "kamailio.network.com".to_owned(), port: Some(port), transport };
    config.transports = vec![transport];
    config.auth.allow_md5 = algorithm == "MD5";
    config.auth.udp_register = true;
    let password = StaticCredentials::new("alice", "", Password::new("secret"));
    let account = ua.account(config, password).unwrap();
    let what = format!("{algorithm} over {transport}");

    let registration = account.register().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(registration.home().host, "kamailio.network.com", "{what}");
    assert_eq!(kamailio.contacts(), 1, "{what}: {}", kamailio.dump());
    account.refresh().await.unwrap_or_else(|error| panic!("{what}, refresh: {error}"));

    kamailio.restart();
    assert_eq!(kamailio.contacts(), 0, "{what}: the restart forgets");
    let back = eventually(Duration::from_secs(90), || kamailio.contacts() == 1);
    assert!(back, "{what}: back after the restart, unasked: {}", kamailio.dump());

    account.unregister().await.unwrap_or_else(|error| panic!("{what}, unregister: {error}"));
    assert!(eventually(SOON, || kamailio.contacts() == 0), "{what}: {}", kamailio.dump());
    ua.shutdown(Duration::from_secs(2)).await;
}

impl Kamailio {
    fn start(&mut self) {
        let peer = Peer::start(
            Command::new(&self.program)
                .arg("-f")
                .arg(self.folder.join("kamailio.cfg"))
                .args(["-DD", "-E", "-Y"])
                .arg(&self.folder)
                .arg("-P")
                .arg(self.folder.join("pid")),
        );
        self.peer = Some(peer.unwrap());
        assert!(eventually(SOON, || self.dump().contains("Domain")), "Kamailio does not start");
    }

    /// Ends it as an operator would and starts it again.
    fn restart(&mut self) {
        if let Some(mut peer) = self.peer.take() {
            let ended = Command::new("kill").args(["-TERM", &peer.id().to_string()]).status();
            assert!(ended.is_ok_and(|status| status.success()));
            peer.wait();
        }
        self.start();
    }

    fn dump(&self) -> String {
        let socket = format!("unixs:{}", self.folder.join("control").display());
        let run = Command::new(&self.control).args(["-s", &socket, "ul.dump"]).output();
        run.map(|run| String::from_utf8_lossy(&run.stdout).into_owned()).unwrap_or_default()
    }

    fn contacts(&self) -> usize {
        self.dump().matches("Address:").count()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        if let Some(mut peer) = self.peer.take() {
            let _ = Command::new("kill").args(["-TERM", &peer.id().to_string()]).status();
            peer.wait();
        }
    }
}

fn certificate(folder: &Path) {
    let authority = Authority::new("network.com").unwrap();
    let leaf = authority.server("kamailio.network.com", "network.com", &Certificate::default()).unwrap();
    std::fs::write(folder.join("root.pem"), authority.pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), leaf.certificate_pem).unwrap();
    std::fs::write(folder.join("key.pem"), leaf.key_pem).unwrap();
}
