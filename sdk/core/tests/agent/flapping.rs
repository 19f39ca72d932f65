//! Registrars that never come to rest, a simulated day each: how often they are asked, and that nothing piles up.
//!
//! The rule is RFC 5626 section 4.5: the n-th wait is at least half of `min(1800 s, 30 s · 2ⁿ)`, so that an hour
//! sees nine attempts at most, a later one four or five. Run with `--nocapture --test-threads 1` for the table; its
//! last column is what the process grew by from the second hour to the last, in KiB.

#![expect(clippy::print_stdout, reason = "the table is printed for people")]

use std::time::Duration;

use homing_core::counter::Counter;
use homing_core::journey::Remark;
use homing_core::state::AccountState;
use homing_wire::{Contact, Message, Name};

use super::registrar::{Act, Behaviour, Registrar, accept, reply};

/// What a registrar does to a REGISTER, and whether it answers keep-alives.
struct Flapping {
    name: &'static str,
    does: Does,
    listens: bool,
    pongs: bool,
    asked: u32,
}

impl Behaviour for Flapping {
    fn listens(&mut self, _now: Duration) -> bool {
        self.listens
    }

    fn register(&mut self, request: &Message, _now: Duration) -> Vec<Act> {
        self.asked += 1;
        (self.does)(request, self.asked)
    }

    fn pongs(&self) -> bool {
        self.pongs
    }
}

/// What a registrar does about the n-th REGISTER.
type Does = fn(&Message, u32) -> Vec<Act>;

fn say(answer: homing_wire::Builder) -> Vec<Act> {
    vec![Act::Say(answer.finish())]
}

fn challenge(request: &Message, nonce: u32, more: &str) -> Vec<Act> {
    let value =
        format!("Digest realm=\"network.com\", nonce=\"{nonce:08x}\", algorithm=SHA-256, qop=\"auth\"{more}");
    say(reply(request, 401).header(Name::WwwAuthenticate, value))
}

/// A 200 that lists the URI of the REGISTER's Contact, with that lifetime or none.
fn granting(request: &Message, seconds: Option<u32>) -> homing_wire::Builder {
    let contact = request.all::<Contact<'_>>().next().unwrap().unwrap();
    let uri = contact.addr().unwrap().uri_str().to_owned();
    let expires = seconds.map(|seconds| format!(";expires={seconds}")).unwrap_or_default();
    reply(request, 200).header(Name::Contact, format_args!("<{uri}>{expires}"))
}

/// One account at this registrar for a day: dials and REGISTERs of the busiest hour, and of the last.
fn day(name: &'static str, does: Does) -> Day {
    spend(Flapping { name, does, listens: true, pongs: true, asked: 0 })
}

