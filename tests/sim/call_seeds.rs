//! Many seeds of ten minutes in which four phones call each other while connections die, servers crash and users move.
//!
//! Every call ends on each side that knows of it, with a reason, and nothing of it is left. `HOMING_SEEDS` says how many
//! (100 unless said), `HOMING_SEED` runs one and prints its ladder.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use homing_core::call_event::CallEvent;
use homing_core::config::CallRules;
use homing_core::ids::{CallId, Rng, Seed};
use homing_server_mock::node::config::{OnMove, Schemes};
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;
use homing_tests::world::link::NetworkConditions;
use homing_tests::world::person::Habit;

/// What happened how often, over all seeds.
type Tally = BTreeMap<&'static str, u64>;

const PHONES: [&str; 4] = ["alice", "desk", "bob", "user0"];
const SPAN: Duration = Duration::from_secs(600);
/// Timer C, a session that nobody refreshes, and what a transaction lasts.
const REST: Duration = Duration::from_secs(400);

#[test]
fn seeds() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    if let Some(seed) = number("HOMING_SEED") {
        let mut tally = Tally::new();
        let world = conversation(seed, &mut tally);
        println!("{:#}\n{tally:?}", world.ladder);
        return;
    }
    let seeds = number("HOMING_SEEDS").unwrap_or(100);
    let mut tally = Tally::new();
    for seed in 0..seeds {
        let once = conversation(seed, &mut tally).ladder.fingerprint();
        if seed % 10 == 0 {
            let again = conversation(seed, &mut Tally::new());
            again.require(again.ladder.fingerprint() == once, "the same seed gave another conversation");
        }
    }
    println!("{seeds} seeds: {tally:?}");
    for what in MUST {
        let count = tally.get(what).copied().unwrap_or_default();
        assert!(count * 10_000 >= seeds * 100, "{what}: {count} times in {seeds} seeds; {tally:?}");
    }
}

/// What must happen at least a hundred times in ten thousand seeds.
const MUST: [&str; 12] = [
    "answered",
    "fork",
    "glare",
    "CANCEL race",
    "hold",
    "move in a call",
    "death: inviting",
    "death: ringing",
    "death: unacknowledged",
    "death: talking",
    "death: changing",
    "death: leaving",
];

fn conversation(seed: u64, tally: &mut Tally) -> World {
    let script = Seed::from_number(seed ^ 0xca11_5eed);
    let mut draw = script.rng("calls");
    let on_move = if seed.is_multiple_of(2) { OnMove::AtRefresh } else { OnMove::Recall };
    let scenario =
        Scenario { schemes: Schemes::NtlmAndDigest, expires: 120, on_move, crowd: 1, ..Scenario::default() };
    let mut world = scenario.without_phones(seed);
    if std::env::var_os("HOMING_SEED").is_none() {
        world.ladder.keep_no_lines();
    }
    people(&mut world);
    let glares = Rc::new(RefCell::new(0));
    let seen = Rc::clone(&glares);
    world.network.tamper = Some(Box::new(move |passing| {
        *seen.borrow_mut() += u64::from(passing.bytes.starts_with(b"SIP/2.0 491"));
        None
    }));
    world.run_for(Duration::from_secs(30));
    world.network.conditions = match draw.below(4) {
        0 => NetworkConditions::default(),
        1 => NetworkConditions::lossy(0, 0),
        2 => NetworkConditions::lossy(50, 20),
        _ => NetworkConditions::lossy(100, 50),
    };
    let counts = Rc::new(RefCell::new(Tally::new()));
    for number in 0..4 + draw.below(3) {
        plan_call(&mut world, &mut Rng::new(&script.stream("call", &[number])), &counts);
    }
    world.run_for(SPAN);
    world.network.conditions = NetworkConditions::default();
    for server in 0..world.servers.len() {
        world.revive(server);
    }
    world.run_for(REST);
    is_at_rest(&world);
    count_ends(&world, &mut counts.borrow_mut());
    for (what, count) in counts.borrow().iter() {
        *tally.entry(what).or_default() += count;
    }
    *tally.entry("glare").or_default() += *glares.borrow();
    world
}

/// Alice with two devices, Bob by UDP, and one of the crowd.
fn people(world: &mut World) {
    let mut rules = Box::new(CallRules::default());
    rules.ring_for = Duration::from_secs(60);
    // Who loses its server for good cannot tell the other: that the session ends is all there is.
    rules.session_timers.expires = 200;
    let mut desk = scenario::alice();
    desk.epid = "de5c".into();
    for (name, mut config) in [("alice", scenario::alice()), ("desk", desk), ("bob", scenario::bob_by_udp())]
    {
        config.calls = Some(rules.clone());
        let credentials = if name == "bob" { scenario::bobs_credentials() } else { scenario::credentials() };
        world.add_phone(name, config, credentials);
    }
    let last = scenario::add_somebody_with(world, 0, |config| config.calls = Some(rules.clone()));
    for phone in 0..=last {
        scenario::login_of(world, phone);
    }
}

