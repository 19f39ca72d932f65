//! Kamailio as the peer of our home server: the same questions, its CPU beside ours.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use homing::Transport;
use homing_server_mock::estate::Certificate;
use homing_server_mock::shell::ca::Authority;

use crate::estate::{Gate, PASSWORD};
use crate::line::HOST;
use crate::process::Usage;
use crate::{Fallible, Peer};

/// A Kamailio that runs, in a folder of its own.
pub(crate) struct Kamailio {
    child: Child,
    folder: PathBuf,
    ports: [u16; 2],
    ca_pem: String,
}

impl Kamailio {
    /// Starts one with `kamailio.cfg` that lets pass whom our estate lets pass; none where it is not installed.
    pub(crate) fn start(gate: Gate) -> Fallible<Option<Self>> {
        let Some(program) = PROGRAMS.iter().map(Path::new).find(|program| program.exists()) else {
            return Ok(None);
        };
        let folder =
            std::env::temp_dir().join(format!("homing-kamailio-{}-{}", std::process::id(), gate.word()));
        std::fs::create_dir_all(&folder)?;
        let authority = Authority::new("network.com")?;
        let leaf = authority.server(HOST, "network.com", &Certificate::default())?;
        std::fs::write(folder.join("cert.pem"), leaf.certificate_pem)?;
        std::fs::write(folder.join("key.pem"), leaf.key_pem)?;
        let ports = free_ports()?;
        let config = include_str!("kamailio.cfg")
            .replace("@FOLDER@", &folder.display().to_string())
            .replace("@PORT@", &ports[0].to_string())
            .replace("@TLSPORT@", &ports[1].to_string())
            .replace("@GATE@", &gate.word().to_uppercase())
            .replace("@PASSWORD@", PASSWORD);
        std::fs::write(folder.join("kamailio.cfg"), config)?;
        let child = Command::new(program)
            .arg("-f")
            .arg(folder.join("kamailio.cfg"))
            .args(["-m", "1024", "-DD", "-E", "-Y"])
            .arg(&folder)
            .arg("-P")
            .arg(folder.join("pid"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("log"))?)
            .spawn()?;
        let kamailio = Self { child, folder, ports, ca_pem: authority.pem().to_owned() };
        kamailio.wait()?;
        Ok(Some(kamailio))
    }

    fn wait(&self) -> Fallible<()> {
        let begun = Instant::now();
        while TcpStream::connect(self.address(Transport::Tls)).is_err() {
            if begun.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("Kamailio does not start:\n{log}").into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Peer for Kamailio {
    fn name(&self) -> &'static str {
        "Kamailio"
    }

    fn address(&self, transport: Transport) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports[usize::from(transport.is_secure())]).into()
    }

    fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    fn usage(&mut self) -> Fallible<Usage> {
        Ok(Usage::of_family(self.child.id())?)
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // It ends its children when it is asked to end; whatever fails, nothing else is to be done.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Two free ports. Both are held until both are known: one after the other may be the same one twice.
fn free_ports() -> std::io::Result<[u16; 2]> {
    let any = (Ipv4Addr::LOCALHOST, 0);
    let held = [TcpListener::bind(any)?, TcpListener::bind(any)?];
    Ok([held[0].local_addr()?.port(), held[1].local_addr()?.port()])
}

const PROGRAMS: [&str; 3] = ["/usr/sbin/kamailio", "/usr/local/sbin/kamailio", "/opt/homebrew/sbin/kamailio"];
const PATIENCE: Duration = Duration::from_secs(20);
