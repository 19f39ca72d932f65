//! The rules behind the published torture messages, on messages of our own: a fresh clone proves them too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use homing_wire::header::Route;
use homing_wire::{Contact, Host, Message, Name, ParseError, StartLine, Via};

/// A sound request whose lines can be replaced by name; `""` takes a line away.
fn request(start: &str, changes: &[(&str, &str)]) -> Message {
    let method = start.split(' ').next().unwrap();
    let mut lines = vec![
        ("Via", "SIP/2.0/UDP client.example.net:5070;branch=z9hG4bKp1".to_owned()),
        ("Max-Forwards", "70".to_owned()),
        ("From", "\"Ida\" <sip:ida@example.net>;tag=f1".to_owned()),
        ("To", "<sip:otto@example.org>".to_owned()),
        ("Call-ID", "rules-1@example.net".to_owned()),
        ("CSeq", format!("7 {method}")),
    ];
    for (name, value) in changes {
        match lines.iter_mut().find(|(line, _)| line == name) {
            Some(line) => line.1 = (*value).to_owned(),
            None => lines.push((name, (*value).to_owned())),
        }
    }
    let lines: String = lines
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    Message::parse(format!("{start}\r\n{lines}\r\n")).unwrap()
}

/// The status of the gravest finding; 0 where there is none.
fn verdict(message: &Message) -> u16 {
    message.validate().first().map_or(0, |finding| finding.status)
}

#[test]
fn any_token_is_a_method_and_case_and_escapes_count() {
    for method in ["odd-Method.9!%*_+`'~", "R%45GISTER", "invite"] {
        let message = request(&format!("{method} sip:a@b SIP/2.0"), &[]);
        assert_eq!(message.method().unwrap().as_str(), method);
        assert_eq!(verdict(&message), 501);
    }
}

#[test]
fn names_come_in_any_case_form_and_spacing() {
    let text = "OPTIONS sip:a@b SIP/2.0\r\nV : SIP / 2.0 / TLS\r\n\th.example ;branch = z9hG4bKq\r\n\
        FROM\t:\r\n  <sip:x@y>\r\n ; Tag = 1\r\nt:sip:z@y\r\nI: q\r\ncSEQ:\r\n 00012\r\n OPTIONS\r\nL : 0\r\n\r\n";
    let message = Message::parse(text).unwrap();
    assert_eq!(verdict(&message), 0);
    assert_eq!(message.via().unwrap().branch(), Some("z9hG4bKq"));
    assert_eq!((message.from().unwrap().tag(), message.cseq().unwrap().seq), (Some("1"), 12));
}

#[test]
fn control_characters_in_quotes_are_shown_plainly_and_never_cut_a_text() {
    let message =
        request("OPTIONS sip:%00@b SIP/2.0", &[("To", "\"bell:\\\u{7} nul:\\\0 end\" <sip:nul%00@b>")]);
    let to = message.to().unwrap();
    assert_eq!(to.display().unwrap(), "bell:\u{7} nul:\0 end");
    assert_eq!((to.uri_str(), verdict(&message)), ("sip:nul%00@b", 0));
}

#[test]
fn octets_behind_the_body_are_no_part_of_a_datagram() {
    let text = "SIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nokINVITE sip:x SIP/2.0\r\n\r\n";
    assert_eq!(Message::parse(text).unwrap().body(), b"ok");
}

#[test]
fn bodies_are_octets() {
    let mut bytes = b"MESSAGE sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\n".to_vec();
    bytes.extend([0, 0xff, b'\r', b'\n', 0xc3]);
    assert_eq!(Message::parse(bytes).unwrap().body(), [0, 0xff, b'\r', b'\n', 0xc3]);
}

#[test]
fn reason_phrases_may_be_empty_and_in_any_script() {
    for (line, phrase) in
        [("SIP/2.0 200 ", ""), ("SIP/2.0 200", ""), ("SIP/2.0 486 занято = 1", "занято = 1")]
    {
        let message = Message::parse(format!("{line}\r\n\r\n")).unwrap();
        let StartLine::Response { reason, .. } = message.start() else { panic!() };
        assert_eq!(reason, phrase.as_bytes());
    }
}

