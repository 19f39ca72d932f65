//! Every way of breaking an auth header, at a running server: a clear answer each, each counted by its own
//! name, a good client beside them untouched, and the password nowhere.

use homing::{AccountState, Transport};
use homing_core::counter::{Counter, Counters};
use homing_server_mock::estate::{EstateBuilder, NodeHandle, User};
use homing_server_mock::journal::Entry;
use homing_wire::{Message, Name};

use crate::client::{register, run, user_agent};
use crate::stranger::Stranger;
use homing_tests::test_bed::CANARY;

/// Realm and target of the server that is talked to.
const NAMES: &str = "realm=\"SIP Communications Service\", targetname=\"hs104.network.com\"";

/// One broken header: what leads there, the status it is answered with (none for silence), and the name
/// it is counted by.
struct Case {
    name: &'static str,
    request: fn(&mut Stranger) -> Vec<u8>,
    status: Option<u16>,
    counter: Counter,
}

const fn case(
    name: &'static str,
    status: u16,
    counter: Counter,
    request: fn(&mut Stranger) -> Vec<u8>,
) -> Case {
    Case { name, request, status: Some(status), counter }
}

/// A REGISTER that answers the challenge with `data` in place of a token.
fn with_data(stranger: &mut Stranger, data: &str) -> Vec<u8> {
    let offer = stranger.open(NAMES);
    stranger.register(&offer.with_data(NAMES, data))
}

/// A REGISTER with a good token that was bent on the way.
fn with_bent_token(stranger: &mut Stranger, bend: fn(&mut Vec<u8>)) -> Vec<u8> {
    let offer = stranger.open(NAMES);
    let (mut token, _) = offer.answered("alice", CANARY);
    bend(&mut token);
    stranger.register(&offer.credentials(NAMES, &token))
}

/// A signed REGISTER of a signed-in stranger with one thing in its text replaced.
fn with_bent_signature(stranger: &mut Stranger, from: &str, to: &str) -> Vec<u8> {
    let mut association = stranger.sign_in(NAMES, CANARY);
    let unsigned = Message::parse(stranger.register("")).unwrap();
    let signed = association.sign_request(&unsigned, 7).unwrap();
    let text = String::from_utf8(signed.bytes().to_vec()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1).into_bytes()
}

/// A REGISTER with good Digest credentials that were bent.
fn with_bent_digest(stranger: &mut Stranger, bend: fn(String) -> String) -> Vec<u8> {
    let good = stranger.digest(CANARY).authorization("REGISTER", "sip:network.com", b"", "cn").to_string();
    let bent = bend(good.clone());
    assert_ne!(good, bent, "nothing was bent");
    stranger.plain_register(&bent)
}

fn cases() -> impl Iterator<Item = Case> {
    [headers(), tokens(), signatures(), digests()].into_iter().flatten()
}

/// Headers that are no credentials, or not for this server.
fn headers() -> Vec<Case> {
    use Counter::{BrokenCredentials, ForeignCredentials};
    vec![
        case("a scheme alone", 401, BrokenCredentials, |s| s.register("NTLM")),
        case("a parameter without value", 401, ForeignCredentials, |s| s.register("NTLM realm=")),
        case("a quote that stays open", 401, ForeignCredentials, |s| {
            s.register("NTLM realm=\"SIP Communications Service, targetname=\"hs104.network.com\"")
        }),
        case("a scheme nobody knows", 401, ForeignCredentials, |s| s.register("Bearer realm=\"x\", token=1")),
        case("the scheme a thousand times", 401, BrokenCredentials, |s| s.register(&"NTLM,".repeat(3_000))),
        case("another realm", 401, ForeignCredentials, |s| {
            s.register("NTLM realm=\"Elsewhere\", targetname=\"hs104.network.com\", gssapi-data=\"\"")
        }),
        case("another target", 401, ForeignCredentials, |s| {
            s.register(
                "NTLM realm=\"SIP Communications Service\", targetname=\"hs9.network.com\", response=\"1\"",
            )
        }),
        case("two targets", 400, BrokenCredentials, |s| {
            s.register(&format!("NTLM {NAMES}, targetname=\"hs9.network.com\", gssapi-data=\"\""))
        }),
        case("two opaques", 400, BrokenCredentials, |s| {
            s.register(&format!("NTLM {NAMES}, opaque=\"1\", opaque=\"2\", response=\"00\""))
        }),
        case("more parameters than any scheme has", 400, BrokenCredentials, |s| {
            s.register(&format!("NTLM {NAMES}, {}", "x=1,".repeat(100)))
        }),
        case("neither token nor signature", 401, BrokenCredentials, |s| s.register(&format!("NTLM {NAMES}"))),
        case("a version nobody offered", 400, BrokenCredentials, |s| {
            s.register(&format!("NTLM {NAMES}, gssapi-data=\"\", version=9"))
        }),
        case("a version that is no number", 400, BrokenCredentials, |s| {
            s.register(&format!("NTLM {NAMES}, gssapi-data=\"\", version=four"))
        }),
    ]
}

