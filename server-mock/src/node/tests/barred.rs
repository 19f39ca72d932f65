//! What becomes of a user who may not sign in any more.

use std::sync::Arc;

use homing_core::auth::digest::Hash;
use homing_wire::Name;

use super::super::accounts::Accounts;
use super::super::config::{Dialect, Schemes};
use super::super::io::NodeCommand;
use super::authenticator::{again, unsigned, with};
use super::bench::{Golden, at, auth_param};
use super::register::{CONTACT, answer, bench, register};

const SERVER: &str = "homeserver104.network.com";

/// The accounts of a node with one user barred, or all of them gone.
fn barred(accounts: &Accounts, user: Option<&str>) -> NodeCommand {
    let mut changed = accounts.clone();
    match user {
        Some(user) => assert!(changed.enable(user, false)),
        None => changed = Accounts::new(),
    }
    NodeCommand::SetAccounts(Arc::new(changed))
}

#[test]
fn a_barred_user_is_told_and_holds_neither_binding_nor_association() {
    for who in [Some("user@network.com"), None] {
        let golden = Golden::read("sipae_v4", Dialect::Sipae4);
        let mut bench =
            super::bench::Bench::new(golden.node(SERVER, |_| ()), &[("user@network.com", SERVER)]);
        let flow = bench.open(1, homing_core::transport::Transport::Tls);
        let challenge = bench.ask(flow, &again(&golden.text(8), 1), at(0));
        let opaque = auth_param(&challenge, Name::WwwAuthenticate, "opaque").unwrap();
        let token = unsigned(&with(&again(&golden.text(10), 1), "opaque", &opaque));
        assert_eq!(bench.ask(flow, &token, at(0)).status(), Some(200), "{}", bench.ladder());
        assert!(bench.node.serves("user@network.com"));
        assert_eq!(bench.node.cx.sessions.len(), 1);
        let command = barred(&bench.node.config().accounts.clone(), who);
        let sent = bench.command(command, at(1));
        let told = String::from_utf8_lossy(&sent[0].1).into_owned();
        assert!(told.starts_with("NOTIFY ") && told.contains("event=rejected"), "{told}");
        assert!(told.contains("Authentication-Info") || told.contains("Authorization"), "signed: {told}");
        assert!(!bench.node.serves("user@network.com"));
        assert_eq!(bench.node.cx.sessions.len(), 0);
        let refused = bench.ask(flow, &again(&token, 2), at(2));
        assert_eq!(refused.status(), Some(401), "{}", bench.ladder());
    }
}

#[test]
fn a_barred_user_of_digest_is_a_stranger_at_once_and_another_goes_on() {
    let (mut bench, flow) = bench(Schemes::Digest, |_| ());
    let challenge = bench.ask(flow, &register("user", 1, CONTACT), at(0));
    let line = |nc: &str| answer(&challenge, Hash::Sha256, "Secret-Pass1", nc);
    let ask = |bench: &mut super::bench::Bench, cseq: u32, nc: &str| {
        bench.ask(flow, &register("user", cseq, &format!("{CONTACT}\r\n{}", line(nc))), at(0)).status()
    };
    assert_eq!(ask(&mut bench, 2, "00000001"), Some(200));
    let accounts = bench.node.config().accounts.clone();
    bench.command(barred(&accounts, Some("bob@network.com")), at(0));
    assert!(bench.node.serves("user@network.com"), "bob is another");
    assert_eq!(ask(&mut bench, 3, "00000002"), Some(200));
    bench.command(barred(&accounts, Some("user@network.com")), at(0));
    assert!(!bench.node.serves("user@network.com"));
    assert_eq!(ask(&mut bench, 4, "00000003"), Some(401), "{}", bench.ladder());
    bench.command(NodeCommand::SetAccounts(accounts), at(0));
    assert_eq!(ask(&mut bench, 5, "00000004"), Some(200), "{}", bench.ladder());
}

#[test]
fn a_list_of_more_contacts_than_are_kept_says_so() {
    let (mut bench, flow) = bench(Schemes::None, |_| ());
    let list = |count: u32| {
        let contacts: Vec<String> =
            (0..count).map(|n| format!("<sip:user@127.0.0.1:{}>", 4000 + n)).collect();
        format!("Contact: {}", contacts.join(", "))
    };
    let kept = bench.ask(flow, &register("user", 1, &list(16)), at(0));
    assert_eq!((kept.status(), kept.text(Name::Warning)), (Some(200), None));
    let kept = bench.ask(flow, &register("user", 2, &list(32)), at(0));
    assert_eq!(kept.status(), Some(200));
    assert!(kept.text(Name::Warning).unwrap().contains("only the last 16 Contacts are kept"));
    assert_eq!(bench.told("the oldest 16 of its user's bindings: a user has at most 16 here"), 1);
}
