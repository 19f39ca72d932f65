//! Where a signature may stand, whose it is, and what is not a signature.

use super::*;
use bytes::Bytes;

const RESPONSE: &str = "SIP/2.0 {STATUS}\r\n\
    Via: SIP/2.0/TLS 192.0.2.1:4320\r\n\
    From: <sip:alice@network.com>;tag=4a2b\r\n\
    To: <sip:alice@network.com>;tag=0858\r\n\
    Call-ID: d5f2\r\n\
    CSeq: 3 REGISTER\r\n\
    Content-Length: 0\r\n\r\n";

fn response(status: &str) -> Message {
    parse(&RESPONSE.replace("{STATUS}", status))
}

/// The server's signature of this response, in that header.
fn signed(server: &mut Association, message: &Message, name: Name<'_>) -> Message {
    let value = server.server_signature(message, 0x98984345).unwrap();
    message.with_header(name, value)
}

#[test]
fn para_39_patent_headers_are_accepted_only_where_allowed() {
    let cases = [
        ("301 Moved Permanently", Name::ProxyAuthenticate),
        ("301 Moved Permanently", Name::ProxyAuthorization),
        ("200 OK", Name::ProxyAuthorization),
        ("200 OK", Name::Authorization),
    ];
    for (status, header) in cases {
        let (mut client, mut server) = ends();
        let message = signed(&mut server, &response(status), header);
        assert_eq!(client.verify(&message, Side::Server, false), Verdict::Unsigned, "{status} {header}");
        assert!(client.verify(&message, Side::Server, true).is_good(), "{status} {header}");
    }
    let (mut client, mut server) = ends();
    let challenge =
        signed(&mut server, &response("407 Proxy Authentication Required"), Name::ProxyAuthenticate);
    assert_eq!(client.verify(&challenge, Side::Server, true), Verdict::Unsigned, "a challenge is not signed");
    let accepted = signed(&mut server, &response("200 OK"), Name::ProxyAuthenticate);
    assert_eq!(client.verify(&accepted, Side::Server, true), Verdict::Unsigned);
}

#[test]
fn both_standard_headers_are_looked_at_whatever_the_style() {
    for header in [Name::AuthenticationInfo, Name::ProxyAuthenticationInfo] {
        let (mut client, mut server) = ends();
        let message = signed(&mut server, &response("200 OK"), header);
        assert_eq!(client.verify(&message, Side::Server, false), Verdict::Good { num: 1 });
    }
    for style in [Style::Registrar, Style::Proxy] {
        let (_, mut server) = ends();
        let keys = SessionKeys::derive(&[0x55; 16], 0x6298_8255);
        let mut client = Association::new(name(Version::V4), "ACDC1230", style, keys.into(), at(0));
        let request = received(client.sign_request(&notify(1), 7).unwrap());
        assert!(request.auth(style.credentials()).next().is_some());
        assert!(server.verify(&request, Side::Client, false).is_good());
    }
}

#[test]
fn the_printed_messages_of_the_patent_are_read_and_their_invented_signatures_refused() {
    let all = vectors("patent_and_golden_flows.json");
    let mut read = 0;
    for step in all["literal"].as_array().unwrap() {
        let message = parse(text(step, "message"));
        let expected = &step["lenient_parse"]["auth"];
        let Some(header) = expected["header"].as_str() else { continue };
        let auth = message.auth(Name::parse(header)).next().unwrap();
        assert_eq!(auth.scheme, text(expected, "scheme"));
        for (key, value) in expected.as_object().unwrap() {
            if !["header", "scheme", "contact", "expires"].contains(&key.as_str()) {
                assert_eq!(auth.param(&key.replace('_', "-")), value.as_str(), "{key}");
                read += 1;
            }
        }
        if message.status() == Some(407) {
            let challenge = SigningChallenge::parse(&auth).unwrap();
            assert_eq!((&*challenge.name.realm, challenge.name.version), ("NetworkCo", Version::V2));
            assert_eq!(challenge.token, None);
        }
        if expected["rspauth"].is_string() {
            let named = AssociationName {
                realm: "NetworkCo".into(),
                targetname: text(expected, "targetname").into(),
                ..name(Version::V2)
            };
            let keys = SessionKeys::derive(&[0x55; 16], 0x6298_8255);
            let mut client = Association::new(named, "", Style::Proxy, keys.into(), at(0));
            assert_eq!(client.verify(&message, Side::Server, false), Verdict::Unsigned);
            assert_eq!(client.verify(&message, Side::Server, true), Verdict::BadSignature);
        }
    }
    assert!(read >= 30, "{read}");
}