/// Answers to the second challenge of NTLM.
fn tokens() -> Vec<Case> {
    use Counter::{BadToken, NotEntitled, UnknownAssociation, WrongCredentials};
    vec![
        case("a token before any challenge", 401, UnknownAssociation, |s| {
            s.register(&format!("NTLM {NAMES}, opaque=\"FFFFFFFF\", gssapi-data=\"TlRMTVNTUAADAAAA\""))
        }),
        case("a token that is no base64", 401, BadToken, |s| with_data(s, "***")),
        case("a token cut short", 401, BadToken, |s| with_data(s, "TlRMTVNTUAADAAAA")),
        case("a token of nothing, 12 KiB of it", 401, BadToken, |s| with_data(s, &"A".repeat(12_000))),
        case("another kind of token", 401, BadToken, |s| with_data(s, "TlRMTVNTUAABAAAAB4IIogAAAAA=")),
        case("offsets beyond the token", 401, BadToken, |s| {
            with_bent_token(s, |token| token[12..44].fill(0xff))
        }),
        case("offsets that wrap around", 401, BadToken, |s| {
            with_bent_token(s, |token| token[24..28].copy_from_slice(&0xffff_fff0u32.to_le_bytes()))
        }),
        case("weakened flags", 401, BadToken, |s| with_bent_token(s, |token| token[60..64].fill(0))),
        case("no response at all", 401, BadToken, |s| with_bent_token(s, |token| token[20..24].fill(0))),
        case("the other half of a good token", 401, BadToken, |s| {
            with_bent_token(s, |token| token.truncate(token.len() / 2))
        }),
        case("a token with a changed proof", 401, WrongCredentials, |s| {
            with_bent_token(s, |token| {
                let at = u32::from_le_bytes([token[24], token[25], token[26], token[27]]);
                token[usize::try_from(at).unwrap()] ^= 1;
            })
        }),
        case("a wrong password", 401, WrongCredentials, |s| {
            let offer = s.open(NAMES);
            let (token, _) = offer.answered("alice", "guess");
            s.register(&offer.credentials(NAMES, &token))
        }),
        case("a user nobody knows", 401, WrongCredentials, |s| {
            let offer = s.open(NAMES);
            let (token, _) = offer.answered("mallory", CANARY);
            s.register(&offer.credentials(NAMES, &token))
        }),
        case("a good token, used twice", 401, UnknownAssociation, |s| {
            let offer = s.open(NAMES);
            let (token, _) = offer.answered("alice", CANARY);
            let first = s.register(&offer.credentials(NAMES, &token));
            assert_eq!(s.ask(&first).and_then(|answer| answer.status()), Some(200));
            s.register(&offer.credentials(NAMES, &token))
        }),
        case("a good token for somebody else's address", 403, NotEntitled, |s| {
            s.user = "bob";
            let offer = s.open(NAMES);
            let (token, _) = offer.answered("alice", CANARY);
            s.register(&offer.credentials(NAMES, &token))
        }),
    ]
}

