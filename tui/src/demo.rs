//! The demo: an estate inside this program, a phone that signs in there, and keys that provoke faults.
//!
//! No other module of this crate names the estate's.

mod controls;
mod script;
mod setup;

pub(crate) use script::run as script;
pub(crate) use setup::{Demo, start};

use crate::bridge::Bridge;
use crate::effect::Effect;

/// A bridge for the phone; the panel's keys reach the estate from now on, and the phone signs in.
pub(crate) fn bridge(demo: Demo) -> Bridge {
    let mut bridge = Bridge::new(demo.agent.clone(), None);
    bridge.take_calls();
    let id = bridge.adopt(demo.account.clone());
    bridge.set_estate_keys(controls::start(demo, bridge.line()));
    bridge.perform(Effect::SignIn(id));
    bridge
}
