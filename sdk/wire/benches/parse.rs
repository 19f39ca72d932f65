//! How long a message takes: index, typed headers, session description, printing; and how that grows with length.
#![allow(clippy::unwrap_used, missing_docs, reason = "what is measured parses")]

mod reading;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use homing_wire::{Builder, Contact, Limits, Message, Name, ViaBuf};
use reading::{INVITE, REGISTER, index, typed, typed_with_sdp};

fn messages(criterion: &mut Criterion) {
    for (name, octets) in [("register", REGISTER), ("invite", INVITE)] {
        let bytes = Bytes::from_static(octets);
        let mut group = criterion.benchmark_group(name);
        group.bench_function("index", |bench| bench.iter(|| index(&bytes)));
        group.bench_function("typed", |bench| bench.iter(|| typed(&index(&bytes))));
        group.bench_function("parse_and_print", |bench| {
            bench.iter(|| Builder::from_message(&index(&bytes)).finish())
        });
        group.bench_function("parse_and_relay", |bench| bench.iter(|| relay(&index(&bytes))));
        group.bench_function("validate", |bench| bench.iter(|| index(&bytes).validate()));
        if name == "invite" {
            group.bench_function("typed_with_sdp", |bench| {
                bench.iter(|| typed_with_sdp(&index(&bytes)));
            });
        }
        group.finish();
    }
}

/// What a proxy does: a Via on top, one hop less.
fn relay(message: &Message) -> Bytes {
    let via = ViaBuf::new("TLS", "hs1.example.com").port(5061).branch("z9hG4bK0123456789abcdef");
    let hops = message.max_forwards().unwrap().unwrap_or(70) - 1;
    Builder::from_message(message).prepend(Name::Via, via).replace(Name::MaxForwards, hops).finish()
}

/// Inputs that invite reading again and again; each step is twice as long as the one before and may take twice the time.
fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth");
    let limits = Limits {
        message: 1 << 20,
        line: 1 << 20,
        auth_line: 1 << 20,
        headers: 1 << 20,
        contacts: 1 << 20,
        ..Limits::default()
    };
    for (name, pattern) in
        [("quotes", "\"a,\\\" <b>\","), ("params", ";a=\"b\""), ("auth", "a=b c=d "), ("folds", "x\r\n ")]
    {
        for octets in [16 << 10, 32 << 10, 64 << 10_usize] {
            let value = pattern.repeat(octets / pattern.len());
            let head = "SIP/2.0 200 OK\r\n";
            let text = format!(
                "{head}m: <sip:a>{value}\r\nAuthorization: NTLM {value}\r\nTo: <sip:a>{value}\r\n\r\n"
            );
            let bytes = Bytes::from(text);
            group.throughput(Throughput::Bytes(bytes.len() as u64));
            group.bench_with_input(BenchmarkId::new(name, octets >> 10), &bytes, |bench, bytes| {
                bench.iter(|| {
                    let message = Message::parse_with(bytes.clone(), &limits).unwrap();
                    let contacts = message.all::<Contact<'_>>().count();
                    let auths = message.auth(Name::Authorization).count();
                    (contacts, auths, message.to().is_ok(), message.validate().len())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, messages, growth);
criterion_main!(benches);