/// Requests under an association.
fn signatures() -> Vec<Case> {
    use Counter::{BadSignature, Replayed, UnknownAssociation};
    vec![
        case("a signature under no association", 401, UnknownAssociation, |s| {
            s.register(&format!(
                "NTLM {NAMES}, opaque=\"FFFFFFFF\", crand=\"1\", cnum=\"4294967296\", response=\"00\""
            ))
        }),
        case("a signature of the wrong length", 401, BadSignature, |s| {
            with_bent_signature(s, "response=\"", "response=\"00")
        }),
        case("a signature that is no hex", 401, BadSignature, |s| {
            with_bent_signature(s, "response=\"01", "response=\"zz")
        }),
        case("another salt", 401, BadSignature, |s| {
            with_bent_signature(s, "crand=\"00000007", "crand=\"00000008")
        }),
        case("a counter of zero", 401, BadSignature, |s| with_bent_signature(s, "cnum=\"1\"", "cnum=\"0\"")),
        case("a counter beyond 32 bits", 401, BadSignature, |s| {
            with_bent_signature(s, "cnum=\"1\"", "cnum=\"4294967297\"")
        }),
        case("another expiry than was signed", 401, BadSignature, |s| {
            with_bent_signature(s, "Expires: 600", "Expires: 0")
        }),
        Case {
            name: "a counter used twice",
            status: None,
            counter: Replayed,
            request: |s| {
                let mut association = s.sign_in(NAMES, CANARY);
                let unsigned = Message::parse(s.register("")).unwrap();
                let signed = association.sign_request(&unsigned, 7).unwrap();
                assert_eq!(s.ask(signed.bytes()).and_then(|answer| answer.status()), Some(200));
                // A new branch: no retransmission, but the same signature.
                let text = String::from_utf8(signed.bytes().to_vec()).unwrap();
                text.replacen("branch=z9hG4bK", "branch=z9hG4bKx", 1).into_bytes()
            },
        },
    ]
}

/// Credentials of Digest.
fn digests() -> Vec<Case> {
    use Counter::{BrokenCredentials, ForeignCredentials, StaleNonce, WrongCredentials};
    vec![
        case("Digest for another realm", 401, ForeignCredentials, |s| {
            with_bent_digest(s, |good| good.replacen("network.com", "elsewhere.com", 1))
        }),
        case("Digest without a nonce", 400, BrokenCredentials, |s| {
            with_bent_digest(s, |good| good.replacen("nonce=", "nance=", 1))
        }),
        case("Digest with a count that is none", 400, BrokenCredentials, |s| {
            with_bent_digest(s, |good| good.replacen("nc=00000001", "nc=99999999999", 1))
        }),
        case("Digest for another request", 400, BrokenCredentials, |s| {
            with_bent_digest(s, |good| good.replacen("uri=\"sip:network.com\"", "uri=\"sip:other.com\"", 1))
        }),
        case("Digest by an algorithm nobody offered", 401, BrokenCredentials, |s| {
            with_bent_digest(s, |good| good.replacen("algorithm=SHA-256", "algorithm=MD5", 1))
        }),
        case("Digest with a response that is none", 401, WrongCredentials, |s| {
            with_bent_digest(s, |good| good.replacen("response=\"", "response=\"zz", 1))
        }),
        case("Digest with a nonce of its own", 401, StaleNonce, |s| {
            let made_up = "Digest realm=\"network.com\", nonce=\"0000000000000000aaaa\", qop=\"auth\", algorithm=SHA-256";
            let auth = homing_wire::Auth::parse(made_up.as_bytes()).unwrap();
            let challenge = homing_core::auth::digest::DigestChallenge::parse(&auth).unwrap();
            let password = homing::Password::new(CANARY);
            let mut session = homing_core::auth::digest::DigestSession::new(challenge, "alice", &password);
            let shown = session.authorization("REGISTER", "sip:network.com", b"", "cn").to_string();
            s.plain_register(&shown)
        }),
        case("Digest with a count used before", 401, StaleNonce, |s| {
            let good = s.digest(CANARY).authorization("REGISTER", "sip:network.com", b"", "cn").to_string();
            let first = s.plain_register(&good);
            assert_eq!(s.ask(&first).and_then(|answer| answer.status()), Some(200));
            s.plain_register(&good)
        }),
    ]
}

