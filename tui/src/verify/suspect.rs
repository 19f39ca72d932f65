//! Which element of a signature buffer differs: each is tried with what it is mistaken for most often.

use homing::offline::security_association::{Element, Stamp, Version, elements};
use homing::offline::{Message, Name};

use crate::verify::review::Outcome;

/// Judges a signature by the buffer of its version, then by buffers in which one element is another.
pub(crate) fn judge(
    message: &Message,
    stamp: &Stamp<'_>,
    version: Version,
    fits: impl Fn(&[u8]) -> bool,
) -> Outcome {
    let parts = match elements(message, stamp, version) {
        Ok(parts) => parts,
        Err(error) => return Outcome::Differs { element: "buffer".to_owned(), text: error.to_string() },
    };
    if fits(&joined(&parts)) {
        return Outcome::Fits(format!("number {}, version {}", stamp.number, number_of(version)));
    }
    for other in [Version::V2, Version::V3].into_iter().filter(|other| *other != version) {
        if elements(message, stamp, other).is_ok_and(|parts| fits(&joined(&parts))) {
            let text = format!("signed as version {}, agreed was {}", number_of(other), number_of(version));
            return Outcome::Differs { element: "version".to_owned(), text };
        }
    }
    for (index, (element, stands)) in parts.iter().enumerate() {
        for signed in candidates(message, *element, stands) {
            let mut tried = parts.clone();
            tried[index].1.clone_from(&signed);
            if fits(&joined(&tried)) {
                let text = format!("signed was \"{signed}\", the message has \"{stands}\"");
                return Outcome::Differs { element: format!("{element:?}"), text };
            }
        }
    }
    let text = "no single usual change explains it: other keys, or more than one element".to_owned();
    Outcome::Differs { element: "signature".to_owned(), text }
}

/// What may have been signed in place of what stands there.
fn candidates(message: &Message, element: Element, stands: &str) -> Vec<String> {
    let mut list = vec![String::new(), stands.to_ascii_lowercase(), stands.to_ascii_uppercase()];
    let mut add = |text: &str| list.push(text.to_owned());
    match element {
        Element::Scheme => ["NTLM", "ntlm", "Kerberos"].into_iter().for_each(&mut add),
        Element::Number | Element::Sequence => {
            let number: i64 = stands.parse().unwrap_or(0);
            (-3..=3).for_each(|by| add(&(number + by).to_string()));
        }
        Element::Status => {
            [
                "100", "180", "200", "301", "302", "401", "403", "404", "407", "480", "481", "486", "487",
                "500", "503",
            ]
            .into_iter()
            .for_each(&mut add);
        }
        Element::Expires => {
            ["0", "60", "300", "600", "1800", "3600", "7200", "86400"].into_iter().for_each(&mut add);
            let contact = message.text(Name::Contact).unwrap_or_default().into_owned();
            let expires = contact
                .split(";expires=")
                .nth(1)
                .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            expires.iter().for_each(|expires| add(expires));
        }
        Element::FromTag | Element::ToTag => {
            for address in [message.from(), message.to()].into_iter().flatten() {
                address.tag().into_iter().for_each(&mut add);
            }
        }
        Element::FromUri | Element::ToUri => {
            for address in [message.from(), message.to()].into_iter().flatten() {
                add(address.uri_str());
            }
            add(&format!("<{stands}>"));
        }
        Element::Method => ["REGISTER", "INVITE", "ACK", "CANCEL", "BYE"].into_iter().for_each(&mut add),
        Element::Salt
        | Element::Realm
        | Element::Targetname
        | Element::CallId
        | Element::SipIdentity
        | Element::TelIdentity => {
            add(stands.trim());
            add(&format!("\"{stands}\""));
        }
    }
    list.retain(|candidate| candidate != stands);
    list
}

fn joined(parts: &[(Element, String)]) -> Vec<u8> {
    parts.iter().flat_map(|(_, value)| format!("<{value}>").into_bytes()).collect()
}

fn number_of(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
        Version::V4 => 4,
    }
}
