//! Five hundred accounts on one connection whose server goes away and comes back (decision 38).

use std::collections::BTreeMap;
use std::time::Duration;

use homing_wire::{Message, Name};

use super::registrar::{Act, Behaviour, Registrar, accept, reply};

const ACCOUNTS: usize = 500;

/// Takes everybody, but for what is set.
#[derive(Default)]
struct Outage {
    /// Refuses connections until then.
    down_until: Duration,
    /// Answers 503 with this Retry-After until then.
    busy_until: Duration,
    retry_after: u32,
    /// So many REGISTERs more are answered like that.
    busy_for: usize,
}

impl Behaviour for Outage {
    fn listens(&mut self, now: Duration) -> bool {
        now >= self.down_until
    }

    fn register(&mut self, request: &Message, now: Duration) -> Vec<Act> {
        let is_busy = self.busy_for > 0 || now < self.busy_until;
        self.busy_for = self.busy_for.saturating_sub(1);
        let answer = match is_busy {
            true => reply(request, 503).header(Name::RetryAfter, self.retry_after),
            false => accept(request),
        };
        vec![Act::Say(answer.finish())]
    }
}

/// Everybody is signed in.
fn signed_in(seed: u64) -> Registrar<Outage> {
    let mut registrar = Registrar::new(Outage::default(), ACCOUNTS, seed);
    registrar.login();
    assert_eq!(registrar.away(), 0);
    registrar.pass(Duration::from_secs(100));
    registrar.seen.registers.clear();
    registrar
}

/// REGISTERs by second.
fn by_second(registrar: &Registrar<Outage>) -> Vec<usize> {
    let mut seconds: BTreeMap<u64, usize> = BTreeMap::new();
    for at in &registrar.seen.registers {
        *seconds.entry(at.as_secs()).or_default() += 1;
    }
    seconds.into_values().collect()
}

#[test]
fn everybody_is_back_ten_seconds_after_a_server_that_was_gone_for_a_moment() {
    for seed in 0..10 {
        let mut registrar = signed_in(seed);
        registrar.behaviour.down_until = registrar.clock() + Duration::from_millis(200);
        registrar.cut();
        registrar.pass_until_all_are_back(Duration::from_secs(10));
        let most = by_second(&registrar).into_iter().max().unwrap();
        assert!(most <= ACCOUNTS / 2 + 100, "seed {seed}: {most} in a second");
    }
}

#[test]
fn everybody_is_back_ten_seconds_after_a_server_that_asked_for_one() {
    for seed in 0..10 {
        let mut registrar = signed_in(seed);
        registrar.behaviour.busy_until = registrar.clock() + Duration::from_secs(3);
        registrar.behaviour.retry_after = 1;
        registrar.cut();
        registrar.pass_until_all_are_back(Duration::from_secs(13));
    }
}

/// The first to try again finds the server back, and the others come at once, a hundred a second.
#[test]
fn after_a_long_outage_the_first_who_is_back_wakes_the_others_a_hundred_a_second() {
    let mut registrar = signed_in(1);
    registrar.behaviour.down_until = registrar.clock() + Duration::from_secs(600);
    registrar.cut();
    registrar.pass(Duration::from_secs(600));
    assert_eq!(registrar.away(), ACCOUNTS);
    registrar.seen.registers.clear();
    let took = registrar.pass_until_all_are_back(Duration::from_secs(120));
    let seconds = by_second(&registrar);
    assert!(seconds.len() <= 8, "{seconds:?}, {took:?}");
    assert!(seconds.iter().all(|registers| *registers <= 115), "{seconds:?}");
}

#[test]
fn who_was_asked_to_wait_is_not_woken_before() {
    let mut registrar = signed_in(7);
    (registrar.behaviour.busy_for, registrar.behaviour.retry_after) = (1, 100);
    registrar.cut();
    registrar.pass(Duration::from_secs(95));
    assert_eq!(registrar.away(), 1);
    registrar.pass_until_all_are_back(Duration::from_secs(10));
}