#[test]
fn a_challenge_is_read_with_its_faults() {
    let parse = |text: &str| SigningChallenge::parse(&Auth::parse(text.as_bytes()).unwrap());
    let kerberos = parse("Kerberos realm=\"r\", targetname=\"sip/HS1.network.com\", version=3").unwrap();
    assert_eq!((kerberos.name.host(), kerberos.name.version), ("HS1.network.com", Version::V3));
    assert_eq!((kerberos.opaque, kerberos.token), (None, None));
    let ntlm = |more: &str| parse(&format!("NTLM realm=\"r\", targetname=\"t\"{more}"));
    assert_eq!(ntlm(", gssapi-data=\"AAEC\", opaque=\"o\"").unwrap().token, Some(vec![0, 1, 2]));
    assert_eq!(ntlm(", gssapi-data=\"*\"").unwrap_err(), ChallengeFault::Token);
    assert_eq!(ntlm(&format!(", gssapi-data=\"{}\"", "A".repeat(5464))).unwrap_err(), ChallengeFault::Token);
    assert_eq!(ntlm(&format!(", opaque=\"{}\"", "A".repeat(257))).unwrap_err(), ChallengeFault::Token);
    assert_eq!(ntlm(", version=5").unwrap_err(), ChallengeFault::UnknownVersion);
    assert_eq!(ntlm(", realm=\"s\"").unwrap_err(), ChallengeFault::Conflicting);
    assert_eq!(parse("NTLM realm=\"r\"").unwrap_err(), ChallengeFault::Unnamed);
    assert_eq!(parse("TLS-DSK realm=\"r\", targetname=\"t\"").unwrap_err(), ChallengeFault::OtherScheme);
}

#[test]
fn another_server_or_realm_or_association_is_told_apart() {
    let (mut client, mut server) = ends();
    let message = signed(&mut server, &response("200 OK"), Name::AuthenticationInfo);
    let raw = String::from_utf8(message.bytes().to_vec()).unwrap();
    for (old, new) in [("hs1.network.com", "hs2.network.com"), ("SIP Communications Service", "Elsewhere")] {
        let other = parse(&raw.replace(old, new));
        assert_eq!(client.verify(&other, Side::Server, false), Verdict::OtherAssociation);
    }
    let kerberos = parse(&raw.replace("Info: NTLM", "Info: Kerberos"));
    assert_eq!(client.verify(&kerberos, Side::Server, false), Verdict::Unsigned);
    assert_eq!(client.verify(&response("200 OK"), Side::Server, false), Verdict::Unsigned);

    let request =
        String::from_utf8(Bytes::from(client.sign_request(&notify(1), 1).unwrap()).to_vec()).unwrap();
    let other = parse(&request.replace("ACDC1230", "ACDC1231"));
    assert_eq!(server.verify(&other, Side::Client, false), Verdict::OtherAssociation);
    assert!(server.verify(&parse(&request), Side::Client, false).is_good());
}

#[test]
fn para_39_the_newest_signed_opaque_is_taken_over() {
    let (mut client, _) = ends();
    let mut server = association_with(0x55, "GGF12200");
    let message = signed(&mut server, &response("301 Moved Permanently"), Name::AuthenticationInfo);
    let forged = String::from_utf8(message.bytes().to_vec()).unwrap().replace("tag=0858", "tag=0859");
    assert_eq!(client.verify(&parse(&forged), Side::Server, false), Verdict::BadSignature);
    assert_eq!(client.opaque(), "ACDC1230", "only a proved message may rename");
    assert!(client.verify(&message, Side::Server, false).is_good());
    assert_eq!(client.opaque(), "GGF12200");

    let mut server = association_with(0x55, &"x".repeat(257));
    server.server_signature(&response("200 OK"), 1).unwrap();
    let message = signed(&mut server, &response("200 OK"), Name::AuthenticationInfo);
    assert!(client.verify(&message, Side::Server, false).is_good());
    assert_eq!(client.opaque(), "GGF12200", "an opaque above 256 characters is not echoed");
}

#[test]
fn a_signature_that_contradicts_itself_is_wrong() {
    let (mut client, mut server) = ends();
    let message = signed(&mut server, &response("200 OK"), Name::AuthenticationInfo);
    let raw = String::from_utf8(message.bytes().to_vec()).unwrap();
    let twice = parse(&raw.replace("snum=\"1\"", "snum=\"1\", snum=\"2\""));
    assert_eq!(client.verify(&twice, Side::Server, false), Verdict::BadSignature);
    for bad in ["snum=\"0x1\"", "snum=\"4294967296\"", "snum=\"\"", "snum=\"-1\"", "snam=\"1\""] {
        let bad = parse(&raw.replace("snum=\"1\"", bad));
        assert_eq!(client.verify(&bad, Side::Server, false), Verdict::BadSignature);
    }
    let unquoted = parse(&raw.replace("snum=\"1\"", "snum=1"));
    assert!(client.verify(&unquoted, Side::Server, false).is_good(), "quotes are not covered");
}

#[test]
fn a_client_signature_is_none_of_the_server() {
    let (mut client, mut server) = ends();
    let request = received(client.sign_request(&notify(1), 1).unwrap());
    assert_eq!(client.verify(&request, Side::Server, true), Verdict::Unsigned, "reflected to its sender");
    assert!(server.verify(&request, Side::Client, false).is_good());
}
