//! Requests that are signed well and come too late: how far behind the newest a server still takes one.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use homing_server_mock::node::config::Dialect;
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;
use homing_wire::{Message, Method, Name};

/// Counters that an association keeps behind the highest one it saw.
const WINDOW: u32 = 256;

/// One request that was held on its way, and when it goes on.
#[derive(Default)]
struct Held {
    request: Option<Bytes>,
    /// Its Call-ID.
    call: String,
    /// The highest counter that was seen.
    newest: u32,
    /// The server accepted it.
    accepted: bool,
}

/// The counter of a request that is signed.
fn counter(request: &Message) -> Option<u32> {
    let mut shown = request.auth(Name::Authorization).chain(request.auth(Name::ProxyAuthorization));
    shown.next()?.param("cnum")?.parse().ok()
}

/// Holds the first OPTIONS back until one arrives whose counter is `behind` higher, and lets it go after that one.
fn delay_the_first_options(world: &mut World, behind: u32) -> Rc<RefCell<Held>> {
    let held = Rc::new(RefCell::new(Held::default()));
    let hand = Rc::clone(&held);
    let mut late = None;
    world.network.tamper = Some(Box::new(move |passing| {
        let request = Message::parse(passing.bytes.clone()).ok()?;
        let mut held = hand.borrow_mut();
        held.accepted |= request.status() == Some(200) && request.call_id() == Ok(held.call.as_str());
        if request.method() != Some(Method::Options) {
            return None;
        }
        let number = counter(&request)?;
        held.newest = number;
        let Some(first) = late else {
            late = Some(number);
            held.request = Some(passing.bytes.clone());
            held.call = request.call_id().ok()?.to_owned();
            return Some(Vec::new());
        };
        (number == first + behind)
            .then(|| [passing.bytes.clone()].into_iter().chain(held.request.take()).collect())
    }));
    held
}

/// Signs in and asks so often that the first question arrives `behind` counters late; true if it is accepted.
fn is_accepted(behind: u32, dialect: Dialect) -> bool {
    let mut world = Scenario { dialect, ..Scenario::default() }.build(1);
    scenario::must_sign_in(&mut world, "not registered");
    let held = delay_the_first_options(&mut world, behind);
    let account = world.phones[0].account;
    for _ in 0..=behind {
        world.ask_options(0, account);
        world.run_for(Duration::from_millis(50));
    }
    let held = held.borrow();
    let let_go = held.request.is_none() && !held.call.is_empty();
    world.require(let_go, &format!("not held, or never let go: newest {}", held.newest));
    held.accepted
}

#[test]
fn a_request_whose_counter_is_256_behind_is_refused_and_one_of_255_is_taken() {
    for dialect in [Dialect::Sip2, Dialect::Sipae4] {
        assert!(is_accepted(WINDOW - 1, dialect), "{dialect:?}: refused inside the window");
        assert!(!is_accepted(WINDOW, dialect), "{dialect:?}: taken from behind the window");
    }
}
