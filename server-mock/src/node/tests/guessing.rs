//! Pauses for who guesses passwords, as a client meets them.

use homing_core::auth::digest::Hash;
use homing_core::counter::Counter;
use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Message, Name};

use super::super::config::{Dialect, Schemes};
use super::authenticator::{again, unsigned, with};
use super::bench::{Bench, Golden, at, auth_param};
use super::register::{CONTACT, answer, bench, register};

const PASSWORD: &str = "Secret-Pass1";

/// Asks for a challenge on a connection of its own and answers it as `user` with `password`.
fn attempt(bench: &mut Bench, n: u32, from: &str, (user, password): (&str, &str), now: Now) -> Message {
    let flow = bench.open_from(u64::from(n) + 100, Transport::Tcp, from, now);
    let challenge = bench.ask(flow, &register("user", 2 * n, CONTACT), now);
    let line = answer(&challenge, Hash::Sha256, password, "00000001");
    let line = line.replace("username=\"user\"", &format!("username=\"{user}\""));
    bench.ask(flow, &register("user", 2 * n + 1, &format!("{CONTACT}\r\n{line}")), now)
}

fn pause(said: &Message) -> Option<String> {
    (said.status() == Some(503)).then(|| said.text(Name::RetryAfter).unwrap().into_owned())
}

const HERE: &str = "192.0.2.9:5000";

#[test]
fn after_three_wrong_answers_nothing_is_looked_at_for_a_while_not_even_what_is_right() {
    let (mut bench, _) = bench(Schemes::Digest, |_| ());
    for n in 1..=3 {
        assert_eq!(attempt(&mut bench, n, HERE, ("user", "wrong"), at(0)).status(), Some(401));
    }
    let paused = attempt(&mut bench, 4, HERE, ("user", PASSWORD), at(0));
    assert_eq!(pause(&paused).as_deref(), Some("1"), "{}", bench.ladder());
    assert!(paused.text(Name::MsDiagnostics).unwrap().starts_with("4170;"));
    assert_eq!(bench.node.counters().of(Counter::GuessingPause), 1);
    assert_eq!(attempt(&mut bench, 5, HERE, ("user", "wrong"), at(1)).status(), Some(401));
    assert_eq!(pause(&attempt(&mut bench, 6, HERE, ("user", PASSWORD), at(1))).as_deref(), Some("2"));
    assert_eq!(attempt(&mut bench, 7, "192.0.2.10:5000", ("user", PASSWORD), at(1)).status(), Some(200));
    assert_eq!(attempt(&mut bench, 8, HERE, ("user", PASSWORD), at(3)).status(), Some(200));
    assert_eq!(attempt(&mut bench, 9, HERE, ("user", "wrong"), at(3)).status(), Some(401), "all is forgiven");
}

#[test]
fn a_pause_says_nothing_of_whether_a_user_exists() {
    let said = |user: &str| -> Vec<Vec<u8>> {
        let (mut bench, _) = bench(Schemes::Digest, |_| ());
        let attempts = (1..=6).map(|n| attempt(&mut bench, n, HERE, (user, "wrong"), at(0)));
        attempts.map(|said| said.bytes().to_vec()).collect()
    };
    let (known, unknown) = (said("user"), said("mallory"));
    assert_eq!(known, unknown);
}

#[test]
fn who_holds_a_good_nonce_is_not_touched_and_holds_it_for_themselves_only() {
    let (mut bench, flow) = bench(Schemes::Digest, |_| ());
    let challenge = bench.ask(flow, &register("user", 1, CONTACT), at(0));
    let line = |nc: &str, password: &str| answer(&challenge, Hash::Sha256, password, nc);
    let ask = |bench: &mut Bench, cseq: u32, line: String| {
        bench.ask(flow, &register("user", cseq, &format!("{CONTACT}\r\n{line}")), at(0)).status()
    };
    assert_eq!(ask(&mut bench, 2, line("00000001", PASSWORD)), Some(200));
    // Neighbours behind the same address guess at the same user.
    for n in 10..13 {
        attempt(&mut bench, n, "127.0.0.1:5000", ("user", "wrong"), at(0));
    }
    assert!(pause(&attempt(&mut bench, 13, "127.0.0.1:5000", ("user", PASSWORD), at(0))).is_some());
    assert_eq!(ask(&mut bench, 3, line("00000002", PASSWORD)), Some(200), "{}", bench.ladder());
    // The nonce of one user is no licence to guess at another.
    let at_bob = line("00000003", "wrong").replace("username=\"user\"", "username=\"bob\"");
    let guesses: Vec<_> = (4..8).map(|cseq| ask(&mut bench, cseq, at_bob.clone())).collect();
    assert_eq!(guesses.last(), Some(&Some(503)), "{guesses:?}");
}

