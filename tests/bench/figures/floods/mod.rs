//! Floods: what strangers can do to a server, and what its users feel of it meanwhile.
//!
//! Fifty users sign in by Digest, half of them over UDP and half over TCP, and refresh fifty times a second in all. Then
//! strangers at other addresses of the loopback network flood the server in each of several ways, as fast as one thread
//! can. Printed are the share of refreshes that were answered, how long they took, what the server's memory grew to, and
//! how soon after the flood a user who was not signed in is.

mod attack;
mod user;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use homing::Transport;

use crate::estate::{Gate, Server};
use crate::{Fallible, Peer};
use attack::Attack;
use user::{Crowd, Felt, Line};

/// Every flood, or those that are named, for as many seconds as the word behind `--seconds` says.
pub(crate) fn measure(arguments: &[String]) -> Fallible<()> {
    let seconds = arguments.iter().position(|argument| argument == "--seconds");
    let seconds = seconds.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(SECONDS);
    let is_named = |name: &str| arguments.iter().any(|argument| argument == name);
    let some_are = attack::ALL.iter().any(|(name, _)| is_named(name));
    for (name, attack) in attack::ALL {
        if is_named(name) || !some_are {
            flood(name, attack, Duration::from_secs(seconds))?;
        }
    }
    Ok(())
}

/// One flood of a fresh server.
fn flood(name: &str, attack: Attack, span: Duration) -> Fallible<()> {
    let mut server = Server::start(user::USERS + 1, Gate::Everything)?;
    let [udp, tcp] = [Transport::Udp, Transport::Tcp].map(|transport| server.address(transport));
    let mut crowds = [Crowd::sign_in(Line::udp(udp)?, 0)?, Crowd::sign_in(Line::tcp(tcp)?, user::USERS / 2)?];
    let before = server.usage()?;
    let over = AtomicBool::new(false);
    let mut most = 0.0_f64;
    let (sent, felt) = std::thread::scope(|scope| -> Fallible<(u64, Vec<Felt>)> {
        let stranger = scope.spawn(|| attack(udp, tcp, &over));
        let crowds: Vec<_> = crowds.iter_mut().map(|crowd| scope.spawn(|| crowd.refresh_for(span))).collect();
        while crowds.iter().any(|crowd| !crowd.is_finished()) {
            std::thread::sleep(Duration::from_millis(500));
            most = most.max(server.usage()?.kib_since(&before, 1));
        }
        over.store(true, Ordering::Relaxed);
        let felt = crowds.into_iter().map(|crowd| crowd.join().map_err(|_| "a user's thread ended")?);
        let felt = felt.collect::<Fallible<Vec<Felt>>>()?;
        Ok((stranger.join().map_err(|_| "the stranger's thread ended")??, felt))
    })?;
    let ended = Instant::now();
    println!("{name}: {sent} in {} s", span.as_secs());
    for (crowd, felt) in ["UDP", "TCP"].iter().zip(&felt) {
        println!(
            "  users by {crowd}: {:.2} % of {} refreshes answered, half of them within {:.1} ms, 99 % within {:.1} ms",
            felt.share() * 100.0,
            felt.asked,
            felt.quantile(0.5),
            felt.quantile(0.99)
        );
    }
    println!("  memory of the server grew by {:.1} MiB at most", most / 1_024.0);
    while let Err(why) = Crowd::one(Line::udp(udp)?, user::USERS) {
        if ended.elapsed() > NORMAL {
            return Err(format!("{name}: nobody new is signed in after it: {why}").into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("  a user who came then was signed in after {:.1?}", ended.elapsed());
    Ok(())
}

/// A minute each.
const SECONDS: u64 = 60;
/// By then everything is as before.
const NORMAL: Duration = Duration::from_secs(60);
