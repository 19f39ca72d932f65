//! Ten thousand accounts of one user agent: what registering and keeping them costs.

use std::time::{Duration, Instant};

use homing::{
    Account, AccountConfig, Aor, Password, Resolver, ServerChoice, StaticCredentials, Transport, UserAgent,
};

use crate::estate::PASSWORD;
use crate::process::Usage;
use crate::{Fallible, Peer};

/// Registers [`ACCOUNTS`] accounts by Digest MD5, prints what both sides paid, and what an idle one takes.
pub(crate) fn idle(peer: &mut dyn Peer, transport: Transport) -> Fallible<()> {
    let crowd = Crowd::new(peer, transport)?;
    let client = crowd.register(peer, transport)?;
    println!("  user agent   {client:>6.1} µs CPU per registration");
    // Transactions linger for 64·T1 over UDP; an idle account is one whose transactions are gone.
    std::thread::sleep(LINGER);
    let idle = Usage::read()?;
    println!("  user agent   {:>6.2} KiB per idle account", idle.kib_since(&crowd.before, ACCOUNTS));
    crowd.leave();
    Ok(())
}

/// The accounts, and what this process used before they were there.
struct Crowd {
    ua: UserAgent,
    runtime: tokio::runtime::Runtime,
    before: Usage,
    accounts: Vec<Account>,
}

impl Crowd {
    fn new(peer: &dyn Peer, transport: Transport) -> Fallible<Self> {
        let ua = UserAgent::builder().resolver(Resolver::system()).trace_bytes(0).build()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let before = Usage::read()?;
        let address = peer.address(transport);
        let accounts =
            (0..ACCOUNTS).map(|n| account(&ua, n, address, transport)).collect::<Result<_, _>>()?;
        Ok(Self { ua, runtime, before, accounts })
    }

    /// Prints the server's CPU per login and gives the user agent's.
    fn register(&self, peer: &mut dyn Peer, transport: Transport) -> Fallible<f64> {
        let (started, server_before) = (Instant::now(), peer.usage()?);
        let client_before = Usage::read()?;
        self.runtime.block_on(register_all(&self.accounts))?;
        let (elapsed, server_after) = (started.elapsed(), peer.usage()?);
        let client_after = Usage::read()?;
        println!("{transport}: {ACCOUNTS} accounts registered in {elapsed:.2?} (Digest MD5)");
        let server = server_after.cpu_since(&server_before, ACCOUNTS);
        println!("  {:<12} {server:>6.1} µs CPU per login", peer.name());
        Ok(client_after.cpu_since(&client_before, ACCOUNTS))
    }

    fn leave(self) {
        self.runtime.block_on(self.ua.shutdown(Duration::from_secs(30)));
    }
}

pub(crate) fn account(
    ua: &UserAgent,
    number: usize,
    address: std::net::SocketAddr,
    transport: Transport,
) -> Fallible<Account> {
    let mut config =
        AccountConfig::new(Aor::parse(&format!("user{number}@network.com"))?, format!("e{number}"));
    config.server =
        ServerChoice::Fixed { host: address.ip().to_string(), port: Some(address.port()), transport };
    config.transports = vec![transport];
    config.auth.allow_md5 = true;
    config.auth.udp_register = true;
    let credentials = StaticCredentials::new(format!("user{number}"), "", Password::new(PASSWORD));
    Ok(ua.account(config, credentials)?)
}

/// Registers in windows, as a gateway that starts up would.
pub(crate) async fn register_all(accounts: &[Account]) -> Fallible<()> {
    for window in accounts.chunks(WINDOW) {
        for outcome in futures_util::future::join_all(window.iter().map(Account::register)).await {
            outcome.map_err(|error| format!("{} {error}", error.code()))?;
        }
    }
    Ok(())
}

pub(crate) const ACCOUNTS: usize = 10_000;
const WINDOW: usize = 64;
const LINGER: Duration = Duration::from_secs(35);