/// One call at some time, what the others do with it, and perhaps a mishap in the midst of it.
fn plan_call(world: &mut World, script: &mut Rng, counts: &Rc<RefCell<Tally>>) {
    let pick = |script: &mut Rng, of: usize| usize::try_from(script.below(of as u64)).unwrap_or(0);
    let caller = pick(script, PHONES.len());
    let addresses: Vec<&str> = [scenario::ALICE, scenario::BOB, "user0@network.com"]
        .into_iter()
        .filter(|address| {
            !(address.starts_with(PHONES[caller]) || caller == 1 && *address == scenario::ALICE)
        })
        .collect();
    let address = addresses[pick(script, addresses.len())];
    let after = Duration::from_millis(script.below(4_000));
    let habit = match script.below(8) {
        0 => Habit::Ignores,
        1 => Habit::Rejects(after, [486, 480, 603][pick(script, 3)]),
        _ => Habit::Answers(after),
    };
    let start = world.now() + Duration::from_millis(script.below(500_000));
    let lasts = if script.below(3) == 0 {
        // Given up, perhaps at the very moment of the answer.
        after + Duration::from_millis(script.below(160))
    } else {
        after + Duration::from_millis(script.below(90_000))
    };
    let mishap = Mishap::draw(script, after);
    let holds: Vec<(usize, Duration)> = (0..script.below(4))
        .map(|_| (pick(script, PHONES.len()), after + Duration::from_millis(500 + script.below(40) * 50)))
        .collect();
    let counts = Rc::clone(counts);
    world.at(start, move |world| {
        for phone in &mut world.phones {
            phone.person.habit = habit.clone();
        }
        let Some(call) = world.call(caller, address) else { return };
        world.act_later(caller, lasts, "hangs up", move |agent, now| agent.hang_up(call, now));
        for (phone, when) in holds {
            let when = world.now() + when;
            world.at(when, move |world| hold(world, phone));
        }
        let when = world.now() + mishap.after;
        world.at(when, move |world| mishap.happen(world, &counts));
    });
}

/// Whoever talks holds the call.
fn hold(world: &mut World, phone: usize) {
    if let Some(call) = talks(world, phone) {
        world.act(phone, "holds", |agent, now| agent.hold(call, now));
        world.act_later(phone, Duration::from_secs(2), "resumes", move |agent, now| agent.resume(call, now));
    }
}

/// The answered call of a phone.
fn talks(world: &World, phone: usize) -> Option<CallId> {
    let person = &world.phones[phone].person;
    person.calls().into_iter().rev().find(|call| person.is_answered(*call) && person.end(*call).is_none())
}

/// What goes wrong in the midst of a call.
#[derive(Clone, Copy)]
struct Mishap {
    after: Duration,
    what: What,
    phone: usize,
    home: u64,
}

#[derive(Clone, Copy)]
enum What {
    Nothing,
    /// The phone's connections break.
    Sever,
    /// The same once the phone hung up, or holds.
    SeverWhile(Busy),
    /// The phone's user moves to another home server.
    Move,
    /// A server crashes and comes back.
    Crash,
}

#[derive(Clone, Copy)]
enum Busy {
    Leaving,
    Changing,
    Answering,
}

impl Mishap {
    fn draw(script: &mut Rng, answered: Duration) -> Self {
        let near = Duration::from_millis(script.below(200));
        let phone = usize::try_from(script.below(4)).unwrap_or(0);
        let (what, after) = match script.below(10) {
            0 => (What::Sever, Duration::from_millis(script.below(120))),
            1 => (What::Sever, Duration::from_millis(script.below(5_000))),
            2 => (What::SeverWhile(Busy::Answering), answered),
            3 => (What::SeverWhile(Busy::Leaving), answered + Duration::from_secs(2) + near),
            4 => (What::SeverWhile(Busy::Changing), answered + Duration::from_secs(1) + near),
            5 | 6 => (What::Move, answered + Duration::from_secs(2)),
            7 => (What::Crash, Duration::from_millis(script.below(20_000))),
            _ => (What::Nothing, Duration::ZERO),
        };
        Self { after, what, phone, home: 101 + script.below(7) }
    }

