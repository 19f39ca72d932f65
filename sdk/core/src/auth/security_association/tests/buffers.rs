//! The covered bytes, against strings checked with an independent implementation.

use super::*;

#[test]
fn messages_of_real_products_and_edge_cases_give_the_published_strings() {
    let all = vectors("sip_signature_buffers.json");
    let mut compared = 0;
    for group in ["real_messages", "generated_cases"] {
        for case in all[group].as_array().unwrap() {
            let Some(message) = case["message"].as_str() else { continue };
            let message = parse(message);
            let auth = signature(&message).unwrap();
            let stamp = stamp_of(&auth, side_of(&message));
            for (key, versions) in
                [("expected_v2", &[Version::V2][..]), ("expected_v3_v4", &[Version::V3, Version::V4])]
            {
                let Some(expected) = case[key].as_str() else { continue };
                for version in versions {
                    let covered = buffer(&message, &stamp, *version).unwrap();
                    assert_eq!(String::from_utf8_lossy(&covered), expected, "{}", text(case, "name"));
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 55, "4 real messages in the form they give, 16 generated ones in all three");
}

#[test]
fn identities_come_apart_as_sip_and_tel() {
    let all = vectors("sip_signature_buffers.json");
    for case in all["p_asserted_identity"].as_array().unwrap() {
        let message = String::from_utf8(notify(1).bytes().to_vec()).unwrap();
        let line = format!("\r\nP-Asserted-Identity: {}\r\nEvent:", text(case, "header"));
        let message = parse(&message.replace("\r\nEvent:", &line));
        let stamp = Stamp { scheme: "NTLM", salt: "0", number: "1", realm: "r", targetname: "t" };
        let covered = String::from_utf8(buffer(&message, &stamp, Version::V4).unwrap()).unwrap();
        let uri = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let expected = format!("<cli1><{}><{}><>", uri("sip"), uri("tel"));
        assert!(covered.ends_with(&expected), "{covered}");
    }
}

#[test]
fn a_kerberos_signature_covers_its_own_scheme_and_service() {
    let all = vectors("sip_signature_buffers.json");
    let case =
        all["real_messages"].as_array().unwrap().iter().find(|case| case["message"].is_null()).unwrap();
    let message = parse(
        "ACK sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.9\r\nFrom: <sip:bob@infinera.com>;tag=1\r\n\
         To: <sip:alice@infinera.com>;tag=2\r\nCall-ID: 9d109abe-66a5-40f3-9d82-89d7bd335c03\r\nCSeq: 14029 ACK\r\n\
         Content-Length: 0\r\n\r\n",
    );
    let stamp = Stamp {
        scheme: "Kerberos",
        salt: "D4D4D025",
        number: "78",
        realm: "SIP Communications Service",
        targetname: "sip/sv-sfbfe-prd2.infinera.com",
    };
    let covered = String::from_utf8(buffer(&message, &stamp, Version::V4).unwrap()).unwrap();
    assert!(covered.starts_with(text(case, "expected_v3_v4_prefix")), "{covered}");
}

#[test]
fn a_message_without_what_is_covered_has_no_buffer() {
    let whole = String::from_utf8(notify(1).bytes().to_vec()).unwrap();
    let stamp = Stamp { scheme: "NTLM", salt: "0", number: "1", realm: "r", targetname: "t" };
    for name in ["From", "To", "Call-ID", "CSeq"] {
        let start = whole.find(&format!("\r\n{name}:")).unwrap();
        let end = start + 2 + whole[start + 2..].find("\r\n").unwrap();
        let without = [&whole[..start], &whole[end..]].concat();
        if let Ok(message) = Message::parse(without.into_bytes()) {
            let refused = buffer(&message, &stamp, Version::V3).unwrap_err();
            assert_eq!(refused, BufferError(Name::parse(name)));
        }
    }
}
