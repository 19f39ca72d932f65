//! What a packet costs: protection, and 20 ms of a session both ways.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use homing_media::{Codec, FRAME, LocalAddress, MAX_PACKET, Negotiation, Policy, Security, Session, Setup};

const STEP: Duration = Duration::from_millis(20);

/// Two sessions that agreed, and the addresses they send from.
fn pair(security: Security) -> ([Session; 2], [SocketAddr; 2]) {
    let addresses: [SocketAddr; 2] = [([192, 0, 2, 1], 4000).into(), ([192, 0, 2, 2], 5000).into()];
    let policy = Policy { codecs: vec![Codec::Pcmu], security, secure_signalling: true, ..Policy::default() };
    let [mut caller, mut called] = addresses.map(|at| {
        let local = LocalAddress { ip: at.ip(), rtp_port: at.port(), rtcp_port: None };
        Negotiation::new(policy.clone(), local, &[at.port().to_be_bytes()[0]; 32])
    });
    let answer = called.answer(caller.offer(false).unwrap().as_bytes(), false).unwrap();
    let agreed = caller.take_answer(answer.body.as_bytes()).unwrap();
    let mut sides = [Session::new(&Setup::new([1; 32])), Session::new(&Setup::new([2; 32]))];
    sides[0].agree(&agreed, Duration::ZERO);
    sides[1].agree(&answer.agreed, Duration::ZERO);
    (sides, addresses)
}

/// One frame from one side to the other: capture, protect, unprotect, buffer, play.
fn send_and_receive(criterion: &mut Criterion) {
    for (name, security) in [("clear", Security::Off), ("AES_CM_128_HMAC_SHA1_80", Security::Required)] {
        let ([mut caller, mut called], [from, _]) = pair(security);
        let (mut now, mut packet, mut heard) = (Duration::ZERO, [0; MAX_PACKET], [0; FRAME]);
        let said: [i16; FRAME] = std::array::from_fn(|at| if at % 8 < 4 { 4000 } else { -4000 });
        criterion.bench_function(&format!("20 ms sent and received, {name}"), |bencher| {
            bencher.iter(|| {
                now += STEP;
                caller.capture(black_box(&said), now);
                while let Some(transmit) = caller.poll_output(&mut packet) {
                    called.handle_rtp(&mut packet[..transmit.length], from, now);
                }
                called.play(&mut heard, now);
                black_box(&heard);
            });
        });
    }
}

/// The two halves of protection alone, as the difference of sending with and without.
fn send(criterion: &mut Criterion) {
    for (name, security) in [("clear", Security::Off), ("AES_CM_128_HMAC_SHA1_80", Security::Required)] {
        let ([mut caller, _], _) = pair(security);
        let (mut now, mut packet) = (Duration::ZERO, [0; MAX_PACKET]);
        criterion.bench_function(&format!("20 ms sent, {name}"), |bencher| {
            bencher.iter(|| {
                now += STEP;
                caller.capture(black_box(&[1000; FRAME]), now);
                while caller.poll_output(black_box(&mut packet)).is_some() {}
            });
        });
    }
}

criterion_group!(benches, send, send_and_receive);
criterion_main!(benches);