    fn happen(self, world: &mut World, counts: &Rc<RefCell<Tally>>) {
        let phone = self.phone;
        match self.what {
            What::Nothing => {}
            What::Sever => sever(world, phone, counts),
            What::SeverWhile(busy) => {
                let person = &world.phones[phone].person;
                let rings =
                    person.came_in().filter(|call| !person.is_answered(*call) && person.end(*call).is_none());
                match (busy, talks(world, phone), rings) {
                    (Busy::Leaving, Some(call), _) => {
                        world.act(phone, "hangs up", |agent, now| agent.hang_up(call, now));
                        sever(world, phone, counts);
                    }
                    (Busy::Changing, Some(call), _) => {
                        world.act(phone, "holds", |agent, now| agent.hold(call, now));
                        let counts = Rc::clone(counts);
                        world.at(world.now() + Duration::from_millis(1), move |world| {
                            sever_as(world, phone, "death: changing");
                            *counts.borrow_mut().entry("death: changing").or_default() += 1;
                        });
                    }
                    (Busy::Answering, _, Some(call)) => {
                        world.act(phone, "answers", |agent, now| agent.answer(call, now));
                        let counts = Rc::clone(counts);
                        world.at(world.now() + Duration::from_millis(1), move |world| {
                            sever_as(world, phone, "death: unacknowledged");
                            *counts.borrow_mut().entry("death: unacknowledged").or_default() += 1;
                        });
                    }
                    _ => {}
                }
            }
            What::Move => {
                let talking = (0..world.phones.len()).find(|phone| talks(world, *phone).is_some());
                if let Some(phone) = talking {
                    let aor = world.phones[phone].config.aor.clone();
                    let user = format!("{}@{}", aor.user, aor.domain);
                    // Bob's server is written down, and over UDP he follows nobody.
                    if user != scenario::BOB {
                        world.assign(&user, &format!("hs{}.network.com", self.home), "rebalanced");
                        *counts.borrow_mut().entry("move in a call").or_default() += 1;
                    }
                }
            }
            What::Crash => {
                let victim = usize::try_from(self.home).unwrap_or(0) % world.servers.len();
                world.crash_if_up(victim);
                let when = world.now() + Duration::from_secs(20);
                world.at(when, move |world| world.revive(victim));
            }
        }
    }
}

/// The phone's connections break; what its calls were doing is counted.
fn sever(world: &mut World, phone: usize, counts: &Rc<RefCell<Tally>>) {
    let person = &world.phones[phone].person;
    let open = person.calls().into_iter().rev().find(|call| person.end(*call).is_none());
    let what = match open {
        Some(call) if person.is_answered(call) => "death: talking",
        Some(call) if person.came_in() == Some(call) => "death: ringing",
        Some(_) => "death: inviting",
        None if world.phones[phone].agent.calls() > 0 => "death: leaving",
        None => "death: at rest",
    };
    *counts.borrow_mut().entry(what).or_default() += 1;
    sever_as(world, phone, what);
}

fn sever_as(world: &mut World, phone: usize, why: &str) {
    world.ladder.note(world.now(), "network", format!("{} loses its connections ({why})", PHONES[phone]));
    for server in 0..world.servers.len() {
        for link in world.links_between(phone, server) {
            world.sever(link);
        }
    }
}

/// Every call ended, was told once, and left nothing behind.
fn is_at_rest(world: &World) {
    for phone in &world.phones {
        for call in phone.person.calls() {
            let ends = phone.person.heard(call, |what| matches!(what, CallEvent::Ended(_)));
            world.require(ends == 1, &format!("{}: call {} ended {ends} times", phone.name, call.0));
        }
        let (calls, dialogs, asked) = (phone.agent.calls(), phone.agent.dialogs(), phone.agent.questions());
        world.require(
            (calls, dialogs, asked) == (0, 0, 0),
            &format!("{}: {calls} calls, {dialogs} dialogs, {asked} questions left", phone.name),
        );
    }
}

fn count_ends(world: &World, counts: &mut Tally) {
    use homing_core::call_event::EndReason;
    let mut count = |what, by: usize| *counts.entry(what).or_default() += by as u64;
    for phone in &world.phones {
        for call in phone.person.calls() {
            let answered = phone.person.is_answered(call);
            let holds = phone.person.heard(call, |what| *what == CallEvent::Held(true));
            let why = phone.person.end(call).map(|end| &end.why);
            count("answered", usize::from(answered));
            count("hold", holds);
            count("fork", usize::from(why == Some(&EndReason::AnsweredElsewhere)));
            // This side answered, and the other had given up.
            count("CANCEL race", usize::from(!answered && why == Some(&EndReason::HungUp)));
        }
    }
}
