//! What a message costs in authentication: a Digest answer, a signature made, a signature proved.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use homing_core::auth::digest::{DigestChallenge, DigestSession};
use homing_core::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, SessionKeys, Side, authenticate, flags};
use homing_core::auth::security_association::{
    Association, AssociationName, Mechanism, Stamp, Style, Version, buffer,
};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_wire::{Auth, Message};

const REGISTER: &str = include_str!("../../../tests/data/bench/register.sip");
const CHALLENGE: &[u8] =
    br#"Digest realm="network.com", nonce="84f1c1ae6cbe5ua9c8e88dfa3ecm3459", algorithm=SHA-256, qop="auth""#;

fn association() -> Association {
    let name = AssociationName {
        mechanism: Mechanism::Ntlm,
        realm: "SIP Communications Service".into(),
        targetname: "hs1.network.com".into(),
        version: Version::V4,
    };
    let agreed = flags::EXTENDED_SESSION_SECURITY | flags::STRONG_KEYS | flags::KEY_EXCHANGE;
    let keys = SessionKeys::derive(&[0x55; 16], agreed);
    Association::new(
        name,
        "ACDC1230",
        Style::Registrar,
        keys.into(),
        Now::new(Duration::ZERO, Duration::ZERO),
    )
}

fn digest(bench: &mut Criterion) {
    let password = Password::new("Secret-Pass1");
    let challenge =
        DigestChallenge::parse(&Auth::parse(CHALLENGE).expect("a header value")).expect("a challenge");
    let mut session = DigestSession::new(challenge, "alice", &password);
    bench.bench_function("digest answer, SHA-256", |b| {
        b.iter(|| {
            session.authorization("REGISTER", "sip:network.com", b"", black_box("0a4f113b")).to_string()
        });
    });
}

fn signatures(bench: &mut Criterion) {
    let message = Message::parse(REGISTER.as_bytes()).expect("the bench message parses");
    let mut signer = association();
    bench.bench_function("sign a REGISTER", |b| {
        b.iter(|| signer.sign_request(black_box(&message), 0x00a1_b2c3));
    });
    let mut signer = association();
    bench.bench_function("verify a REGISTER", |b| {
        b.iter_batched(
            || {
                let signed = signer.sign_request(&message, 0x00a1_b2c3).expect("a complete message");
                (association(), signed)
            },
            |(mut verifier, signed)| verifier.verify(signed.message(), Side::Client, false),
            BatchSize::SmallInput,
        );
    });
    let stamp = Stamp {
        scheme: "NTLM",
        salt: "00a1b2c3",
        number: "1",
        realm: "SIP Communications Service",
        targetname: "hs1",
    };
    bench.bench_function("buffer of a REGISTER", |b| {
        b.iter(|| buffer(black_box(&message), &stamp, Version::V4))
    });
}

fn handshake(bench: &mut Criterion) {
    let password = Password::new("Secret-Pass1");
    let who = NtlmIdentity { user: "alice", domain: "NETWORK", workstation: "CLIENT1", password: &password };
    let rng = ClientRandom { client_challenge: [0xaa; 8], exported_session_key: [0x55; 16] };
    let names = b"\x02\0\x02\0D\0\x01\0\x02\0S\0\0\0\0\0";
    let mut challenge =
        b"NTLMSSP\0\x02\0\0\0\0\0\0\0\x38\0\0\0\xf3\x82\x98\xe2\x01\x02\x03\x04\x05\x06\x07\x08".to_vec();
    challenge.extend_from_slice(b"\0\0\0\0\0\0\0\0\x10\0\x10\0\x38\0\0\0\x05\x02\xce\x0e\0\0\0\x0f");
    challenge.extend_from_slice(names);
    bench.bench_function("answer an NTLM challenge", |b| {
        b.iter(|| {
            authenticate(black_box(&challenge), &who, &Binding::plain(), &rng, 133_500_000_000_000_000)
        });
    });
}

criterion_group!(benches, digest, signatures, handshake);
criterion_main!(benches);
