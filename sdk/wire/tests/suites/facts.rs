//! Every fact another implementation read out of the messages is read out of them here too.

use homing_wire::header::Route;
use homing_wire::{Builder, Contact, Frame, Framer, Limits, Message, Name, NameAddr, StartLine};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

#[test]
fn facts_equal_the_reference() {
    let suites = super::suites();
    let (mut messages, mut facts, mut wrong) = (0, 0, Vec::new());
    for (entry, bytes) in super::torture(&suites) {
        let Some(expected) = entry["facts"].as_object() else { continue };
        let name = entry["name"].as_str().unwrap();
        let message = Message::parse(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        messages += 1;
        facts += expected.len();
        wrong.extend(differences(name, expected, &read(&message)));
        let relayed = Message::parse(Builder::from_message(&message).finish()).unwrap();
        if expected.contains_key("clen") {
            wrong.extend(differences(&format!("{name} relayed"), expected, &read(&relayed)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(messages >= 44 && facts >= 20 * messages, "{messages} messages, {facts} facts");
}

/// On a stream the same messages come out of the framer as they went in.
#[test]
fn a_stream_gives_the_same_messages() {
    let suites = super::suites();
    for (entry, bytes) in super::torture(&suites) {
        let Some(facts) = entry["facts"].as_object().filter(|facts| facts.contains_key("clen")) else {
            continue;
        };
        let name = entry["name"].as_str().unwrap();
        let mut framer = Framer::new(Limits::default());
        for part in bytes.chunks(7) {
            framer.push(part);
        }
        let Ok(Some(Frame::Message(framed))) = framer.next() else { panic!("{name}") };
        let message = Message::parse(framed).unwrap();
        assert_eq!(differences(name, facts, &read(&message)), Vec::<String>::new());
        if name == "dblreq" {
            assert_eq!(framer.next(), Ok(Some(Frame::Pong)));
            assert!(matches!(framer.next(), Ok(Some(Frame::Message(_)))), "the second message of dblreq");
        }
    }
}

#[test]
fn messages_with_lone_line_feeds_do_no_harm() {
    let suites = super::suites();
    let mut seen = 0;
    for file in std::fs::read_dir(suites.join("rfc5118/raw")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let mut framer = Framer::new(Limits::default());
        framer.push(&bytes);
        assert!(framer.next().is_err());
        assert!(Message::parse(bytes).is_err());
        seen += 1;
    }
    assert_eq!(seen, 12);
}

fn differences(name: &str, expected: &Map<String, Value>, read: &Map<String, Value>) -> Vec<String> {
    let differs = expected.iter().filter(|(key, value)| read.get(*key).unwrap_or(&Value::Null) != *value);
    differs.map(|(key, value)| format!("{name}: {key} is {:?}, expected {value:?}", read.get(key))).collect()
}

fn read(message: &Message) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut add = |key: &str, value: Option<String>| facts.insert(key.to_owned(), value.into());
    match message.start() {
        StartLine::Request { method, uri } => {
            add("kind", Some("request".to_owned()));
            add("method", Some(method.to_string()));
            add("ruri", Some(uri.to_owned()));
        }
        StartLine::Response { status, reason } => {
            add("kind", Some("response".to_owned()));
            add("code", Some(status.to_string()));
            add("reason", Some(String::from_utf8(reason.to_vec()).unwrap()));
        }
    }
    add("via_n", Some(message.via_count().to_string()));
    if let Ok(via) = message.via() {
        add("via_transport", Some(via.transport.to_owned()));
        add("via_sentby", Some(via.port.map_or(via.host.to_string(), |port| format!("{}:{port}", via.host))));
        add("via_branch", via.branch().map(str::to_owned));
        add("via_received", via.received().map(str::to_owned));
    }
    for (side, address) in [("from", message.from()), ("to", message.to())] {
        let Ok(address) = address else { continue };
        add(&format!("{side}_uri"), Some(address.uri_str().to_owned()));
        add(&format!("{side}_tag"), address.tag().map(str::to_owned));
        add(&format!("{side}_disp"), NameAddr::display(&address).map(|name| name.into_owned()));
    }
    add("call_id", message.call_id().ok().map(str::to_owned));
    if let Ok(cseq) = message.cseq() {
        add("cseq_n", Some(cseq.seq.to_string()));
        add("cseq_m", Some(cseq.method.to_string()));
    }
    add("max_fwd", message.max_forwards().unwrap().map(|hops| hops.to_string()));
    let contacts: Vec<_> = message.all::<Contact<'_>>().map(Result::unwrap).collect();
    add("contact_n", Some(contacts.len().to_string()));
    add("contact_uri0", contacts.first().and_then(Contact::addr).map(|addr| addr.uri_str().to_owned()));
    add("route_n", Some(message.all::<Route<'_>>().map(Result::unwrap).count().to_string()));
    let length = message.lines(Name::ContentLength).next().map(|value| std::str::from_utf8(value).unwrap());
    add("clen", length.map(|length| length.parse::<u32>().unwrap().to_string()));
    add("body_len", Some(message.body().len().to_string()));
    let digest = Sha1::digest(message.body());
    add("body_sha1", Some(digest.iter().map(|octet| format!("{octet:02x}")).collect()));
    add("n_header_rows", Some(message.headers().count().to_string()));
    facts
}
