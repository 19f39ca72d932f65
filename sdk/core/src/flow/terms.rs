//! What a server grants to keep a flow alive, read from its response.

use std::time::Duration;

use homing_wire::header::FlowTimer;
use homing_wire::{KeepAlive, Message, Name};

/// The terms under which a flow is kept alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepTerms {
    /// `ms-keep-alive`: the server closes what is idle for longer.
    pub idle: Option<Duration>,
    /// RFC 5626 or RFC 6223: a keep-alive is answered.
    pub pong: Option<Pong>,
}

/// The interval of keep-alives that are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pong {
    /// The server has no preference.
    AsUsual,
    /// The server wants to hear something within this time.
    Within(Duration),
}

impl KeepTerms {
    /// The terms of a 2xx to REGISTER (or of any response by this flow): `ms-keep-alive`, `Flow-Timer`,
    /// `Require: outbound`, and `keep` in our Via. What is absent or malformed grants nothing; a time of
    /// zero is no preference, as RFC 6223 section 4.3 has it.
    pub fn of(response: &Message) -> Self {
        let seconds = |n: u32| (n > 0).then(|| Duration::from_secs(n.into()));
        let idle = response.get::<KeepAlive>().ok().flatten().and_then(|header| header.granted());
        let timer = response.get::<FlowTimer>().ok().flatten().and_then(|timer| seconds(timer.0));
        let keep = response.via().ok().and_then(|via| via.param("keep").flatten());
        let keep = keep.and_then(|value| value.parse::<u32>().ok());
        let outbound = response.has_token(Name::Require, "outbound");
        let pong = match (timer, keep) {
            (Some(within), _) => Some(Pong::Within(within)),
            (None, Some(within)) => Some(seconds(within).map_or(Pong::AsUsual, Pong::Within)),
            (None, None) => outbound.then_some(Pong::AsUsual),
        };
        Self { idle: idle.and_then(seconds), pong }
    }

    /// True if nothing is granted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
