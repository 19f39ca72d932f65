//! How long an estate takes from being asked for to listening everywhere.

use std::time::{Duration, Instant};

use homing::Transport;
use homing_server_mock::estate::{EstateBuilder, User};

use crate::Fallible;

/// Starts an estate of three servers [`STARTS`] times and prints the median and the longest.
pub(crate) fn measure() -> Fallible<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut spent = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let begun = Instant::now();
        let estate = runtime.block_on(
            EstateBuilder::new()
                .distributor("lb")
                .home("hs102")
                .home("hs104")
                .user(User::new("alice", "secret").assigned("hs104"))
                .transports([Transport::Tls, Transport::Tcp, Transport::Udp])
                .start(),
        )?;
        spent.push(begun.elapsed());
        drop(estate);
    }
    spent.sort_unstable();
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!("start: an estate of three servers, TLS, TCP and UDP");
    println!(
        "  {:.1} ms median of {STARTS}, {:.1} ms the longest (aim: {AIM} ms)",
        millis(spent[STARTS / 2]),
        millis(spent[STARTS - 1])
    );
    Ok(())
}

const STARTS: usize = 41;
/// Milliseconds.
const AIM: u32 = 50;
