//! Signs a crowd of accounts in at an estate in the same process, refreshes and signs them out, and tells the time.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use homing::{AccountConfig, Aor, Password, Resolver, Roots, StaticCredentials, UserAgent};
use homing_server_mock::estate::{EstateBuilder, User};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let size: usize = std::env::args().nth(1).map_or(Ok(500), |text| text.parse())?;
    let mut builder = EstateBuilder::new().home("hs1");
    for n in 0..size {
        builder = builder.user(User::new(&format!("user{n}"), "secret").assigned("hs1"));
    }
    let estate = builder.start().await?;
    let ua = UserAgent::builder()
        .resolver(Resolver::name_server(estate.dns_address()))
        .roots(Roots::pem(estate.ca_pem())?)
        .trace_bytes(0)
        .build()?;
    let mut accounts = Vec::new();
    for n in 0..size {
        let aor = Aor::parse(&format!("user{n}@network.com"))?;
        let credentials = StaticCredentials::new(format!("user{n}"), "NETWORK", Password::new("secret"));
        accounts.push(ua.account(AccountConfig::new(aor, format!("{n:08}")), credentials)?);
    }
    let begun = Instant::now();
    try_join_all(accounts.iter().map(|account| account.register())).await?;
    tell("signed in", size, begun);
    let begun = Instant::now();
    try_join_all(accounts.iter().map(|account| account.refresh())).await?;
    tell("refreshed", size, begun);
    let begun = Instant::now();
    let left = ua.shutdown(Duration::from_secs(60)).await;
    tell("signed out", size - left.left_behind().count(), begun);
    Ok(())
}

fn tell(what: &str, count: usize, begun: Instant) {
    let took = begun.elapsed();
    println!("{what}: {count} in {took:.2?}, {:.0} a second", count as f64 / took.as_secs_f64());
}
