//! The golden conversations: both ends reproduce every byte of credentials and signatures.

use super::*;
use crate::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, authenticate};
use crate::secret::Password;
use bytes::Bytes;

const NOW: u64 = 133_500_000_000_000_000;

/// Client and server end of the association with one server.
struct Ends {
    client: Association,
    server: Association,
}

fn style_of(message: &Message) -> Style {
    let proxy = [Name::ProxyAuthenticate, Name::ProxyAuthorization, Name::ProxyAuthenticationInfo];
    if proxy.iter().any(|name| message.auth(*name).next().is_some()) {
        Style::Proxy
    } else {
        Style::Registrar
    }
}

fn answer(challenge: &SigningChallenge, step: &Value, style: Style) -> (Vec<u8>, Ends) {
    let key = text(step, "exported_session_key");
    let first = text(step, "server").starts_with("homeserver102");
    let rng = ClientRandom {
        client_challenge: if first { [0xaa; 8] } else { [0xbb; 8] },
        exported_session_key: crate::auth::hex::decode(key).unwrap().try_into().unwrap(),
    };
    let password = Password::new("Secret-Pass1");
    let who = NtlmIdentity { user: "user", domain: "NETWORKCO", workstation: "CLIENT", password: &password };
    let token = challenge.token.as_deref().unwrap();
    let (token, keys) = authenticate(token, &who, &Binding::plain(), &rng, NOW).unwrap();
    let opaque = challenge.opaque.as_deref().unwrap();
    let end = || Association::new(challenge.name.clone(), opaque, style, keys.clone().into(), at(0));
    (token, Ends { client: end(), server: end() })
}

fn word(auth: &Auth<'_>, name: &str) -> u32 {
    u32::from_str_radix(auth.param(name).unwrap(), 16).unwrap()
}

/// Replays one conversation; returns how many signatures were made and verified.
fn replay(steps: &[Value], dialect: &str) -> usize {
    let mut signed = 0;
    let mut challenge: Option<(SigningChallenge, Style)> = None;
    let mut ends: Option<Ends> = None;
    for step in steps {
        let raw = text(step, "message");
        let message = parse(raw);
        let context = format!("{dialect}: {}", text(step, "note"));
        let challenged = [Name::WwwAuthenticate, Name::ProxyAuthenticate]
            .iter()
            .flat_map(|name| message.auth(*name))
            .map(|auth| (SigningChallenge::parse(&auth).unwrap(), style_of(&message)))
            .next();
        if challenged.is_some() {
            challenge = challenged;
            continue;
        }
        let Some(auth) = signature(&message) else { continue };
        let bare = stripped(raw);
        let side = side_of(&message);
        let written: Bytes = match (auth.param("gssapi-data"), side) {
            (Some(""), _) => {
                let (challenge, style) = challenge.as_ref().unwrap();
                bare.with_header(style.credentials(), challenge.name.opening()).into()
            }
            (Some(_), _) => {
                let (challenge, style) = challenge.as_ref().unwrap();
                let (token, fresh) = answer(challenge, step, *style);
                let ends = ends.insert(fresh);
                let crand = auth.param("crand").map_or(0, |_| word(&auth, "crand"));
                ends.client.establish(&bare, &token, crand).unwrap().into()
            }
            (None, Side::Client) => {
                ends.as_mut().unwrap().client.sign_request(&bare, word(&auth, "crand")).unwrap().into()
            }
            (None, Side::Server) => {
                ends.as_mut().unwrap().server.sign_response(&bare, word(&auth, "srand")).unwrap().into()
            }
        };
        assert_eq!(String::from_utf8_lossy(&written), raw, "{context}");
        if let Some(expected) = step["signature_buffer"].as_str() {
            let ends = ends.as_mut().unwrap();
            let covered = buffer(&message, &stamp_of(&auth, side), ends.client.name().version).unwrap();
            assert_eq!(String::from_utf8_lossy(&covered), expected, "{context}");
            let judge = if side == Side::Client { &mut ends.server } else { &mut ends.client };
            assert!(judge.verify(&message, side, false).is_good(), "{context}");
            assert_eq!(judge.verify(&message, side, false), Verdict::Replayed, "{context}");
            signed += 1;
        }
    }
    signed
}

#[test]
fn the_redirected_log_on_comes_out_byte_for_byte_in_all_dialects() {
    let all = vectors("patent_and_golden_flows.json");
    for (dialect, signatures) in [("patent_v2", 4), ("sipae_v3", 4), ("sipae_v4", 6)] {
        let steps = all["golden"][dialect].as_array().unwrap();
        assert_eq!(replay(steps, dialect), signatures, "{dialect}");
    }
}

#[test]
fn para_40_the_signature_of_a_redirect_holds_for_its_own_status_only() {
    let all = vectors("patent_and_golden_flows.json");
    let steps = all["golden"]["sipae_v4"].as_array().unwrap();
    let (mut challenge, mut ends) = (None, None);
    for step in steps {
        let message = parse(text(step, "message"));
        if let Some(auth) = message.auth(Name::WwwAuthenticate).next() {
            challenge = Some(SigningChallenge::parse(&auth).unwrap());
        }
        if step["exported_session_key"].is_string() && ends.is_none() {
            ends = Some(answer(challenge.as_ref().unwrap(), step, Style::Registrar).1);
        }
    }
    let redirect =
        steps.iter().map(|step| text(step, "message")).find(|m| m.starts_with("SIP/2.0 301")).unwrap();
    let client = &mut ends.unwrap().client;
    let altered = parse(&redirect.replacen("301 Moved Permanently", "302 Moved Temporarily", 1));
    assert_eq!(client.verify(&altered, Side::Server, true), Verdict::BadSignature);
    let altered = parse(&redirect.replace("homeserver104", "evil"));
    assert!(
        client.verify(&altered, Side::Server, true).is_good(),
        "a Contact is not covered: see contact_binding"
    );
}
