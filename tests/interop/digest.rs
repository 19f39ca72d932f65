//! SIPp and baresip register at our home server by Digest, and unregister.

use std::path::Path;
use std::time::Duration;

use homing_core::transport::Transport;
use homing_server_mock::estate::{Estate, EstateBuilder, Schemes};

use crate::peer::{Peer, find, runtime};
use crate::site::{PASSWORD, alice, ladder};
use crate::visitor::Visitor;

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
        EstateBuilder::new()
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
    let server = estate.node("hs104").address(transport);
    let visitor = Visitor { domain: "network.com", password: PASSWORD, server, transport };
    let run = visitor.sipp(sipp).output().expect("SIPp starts");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{transport}: {said}\n{}", ladder(estate));
}

fn run_baresip(baresip: &Path, estate: &Estate, transport: Transport) {
    let server = estate.node("hs104").address(transport);
    let visitor = Visitor { domain: "network.com", password: PASSWORD, server, transport };
    let mut peer = Peer::start(&mut visitor.baresip(baresip)).unwrap();
    let heard = peer.wait_for(&["200 OK"], Duration::from_secs(5));
    assert!(heard.is_ok(), "{transport}: {heard:?}\n{}", ladder(estate));
    assert_eq!(estate.bindings("alice@network.com").len(), 1, "{}", ladder(estate));
    peer.wait();
}
