//! Devices by the native protocol of PulseAudio, which PipeWire serves, too: a thread for each call.
//!
//! The thread keeps one connection with both streams. It dials again when the server is gone, and everything it knows
//! of the server lies in machines without socket or clock ([`client::Client`], [`listing::Listing`]), which
//! [`conversation::Reactor`] carries.

mod address;
mod client;
mod conversation;
mod frame;
mod greeting;
mod listing;
mod outbound;
mod stream;
#[cfg(test)]
mod tests;

use std::time::Duration;

use self::address::{Address, Cookie, Environment};
use self::client::Client;
use self::conversation::Reactor;
use self::listing::Listing;
use super::choice::{Device, Devices};
use super::ends::DeviceEnds;
use super::error::DeviceError;
use super::rings::{DeviceRings, Joined, join};
use crate::sound::error::SoundError;
use crate::sound::workers::Workers;

/// Starts the thread of a call's devices. Without a server, or without devices, the call has silence until there are.
pub(super) fn open(devices: Devices, workers: &Workers) -> Result<DeviceEnds, SoundError> {
    let reactor = Reactor::new().map_err(|error| SoundError::Thread(error.kind()))?;
    let waker = reactor.waker().map_err(|error| SoundError::Thread(error.kind()))?;
    let Joined { backend, rings, events } = join(Box::new(move || {
        // It fails only where the system has no descriptors left; the thread then wakes by its own deadlines.
        let _ = waker.wake();
    }));
    workers.start(move || run(&devices, reactor, rings))?;
    Ok(DeviceEnds { backend: Box::new(backend), events })
}

/// Asks the first server that answers. It may take four seconds for each address, and as long as the system needs to
/// look up a name: to be called where that may be.
pub(super) fn list(devices: &Devices) -> Result<Vec<Device>, DeviceError> {
    let mut reactor = Reactor::new().map_err(|_| DeviceError::NoServer)?;
    let environment = Environment::read();
    let mut why = DeviceError::NoServer;
    for address in environment.addresses(devices) {
        match list_at(&mut reactor, &address, &environment.cookie(devices)) {
            Ok(devices) => return Ok(devices),
            Err(error) => why = more_telling(why, error),
        }
    }
    Err(why)
}

fn list_at(reactor: &mut Reactor, address: &Address, cookie: &Cookie) -> Result<Vec<Device>, DeviceError> {
    let mut line = reactor.dial(address)?;
    let mut listing = Listing::new(cookie, reactor.now());
    reactor.carry(&mut line, &mut listing)?;
    Ok(listing.into_devices())
}

fn run(devices: &Devices, mut reactor: Reactor, mut rings: DeviceRings) {
    let environment = Environment::read();
    let mut failures = 0_u32;
    while !rings.is_over() {
        let begun = reactor.now();
        let why = attend(devices, &environment, &mut reactor, &mut rings);
        rings.server_down(why);
        failures = if begun + LASTING <= reactor.now() { 0 } else { failures.saturating_add(1) };
        let again = reactor.now() + FIRST_RETRY.saturating_mul(1 << failures.min(5)).min(LAST_RETRY);
        while !rings.is_over() && reactor.now() < again {
            reactor.sleep(again);
        }
    }
}

/// Goes through the addresses once, and stays with the first that lets this program in; tells why that ended.
fn attend(
    devices: &Devices,
    environment: &Environment,
    reactor: &mut Reactor,
    rings: &mut DeviceRings,
) -> DeviceError {
    let mut why = DeviceError::NoServer;
    for address in environment.addresses(devices) {
        let mut line = match reactor.dial(&address) {
            Ok(line) => line,
            Err(error) => {
                why = more_telling(why, error);
                continue;
            }
        };
        // A server that is started anew may have a new cookie.
        let cookie = environment.cookie(devices);
        let mut client = Client::new(devices, &cookie, rings, reactor.now());
        match reactor.carry(&mut line, &mut client) {
            Err(error) if client.is_ready() => return error,
            Err(error) => why = more_telling(why, error),
            Ok(()) => return DeviceError::Closed,
        }
    }
    why
}

/// That nobody listens at one address says less than what somebody said at another.
fn more_telling(before: DeviceError, now: DeviceError) -> DeviceError {
    if before == DeviceError::NoServer { now } else { before }
}

const FIRST_RETRY: Duration = Duration::from_millis(250);
/// A server that is started again is found within so long.
const LAST_RETRY: Duration = Duration::from_secs(8);
const LASTING: Duration = Duration::from_secs(10);