#[test]
fn malformed_requests_are_refused_with_400() {
    for (start, changes) in [
        ("INVITE sip:a@b SIP/2.0", &[("Via", "SIP/2.0/UDP 192.0.2.1;;,;,,")][..]),
        ("INVITE sip:a@b SIP/2.0", &[("Content-Length", "9999")]),
        ("INVITE sip:a@b SIP/2.0", &[("Content-Length", "-999")]),
        ("INVITE sip:a@b SIP/2.0", &[("Content-Length", "0"), ("l", "0")]),
        ("INVITE sip:a@b SIP/2.0", &[("CSeq", "36893488147419103232 INVITE")]),
        ("INVITE sip:a@b SIP/2.0", &[("CSeq", "7 OPTIONS")]),
        ("INVITE sip:a@b SIP/2.0", &[("Max-Forwards", "300")]),
        ("INVITE sip:a@b SIP/2.0", &[("To", "\"Mr. Otto <sip:otto@example.org>")]),
        ("INVITE sip:a@b SIP/2.0", &[("To", "\"Otto\" < sip:otto@example.org >")]),
        ("INVITE sip:a@b SIP/2.0", &[("From", "Net, Ida <sip:ida@example.net>;tag=1")]),
        ("INVITE sip:a@b SIP/2.0", &[("Contact", "sip:a@b?Route=%3Csip:x%3E")]),
        ("INVITE sip:a@b SIP/2.0", &[("From", "")]),
        ("INVITE sip:a@b SIP/2.0", &[("Call-ID", "")]),
        ("INVITE sip:a@b SIP/2.0", &[("f", "sip:second@from")]),
        ("INVITE sip:a@b SIP/2.0", &[("i", "second")]),
        ("INVITE <sip:a@b> SIP/2.0", &[]),
        ("INVITE sip:a@b; lr SIP/2.0", &[]),
        ("INVITE  sip:a@b  SIP/2.0", &[]),
        ("INVITE sip:a@b SIP/2.0 ", &[]),
        ("INVITE sip:a@b?Route=%3Csip:x%3E SIP/2.0", &[]),
        ("INVITE sip:2001:db8::10 SIP/2.0", &[]),
    ] {
        let message = request(start, changes);
        assert_eq!(verdict(&message), 400, "{start} {changes:?} {:?}", message.validate());
    }
}

#[test]
fn unusual_but_sound_requests_are_taken() {
    for (start, changes) in [
        ("INVITE sip:user;par=u%40e.net@b SIP/2.0", &[][..]),
        ("INVITE sip:[2001:db8::10:5070] SIP/2.0", &[]),
        ("INVITE sip:user@[2001:db8:::192.0.2.1] SIP/2.0", &[]),
        (
            "INVITE sip:a@b SIP/2.0",
            &[("Max-Forwards", ""), ("Via", "SIP/2.0/UDP old"), ("From", "sip:x@y;user=phone")],
        ),
        ("INVITE sip:a@b SIP/2.0", &[("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK")]),
        ("INVITE sip:a@b SIP/2.0", &[("To", "isbn:2983792873"), ("Contact", "<name:Otto>")]),
        ("INVITE sip:a@b SIP/2.0", &[("Contact", "<sip:u@e?Route=%3Csip:x%3E>")]),
        ("INVITE sip:a@b SIP/2.0", &[("Date", "Fri, 01 Jan 2010 16:00:00 EST")]),
        ("INVITE sip:a@b SIP/2.0", &[("Expires", "10000000000000000000000")]),
        ("INVITE sip:a@b SIP/2.0", &[("Authorization", "NoOneKnowsThisScheme opaque-data=here")]),
        ("INVITE sip:a@b SIP/2.0", &[("Odd", ";;,,;;,;")]),
        ("INVITE sip:a@b SIP/2.0", &[("Via", "SIP/2.0/UNKNOWN [::ffff:192.0.2.10]:19823;branch=z9hG4bKb")]),
    ] {
        let message = request(start, changes);
        assert_eq!(message.validate(), [], "{start} {changes:?}");
    }
}

