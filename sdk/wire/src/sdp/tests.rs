//! What the line model makes of a body.

use super::*;

const BODY: &str = "v=0\r\no=bob 280744730 28977631 IN IP4 host.example.com\r\ns=\r\nt=0 0\r\na=sendonly\r\n\
    m=audio 22334/2 RTP/AVP 0 96\r\nc=IN IP4 192.0.2.1\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
    m=video 6024 RTP/AVP 107\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\ny=what is this\r\n";

#[test]
fn media_know_their_own_lines_first() {
    let session = Session::parse(BODY.as_bytes()).unwrap();
    let [audio, video] = &session.media[..] else { panic!() };
    assert_eq!((audio.port, audio.ports, audio.formats().count()), (22334, Some(2), 2));
    assert_eq!(audio.rtpmap(96).unwrap().encoding, "opus");
    assert_eq!((audio.rtpmap(0), audio.fmtp("9")), (None, None));
    assert_eq!(audio.fmtp("96").unwrap().value("useinbandfec"), Some("1"));
    assert_eq!(session.connection_of(video).unwrap().ip(), "2001:db8::1".parse().ok());
    assert_eq!(session.direction_of(audio), Direction::SendOnly);
    assert_eq!(session.direction_of(video), Direction::Inactive);
    assert_eq!(session.origin().unwrap().version, 28977631);
    assert_eq!(session.to_string(), BODY);
    assert_eq!(session.clone().into_owned().to_string(), BODY);
}

#[test]
fn lone_line_feeds_and_empty_lines_are_taken() {
    let session = Session::parse(b"v=0\n\no=- 1 1 IN IP4 a\nm=audio 9  RTP/AVP  0\n\n").unwrap();
    assert_eq!(session.to_string(), "v=0\r\no=- 1 1 IN IP4 a\r\nm=audio 9 RTP/AVP 0\r\n");
}

#[test]
fn what_is_no_description_is_refused() {
    for (body, error) in [
        ("", SdpError::Version),
        ("o=- 1 1 IN IP4 a", SdpError::Version),
        ("v=1\r\n", SdpError::Version),
        ("v=0\r\nm =video 1 RTP/AVP 0\r\n", SdpError::Line),
        ("v=0\r\nfoo\r\n", SdpError::Line),
        ("v=0\r\nm=audio\r\n", SdpError::Media),
        ("v=0\r\nm=audio x RTP/AVP 0\r\n", SdpError::Media),
        ("v=0\r\nm=audio 70000 RTP/AVP 0\r\n", SdpError::Media),
    ] {
        assert_eq!(Session::parse(body.as_bytes()), Err(error), "{body:?}");
    }
    let many = format!("v=0\r\n{}", "m=audio 9 RTP/AVP 0\r\n".repeat(33));
    assert_eq!(Session::parse(many.as_bytes()), Err(SdpError::TooLarge));
    assert_eq!(Session::parse(format!("v=0\r\ns={}", "x".repeat(16384)).as_bytes()), Err(SdpError::TooLarge));
}

#[test]
fn octets_that_are_no_text_are_replaced() {
    let session = Session::parse(b"v=0\r\ns=caf\xe9\r\n").unwrap();
    assert_eq!(session.to_string(), "v=0\r\ns=caf\u{fffd}\r\n");
}

#[test]
fn no_value_that_is_set_makes_a_line_of_its_own() {
    let origin =
        Origin { user: "-", session: 1, version: 1, network: "IN IP4", address: "192.0.2.1\r\na=evil" };
    let mut session = Session::new(&origin);
    session.push_attribute("tool", "x\r\na=evil");
    let mut media = Media::new("audio\n", 9, "RTP/AVP", "0\r\na=evil");
    media.push_attribute("sendonly", "");
    media.lines.push(Line { kind: b'\n', value: "v\0w".into() });
    session.media.push(media);
    let text = session.to_string();
    assert!(!text.contains("\na=evil"));
    let read = Session::parse(text.as_bytes()).unwrap();
    assert_eq!((read.lines.len(), read.media[0].lines.len()), (6, 2));
}

#[test]
fn debug_shows_no_key() {
    let body = b"v=0\r\nm=audio 9 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret\r\nk=clear:secret\r\na=ice-pwd:secret\r\n";
    let shown = format!("{:?}", Session::parse(body).unwrap());
    assert!(shown.contains("a=crypto:…") && !shown.contains("secret"), "{shown}");
}

#[test]
fn packet_times_are_milliseconds_with_or_without_a_fraction() {
    let time = |text: &str| {
        let body = format!("v=0\r\nm=audio 9 RTP/AVP 0\r\na=ptime:{text}\r\na=maxptime:{text}\r\n");
        let session = Session::parse(body.as_bytes()).unwrap();
        assert_eq!(session.media[0].ptime(), session.media[0].maxptime());
        session.media[0].ptime().map(|time| time.as_micros())
    };
    for (text, micros) in [("20", 20_000), (" 30 ", 30_000), ("2.5", 2_500), ("0.125", 125), ("5.", 5_000)] {
        assert_eq!(time(text), Some(micros), "{text}");
    }
    for wrong in ["", "0", "0.0", ".5", "-20", "+20", "20ms", "2.5.1", "1234567", "1e3", "1.0000001"] {
        assert_eq!(time(wrong), None, "{wrong}");
    }
}

#[test]
fn keys_and_the_way_of_rtcp_are_found_among_the_lines() {
    let body = b"v=0\r\nm=audio 9 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJj\r\na=crypto:broken\r\n\
        a=crypto:2 AEAD_AES_128_GCM inline:QUJj\r\na=rtcp:9001 IN IP4 192.0.2.2\r\na=rtcp-mux\r\nm=audio 9 RTP/AVP 0\r\n";
    let session = Session::parse(body).unwrap();
    let [secure, plain] = &session.media[..] else { panic!() };
    let suites: Vec<&str> = secure.cryptos().map(|crypto| crypto.suite).collect();
    assert_eq!(suites, ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM"]);
    assert_eq!((secure.rtcp().unwrap().port, secure.rtcp_mux()), (9001, true));
    assert_eq!((plain.rtcp(), plain.rtcp_mux(), plain.cryptos().count()), (None, false, 0));
}
