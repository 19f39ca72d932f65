//! A server that says anything, and signs it if told: it knows the session key the agent will propose.

use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::ntlm::{SessionKeys, flags};
use homing_core::auth::security_association::{Association, AssociationName, Mechanism, Style, Version};
use homing_core::time::Now;
use homing_wire::header::RSeq;
use homing_wire::{Builder, Message, Method, Name};

/// The session key every login of the agent proposes.
pub(crate) const SESSION_KEY: [u8; 16] = [0x55; 16];

/// What is needed to answer the last request.
pub(crate) struct Server {
    last: Option<Message>,
    /// The last message of the agent in a dialog, early or not.
    dialog: Option<Message>,
    association: Association,
    salt: u32,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self { last: None, dialog: None, association: association(), salt: 0 }
    }

    /// Remembers what the agent sent.
    pub(crate) fn hear(&mut self, bytes: &Bytes) {
        let Ok(message) = Message::parse(bytes.clone()) else { return };
        if message.to().is_ok_and(|to| to.tag().is_some()) {
            self.dialog = Some(message.clone());
        }
        if message.is_request() {
            self.last = Some(message);
        }
    }

    /// A response as to an INVITE: it describes the session, and is to be acknowledged, or not.
    pub(crate) fn answer_call(&mut self, status: u16, says: u8, signed: bool) -> Option<Bytes> {
        let reply = Builder::reply_to(self.last.as_ref()?, status, "As it is")
            .to_tag(if says & 1 == 0 { "b1" } else { "b2" })
            .header(Name::Contact, "<sip:bob@192.0.2.99:5061;transport=tls>")
            .header(Name::Allow, if says & 2 == 0 { "INVITE, ACK, BYE, UPDATE" } else { "INVITE" })
            .header(Name::SessionExpires, "90;refresher=uas");
        let reply = match says & 4 {
            0 => reply,
            _ => reply.header(Name::Require, "100rel").header(Name::RSeq, 1 + u32::from(says >> 4)),
        };
        let reply = if says & 8 == 0 { reply.body("application/sdp", SDP) } else { reply };
        Some(self.finish(&reply.finish(), b"", signed))
    }

    /// A call for the agent, with an offer if `says` is even.
    pub(crate) fn call(&mut self, says: u8, signed: bool) -> Bytes {
        self.salt += 1;
        let invite = Builder::request(Method::Invite, "sip:alice@198.51.100.7")
            .header(Name::Via, format_args!("SIP/2.0/TLS {FQDN};branch=z9hG4bKc{}", self.salt))
            .header(Name::MaxForwards, 70)
            .header(Name::From, format_args!("<sip:bob@network.com>;tag=c{}", self.salt))
            .header(Name::To, "<sip:alice@network.com>;epid=0123456789")
            .header(Name::CallId, format_args!("c{}", self.salt))
            .header(Name::CSeq, format_args!("{} INVITE", self.salt))
            .header(Name::Contact, "<sip:bob@192.0.2.99:5061;transport=tls>")
            .header(Name::Supported, "100rel, timer")
            .header(Name::Allow, "INVITE, ACK, BYE, UPDATE, PRACK");
        let invite = if says & 1 == 0 { invite.body("application/sdp", SDP) } else { invite };
        self.finish(&invite.finish(), b"", signed)
    }

    /// A request in the dialog that the agent spoke in last.
    pub(crate) fn inside(&mut self, method: Method<'_>, says: u8, signed: bool) -> Option<Bytes> {
        self.salt += 1;
        let known = self.dialog.as_ref()?;
        let is_theirs = known.is_request();
        let (mine, theirs) = if is_theirs { (Name::To, Name::From) } else { (Name::From, Name::To) };
        let seq = match method {
            Method::Ack | Method::Cancel => known.cseq().map_or(1, |cseq| cseq.seq),
            _ => 1_000 + self.salt,
        };
        let request = Builder::request(method, "sip:alice@198.51.100.7")
            .header(Name::Via, format_args!("SIP/2.0/TLS {FQDN};branch=z9hG4bKd{}", self.salt))
            .header(Name::MaxForwards, 70)
            .header(Name::From, known.text(mine)?)
            .header(Name::To, known.text(theirs)?)
            .header(Name::CallId, known.call_id().ok()?)
            .header(Name::CSeq, format_args!("{seq} {}", method.as_str()))
            .header(Name::Contact, "<sip:bob@192.0.2.98:5061;transport=tls>");
        let rack = known.get::<RSeq>().ok().flatten().map(|rseq| rseq.0);
        let request = match rack.filter(|_| method == Method::Prack) {
            Some(rseq) => request.header(Name::RAck, format_args!("{rseq} {}", known.cseq().ok()?)),
            None => request,
        };
        let request = if says & 1 == 0 { request } else { request.body("application/sdp", SDP) };
        let bytes = request.finish();
        Some(self.finish(&bytes, b"", signed))
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

/// What either side describes.
pub(crate) const SDP: &[u8] =
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub(crate) const FQDN: &str = "hs102.network.com";
const REALM: &str = "SIP Communications Service";
const OPAQUE: &str = "ACDC1230";
/// A CHALLENGE of a real server.
const CHALLENGE: &str = "TlRMTVNTUAACAAAAAAAAADgAAADzgpjiASNFZ4mrze8AAAAAAAAAAIwAjAA4AAAABQLODgAAAA8CABIATgBFAFQAVwBPAFIASwBDAE8AAQAEAEgAUwAEABYAbgBlAHQAdwBvAHIAawAuAGMAbwBtAAMAMgBoAG8AbQBlAHMAZQByAHYAZQByADEAMAAyAC4AbgBlAHQAdwBvAHIAawAuAGMAbwBtAAUAFgBuAGUAdAB3AG8AcgBrAC4AYwBvAG0AAAAAAA==";
