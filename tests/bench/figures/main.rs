//! Figures of whole processes: memory per account and connection, CPU per registration and per redirect, start.
//!
//! `cargo bench -p homing-tests --bench figures` starts an estate as a process of its own, registers ten thousand accounts
//! of one user agent with it over UDP and over TCP, asks it for redirects, opens TLS connections to it, and prints what the
//! system counted for each process; it also times the start of an estate. Where Kamailio is installed, the same client
//! drives both in turn. The name of a figure picks it, and `floods` floods an estate, which is not done else. Linux only:
//! the counts come from `/proc`.

#![expect(clippy::print_stdout, reason = "figures are printed for people")]
#![expect(clippy::cast_precision_loss, reason = "microseconds per operation need no 52 bits")]

mod accounts;
mod beside;
mod connections;
mod estate;
mod floods;
mod kamailio;
mod line;
mod listeners;
mod process;
mod redirects;
mod start;

use std::net::SocketAddr;
use std::process::Command;

use estate::{Gate, Server};
use homing::Transport;
use process::Usage;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A server that is measured, in processes of its own.
trait Peer {
    fn name(&self) -> &'static str;
    fn address(&self, transport: Transport) -> SocketAddr;
    /// The authority that signed its certificate.
    fn ca_pem(&self) -> &str;
    /// What the system counted for it so far.
    fn usage(&mut self) -> Fallible<Usage>;
}

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().position(|argument| argument == estate::SERVE) {
        Some(at) => estate::serve(&arguments[at + 1..]),
        None if cfg!(target_os = "linux") => all(&arguments),
        None => {
            println!("skipped: the figures are read from /proc, which this system lacks");
            Ok(())
        }
    }
}

/// One figure in this process if it is named; else every figure, each in a fresh process, so that
/// memory given back by one measurement does not flatter the next.
fn all(arguments: &[String]) -> Fallible<()> {
    if arguments.iter().any(|word| word == "floods") {
        return floods::measure(arguments);
    }
    if let Some(figure) = FIGURES.iter().find(|figure| arguments.iter().any(|word| word == *figure)) {
        return one(figure);
    }
    for figure in FIGURES {
        let ended = Command::new(std::env::current_exe()?).arg(figure).status()?;
        if !ended.success() {
            return Err(format!("no figure of {figure}").into());
        }
    }
    Ok(())
}

fn one(figure: &str) -> Fallible<()> {
    match figure {
        "udp" | "tcp" => {
            let transport = Transport::parse(figure).ok_or("no transport")?;
            accounts::idle(&mut Server::start(accounts::ACCOUNTS, Gate::Digest)?, transport)
        }
        "signed" => redirects::signed(&mut Server::start(1, Gate::Ntlm)?),
        "listeners" => listeners::measure(&mut Server::start(listeners::ACCOUNTS, Gate::Digest)?),
        "start" => start::measure(),
        "connections" => connections::measure(&mut Server::start(1, Gate::Open)?),
        "growth" => beside::growth(),
        _ => beside::ratios(),
    }
}

const FIGURES: [&str; 8] = ["udp", "tcp", "listeners", "signed", "connections", "start", "ratios", "growth"];