/// A nonce lasts for minutes, a binding for hours: its refresh draws a challenge.
#[test]
fn who_is_bound_over_a_connection_refreshes_there_whatever_neighbours_guess() {
    let (mut bench, flow) = bench(Schemes::Digest, |_| ());
    let refresh = |bench: &mut Bench, cseq: u32, now| {
        let challenge = bench.ask(flow, &register("user", cseq, CONTACT), now);
        let line = answer(&challenge, Hash::Sha256, PASSWORD, "00000001");
        bench.ask(flow, &register("user", cseq + 1, &format!("{CONTACT}\r\n{line}")), now).status()
    };
    assert_eq!(refresh(&mut bench, 1, at(0)), Some(200));
    for n in 10..13 {
        attempt(&mut bench, n, "127.0.0.1:5000", ("user", "wrong"), at(1_000));
    }
    assert!(pause(&attempt(&mut bench, 13, "127.0.0.1:5000", ("user", PASSWORD), at(1_000))).is_some());
    assert_eq!(refresh(&mut bench, 3, at(1_000)), Some(200), "{}", bench.ladder());
}

#[test]
fn thirty_wrong_answers_a_minute_from_one_source_are_all() {
    let (mut bench, _) = bench(Schemes::Digest, |_| ());
    for n in 1..=30 {
        let name = format!("nobody{n}");
        assert_eq!(attempt(&mut bench, n, HERE, (&name, "wrong"), at(0)).status(), Some(401), "{n}");
    }
    assert_eq!(pause(&attempt(&mut bench, 31, HERE, ("user", PASSWORD), at(20))).as_deref(), Some("40"));
    assert_eq!(attempt(&mut bench, 32, "192.0.2.10:1", ("user", PASSWORD), at(20)).status(), Some(200));
    assert_eq!(attempt(&mut bench, 33, HERE, ("user", PASSWORD), at(60)).status(), Some(200));
}

#[test]
fn strangers_together_cannot_keep_a_user_out_of_a_place_she_knows() {
    let (mut bench, _) = bench(Schemes::Digest, |_| ());
    assert_eq!(attempt(&mut bench, 1, HERE, ("user", PASSWORD), at(0)).status(), Some(200));
    for n in 2..=31 {
        let from = format!("198.51.100.{n}:5000");
        assert_eq!(attempt(&mut bench, n, &from, ("user", "wrong"), at(1)).status(), Some(401), "{n}");
    }
    assert!(pause(&attempt(&mut bench, 40, "198.51.100.99:1", ("user", PASSWORD), at(1))).is_some());
    assert_eq!(
        attempt(&mut bench, 41, HERE, ("user", PASSWORD), at(1)).status(),
        Some(200),
        "{}",
        bench.ladder()
    );
}

#[test]
fn what_answers_no_nonce_of_ours_is_neither_looked_at_nor_counted() {
    let (mut bench, flow) = bench(Schemes::Digest, |_| ());
    let challenge = bench.ask(flow, &register("user", 1, CONTACT), at(0));
    let nonce = auth_param(&challenge, Name::WwwAuthenticate, "nonce").unwrap();
    let mut said = Vec::new();
    for (cseq, password) in [(2, PASSWORD), (3, "wrong"), (4, "wrong"), (5, "wrong"), (6, "wrong")] {
        // A nonce somebody made up: right and wrong answers to it look alike.
        let line =
            answer(&challenge, Hash::Sha256, password, "00000001").replace(&nonce, &"0".repeat(nonce.len()));
        let refused = bench.ask(flow, &register("user", cseq, &format!("{CONTACT}\r\n{line}")), at(0));
        said.push((refused.status(), auth_param(&refused, Name::WwwAuthenticate, "stale")));
    }
    assert!(said.iter().all(|one| *one == (Some(401), Some("true".to_owned()))), "{said:?}");
    let line = answer(&challenge, Hash::Sha256, PASSWORD, "00000001");
    let done = bench.ask(flow, &register("user", 9, &format!("{CONTACT}\r\n{line}")), at(0));
    assert_eq!(done.status(), Some(200));
}

