//! A server that says anything, and signs it if told: it knows the session key the agent will propose.

use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::ntlm::{SessionKeys, flags};
use homing_core::auth::security_association::{Association, AssociationName, Mechanism, Style, Version};
use homing_core::time::Now;
use homing_wire::{Builder, Message, Method, Name};

/// The session key every login of the agent proposes.
pub(crate) const SESSION_KEY: [u8; 16] = [0x55; 16];

/// What is needed to answer the last request.
pub(crate) struct Server {
    last: Option<Message>,
    association: Association,
    salt: u32,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self { last: None, association: association(), salt: 0 }
    }

    /// Remembers what the agent sent.
    pub(crate) fn hear(&mut self, bytes: &Bytes) {
        if let Ok(message) = Message::parse(bytes.clone())
            && message.is_request()
        {
            self.last = Some(message);
        }
    }

    /// The challenge that opens a handshake, or the one that goes on with it.
    pub(crate) fn challenge(&mut self, second: bool) -> Option<Bytes> {
        self.association = association();
        let line = if second {
            format!(
                "NTLM opaque=\"{OPAQUE}\", gssapi-data=\"{CHALLENGE}\", targetname=\"{FQDN}\", realm=\"{REALM}\", version=4"
            )
        } else {
            format!("NTLM realm=\"{REALM}\", targetname=\"{FQDN}\", version=4")
        };
        let reply = Builder::reply_to(self.last.as_ref()?, 401, "Unauthorized").to_tag("c1");
        Some(reply.header(Name::WwwAuthenticate, line).finish())
    }

    /// A response with these lines, signed or not.
    pub(crate) fn answer(&mut self, status: u16, lines: &[u8], signed: bool) -> Option<Bytes> {
        let reply = Builder::reply_to(self.last.as_ref()?, status, "As it is").to_tag("f1").finish();
        Some(self.finish(&reply, lines, signed))
    }

    /// A request of the server with this body, signed or not.
    pub(crate) fn request(&mut self, method: Method<'_>, body: &[u8], signed: bool) -> Bytes {
        self.salt += 1;
        let request = Builder::request(method, "sip:alice@198.51.100.7")
            .header(Name::Via, format_args!("SIP/2.0/TLS {FQDN};branch=z9hG4bKs{}", self.salt))
            .header(Name::MaxForwards, 70)
            .header(Name::From, "<sip:alice@network.com>;tag=s1")
            .header(Name::To, "<sip:alice@network.com>;epid=0123456789")
            .header(Name::CallId, format_args!("s{}", self.salt))
            .header(Name::CSeq, format_args!("1 {}", method.as_str()))
            .header(Name::Event, "registration-notify")
            .body("text/registration-event", body)
            .finish();
        self.finish(&request, b"", signed)
    }

    /// Puts `lines` in behind the last header line, as they are, and signs what comes of it.
    fn finish(&mut self, message: &Bytes, lines: &[u8], signed: bool) -> Bytes {
        let at = message.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(0) + 2;
        let whole = Bytes::from([&message[..at], lines, &message[at..]].concat());
        self.salt += 1;
        let parsed = Message::parse(whole.clone()).ok().filter(|_| signed);
        let signed = parsed.and_then(|message| self.association.sign_response(&message, self.salt).ok());
        signed.map_or(whole, Bytes::from)
    }
}

fn association() -> Association {
    let name = AssociationName {
        mechanism: Mechanism::Ntlm,
        realm: REALM.into(),
        targetname: FQDN.into(),
        version: Version::V4,
    };
    let agreed = flags::EXTENDED_SESSION_SECURITY | flags::STRONG_KEYS | flags::KEY_EXCHANGE;
    let keys = SessionKeys::derive(&SESSION_KEY, agreed);
    Association::new(name, OPAQUE, Style::Registrar, keys.into(), Now::new(Duration::ZERO, Duration::ZERO))
}

pub(crate) const FQDN: &str = "hs102.network.com";
const REALM: &str = "SIP Communications Service";
const OPAQUE: &str = "ACDC1230";
/// A CHALLENGE of a real server.
const CHALLENGE: &str = "TlRMTVNTUAACAAAAAAAAADgAAADzgpjiASNFZ4mrze8AAAAAAAAAAIwAjAA4AAAABQLODgAAAA8CABIATgBFAFQAVwBPAFIASwBDAE8AAQAEAEgAUwAEABYAbgBlAHQAdwBvAHIAawAuAGMAbwBtAAMAMgBoAG8AbQBlAHMAZQByAHYAZQByADEAMAAyAC4AbgBlAHQAdwBvAHIAawAuAGMAbwBtAAUAFgBuAGUAdAB3AG8AcgBrAC4AYwBvAG0AAAAAAA==";
