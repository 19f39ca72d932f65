//! Answers of a running estate as text for people.

use std::fmt::Write;

use serde_json::Value;

use crate::journal::harmless;

/// The answer as lines.
pub(super) fn render(answer: &Value) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if let Some(servers) = answer["servers"].as_array() {
        let _ = writeln!(text, "{}  DNS {}", word(&answer["domain"]), word(&answer["dns"]));
        for server in servers {
            let listens = server["listens"].as_object().into_iter().flatten();
            let listens: Vec<String> =
                listens.map(|(kind, at)| format!("{} {}", harmless(kind), word(at))).collect();
            let _ = writeln!(
                text,
                "  {:<10} {:<12} {:>5} registered   {}",
                word(&server["server"]),
                word(&server["role"]),
                word(&server["registered"]),
                listens.join("  ")
            );
        }
    } else if let Some(users) = answer["users"].as_array() {
        for user in users {
            let _ = writeln!(
                text,
                "{:<28} {:<24} v{} by {}: {}",
                word(&user["user"]),
                word(&user["home"]),
                word(&user["version"]),
                word(&user["who"]),
                word(&user["why"])
            );
            for at in user["registered"].as_array().into_iter().flatten() {
                let contact = word(&at["contact"]);
                let _ = writeln!(
                    text,
                    "    at {:<10} {contact}, {} s left",
                    word(&at["server"]),
                    word(&at["expires_in"])
                );
            }
        }
    } else if let Some(fields) = answer.as_object() {
        let fields = fields.iter().filter(|(name, _)| *name != "v");
        let fields: Vec<String> =
            fields.map(|(name, value)| format!("{} {}", harmless(name), word(value))).collect();
        let _ = writeln!(text, "{}", fields.join(", "));
    }
    text
}

/// The value without quotes, and without anything that moves a cursor or hides.
fn word(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    harmless(&text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_contact_turns_no_line_around() {
        let at =
            json!({ "server": "hs1", "contact": "sip:a\u{202e}\u{1b}[m\u{200b}", "expires_in": "\u{9b}" });
        let answer = json!({ "users": [{ "user": "a", "version": "\u{1b}", "registered": [at] }], });
        let text = render(&answer);
        assert!(text.contains("sip:a··[m·, · s left"), "{text:?}");
        assert!(text.contains("v· by"), "{text:?}");
    }
}
