//! Messages overtake, repeat and come damaged: each counts at most once, and damage moves nothing.

use super::*;
use crate::ids::{Rng, Seed};

fn seeds() -> u64 {
    std::env::var("HOMING_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap()
}

/// Flips one digit of the signature.
fn damaged(message: &Message) -> Message {
    let raw = String::from_utf8(message.bytes().to_vec()).unwrap();
    let at = raw.find("rspauth=\"").unwrap() + 20;
    let digit = if raw.as_bytes()[at] == b'0' { "1" } else { "0" };
    parse(&[&raw[..at], digit, &raw[at + 1..]].concat())
}

#[test]
fn reordered_duplicated_and_damaged_messages_are_sorted_right() {
    for seed in 0..seeds() {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let (mut client, mut server) = ends();
        let count = 20 + rng.next_u32() % 300;
        let sent: Vec<Message> = (1..=count)
            .map(|n| received(server.sign_response(&notify(n), rng.next_u32()).unwrap()))
            .collect();
        // A message may be delayed by up to 250 places, well inside the window.
        let mut order: Vec<(u64, usize)> = (0..sent.len()).map(|n| (n as u64 + rng.below(250), n)).collect();
        order.sort_unstable();
        let mut accepted = vec![false; sent.len()];
        for (_, n) in order {
            if rng.below(3) == 0 {
                let before = client.window.clone();
                let verdict = client.verify(&damaged(&sent[n]), Side::Server, false);
                assert_eq!(verdict, Verdict::BadSignature, "seed {seed}");
                assert_eq!(client.window, before, "seed {seed}: a bad signature moved the window");
            }
            let verdict = client.verify(&sent[n], Side::Server, false);
            assert_eq!(verdict, Verdict::Good { num: u32::try_from(n).unwrap() + 1 }, "seed {seed}: lost");
            accepted[n] = true;
            let again = below(&mut rng, sent.len());
            if accepted[again] {
                let verdict = client.verify(&sent[again], Side::Server, false);
                assert!(
                    matches!(verdict, Verdict::Replayed | Verdict::BelowWindow),
                    "seed {seed}: {verdict:?}"
                );
            }
        }
        assert!(accepted.iter().all(|accepted| *accepted), "seed {seed}");
    }
}

#[test]
fn no_damage_to_a_signed_message_is_taken_for_the_original() {
    for seed in 0..seeds() * 20 {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let (mut client, mut server) = ends();
        let original = received(server.sign_response(&notify(7), 0x1234_5678).unwrap());
        let stamp = stamp_of(&signature(&original).unwrap(), Side::Server);
        let covered = buffer(&original, &stamp, Version::V4).unwrap();
        let mut bytes = original.bytes().to_vec();
        for _ in 0..1 + rng.below(4) {
            let at = below(&mut rng, bytes.len());
            match rng.below(3) {
                0 => bytes[at] = rng.bytes::<1>()[0],
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b"\",;<> \r\n="[below(&mut rng, 9)]),
            }
        }
        let Ok(message) = Message::parse(bytes) else { continue };
        if client.verify(&message, Side::Server, true).is_good() {
            let auth = signature(&message).unwrap();
            // The scheme enters as the association spells it, whatever its letter case on the wire.
            let stamp = Stamp { scheme: stamp.scheme, ..stamp_of(&auth, Side::Server) };
            let same = buffer(&message, &stamp, Version::V4).unwrap();
            assert_eq!(same, covered, "seed {seed}");
        }
    }
}

#[test]
fn auth_headers_of_noise_never_panic() {
    for seed in 0..seeds() * 20 {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let words = [
            "NTLM", "Kerberos", "rspauth", "snum", "srand", "realm", "=", "\"", ",", " ", "1", "\u{201c}",
            "=",
        ];
        let noise: String = (0..rng.below(40)).map(|_| words[below(&mut rng, 13)]).collect();
        let raw = String::from_utf8(notify(1).bytes().to_vec()).unwrap();
        let raw = raw.replace(
            "\r\nEvent:",
            &format!("\r\nAuthentication-Info: {noise}\r\nWWW-Authenticate: {noise}\r\nEvent:"),
        );
        let Ok(message) = Message::parse(raw.into_bytes()) else { continue };
        assert!(!ends().0.verify(&message, Side::Server, true).is_good(), "seed {seed}");
        for auth in message.auth(Name::WwwAuthenticate) {
            let _ = SigningChallenge::parse(&auth);
        }
    }
}
