//! Eleven transcripts of a real client: every token and every signature of them, recomputed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::auth::hex;
use crate::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, authenticate};
use crate::secret::Password;

/// Where the parts of an AUTHENTICATE message stand.
fn part(token: &[u8], at: usize) -> &[u8] {
    let length = usize::from(u16::from_le_bytes(token[at..at + 2].try_into().unwrap()));
    let offset = u32::from_le_bytes(token[at + 4..at + 8].try_into().unwrap()) as usize;
    &token[offset..offset + length]
}

/// What the client would have sent for this CHALLENGE, with the chance read from what it did send.
fn recomputed(session: &Value, step: &Value, challenge: &[u8], sent: &[u8]) -> (Vec<u8>, SessionKeys) {
    let password = Password::new(text(session, "password"));
    let who = NtlmIdentity {
        user: text(session, "login_user"),
        domain: text(session, "login_domain"),
        workstation: text(&step["ntlm"], "workstation"),
        password: &password,
    };
    let response = part(sent, 20);
    let rng = ClientRandom {
        client_challenge: response[32..40].try_into().unwrap(),
        exported_session_key: hex::decode(text(step, "exported_session_key")).unwrap().try_into().unwrap(),
    };
    let time = u64::from_le_bytes(response[24..32].try_into().unwrap());
    let binding = Binding { version: sent[64..72].try_into().unwrap(), ..Binding::plain() };
    authenticate(challenge, &who, &binding, &rng, time).unwrap()
}

#[derive(Default)]
struct Seen {
    tokens: usize,
    late_tokens: usize,
    /// The session's client could not read `target name` and spells it now one way, now another.
    misled_client: bool,
    signatures: usize,
    bad_signatures: usize,
}

/// The challenges and associations of one session, by opaque.
#[derive(Default)]
struct Book {
    challenges: BTreeMap<String, Vec<u8>>,
    /// How the server calls itself.
    targets: BTreeMap<String, String>,
    newest: Option<Vec<u8>>,
    ends: BTreeMap<String, (Association, Association)>,
}

impl Book {
    fn challenge(&mut self, message: &Message) {
        for header in [Name::WwwAuthenticate, Name::ProxyAuthenticate] {
            for auth in message.auth(header) {
                if let (Some(opaque), Some(token)) = (auth.param("opaque"), auth.param("gssapi-data")) {
                    let token = STANDARD.decode(token).unwrap();
                    self.newest = Some(token.clone());
                    self.targets.insert(opaque.to_owned(), auth.param("targetname").unwrap().to_owned());
                    self.challenges.insert(opaque.to_owned(), token);
                }
            }
        }
    }

    fn authenticate(&mut self, session: &Value, step: &Value, auth: &Auth<'_>, seen: &mut Seen) {
        let opaque = auth.param("opaque").unwrap();
        let sent = STANDARD.decode(auth.param("gssapi-data").unwrap()).unwrap();
        let (token, keys) = recomputed(session, step, &self.challenges[opaque], &sent);
        let right = step["ntproof_ok"].as_bool().unwrap();
        assert_eq!(token, sent, "{}", text(session, "name"));
        seen.tokens += 1;
        if !right {
            // Recorded against the newest challenge; by then the client was answering an older one.
            let newest = self.newest.as_ref().unwrap();
            assert_ne!(recomputed(session, step, newest, &sent).0, sent, "{}", text(session, "name"));
            seen.late_tokens += 1;
        }
        let end = |targetname: &str| {
            let name = AssociationName {
                mechanism: Mechanism::Ntlm,
                realm: auth.param("realm").unwrap().into(),
                targetname: targetname.into(),
                version: Version::of(auth).unwrap(),
            };
            Association::new(name, opaque, Style::Registrar, keys.clone().into(), at(0))
        };
        let ends = (end(&self.targets[opaque]), end(auth.param("targetname").unwrap()));
        self.ends.insert(opaque.to_owned(), ends);
    }

    fn signed(&mut self, step: &Value, message: &Message, auth: &Auth<'_>, seen: &mut Seen) {
        let side = side_of(message);
        let (client, server) = self.ends.get_mut(auth.param("opaque").unwrap()).unwrap();
        let covered = buffer(message, &stamp_of(auth, side), client.name().version).unwrap();
        assert_eq!(String::from_utf8_lossy(&covered), text(step, "signature_buffer"));
        let right = step["signature_ok"].as_bool().unwrap();
        let judge = if side == Side::Client { server } else { client };
        if seen.misled_client && side == Side::Client {
            judge.name.targetname = auth.param("targetname").unwrap().into();
        }
        let verdict = judge.verify(message, side, false);
        assert_eq!(verdict.is_good(), right, "{verdict:?}");
        if right {
            assert_eq!(judge.verify(message, side, false), Verdict::Replayed);
        } else {
            assert_eq!(verdict, Verdict::BadSignature);
            seen.bad_signatures += 1;
        }
        seen.signatures += 1;
    }
}

#[test]
fn every_token_and_signature_of_a_real_client_is_recomputed() {
    let all = vectors("pidgin_sipe_sessions.json");
    let sessions = all["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 11);
    let mut seen = Seen::default();
    let mut expected = (0, 0);
    for session in sessions {
        let mut book = Book::default();
        seen.misled_client = text(session, "name") == "tname";
        for step in session["messages"].as_array().unwrap() {
            let message = parse(text(step, "message"));
            book.challenge(&message);
            expected.0 += usize::from(step["ntproof_ok"].is_boolean());
            expected.1 += usize::from(step["signature_ok"].is_boolean());
            let Some(auth) = signature(&message) else { continue };
            if step["ntproof_ok"].is_boolean() {
                book.authenticate(session, step, &auth, &mut seen);
            }
            if step["signature_ok"].is_boolean() {
                book.signed(step, &message, &auth, &mut seen);
            }
        }
    }
    assert_eq!((seen.tokens, seen.signatures), expected);
    assert!(seen.signatures > 70 && seen.tokens > 15, "{} {}", seen.signatures, seen.tokens);
    assert_eq!((seen.late_tokens, seen.bad_signatures), (2, 1));
}
