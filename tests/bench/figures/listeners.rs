//! What it costs a user agent to tell events: CPU per login with no listener, one for all, one for each account.

use std::time::Duration;

use futures_util::future::join_all;
use homing::{Account, Resolver, Transport, UserAgent};
use tokio::task::JoinSet;

use crate::accounts::{account, register_all};
use crate::process::Usage;
use crate::{Fallible, Peer};

/// Registers [`ACCOUNTS`] accounts by Digest MD5 over TCP, [`ROUNDS`] times for each number of listeners by turns,
/// and prints the CPU of this process per login.
pub(crate) fn measure(peer: &mut dyn Peer) -> Fallible<()> {
    let ua = UserAgent::builder().resolver(Resolver::system()).trace_bytes(0).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let address = peer.address(Transport::Tcp);
    let accounts: Vec<Account> =
        (0..ACCOUNTS).map(|n| account(&ua, n, address, Transport::Tcp)).collect::<Result<_, _>>()?;
    // What the first round loads stays loaded and is not counted.
    runtime.block_on(round(&ua, &accounts, Listeners::None))?;
    let mut spent = [0.0; 3];
    for _ in 0..ROUNDS {
        for (listeners, spent) in ALL.into_iter().zip(&mut spent) {
            *spent += runtime.block_on(round(&ua, &accounts, listeners))? / ROUNDS as f64;
        }
    }
    runtime.block_on(ua.shutdown(Duration::from_secs(30)));
    println!("events: {ACCOUNTS} accounts registered {ROUNDS} times over TCP (Digest MD5)");
    for (listeners, each) in ALL.into_iter().zip(spent) {
        let ratio = each / spent[0];
        println!("  {:<34} {each:>6.1} µs CPU per login, {ratio:.2} times", listeners.name());
    }
    Ok(())
}

/// Who listens while the accounts register.
#[derive(Clone, Copy)]
enum Listeners {
    None,
    OneForAll,
    OneForEach,
}

impl Listeners {
    fn name(self) -> &'static str {
        match self {
            Listeners::None => "no listener",
            Listeners::OneForAll => "one listener of all accounts",
            Listeners::OneForEach => "one listener on each account",
        }
    }

    /// Starts them, each a task that takes every event.
    fn start(self, ua: &UserAgent, accounts: &[Account]) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        match self {
            Listeners::None => {}
            Listeners::OneForAll => {
                let mut events = ua.events();
                tasks.spawn(async move { while events.next().await.is_some() {} });
            }
            Listeners::OneForEach => {
                for account in accounts {
                    let mut events = account.events();
                    tasks.spawn(async move { while events.next().await.is_some() {} });
                }
            }
        }
        tasks
    }
}

/// Registers all accounts, and gives what this process spent on each in µs; then signs them out again.
async fn round(ua: &UserAgent, accounts: &[Account], listeners: Listeners) -> Fallible<f64> {
    let mut tasks = listeners.start(ua, accounts);
    // Every task waits for its first event before the clock starts.
    tokio::task::yield_now().await;
    let before = Usage::read()?;
    register_all(accounts).await?;
    let spent = Usage::read()?.cpu_since(&before, accounts.len());
    tasks.shutdown().await;
    for window in accounts.chunks(WINDOW) {
        for outcome in join_all(window.iter().map(Account::unregister)).await {
            outcome.map_err(|error| format!("{} {error}", error.code()))?;
        }
    }
    Ok(spent)
}

const ALL: [Listeners; 3] = [Listeners::None, Listeners::OneForAll, Listeners::OneForEach];
pub(crate) const ACCOUNTS: usize = 3_000;
const ROUNDS: usize = 10;
const WINDOW: usize = 64;
