//! The registration-notify: a server that ends a registration by itself (MS-SIPREGE 2.2.4, 3.2.5).

use homing_wire::header::PreferredRegistrar;
use homing_wire::{EventHeader, Message, Method};

/// What a server says about the registration it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationNotify {
    /// Another device took this one's place.
    Unregistered,
    /// The account was disabled.
    Rejected,
    /// Sign in again, beginning with discovery: the user was moved.
    Deactivated,
    /// Sign in at the server named, as `P-Preferred-Registrar` has it.
    Preferred {
        /// The URI as written.
        uri: String,
    },
}

impl RegistrationNotify {
    /// Reads an unsolicited NOTIFY; `None` if it is no registration-notify this agent understands.
    pub fn read(notify: &Message) -> Option<Self> {
        if notify.method() != Some(Method::Notify) || !is_registration_notify(notify) {
            return None;
        }
        let body = std::str::from_utf8(notify.body()).ok()?.trim();
        let mut parts = body.split(';').map(str::trim);
        let kind = parts.next()?;
        let event = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("event").then(|| value.trim().to_ascii_lowercase())
        })?;
        match event.as_str() {
            "preferred-registrar-change" => {
                let server = notify.get::<PreferredRegistrar<'_>>().ok()??;
                Some(RegistrationNotify::Preferred { uri: server.uri.to_owned() })
            }
            _ if !kind.eq_ignore_ascii_case("deregistered") => None,
            "unregistered" => Some(RegistrationNotify::Unregistered),
            "rejected" => Some(RegistrationNotify::Rejected),
            "deactivated" => Some(RegistrationNotify::Deactivated),
            _ => None,
        }
    }
}

/// True for a NOTIFY of the event package `registration-notify`, whatever its body says.
pub fn is_registration_notify(notify: &Message) -> bool {
    let event = notify.get::<EventHeader<'_>>().ok().flatten();
    event.is_some_and(|event| event.is("registration-notify"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notify(event: &str, extra: &str, body: &str) -> Message {
        let text = format!(
            "NOTIFY sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TLS hs1.network.com;branch=z9hG4bK1\r\n\
             From: <sip:alice@network.com>;tag=1\r\nTo: <sip:alice@network.com>;epid=3344\r\n\
             Call-ID: n1\r\nCSeq: 1 NOTIFY\r\nEvent: {event}\r\n{extra}\
             Content-Type: text/registration-event\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Message::parse(text.into_bytes()).unwrap()
    }

    #[test]
    fn all_four_events_are_understood() {
        let rows = [
            ("deregistered;event=unregistered", RegistrationNotify::Unregistered),
            ("deregistered;event=rejected", RegistrationNotify::Rejected),
            ("deregistered;event=deactivated\r\n", RegistrationNotify::Deactivated),
            ("DEREGISTERED; Event = Deactivated", RegistrationNotify::Deactivated),
        ];
        for (body, expected) in rows {
            assert_eq!(
                RegistrationNotify::read(&notify("registration-notify", "", body)),
                Some(expected),
                "{body}"
            );
        }
        let header = "P-Preferred-Registrar: <sip:hs2.network.com:5061;transport=tls>\r\n";
        let uri = "sip:hs2.network.com:5061;transport=tls".to_owned();
        let body = "registered;event=preferred-registrar-change";
        let bare = "P-Preferred-Registrar: sip:hs2.network.com:5061;transport=tls\r\n";
        for header in [header, bare] {
            let read = RegistrationNotify::read(&notify("Registration-Notify ;x=y", header, body));
            assert_eq!(read, Some(RegistrationNotify::Preferred { uri: uri.clone() }), "{header}");
        }
    }

    #[test]
    fn anything_else_moves_nothing() {
        for (event, body) in [
            ("presence", "deregistered;event=rejected"),
            ("registration-notify", "deregistered;event=party"),
            ("registration-notify", "event=rejected"),
            ("registration-notify", ""),
            ("registration-notify", "registered;event=preferred-registrar-change"),
        ] {
            assert_eq!(RegistrationNotify::read(&notify(event, "", body)), None, "{event} {body}");
        }
    }
}
