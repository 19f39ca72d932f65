//! The example configuration as `homing-estate` prints it, but for the domain's name, takes every peer as Debian ships it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use homing_core::transport::Transport;

use crate::peer::{Peer, eventually, find, folder, skipped};
use crate::visitor::Visitor;

const PROGRAM: &str = env!("CARGO_BIN_EXE_estate_under_test");
const DOMAIN: &str = "corp.example";
const PASSWORD: &str = "secret";
const SOON: Duration = Duration::from_secs(20);

/// The running estate of the example, ended when it goes.
struct Example {
    child: Child,
    file: PathBuf,
}

impl Example {
    /// None where something else has its ports.
    fn start(name: &str) -> Option<Self> {
        let taken = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err();
        if let Some(port) = [5060, 5061, 5300].iter().find(|port| taken(port)) {
            skipped(name, &format!("something else has the example's port {port}"));
            return None;
        }
        let printed = Command::new(PROGRAM).arg("--example-config").output().unwrap();
        let text = String::from_utf8(printed.stdout).unwrap();
        let line = "domain = \"network.com\"";
        assert!(text.contains(line), "{text}");
        let file = folder(&format!("example-{name}")).join("estate.toml");
        fs::write(&file, text.replacen(line, &format!("domain = \"{DOMAIN}\""), 1)).unwrap();
        let mut child = Command::new(PROGRAM).arg("run").arg(&file).stdout(Stdio::piped()).spawn().unwrap();
        // The first line comes when everything listens; what follows is not read.
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        Some(Self { child, file })
    }

    fn is_registered(&self) -> bool {
        let asked =
            Command::new(PROGRAM).args(["users", "--json", "--config"]).arg(&self.file).output().unwrap();
        let said: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
        let users = said["users"].as_array().unwrap();
        let alice = users.iter().find(|user| user["user"] == format!("alice@{DOMAIN}")).unwrap();
        !alice["registered"].as_array().unwrap().is_empty()
    }

    fn visitor(transport: Transport) -> Visitor<'static> {
        let port = if transport == Transport::Tls { 5061 } else { 5060 };
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Visitor { domain: DOMAIN, password: PASSWORD, server, transport }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn example_takes_sipp() {
    let Some(program) = find("sipp", "SIPp with the example's settings") else { return };
    let Some(_estate) = Example::start("sipp") else { return };
    for transport in [Transport::Udp, Transport::Tcp] {
        let run = Example::visitor(transport).sipp(&program).output().unwrap();
        assert!(run.status.success(), "{transport}: {}", String::from_utf8_lossy(&run.stdout));
    }
}

#[test]
fn example_takes_baresip() {
    let Some(program) = find("baresip", "baresip with the example's settings") else { return };
    let Some(estate) = Example::start("baresip") else { return };
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let mut peer = Peer::start(&mut Example::visitor(transport).baresip(&program)).unwrap();
        let heard = peer.wait_for(&["200 OK"], SOON);
        assert!(heard.is_ok() && estate.is_registered(), "{transport}: {heard:?}");
        peer.wait();
        assert!(eventually(SOON, || !estate.is_registered()), "{transport}");
    }
}

#[test]
fn example_takes_linphone() {
    let Some(program) = find("linphonec", "linphone with the example's settings") else { return };
    let Some(estate) = Example::start("linphone") else { return };
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut peer = Peer::start(&mut Example::visitor(transport).linphone(&program)).unwrap();
        assert!(eventually(SOON, || estate.is_registered()), "{transport}");
        peer.say("quit");
        assert!(eventually(SOON, || !estate.is_registered()), "{transport}: it signs out");
        peer.stop();
    }
}

#[test]
fn example_takes_pidgin_sipe() {
    let Some(program) = find("pidgin-sign-in", "pidgin-sipe with the example's settings") else { return };
    let Some(estate) = Example::start("pidgin") else { return };
    for transport in [Transport::Tls, Transport::Tcp] {
        let folder = folder(&format!("example-purple-{transport}"));
        let server = Example::visitor(transport).server;
        let mut peer = Peer::start(
            Command::new(&program)
                .arg(folder.join("purple"))
                .args([&format!("alice@{DOMAIN}"), "CORP\\alice", &format!("lb.{DOMAIN}:{}", server.port())])
                .args([transport.uri_token(), "90"])
                .arg(estate.file.with_file_name("estate-ca.pem")),
        )
        .unwrap();
        peer.say(PASSWORD);
        let heard = peer.wait_for(&["signed-on", "error", "question"], SOON);
        assert_eq!(heard.as_deref(), Ok("signed-on"), "{transport}");
        assert!(eventually(SOON, || estate.is_registered()), "{transport}");
        peer.say("quit");
        peer.wait_for(&["done"], SOON).unwrap();
        assert!(eventually(SOON, || !estate.is_registered()), "{transport}: it signs out");
    }
}
