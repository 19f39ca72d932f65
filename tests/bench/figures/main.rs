//! Figures of whole processes: memory per account, CPU per registration and per redirect.
//!
//! `cargo bench -p homing-tests --bench figures` starts an estate as a process of its own, registers ten
//! thousand accounts of one user agent with it over UDP and over TCP, then asks it for redirects, and
//! prints what the system counted for each process. Linux only: the counts come from `/proc/self`.

#![expect(clippy::print_stdout, reason = "figures are printed for people")]
#![expect(clippy::cast_precision_loss, reason = "microseconds per operation need no 52 bits")]

mod process;
mod redirects;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use homing::{
    Account, AccountConfig, Aor, Password, Resolver, ServerChoice, StaticCredentials, Transport, UserAgent,
};
use homing_server_mock::estate::{Estate, NoAssociation, Schemes, User};
use process::Usage;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().position(|argument| argument == SERVE) {
        Some(at) => serve(&arguments[at + 1..]),
        None if cfg!(target_os = "linux") => all(&arguments),
        None => {
            println!("skipped: the figures are read from /proc/self, which this system lacks");
            Ok(())
        }
    }
}

/// One transport in this process if one is named; else every figure, each in a fresh process, so that
/// memory given back by one measurement does not flatter the next.
fn all(arguments: &[String]) -> Fallible<()> {
    if let Some(transport) = arguments.iter().find_map(|argument| Transport::parse(argument)) {
        return accounts(transport);
    }
    for transport in [Transport::Udp, Transport::Tcp] {
        Command::new(std::env::current_exe()?).arg(transport.uri_token()).status()?;
    }
    redirects::measure()
}

/// The estate as a process of its own: prints its addresses, then its usage whenever a line comes in.
fn serve(arguments: &[String]) -> Fallible<()> {
    let users: usize = arguments[0].parse()?;
    let open = arguments[1] == OPEN;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let mut builder = Estate::builder()
        .home("hs1")
        .home("hs2")
        .transports(all)
        .no_association(NoAssociation::Unsigned301)
        .schemes(if open { Schemes::None } else { Schemes::Md5 });
    for number in 0..users {
        let home = if open { "hs2" } else { "hs1" };
        builder = builder.user(User::new(&format!("user{number}"), PASSWORD).assigned(home));
    }
    let estate = runtime.block_on(builder.start())?;
    let node = estate.node("hs1");
    let authority = std::env::temp_dir().join(format!("homing-figures-{}.pem", std::process::id()));
    std::fs::write(&authority, estate.ca_pem())?;
    let addresses = all.map(|transport| node.address(transport).to_string());
    println!("{} {}", addresses.join(" "), authority.display());
    for _ in std::io::stdin().lock().lines() {
        println!("{}", Usage::read()?);
    }
    Ok(())
}

/// A running estate and its answers.
pub(crate) struct Server {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    addresses: [SocketAddr; 3],
    ca_pem: String,
}

impl Server {
    pub(crate) fn start(users: usize, gate: &str) -> Fallible<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([SERVE, &users.to_string(), gate])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output of the estate")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let mut words = first.split_whitespace();
        let mut address =
            || -> Fallible<SocketAddr> { Ok(words.next().ok_or("an address is missing")?.parse()?) };
        let addresses = [address()?, address()?, address()?];
        let authority = words.next().ok_or("no certificate authority")?;
        let ca_pem = std::fs::read_to_string(authority)?;
        std::fs::remove_file(authority)?;
        Ok(Self { child, lines, addresses, ca_pem })
    }

    pub(crate) fn usage(&mut self) -> Fallible<Usage> {
        let input = self.child.stdin.as_mut().ok_or("the estate's input is closed")?;
        writeln!(input)?;
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }

    fn address(&self, transport: Transport) -> SocketAddr {
        self.addresses[transport as usize]
    }

    pub(crate) fn tls(&self) -> SocketAddr {
        self.address(Transport::Tls)
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Registers [`ACCOUNTS`] accounts of one user agent by Digest MD5 and prints what both sides paid.
fn accounts(transport: Transport) -> Fallible<()> {
    let mut server = Server::start(ACCOUNTS, CLOSED)?;
    let address = server.address(transport);
    let ua = UserAgent::builder().resolver(Resolver::system()).trace_bytes(0).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;

    let before = Usage::read()?;
    let accounts: Vec<Account> =
        (0..ACCOUNTS).map(|n| account(&ua, n, address, transport)).collect::<Result<_, _>>()?;
    let (started, server_before) = (Instant::now(), server.usage()?);
    let client_before = Usage::read()?;
    runtime.block_on(register_all(&accounts))?;
    let (elapsed, server_after) = (started.elapsed(), server.usage()?);
    let client_after = Usage::read()?;
    // Transactions linger for 64·T1 over UDP; an idle account is one whose transactions are gone.
    std::thread::sleep(LINGER);
    let idle = Usage::read()?;

    println!(
        "{transport}: {ACCOUNTS} accounts registered in {elapsed:.2?} (Digest MD5, one process each side)"
    );
    println!(
        "  user agent   {:>6.1} µs CPU per registration",
        client_after.cpu_since(&client_before, ACCOUNTS)
    );
    println!("  home server  {:>6.1} µs CPU per login", server_after.cpu_since(&server_before, ACCOUNTS));
    println!("  user agent   {:>6.2} KiB per idle account", idle.kib_since(&before, ACCOUNTS));
    runtime.block_on(ua.shutdown(Duration::from_secs(30)));
    Ok(())
}

fn account(ua: &UserAgent, number: usize, address: SocketAddr, transport: Transport) -> Fallible<Account> {
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
async fn register_all(accounts: &[Account]) -> Fallible<()> {
    for window in accounts.chunks(WINDOW) {
        for outcome in futures_util::future::join_all(window.iter().map(Account::register)).await {
            outcome.map_err(|error| format!("{} {error}", error.code()))?;
        }
    }
    Ok(())
}

const ACCOUNTS: usize = 10_000;
const WINDOW: usize = 64;
const LINGER: Duration = Duration::from_secs(35);
const PASSWORD: &str = "Figures-1";
const SERVE: &str = "serve";
pub(crate) const OPEN: &str = "open";
const CLOSED: &str = "closed";
