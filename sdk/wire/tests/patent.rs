//! The eight messages the patent prints, read as they are meant.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use homing_wire::{Auth, Message, Name};
use serde_json::Value;

fn flows() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/vectors/patent_and_golden_flows.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn auth<'m>(message: &'m Message, header: &str) -> Auth<'m> {
    message.auth(Name::parse(header)).next().unwrap_or_else(|| panic!("no {header}"))
}

#[test]
fn the_literal_messages_parse() {
    let flows = flows();
    let literal = flows["literal"].as_array().unwrap();
    assert_eq!(literal.len(), 8);
    for case in literal {
        let step = case["step"].as_str().unwrap();
        let message = Message::parse(case["message"].as_str().unwrap().to_owned()).unwrap();
        let (from, to) = (message.from().unwrap(), message.to().unwrap());
        for (key, expected) in case["lenient_parse"].as_object().unwrap() {
            let read = match key.as_str() {
                "from_uri" => from.uri_str(),
                "from_tag" => from.tag().unwrap_or(""),
                "epid" => from.param("epid").flatten().unwrap_or(""),
                "to_uri" => to.uri_str(),
                "to_tag" => to.tag().unwrap_or(""),
                "auth" => {
                    check_auth(&message, step, expected);
                    continue;
                }
                other => panic!("{other}"),
            };
            assert_eq!(Some(read), expected.as_str(), "{step}: {key}");
        }
        assert_eq!(message.via().unwrap().unique_branch(), Some("z9hG4bkc"), "{step}");
    }
}

fn check_auth(message: &Message, step: &str, expected: &Value) {
    let auth = auth(message, expected["header"].as_str().unwrap());
    assert!(!auth.conflicting(), "{step}");
    for (key, expected) in expected.as_object().unwrap() {
        let read = match key.as_str() {
            "header" => continue,
            "scheme" => Some(auth.scheme),
            "contact" => {
                Some(message.get::<homing_wire::Contact<'_>>().unwrap().unwrap().addr().unwrap().uri_str())
            }
            "expires" => std::str::from_utf8(message.lines(Name::Expires).next().unwrap()).ok(),
            param => auth.param(&param.replace('_', "-")),
        };
        assert_eq!(read, expected.as_str(), "{step}: {key}");
    }
}

/// The golden flows are spoken by sound peers: nothing in them may be objected to.
#[test]
fn the_golden_flows_are_sound() {
    let flows = flows();
    let mut seen = 0;
    for (name, steps) in flows["golden"].as_object().unwrap() {
        for step in steps.as_array().into_iter().flatten() {
            let Some(text) = step["message"].as_str() else { continue };
            let message = Message::parse(text.to_owned()).unwrap();
            assert_eq!(message.validate(), [], "{name}: {text}");
            seen += 1;
        }
    }
    assert!(seen >= 42, "{seen}");
}
