//! The torture messages of RFC 4475 and RFC 5118 as a registrar answers them.

use homing_core::connect::FlowEvent;
use std::collections::BTreeMap;
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

/// The folder of the suites, which travels with the tests.
fn suites() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/suites")
}

fn bench(schemes: Schemes) -> Bench {
    let mut config = NodeConfig::new("hs1", "example.com", Role::Home);
    config.authentication.schemes = schemes;
    config.peers = peers(&["hs1.example.com"]);
    let node = Node::new(config, &Seed::from_number(5));
    Bench::new(node, &[("*", "hs1.example.com")])
}

/// What the server answers to a datagram; none where it says nothing.
fn answer(bench: &mut Bench, bytes: Vec<u8>) -> Option<Message> {
    let flow = bench.open(1, Transport::Udp);
    let frame = Frame::Message(Bytes::from(bytes));
    let sent = bench.input(NodeInput::Flow(FlowEvent::Received { flow, frame }), at(0));
    assert!(sent.len() <= 1, "at most one answer\n{}", bench.ladder());
    sent.first().map(|(_, bytes)| Message::parse(bytes.clone()).unwrap())
}

/// One message of the suites, and what its RFC lets a server answer.
struct Trial {
    name: String,
    bytes: Vec<u8>,
    /// `valid`, `invalid`, `application`, …
    class: String,
    /// `accept`, `reject`, `may`, `discard`, …
    parse: String,
    /// What a user agent server and a registrar may do, in words and codes.
    says: String,
}

impl Trial {
    /// All of them, from the expectations beside the messages.
    fn all(suites: &Path) -> Vec<Trial> {
        let read =
            |path: PathBuf| std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        let rows = |text: &str| -> Vec<Vec<String>> {
            text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
        };
        let mut all = Vec::new();
        for row in rows(&read(suites.join("rfc4475/expectations.tsv"))) {
            let bytes = std::fs::read(suites.join("rfc4475").join(&row[1])).unwrap();
            let (name, says) =
                (row[1].trim_end_matches(".dat").to_owned(), format!("{}; {}", row[4], row[5]));
            all.push(Trial { name, bytes, class: row[2].clone(), parse: row[3].clone(), says });
        }
        for row in rows(&read(suites.join("rfc5118/expectations.tsv"))) {
            let bytes = std::fs::read(suites.join("rfc5118/crlf").join(&row[1])).unwrap();
            let parse = if row[2] == "invalid" { "reject" } else { "accept" };
            let (name, says) = (row[1].clone(), row[3].clone());
            all.push(Trial { name, bytes, class: row[2].clone(), parse: parse.to_owned(), says });
        }
        all
    }

    /// The three-digit codes its expectation names.
    fn codes(&self) -> Vec<u16> {
        let words = self.says.split(|c: char| !c.is_ascii_digit());
        words.filter(|word| word.len() == 3).filter_map(|word| word.parse().ok()).collect()
    }

    /// True if its RFC lets a server that is home server and end of the way answer this.
    fn allows(&self, status: Option<u16>) -> bool {
        let named = status.is_some_and(|status| self.codes().contains(&status));
        match (self.parse.as_str(), status) {
            // A response must not be answered, and no broken one either.
            ("discard", status) => status.is_none(),
            _ if self.says.starts_with("-; -") => status.is_none(),
            // Not one of the RFC's: nothing is asked of it but that it registers no user.
            _ if self.class == "stray" => status != Some(200),
            // Matched as RFC 2543 matched: served like any other, and its user is not here.
            (_, Some(200 | 480)) if self.says.contains("RFC 2543 matching") => true,
            (_, None) => self.says.contains("discard") || self.says.contains("drop"),
            ("reject" | "reject-udp", Some(_)) => named,
            // Legal, or to be taken for legal: whatever is answered, not that it is malformed.
            ("accept", Some(status)) => named || status != 400,
            ("may", Some(status)) => named || status != 400,
            _ => named,
        }
    }
}

/// What this server answers to each message, reviewed by hand; `-` is silence.
const ANSWERS: &str = include_str!("../../../../tests/data/torture_answers.tsv");

