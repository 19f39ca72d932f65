//! Signatures of real products, of golden conversations and of our own, in order and out of it.

mod buffers;
mod golden;
mod lifetime;
mod order;
mod places;
mod transcripts;

use homing_wire::{Auth, Message, Name};
use serde_json::Value;

use super::*;
use crate::auth::ntlm::{SessionKeys, Side};
use crate::time::Now;
use std::time::Duration;

fn vectors(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/vectors/");
    serde_json::from_str(&std::fs::read_to_string(format!("{folder}{name}")).unwrap()).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key}"))
}

fn parse(message: &str) -> Message {
    Message::parse(message.as_bytes().to_vec()).unwrap_or_else(|error| panic!("{error}: {message}"))
}

fn at(seconds: u64) -> Now {
    Now::new(Duration::from_secs(seconds), Duration::from_secs(1_705_564_800 + seconds))
}

/// The headers credentials and signatures of well-behaved messages stand in.
const SIGNED: [Name<'static>; 4] =
    [Name::Authorization, Name::ProxyAuthorization, Name::AuthenticationInfo, Name::ProxyAuthenticationInfo];

fn signature(message: &Message) -> Option<Auth<'_>> {
    SIGNED.iter().flat_map(|name| message.auth(*name)).next()
}

/// The message without its credentials or signature.
fn stripped(message: &str) -> Message {
    let kept = message.split_inclusive("\r\n").filter(|line| {
        let name = Name::parse(line.split(':').next().unwrap_or_default());
        !SIGNED.contains(&name)
    });
    parse(&kept.collect::<String>())
}

fn side_of(message: &Message) -> Side {
    let credentials = [Name::Authorization, Name::ProxyAuthorization];
    if credentials.iter().any(|name| message.auth(*name).next().is_some()) {
        Side::Client
    } else {
        Side::Server
    }
}

/// The stamp a message carries itself.
fn stamp_of<'m>(auth: &Auth<'m>, side: Side) -> Stamp<'m> {
    let (salt, number) = match side {
        Side::Client => ("crand", "cnum"),
        Side::Server => ("srand", "snum"),
    };
    Stamp {
        scheme: auth.scheme,
        salt: auth.param(salt).unwrap(),
        number: auth.param(number).unwrap(),
        realm: auth.param("realm").unwrap(),
        targetname: auth.param("targetname").unwrap(),
    }
}

fn name(version: Version) -> AssociationName {
    AssociationName {
        mechanism: Mechanism::Ntlm,
        realm: "SIP Communications Service".into(),
        targetname: "hs1.network.com".into(),
        version,
    }
}

fn association_with(key: u8, opaque: &str) -> Association {
    let keys = SessionKeys::derive(&[key; 16], 0x6298_8255);
    Association::new(name(Version::V4), opaque, Style::Registrar, keys.into(), at(0))
}

/// Both ends of one association.
fn ends() -> (Association, Association) {
    (association_with(0x55, "ACDC1230"), association_with(0x55, "ACDC1230"))
}

/// An unsigned request number `n` of a server within a dialog.
fn notify(n: u32) -> Message {
    parse(&format!(
        "NOTIFY sip:192.0.2.1:4320;transport=tls SIP/2.0\r\n\
         Via: SIP/2.0/TLS 192.0.2.9:5061;branch=z9hG4bK{n}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@network.com>;tag=srv1\r\n\
         To: <sip:alice@network.com>;tag=cli1;epid=8248ca9ebb\r\n\
         Call-ID: abc\r\n\
         CSeq: {n} NOTIFY\r\n\
         Event: presence\r\n\
         Subscription-State: active;expires=300\r\n\
         Content-Length: 0\r\n\r\n"
    ))
}

fn received(sent: impl Into<bytes::Bytes>) -> Message {
    Message::parse(sent.into()).unwrap()
}