struct Day {
    registrar: Registrar<Flapping>,
    busiest: Hour,
    last: Hour,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hour {
    dials: usize,
    registers: usize,
}

fn spend(behaviour: Flapping) -> Day {
    let name = behaviour.name;
    let mut registrar = Registrar::new(behaviour, 1, 5_626);
    registrar.login();
    let (mut busiest, mut last) = (Hour::default(), Hour::default());
    let mut settled = 0;
    for hour in 0..24 {
        registrar.pass(Duration::from_secs(3_600));
        last = Hour { dials: registrar.seen.dials.len(), registers: registrar.seen.registers.len() };
        busiest.dials = busiest.dials.max(last.dials);
        busiest.registers = busiest.registers.max(last.registers);
        registrar.seen.dials.clear();
        registrar.seen.registers.clear();
        if hour == 1 {
            settled = resident();
        }
        let agent = &registrar.agent;
        assert!(agent.transactions() <= 2, "{name}: transactions pile up");
        assert!(agent.flows() <= 1 && agent.questions() <= 1, "{name}: flows or questions pile up");
    }
    println!(
        "{name:<28} busiest hour {:>3} dials {:>3} REGISTERs, last {:>3} {:>3}, {:>4} KiB",
        busiest.dials,
        busiest.registers,
        last.dials,
        last.registers,
        resident().saturating_sub(settled)
    );
    Day { registrar, busiest, last }
}

/// What the process has in memory, in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Attempts in the first hour, and in a later one.
const FIRST: usize = 9;
const LATER: usize = 5;

#[test]
fn one_that_fails_each_attempt_is_asked_as_rfc_5626_allows() {
    let rows: [(&'static str, Does, usize); 10] = [
        ("reset", |_, _| vec![Act::Cut], 1),
        ("silence", |_, _| Vec::new(), 1),
        ("503, Retry-After 0", |request, _| say(reply(request, 503).header(Name::RetryAfter, 0)), 1),
        // Capped at five minutes, which is less than the pauses grow to.
        (
            "503, Retry-After huge",
            |request, _| say(reply(request, 503).header(Name::RetryAfter, u32::MAX)),
            1,
        ),
        (
            "503, Retry-After garbage",
            |request, _| say(reply(request, 503).header(Name::RetryAfter, "soon")),
            1,
        ),
        ("500", |request, _| say(reply(request, 500)), 1),
        ("no SIP", |_, _| vec![Act::Garbage], 1),
        ("100 for ever", |request, _| say(reply(request, 100)), 1),
        // Asked, answered, and after three stale answers once more each.
        ("stale nonces for ever", |request, asked| challenge(request, asked, ", stale=true"), 5),
        ("granted for no time", |request, _| say(granting(request, Some(0))), 1),
    ];
    for (name, does, each) in rows {
        let Day { registrar, busiest, last } = day(name, does);
        assert!(busiest.registers <= FIRST * each, "{name}: {busiest:?}");
        assert!(last.registers <= LATER * each, "{name}: {last:?}");
        assert!(each == 1 || last.registers.is_multiple_of(each), "{name}: {last:?}, {each} each time");
        assert!(last.registers >= 1, "{name}: it is tried again for ever");
        assert_ne!(registrar.agent.state(registrar.accounts[0]), Some(AccountState::Registered), "{name}");
    }
}

#[test]
fn one_that_does_not_listen_is_dialled_as_rfc_5626_allows() {
    let behaviour =
        Flapping { name: "nobody listens", does: |_, _| Vec::new(), listens: false, pongs: true, asked: 0 };
    let Day { busiest, last, .. } = spend(behaviour);
    assert!(busiest.dials <= FIRST && last.dials <= LATER, "{busiest:?} {last:?}");
}

/// The first short Retry-After is honoured as it is; what follows is RFC 5626 (decision 38).
#[test]
fn one_that_asks_for_a_second_is_asked_once_more_soon() {
    let busy = |request: &Message, _: u32| say(reply(request, 503).header(Name::RetryAfter, 1));
    let Day { busiest, last, .. } = day("503, Retry-After 1", busy);
    assert!(busiest.registers <= FIRST + 1 && last.registers <= LATER, "{busiest:?} {last:?}");
}

#[test]
fn a_password_that_is_refused_is_not_offered_again() {
    let Day { busiest, last, .. } = day("401 for ever", |request, asked| challenge(request, asked, ""));
    assert!(busiest.registers <= 3, "{busiest:?}");
    assert_eq!(last.registers, 0);
}

/// Granted, and reset at once: five logins may follow at once, then the pauses grow.
#[test]
fn one_that_grants_and_resets_is_not_asked_in_a_circle() {
    let grants = |request: &Message, _: u32| {
        let mut acts = say(accept(request));
        acts.push(Act::Cut);
        acts
    };
    let Day { busiest, last, .. } = day("granted, then reset", grants);
    assert!(busiest.registers <= FIRST + 6, "{busiest:?}");
    assert!((1..=LATER).contains(&last.registers), "{last:?}");
}

/// A 200 that says nothing of a lifetime grants what was asked for: two hours, refreshed once in each.
#[test]
fn one_that_grants_without_a_lifetime_is_asked_as_often_as_what_was_asked_for_needs() {
    let rows: [(&'static str, Does, &[Remark]); 2] = [
        ("200 without Contact, Expires", |request, _| say(reply(request, 200)), &[Remark::NotListed]),
        ("200 without expires", |request, _| say(granting(request, None)), &[]),
    ];
    for (name, does, remarks) in rows {
        let Day { registrar, busiest, last } = day(name, does);
        assert!(busiest.registers <= 2 && last.registers <= 1, "{name}: {busiest:?} {last:?}");
        assert_eq!((busiest.dials, last.dials, registrar.away()), (1, 0, 0), "{name}");
        let registered = registrar.registered.expect("it is signed in");
        assert_eq!(registered.expires, 7_200, "{name}");
        assert_eq!(registered.journey.last().unwrap().remarks, remarks, "{name}");
    }
}

#[test]
fn a_server_that_never_pongs_keeps_its_connection_after_three() {
    let grants = |request: &Message, _: u32| {
        say(accept(request).header(Name::Require, "outbound").header(Name::FlowTimer, 10))
    };
    let behaviour = Flapping { name: "no pong", does: grants, listens: true, pongs: false, asked: 0 };
    let Day { registrar, busiest, last } = spend(behaviour);
    assert!(busiest.dials <= 4, "{busiest:?}");
    assert_eq!(last.dials, 0);
    assert!(registrar.seen.pings > 1_000, "it is kept alive all the same");
    assert_eq!(registrar.away(), 0);
    let journey = registrar.registered.expect("it is signed in").journey;
    assert_eq!(journey.last().unwrap().remarks, [Remark::SilentToKeepAlives]);
    assert_eq!(registrar.agent.counters().of(Counter::StrayFlow), 0);
}
