//! Answers of a running estate as text for people.

use std::fmt::Write;

use serde_json::Value;

use crate::journal::sanitize;

/// The answer as lines.
pub(super) fn render(answer: &Value) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    if let Some(servers) = answer["servers"].as_array() {
        let _ = writeln!(text, "{}  DNS {}", word(&answer["domain"]), word(&answer["dns"]));
        for server in servers {
            let listens = server["listens"].as_object().into_iter().flatten();
            let listens: Vec<String> =
                listens.map(|(kind, at)| format!("{} {}", sanitize(kind), word(at))).collect();
            let _ = writeln!(
                text,
                "  {:<10} {:<12} {}   {}",
                word(&server["server"]),
                word(&server["role"]),
                if server["running"] == false {
                    format!("{:<27}", "stopped")
                } else {
                    let calls = &server["calls"]["answered"];
                    format!("{:>5} registered {:>4} calls", word(&server["registered"]), word(calls))
                },
                listens.join("  ")
            );
        }
    } else if let Some(fields) = answer.as_object() {
        let fields = fields.iter().filter(|(name, _)| *name != "v");
        let fields: Vec<String> =
            fields.map(|(name, value)| format!("{} {}", sanitize(name), word(value))).collect();
        let _ = writeln!(text, "{}", fields.join(", "));
    }
    text
}

/// A user as lines.
pub(super) fn render_user(user: &Value) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{:<28} {:<24} v{} by {}: {}{}",
        word(&user["user"]),
        word(&user["home"]),
        word(&user["version"]),
        word(&user["who"]),
        word(&user["why"]),
        if user["enabled"] == false { "   disabled" } else { "" }
    );
    for at in user["registered"].as_array().into_iter().flatten() {
        let moved =
            if at["on_move"] == "at_once" { "is told of a move" } else { "moves at its next refresh" };
        let (contact, left) = (word(&at["contact"]), word(&at["expires_in"]));
        let _ = writeln!(text, "    at {:<10} {contact}, {left} s left, {moved}", word(&at["server"]));
    }
    text
}

/// An entry of the journal as a line.
pub(super) fn render_entry(entry: &Value) -> String {
    let (at, node) = (entry["at_us"].as_f64().unwrap_or_default() / 1e6, word(&entry["node"]));
    let text = |name: &str| entry[name].as_str().map(sanitize).unwrap_or_default();
    let first_line = || entry["text"].as_str().and_then(|text| text.lines().next()).map(sanitize);
    let what = match entry["kind"].as_str() {
        Some("received") => format!("◀── {} {}", word(&entry["peer"]), first_line().unwrap_or_default()),
        Some("sent") => format!("──▶ {} {}", word(&entry["peer"]), first_line().unwrap_or_default()),
        _ => format!("{} {} {}: {}", text("verdict"), text("user"), text("target"), text("reason")),
    };
    format!("{at:10.3}  {node:<10} {what}\n")
}

/// The value without quotes, and without anything that moves a cursor or hides.
fn word(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    sanitize(&text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_contact_turns_no_line_around() {
        let at =
            json!({ "server": "hs1", "contact": "sip:a\u{202e}\u{1b}[m\u{200b}", "expires_in": "\u{9b}" });
        let text = render_user(&json!({ "user": "a", "version": "\u{1b}", "registered": [at] }));
        assert!(text.contains("sip:a··[m·, · s left"), "{text:?}");
        assert!(text.contains("v· by"), "{text:?}");
    }
}
