//! SIPp and baresip register at our home server by Digest, and unregister.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use homing_core::transport::Transport;
use homing_server_mock::estate::{Estate, Schemes};

use crate::peer::{Peer, beside, find, folder, free_ports, runtime};
use crate::site::{PASSWORD, alice, ladder};

#[test]
fn sipp_registers_and_unregisters_by_digest() {
    let Some(sipp) = find("sipp", "SIPp at our home server") else { return };
    at_our_home_server(&[Transport::Udp, Transport::Tcp], |estate, transport| {
        run_sipp(&sipp, estate, transport);
    });
}

#[test]
fn baresip_registers_and_unregisters_by_digest() {
    let Some(baresip) = find("baresip", "baresip at our home server") else { return };
    at_our_home_server(&[Transport::Udp, Transport::Tcp, Transport::Tls], |estate, transport| {
        run_baresip(&baresip, estate, transport);
    });
}

/// A home server that offers MD5 alone, which both peers know, visited by each transport in turn.
fn at_our_home_server(transports: &[Transport], visit: impl Fn(&Estate, Transport)) {
    let runtime = runtime();
    let estate = runtime.block_on(
        Estate::builder()
            .domain("network.com")
            .home("hs104")
            .user(alice())
            .schemes(Schemes::Md5)
            .transports(transports.iter().copied())
            .seed(4)
            .start(),
    );
    let estate = estate.expect("the estate starts");
    for transport in transports {
        visit(&estate, *transport);
        let held = estate.bindings("alice@network.com");
        assert!(held.is_empty(), "{transport}: unregistered at the end\n{}", ladder(&estate));
    }
}

/// Three users' worth of REGISTER, challenge, REGISTER, and the same to leave.
fn run_sipp(sipp: &Path, estate: &Estate, transport: Transport) {
    let flag = if transport == Transport::Udp { "u1" } else { "t1" };
    let run = Command::new(sipp)
        .current_dir(folder("sipp"))
        .args(["-sf".as_ref(), beside("sipp/register.xml").as_os_str()])
        .args(["-t", flag, "-auth_uri", "network.com", "-s", "alice", "-au", "alice", "-ap", PASSWORD])
        .args(["-m", "3", "-r", "20", "-timeout", "20s", "-nostdin"])
        .args(["-i", "127.0.0.1", "-p", &free_ports::<1>()[0].to_string()])
        .arg(estate.node("hs104").address(transport).to_string())
        .output()
        .expect("SIPp starts");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{transport}: {said}\n{}", ladder(estate));
}

fn run_baresip(baresip: &Path, estate: &Estate, transport: Transport) {
    let folder = folder("baresip");
    std::fs::copy(beside("baresip/config"), folder.join("config")).unwrap();
    let port = estate.node("hs104").address(transport).port();
    let accounts = std::fs::read_to_string(beside("baresip/accounts"))
        .unwrap()
        .replace("@USER@", "alice")
        .replace("@PASSWORD@", PASSWORD)
        .replace("@TRANSPORT@", transport.uri_token())
        .replace("@PORT@", &port.to_string());
    std::fs::write(folder.join("accounts"), accounts).unwrap();
    let mut peer = Peer::start(Command::new(baresip).arg("-f").arg(&folder).args(["-t", "3"])).unwrap();
    let heard = peer.wait_for(&["200 OK"], Duration::from_secs(5));
    assert!(heard.is_ok(), "{transport}: {heard:?}\n{}", ladder(estate));
    assert_eq!(estate.bindings("alice@network.com").len(), 1, "{}", ladder(estate));
    peer.wait();
}