#[test]
fn every_torture_message_gets_its_answer_and_its_rfc_allows_it() {
    let suites = suites();
    let answers: BTreeMap<&str, &str> = ANSWERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let (mut wrong, mut now) = (Vec::new(), String::new());
    let trials = Trial::all(&suites);
    assert_eq!(trials.len(), 49 + 1 + 12, "RFC 4475, a stray, RFC 5118");
    for trial in trials {
        let answered =
            answer(&mut bench(Schemes::None), trial.bytes.clone()).and_then(|message| message.status());
        let (name, shown) = (&trial.name, answered.map_or("-".to_owned(), |status| status.to_string()));
        now += &format!("{name}\t{shown}\n");
        if answers.get(name.as_str()) != Some(&shown.as_str()) {
            wrong.push(format!("{name}: {shown}, not {:?} as before", answers.get(name.as_str())));
        }
        if !trial.allows(answered) {
            wrong.push(format!("{name}: {shown}, but {} {}: {}", trial.class, trial.parse, trial.says));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}\nnow:\n{now}");
}

/// The same rules by messages of our own: head lines after a good start, and the answer.
#[test]
fn messages_of_our_own_meet_the_same_rules() {
    let head = "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKown\r\nFrom: <sip:a@example.com>;tag=1\r\n\
                To: <sip:a@example.com>\r\nCall-ID: own\r\nMax-Forwards: 70\r\n";
    let register = "Contact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n";
    let cases: &[(&str, &str, &str, Option<u16>)] = &[
        ("a good registration", "REGISTER sip:example.com SIP/2.0", "CSeq: 1 REGISTER\r\n", Some(200)),
        (
            "compact and folded",
            "REGISTER sip:example.com SIP/2.0",
            "CSeq:\r\n 0001\r\n\tREGISTER\r\n",
            Some(200),
        ),
        ("the end of the way", "OPTIONS sip:example.com SIP/2.0", "CSeq: 1 OPTIONS\r\n", Some(200)),
        ("a method of tomorrow", "!%+~ sip:example.com SIP/2.0", "CSeq: 1 !%+~\r\n", Some(501)),
        ("a version of tomorrow", "OPTIONS sip:example.com SIP/7.0", "CSeq: 1 OPTIONS\r\n", Some(505)),
        ("a scheme nobody knows", "OPTIONS nobody:knows SIP/2.0", "CSeq: 1 OPTIONS\r\n", Some(416)),
        ("a domain of others", "OPTIONS sip:elsewhere.org SIP/2.0", "CSeq: 1 OPTIONS\r\n", Some(404)),
        ("angle brackets", "OPTIONS <sip:example.com> SIP/2.0", "CSeq: 1 OPTIONS\r\n", Some(400)),
        ("a blank inside", "OPTIONS sip:example.com; x SIP/2.0", "CSeq: 1 OPTIONS\r\n", Some(400)),
        ("an address without brackets", "OPTIONS sip:2001:db8::10 SIP/2.0", "CSeq: 1 OPTIONS\r\n", Some(400)),
        ("another method in CSeq", "OPTIONS sip:example.com SIP/2.0", "CSeq: 1 INVITE\r\n", Some(400)),
        (
            "a CSeq beyond 31 bits",
            "OPTIONS sip:example.com SIP/2.0",
            "CSeq: 36893488147419103232 OPTIONS\r\n",
            Some(400),
        ),
        ("two CSeqs", "OPTIONS sip:example.com SIP/2.0", "CSeq: 1 OPTIONS\r\nCSeq: 2 OPTIONS\r\n", Some(400)),
        (
            "an extension nobody knows",
            "OPTIONS sip:example.com SIP/2.0",
            "CSeq: 1 OPTIONS\r\nRequire: x\r\n",
            Some(420),
        ),
        (
            "a length below nothing",
            "OPTIONS sip:example.com SIP/2.0",
            "CSeq: 1 OPTIONS\r\nContent-Length: -9\r\n",
            Some(400),
        ),
        ("a response to nothing", "SIP/2.0 200 OK", "CSeq: 1 OPTIONS\r\n", None),
        ("a code beyond all codes", "SIP/2.0 4294967301 better", "CSeq: 1 OPTIONS\r\n", None),
    ];
    for (name, start, lines, status) in cases {
        let body = if start.starts_with("REGISTER") { register } else { "" };
        let message = format!("{start}\r\n{head}{lines}{body}\r\n");
        let answered = answer(&mut bench(Schemes::None), message.into_bytes());
        assert_eq!(answered.and_then(|message| message.status()), *status, "{name}");
    }
}

#[test]
fn what_the_torture_registrations_leave_behind() {
    let suites = suites();
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
    let suites = suites();
    let read = |name: &str| std::fs::read(suites.join("rfc4475").join(name)).unwrap();
    let refused = answer(&mut bench(Schemes::None), read("bext01.dat")).unwrap();
    let unsupported = refused.text(Name::Unsupported).unwrap().into_owned();
    assert!(unsupported.contains("noProxiesSupportThis"), "{unsupported}");
    let challenged = answer(&mut bench(Schemes::Digest), read("regaut01.dat")).unwrap();
    assert_eq!(challenged.status(), Some(401));
    assert!(challenged.auth(Name::WwwAuthenticate).all(|auth| auth.is("Digest")));
}
