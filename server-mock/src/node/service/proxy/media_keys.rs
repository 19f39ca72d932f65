//! Keys for sound in descriptions (SDES, RFC 4568) go over protected connections only: on a clear one anybody reads them
//! (decision 45).

use homing_core::ids::FlowId;
use homing_wire::header::ContentType;
use homing_wire::{Builder, Message, Name};

use crate::node::context::Context;

/// True for a connection on which anybody may read along.
pub(super) fn is_clear(cx: &Context, flow: FlowId) -> bool {
    cx.flows.transport(flow).is_some_and(|transport| !transport.is_secure())
}

/// The same message without keys: who wanted none but encrypted sound is refused by the other end, and who can do without
/// has a call in the clear and is told so.
pub(super) fn without_keys(message: Message) -> Message {
    let describes = message.get::<ContentType<'_>>().ok().flatten().is_some_and(|content| {
        content.is("application/sdp") || content.kind.eq_ignore_ascii_case("multipart")
    });
    let lines = || message.body().split_inclusive(|octet| *octet == b'\n');
    if !describes || !lines().any(is_key) {
        return message;
    }
    let Some(content_type) = message.text(Name::ContentType).map(|text| text.into_owned()) else {
        return message;
    };
    let body: Vec<u8> = lines().filter(|line| !is_key(line)).flatten().copied().collect();
    Builder::from_message(&message).body(&content_type, &body).message()
}

fn is_key(line: &[u8]) -> bool {
    line.get(..KEY.len()).is_some_and(|start| start.eq_ignore_ascii_case(KEY))
}

const KEY: &[u8] = b"a=crypto:";

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(content_type: &str, body: &str) -> Message {
        let text = format!(
            "INVITE sip:bob@network.com SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
             From: <sip:alice@network.com>;tag=1\r\nTo: <sip:bob@network.com>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Message::parse(text).unwrap()
    }

    #[test]
    fn keys_go_and_all_else_stays() {
        let sdp = "v=0\r\nm=audio 4000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\n\
                   A=Crypto:2 AES_CM_128_HMAC_SHA1_32 inline:secret\r\na=sendrecv\r\n";
        let parts = format!("--b\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n--b--\r\n");
        for (content_type, body) in [("Application/SDP", sdp), ("multipart/mixed;boundary=b", &parts)] {
            let kept = without_keys(invite(content_type, body));
            let text = String::from_utf8_lossy(kept.body()).into_owned();
            assert!(!text.contains("secret") && text.contains("a=sendrecv"), "{text}");
            assert_eq!(kept.text(Name::ContentType).as_deref(), Some(content_type));
            assert_eq!(kept.lines(Name::ContentLength).next(), Some(text.len().to_string().as_bytes()));
            assert_eq!(kept.lines(Name::ContentType).count(), 1);
        }
        let other = invite("text/plain", "a=crypto:1 is how a key is written\r\n");
        assert_eq!(without_keys(other.clone()).bytes(), other.bytes());
        let plain = invite("application/sdp", "v=0\r\n");
        assert_eq!(without_keys(plain.clone()).bytes(), plain.bytes(), "not an octet changes");
    }
}