#[test]
fn ntlm_pauses_alike_and_leaves_the_challenge_open() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let server = "homeserver104.network.com";
    let mut bench = Bench::new(golden.node(server, |_| ()), &[("user@network.com", server)]);
    for n in 1..=3 {
        let flow = bench.open_from(u64::from(n) + 100, Transport::Tcp, HERE, at(0));
        assert_eq!(shown(&mut bench, &golden, flow, (n, true), at(0)).1.status(), Some(401));
    }
    let flow = bench.open_from(104, Transport::Tcp, HERE, at(0));
    let (token, paused) = shown(&mut bench, &golden, flow, (4, false), at(0));
    assert_eq!(pause(&paused).as_deref(), Some("1"), "{}", bench.ladder());
    let later = bench.ask(flow, &again(&token, 44).replace("z9hG4bKagain4", "z9hG4bKlater4"), at(1));
    assert_eq!(later.status(), Some(200), "{}", bench.ladder());
}

/// As with Digest: an association is renewed where its user is bound.
#[test]
fn who_is_bound_by_ntlm_renews_there_whatever_neighbours_guess() {
    let golden = Golden::read("sipae_v4", Dialect::Sipae4);
    let server = "homeserver104.network.com";
    let mut bench = Bench::new(golden.node(server, |_| ()), &[("user@network.com", server)]);
    let own = bench.open_from(99, Transport::Tcp, HERE, at(0));
    assert_eq!(shown(&mut bench, &golden, own, (1, false), at(0)).1.status(), Some(200));
    let others = [2, 3, 4, 5].map(|n| {
        let flow = bench.open_from(u64::from(n) + 100, Transport::Tcp, HERE, at(1));
        shown(&mut bench, &golden, flow, (n, n < 5), at(1)).1.status()
    });
    assert_eq!(others, [Some(401), Some(401), Some(401), Some(503)], "{}", bench.ladder());
    let renewed = shown(&mut bench, &golden, own, (6, false), at(1)).1;
    assert_eq!(renewed.status(), Some(200), "{}", bench.ladder());
}

/// Draws a challenge over `flow` and answers it, wrongly if so said; the answer, and what was said to it.
fn shown(
    bench: &mut Bench,
    golden: &Golden,
    flow: FlowId,
    (n, wrong): (u32, bool),
    now: Now,
) -> (String, Message) {
    let challenge = bench.ask(flow, &again(&golden.text(8), n), now);
    let opaque = auth_param(&challenge, Name::WwwAuthenticate, "opaque").unwrap();
    let token = unsigned(&with(&again(&golden.text(10), n), "opaque", &opaque));
    let (before, cseq) = token.split_once("CSeq: ").unwrap();
    let (_, after) = cseq.split_once(' ').unwrap();
    let token = format!("{before}CSeq: {} {after}", 100 + n);
    let token = if wrong { spoilt(&token) } else { token };
    let said = bench.ask(flow, &token, now);
    (token, said)
}

/// The token with one octet of its NT response changed: the password is wrong.
fn spoilt(message: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let start = message.find("gssapi-data=\"").unwrap() + "gssapi-data=\"".len();
    let end = start + message[start..].find('"').unwrap();
    let mut token = STANDARD.decode(&message[start..end]).unwrap();
    let at = usize::try_from(u32::from_le_bytes(token[24..28].try_into().unwrap())).unwrap();
    token[at] ^= 1;
    format!("{}{}{}", &message[..start], STANDARD.encode(token), &message[end..])
}
