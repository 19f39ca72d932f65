//! There and back, and side by side.

use super::*;
use crate::header::{Contact, Header, Via};

const INVITE: &str = include_str!("../../../../tests/data/bench/invite.sip");
const REGISTER: &str = include_str!("../../../../tests/data/bench/register.sip");

fn ours(text: &str) -> Message {
    Message::parse(text.to_owned()).unwrap()
}

#[test]
fn a_message_survives_the_journey() {
    for text in [
        INVITE,
        REGISTER,
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nX-Sport: tennis\r\nContent-Length: 0\r\n\r\n",
    ] {
        let message = ours(text);
        let theirs = rsip::SipMessage::try_from(&message).unwrap();
        let back = Message::try_from(&theirs).unwrap();
        assert_eq!(back.start(), message.start());
        assert_eq!(back.body(), message.body());
        let lines = |message: &Message| -> Vec<(String, Vec<u8>)> {
            message.headers().map(|line| (line.name.to_string(), line.value.to_vec())).collect()
        };
        assert_eq!(lines(&back), lines(&message));
    }
}

#[test]
fn what_rsip_builds_is_sound_here() {
    use rsip::headers::UntypedHeader;
    let request = rsip::Request {
        method: rsip::Method::PRack,
        uri: rsip::Uri {
            scheme: Some(rsip::Scheme::Sips),
            auth: Some(("bob", Option::<String>::None).into()),
            host_with_port: (rsip::Domain::from("example.com"), 5061).into(),
            params: vec![rsip::Param::Lr],
            headers: Vec::new(),
        },
        version: rsip::Version::V2,
        headers: vec![
            rsip::Header::CallId(rsip::headers::CallId::new("c1")),
            rsip::Header::Other("X-Evil".into(), "a\r\nVia: evil".into()),
            rsip::Header::ContentLength(rsip::headers::ContentLength::new("999")),
        ]
        .into(),
        body: vec![0, 0xff],
    };
    let message = Message::try_from(&rsip::SipMessage::from(request)).unwrap();
    assert_eq!(message.method(), Some(Method::Prack));
    assert_eq!(message.request_uri(), Some("sips:bob@example.com:5061;lr"));
    assert_eq!((message.body(), message.via_count()), (&[0, 0xff][..], 0));
    assert_eq!(message.text(Name::ContentLength).unwrap(), "2");
}

#[test]
fn compact_names_folds_and_binary_bodies_reach_rsip() {
    let mut octets = b"SIP/2.0 299 Odd\r\ni: c1\r\nk: path,\r\n outbound\r\nl: 3\r\n\r\n".to_vec();
    octets.extend([0xff, 0, 1]);
    let theirs = rsip::SipMessage::try_from(&Message::parse(octets).unwrap()).unwrap();
    assert_eq!(theirs.body(), &[0xff, 0, 1]);
    let rsip::SipMessage::Response(response) = theirs else { panic!() };
    assert_eq!(response.status_code, rsip::StatusCode::Other(299, "Odd".to_owned()));
    let lines: Vec<_> = response.headers.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["Call-ID: c1", "Supported: path, outbound", "Content-Length: 3"]);
}

#[test]
fn what_rsip_cannot_say_is_told() {
    let refuse = |text: &str| rsip::SipMessage::try_from(&ours(text)).unwrap_err();
    assert_eq!(refuse("BENOTIFY sip:a SIP/2.0\r\n\r\n"), Untranslatable::Method);
    assert_eq!(refuse("BYE sip:[::1] SIP/2.0\r\n\r\n"), Untranslatable::Uri);
    assert_eq!(refuse("BYE tel:+1 SIP/2.0\r\n\r\n"), Untranslatable::Uri);
    let message = Message::parse(&b"SIP/2.0 200 OK\r\nX: \xff\r\n\r\n"[..]).unwrap();
    assert_eq!(rsip::SipMessage::try_from(&message).unwrap_err(), Untranslatable::Header);
}

#[test]
fn uris_mean_the_same_on_both_sides() {
    for text in
        ["sip:alice:pw@example.com:5060;transport=tcp;lr", "sips:192.0.2.1", "sip:a@b;user=phone;x=y;z"]
    {
        let uri = Uri::parse(text).unwrap();
        let theirs = rsip::Uri::try_from(uri).unwrap();
        let back = UriBuf::try_from(&theirs).unwrap().to_string();
        assert!(Uri::parse(&back).unwrap().equivalent(&uri), "{text} {back}");
    }
    let v6 = rsip::Uri::from(std::net::SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 5061)));
    assert_eq!(UriBuf::try_from(&v6).unwrap().to_string(), "sip:[::1]:5061");
}

/// Where rsip can read a message at all, it reads what we read.
#[test]
fn rsip_is_a_differential_partner() {
    use rsip::headers::UntypedHeader;
    use rsip::message::HeadersExt;
    use rsip::typed;
    for text in [INVITE, REGISTER] {
        let message = ours(text);
        let theirs = rsip::SipMessage::try_from(text).unwrap();
        let from: typed::From = theirs.from_header().unwrap().clone().try_into().unwrap();
        // rsip leaves the quotes where they are.
        let name = from.display_name.as_deref().map(|name| name.trim_matches('"'));
        assert_eq!(name, message.from().unwrap().display().as_deref());
        assert_eq!(from.uri.to_string(), message.from().unwrap().uri_str());
        let via: typed::Via = theirs.via_header().unwrap().clone().try_into().unwrap();
        let ours_via: Via<'_> = message.via().unwrap();
        assert_eq!(via.branch().map(|branch| branch.value()), ours_via.branch());
        assert_eq!(
            via.uri.host_with_port.to_string(),
            format!("{}:{}", ours_via.host, ours_via.port.unwrap())
        );
        let cseq: typed::CSeq = theirs.cseq_header().unwrap().clone().try_into().unwrap();
        assert_eq!(
            (cseq.seq, Method::from(cseq.method)),
            (message.cseq().unwrap().seq, message.cseq().unwrap().method)
        );
        // It cannot read the quoted instance of these Contacts.
        let contact = "<sip:alice@192.0.2.1:5060;transport=tcp;ob>;q=0.8";
        let read: typed::Contact = rsip::headers::Contact::new(contact).try_into().unwrap();
        let (ours_contact, _) = Contact::read(contact.as_bytes()).unwrap();
        let uri = UriBuf::try_from(&read.uri).unwrap().to_string();
        assert_eq!(uri, ours_contact.addr().unwrap().uri_str());
        assert_eq!(theirs.call_id_header().unwrap().value(), message.call_id().unwrap());
    }
}
