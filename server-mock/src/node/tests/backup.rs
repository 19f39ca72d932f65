//! A redirect names a second home server to clients that can try one after the other, and binds both.

use homing_core::auth::contact_binding::{Target, tag};
use homing_core::transport::Transport;
use homing_wire::{Contact, Message};

use super::super::config::{Dialect, Peer};
use super::bench::{Bench, Golden, at, peers};

const FIRST: &str = "homeserver102.network.com";
const HOME: &str = "homeserver104.network.com";
const BACKUP: &str = "homeserver105.network.com";

/// The 301 to a client that supports these.
fn redirect(supported: &str, backup: Option<&str>) -> Message {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let node = golden.node(FIRST, |config| {
        config.routing.contact_binding = true;
        config.routing.backup = backup.map(str::to_owned);
        config.peers = peers(&[FIRST, HOME]);
        config.peers.push(Peer { fqdn: BACKUP.to_owned(), ports: vec![(Transport::Tls, 5071)] });
    });
    let mut bench = Bench::new(node, &[("user@network.com", HOME)]);
    let flow = bench.open(1, Transport::Tls);
    let text = |step| golden.text(step).replace("Supported: gruu-10", &format!("Supported: {supported}"));
    bench.ask(flow, &text(2), at(0));
    bench.ask(flow, &text(4), at(0))
}

/// Contact URIs with their q, and the To tag.
fn named(answer: &Message) -> (Vec<(String, Option<String>)>, String) {
    assert_eq!(answer.status(), Some(301));
    let contacts = answer.all::<Contact<'_>>().map(|contact| {
        let addr = contact.unwrap().addr().cloned().unwrap();
        (addr.uri_str().to_owned(), addr.param("q").flatten().map(str::to_owned))
    });
    (contacts.collect(), answer.to().unwrap().tag().unwrap().to_owned())
}

const THERE: &str = "sip:homeserver104.network.com:5061;transport=tls";
const BESIDE: &str = "sip:homeserver105.network.com:5071;transport=tls";

#[test]
fn a_client_that_tries_one_after_the_other_is_named_two_bound_by_the_to_tag() {
    let (contacts, to_tag) = named(&redirect("gruu-10, ms-cluster-failover", Some(BACKUP)));
    let expected = [(THERE, "0.700"), (BESIDE, "0.300")];
    assert_eq!(contacts, expected.map(|(uri, q)| (uri.to_owned(), Some(q.to_owned()))));
    assert_eq!(to_tag, tag([Target { uri: THERE, q: Some(700) }, Target { uri: BESIDE, q: Some(300) }]));
}

#[test]
fn all_others_are_named_the_home_server_alone() {
    for (supported, backup) in
        [("gruu-10", Some(BACKUP)), ("ms-cluster-failover", None), ("ms-cluster-failover", Some(HOME))]
    {
        let (contacts, to_tag) = named(&redirect(supported, backup));
        assert_eq!(contacts, [(THERE.to_owned(), None)], "{supported}, {backup:?}");
        assert_eq!(to_tag, tag([Target { uri: THERE, q: None }]));
    }
}
