//! pidgin-sipe signs in through our distributor to its home server: TLS and TCP, versions 2, 3 and 4.

use std::process::Command;
use std::time::Duration;

use homing_core::transport::Transport;
use homing_server_mock::estate::{Dialect, EstateBuilder};
use homing_server_mock::journal::Verdict;

use crate::peer::{Peer, eventually, find, folder, runtime};
use crate::site::{PASSWORD, alice, ladder};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn pidgin_sipe_signs_in_by_one_redirect_version_2() {
    sign_in(Dialect::Sip2, Transport::Tls);
    sign_in(Dialect::Sip2, Transport::Tcp);
}

/// Challenged by 401 without a version, it signs what it sends and verifies what it gets.
#[test]
fn pidgin_sipe_signs_in_by_one_redirect_version_2_by_401() {
    sign_in(Dialect::Sip2By401, Transport::Tls);
    sign_in(Dialect::Sip2By401, Transport::Tcp);
}

#[test]
fn pidgin_sipe_signs_in_by_one_redirect_version_3() {
    sign_in(Dialect::Sipae3, Transport::Tls);
    sign_in(Dialect::Sipae3, Transport::Tcp);
}

#[test]
fn pidgin_sipe_signs_in_by_one_redirect_version_4() {
    sign_in(Dialect::Sipae4, Transport::Tls);
    sign_in(Dialect::Sipae4, Transport::Tcp);
}

fn sign_in(dialect: Dialect, transport: Transport) {
    let Some(program) = find("pidgin-sign-in", "pidgin-sipe through the distributor") else { return };
    let runtime = runtime();
    let estate = runtime.block_on(
        EstateBuilder::new()
            .domain("network.com")
            .distributor("lb")
            .home("hs102")
            .home("hs104")
            .user(alice())
            .dialect(dialect)
            .transports([transport])
            .expires(60)
            .seed(3)
            .start(),
    );
    let estate = estate.expect("the estate starts");
    let folder = folder(&format!("pidgin-{dialect:?}-{transport}"));
    let root = folder.join("root.pem");
    std::fs::write(&root, estate.ca_pem()).unwrap();

    let port = estate.node("lb").address(transport).port();
    let mut peer = Peer::start(
        Command::new(&program)
            .arg(folder.join("purple"))
            .args(["alice@network.com", "NETWORK\\alice", &format!("lb.network.com:{port}")])
            .args([transport.uri_token(), "90"])
            .arg(&root),
    )
    .unwrap();
    peer.say(PASSWORD);
    let heard = peer.wait_for(&["signed-on", "error", "question"], SOON);
    let told = || format!("{dialect:?} {transport}\n{}", ladder(&estate));
    assert_eq!(heard.as_deref(), Ok("signed-on"), "{}", told());

    let decided = |verdict: Verdict, node: &str| {
        let entries = estate.journal().entries();
        let fits = |entry: &&homing_server_mock::journal::Entry| {
            &*entry.node == node && entry.decision().is_some_and(|decision| decision.verdict == verdict)
        };
        entries.iter().filter(fits).count()
    };
    assert_eq!(decided(Verdict::Redirected, "lb"), 1, "redirected once\n{}", told());
    assert!(eventually(SOON, || estate.bindings("alice@network.com").len() == 1), "{}", told());
    let refreshed = eventually(Duration::from_secs(60), || decided(Verdict::Registered, "hs104") >= 2);
    assert!(refreshed, "no refresh came\n{}", told());
    peer.say("quit");
    peer.wait_for(&["done"], SOON).unwrap();
    assert!(eventually(SOON, || estate.bindings("alice@network.com").is_empty()), "signed out\n{}", told());
    assert_eq!(decided(Verdict::LogonRefused, "hs104"), 0, "{}", told());
}