#[test]
fn versions_and_schemes_have_their_own_status() {
    assert_eq!(
        verdict(&request("OPTIONS sip:a@b SIP/7.0", &[("Via", "SIP/7.0/UDP c;branch=z9hG4bKk")])),
        505
    );
    assert_eq!(verdict(&request("OPTIONS nobodyKnowsThis:opaque SIP/2.0", &[])), 416);
    assert_eq!(verdict(&request("OPTIONS soap.beep://192.0.2.1:3002 SIP/2.0", &[])), 416);
}

#[test]
fn broken_responses_are_dropped() {
    assert_eq!(Message::parse("SIP/2.0 4294967301 x\r\n\r\n").unwrap_err(), ParseError::StatusCode);
    let head =
        "SIP/2.0 503 x\r\nVia: SIP/2.0/TCP a\r\nTo: <sip:a@b>\r\nFrom: <sip:c@d>;tag=2\r\nCall-ID: s\r\n";
    for line in
        ["CSeq: 9292394834772304023312 OPTIONS", "CSeq: 1 OPTIONS\r\nRetry-After: 949302838503028349304"]
    {
        assert_ne!(Message::parse(format!("{head}{line}\r\n\r\n")).unwrap().validate(), []);
    }
}

#[test]
fn parameters_belong_where_the_brackets_say() {
    let contact = |value: &str| {
        let message = request("REGISTER sip:a SIP/2.0", &[("Contact", value)]);
        let contact: Contact<'_> = message.get().unwrap().unwrap();
        let addr = contact.addr().unwrap();
        (addr.uri_str().to_owned(), addr.param("unknown").is_some())
    };
    assert_eq!(contact("sip:1@g;unknown"), ("sip:1@g".to_owned(), true));
    assert_eq!(contact("<sip:1@g;unknown>"), ("sip:1@g;unknown".to_owned(), false));
}

#[test]
fn addresses_of_both_kinds_may_stand_in_one_message() {
    let message = request(
        "BYE sip:[2001:db8::10]:5070 SIP/2.0",
        &[(
            "Via",
            "SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKa, SIP/2.0/TCP [2001:db8::9];received=192.0.2.200",
        )],
    );
    let vias: Vec<Via<'_>> = message.all().map(Result::unwrap).collect();
    assert_eq!((vias[0].port, vias[1].received_ip()), (Some(6050), "192.0.2.200".parse().ok()));
    assert_eq!(vias[0].host, Host::V6("2001:db8::9:1".parse().unwrap()));
    assert_eq!(message.via_count(), 2);
}

#[test]
fn long_lists_are_counted_by_value_whatever_form_they_have() {
    let vias = (0..34).map(|n| format!("SIP/2.0/TCP p{n};x=\"a,b\"")).collect::<Vec<_>>();
    let (first, rest) = vias.split_at(20);
    let text =
        format!("BYE sip:a SIP/2.0\r\nVia: {}\r\nv: {}\r\n\r\n", first.join(","), rest.join(" ,\r\n "));
    let message = Message::parse(text).unwrap();
    assert_eq!(message.via_count(), 34);
    let hosts: Vec<_> = message.all::<Via<'_>>().map(|via| via.unwrap().host.to_string()).collect();
    assert_eq!(hosts, (0..34).map(|n| format!("p{n}")).collect::<Vec<_>>());
}

#[test]
fn an_escaped_header_name_is_another_header() {
    let message = request("REGISTER sip:a SIP/2.0", &[("Contact", "<sip:1@h>"), ("C%6Fntact", "<sip:2@h>")]);
    assert_eq!(message.all::<Contact<'_>>().count(), 1);
    assert_eq!(message.lines(Name::Other("c%6fNTACT")).count(), 1);
    assert_eq!(message.all::<Route<'_>>().count(), 0);
}