/// What was counted between two readings, but for the sum of all refusals.
fn counted(before: &Counters, after: &Counters) -> Vec<(Counter, u64)> {
    let grown = after.iter().map(|(counter, n)| (counter, n - before.of(counter)));
    grown.filter(|(counter, n)| *n > 0 && *counter != Counter::RefusedRequest).collect()
}

/// Plays one case on a connection of its own and judges what came of it.
fn play(case: &Case, node: &NodeHandle, seen: &mut String) {
    let mut stranger = Stranger::connect(node.address(Transport::Tcp));
    let request = (case.request)(&mut stranger);
    let (before, written) = (node.counters(), node.journal().len());
    let answer = stranger.ask(&request);
    let status = answer.as_ref().and_then(Message::status);
    let told: Vec<Entry> = node.journal().split_off(written);
    let ladder: Vec<String> = told.iter().map(|entry| format!("{entry:?}")).collect();
    assert_eq!(status, case.status, "{}: {ladder:#?}", case.name);
    assert_eq!(counted(&before, &node.counters()), [(case.counter, 1)], "{}: {ladder:#?}", case.name);
    let reasons = told.iter().filter_map(Entry::decision).filter(|decision| !decision.reason.is_empty());
    assert!(reasons.count() > 0, "{}: the journal gives no reason", case.name);
    match (status, &answer) {
        (Some(401), Some(answer)) => {
            assert!(answer.auth(Name::WwwAuthenticate).next().is_some(), "{}: how to go on", case.name);
        }
        (Some(_), Some(answer)) => {
            let why = answer.text(Name::MsDiagnostics).unwrap_or_default();
            assert!(why.contains("reason=\""), "{}: {why}", case.name);
        }
        _ => {}
    }
    *seen += &stranger.heard;
}

#[test]
fn every_broken_auth_header_gets_a_clear_answer_and_is_counted_by_its_name() {
    run(async {
        let estate = EstateBuilder::new()
            .domain("network.com")
            .home("hs104")
            .user(User::new("alice", CANARY).assigned("hs104"))
            .user(User::new("carol", CANARY).assigned("hs104"))
            .transports([Transport::Tls, Transport::Tcp])
            .seed(43)
            .start()
            .await
            .unwrap();
        let ua = user_agent(&estate);
        let carol = crate::client::named(&ua, "carol");
        register(&estate, &carol).await.unwrap();
        let held = |user: &str| estate.bindings(user).len();
        let mut seen = String::new();
        let node = estate.node("hs104");
        for case in cases() {
            play(&case, &node, &mut seen);
            assert_eq!((held("carol"), carol.state()), (1, AccountState::Registered), "{}", case.name);
        }
        carol.refresh().await.unwrap();
        assert!(cases().count() >= 13);
        seen += &estate.journal().json();
        seen += &estate.journal().ladder();
        let utf16: String = CANARY.chars().flat_map(|c| [c, '\0']).collect();
        assert!(!seen.contains(CANARY) && !seen.contains(&utf16), "the password leaked");
    });
}

#[test]
fn the_third_wrong_token_on_a_connection_is_the_last() {
    run(async {
        let estate = crate::client::estate(44).start().await.unwrap();
        let node = estate.node("hs104");
        let mut stranger = Stranger::connect(node.address(Transport::Tcp));
        let mut wrong = || {
            let offer = stranger.open(NAMES);
            let (token, _) = offer.answered("alice", "guess");
            let request = stranger.register(&offer.credentials(NAMES, &token));
            stranger.ask(&request).and_then(|answer| answer.status())
        };
        assert_eq!([wrong(), wrong(), wrong()], [Some(401), Some(401), Some(403)]);
        assert_eq!(node.counters().of(Counter::WrongCredentials), 3);
    });
}
