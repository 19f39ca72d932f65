//! The torture messages of RFC 4475 and RFC 5118 as a registrar answers them.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use homing_core::ids::Seed;
use homing_core::transport::Transport;
use homing_wire::{Contact, Frame, Message, Name};

use super::super::Node;
use super::super::config::{NodeConfig, Schemes};
use super::super::io::NodeInput;
use super::bench::{Bench, at, peers};
use crate::role::Role;

/// The folder `shared/suites` beside the workspace, or beside one of the folders around it.
fn suites() -> Option<PathBuf> {
    let mut folders =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/suites"));
    let found = folders.find(|folder| folder.join("torture-facts.json").is_file());
    if found.is_none() {
        println!("skipped: suites absent");
    }
    found
}

fn bench(schemes: Schemes) -> Bench {
    let mut config = NodeConfig::new("hs1", "example.com", Role::Home);
    config.gate.schemes = schemes;
    config.peers = peers(&["hs1.example.com"]);
    let node = Node::new(config, &Seed::from_number(5), at(0));
    Bench::new(node, &[("*", "hs1.example.com")])
}

/// What the server answers to a datagram; none where it says nothing.
fn answer(bench: &mut Bench, bytes: Vec<u8>) -> Option<Message> {
    let flow = bench.open(1, Transport::Udp);
    let frame = Frame::Message(Bytes::from(bytes));
    let sent = bench.input(NodeInput::Received { flow, frame }, at(0));
    assert!(sent.len() <= 1, "at most one answer\n{}", bench.ladder());
    sent.first().map(|(_, bytes)| Message::parse(bytes.clone()).unwrap())
}

/// What RFC 4475 and RFC 5118 let a registrar answer to each message; none for silence.
fn expected(name: &str) -> &'static [Option<u16>] {
    match name {
        // Requests for domains this server does not serve, and methods it does not carry.
        "intmeth" | "esc02" | "mismatch02" => &[Some(501), Some(400)],
        "wsinv" | "esc01" | "longreq" | "mpart01" | "invut" | "sdp01" | "inv2543" | "baddate" => {
            &[Some(404), Some(405), Some(415)]
        }
        // This server is the end of its way.
        "zeromf" => &[Some(200)],
        "lwsdisp" | "semiuri" | "transports" | "badaspec" | "badbranch" => &[Some(200), Some(400), Some(404)],
        "escnull" | "dblreq" | "cparam01" | "cparam02" | "regescrt" => &[Some(200)],
        "regaut01" => &[Some(200), Some(401)],
        "badvers" => &[Some(505)],
        "unkscm" | "novelsc" => &[Some(416)],
        "unksm2" => &[Some(400), Some(200)],
        "bext01" => &[Some(420)],
        "baddn" | "badinv01" | "clerr" | "ncl" | "scalar02" | "quotbal" | "ltgtruri" | "lwsruri"
        | "lwsstart" | "trws" | "escruri" | "regbadct" | "mismatch01" | "multi01" | "mcl01" | "ipv6-bad" => {
            &[Some(400)]
        }
        "insuf" => &[Some(400), None],
        // Responses to nothing, and octets that are no message.
        "unreason" | "noreason" | "scalarlg" | "bigcode" | "bcast" => &[None],
        "test" => &[None, Some(400)],
        // RFC 5118: calls and registrations with addresses of all kinds.
        _ => &[Some(200), Some(404), Some(405), Some(481)],
    }
}

#[test]
fn every_torture_message_gets_the_answer_its_rfc_allows() {
    let Some(suites) = suites() else { return };
    let list = std::fs::read_to_string(suites.join("torture-facts.json")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    let mut wrong = Vec::new();
    for entry in list {
        let name = entry["name"].as_str().unwrap();
        let path = match entry["rfc"].as_str().unwrap() {
            "5118" => suites.join("rfc5118/crlf").join(name),
            _ => suites.join("rfc4475").join(format!("{name}.dat")),
        };
        let answered = answer(&mut bench(Schemes::None), std::fs::read(path).unwrap());
        let status = answered.and_then(|message| message.status());
        if !expected(name).contains(&status) {
            wrong.push(format!("{name}: {status:?}, not {:?}", expected(name)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_the_torture_registrations_leave_behind() {
    let Some(suites) = suites() else { return };
    let registered = |name: &str| {
        let mut bench = bench(Schemes::None);
        let bytes = std::fs::read(suites.join("rfc4475").join(format!("{name}.dat"))).unwrap();
        let done = answer(&mut bench, bytes).unwrap();
        assert_eq!(done.status(), Some(200), "{name}\n{}", bench.ladder());
        let contacts =
            done.all::<Contact<'_>>().map(|contact| contact.unwrap().addr().unwrap().uri_str().to_owned());
        let users: Vec<String> =
            bench.node.registrar().iter().map(|binding| binding.endpoint.user.clone()).collect();
        (contacts.collect::<Vec<_>>(), users)
    };
    let (contacts, users) = registered("escnull");
    assert_eq!(contacts, ["sip:%00@host5.example.com", "sip:%00%00@host5.example.com"]);
    assert_eq!(users, ["null-%00-null@example.com"; 2], "the address is not cut at the NUL");
    assert_eq!(registered("cparam02").0, ["sip:+19725552222@gw1.example.net;unknownparam"]);
    assert_eq!(registered("cparam01").0, ["sip:+19725552222@gw1.example.net"]);
    assert_eq!(registered("regescrt").0, ["sip:user@example.com?Route=%3Csip:sip.example.com%3E"]);
    assert_eq!(registered("dblreq").0.len(), 1);
}

#[test]
fn unknown_extensions_are_named_and_unknown_credentials_challenged() {
    let Some(suites) = suites() else { return };
    let read = |name: &str| std::fs::read(suites.join("rfc4475").join(name)).unwrap();
    let refused = answer(&mut bench(Schemes::None), read("bext01.dat")).unwrap();
    let unsupported = refused.text(Name::Unsupported).unwrap().into_owned();
    assert!(unsupported.contains("noProxiesSupportThis"), "{unsupported}");
    let challenged = answer(&mut bench(Schemes::Digest), read("regaut01.dat")).unwrap();
    assert_eq!(challenged.status(), Some(401));
    assert!(challenged.auth(Name::WwwAuthenticate).all(|auth| auth.is("Digest")));
}
