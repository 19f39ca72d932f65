//! Figures of whole processes: memory per account and connection, CPU per registration and per redirect.
//!
//! `cargo bench -p homing-tests --bench figures` starts an estate as a process of its own, registers ten
//! thousand accounts of one user agent with it over UDP and over TCP, asks it for redirects, opens TLS
//! connections to it, and prints what the system counted for each process. Where Kamailio is installed, the
//! same client drives it in the same run. Linux only: the counts come from `/proc`.

#![expect(clippy::print_stdout, reason = "figures are printed for people")]
#![expect(clippy::cast_precision_loss, reason = "microseconds per operation need no 52 bits")]

mod accounts;
mod connections;
mod estate;
mod kamailio;
mod line;
mod listeners;
mod process;
mod redirects;

use std::net::SocketAddr;
use std::process::Command;

use estate::{Gate, Server};
use homing::Transport;
use kamailio::Kamailio;
use process::Usage;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

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
        "redirects" => redirects::unsigned(&mut Server::start(1, Gate::Open)?),
        "signed" => redirects::signed(&mut Server::start(1, Gate::Ntlm)?),
        "listeners" => listeners::measure(&mut Server::start(listeners::ACCOUNTS, Gate::Digest)?),
        "connections" => connections::measure(&mut Server::start(1, Gate::Open)?),
        _ => match Kamailio::start()? {
            Some(mut kamailio) => {
                accounts::busy(&mut kamailio, Transport::Tcp)?;
                redirects::unsigned(&mut kamailio)
            }
            None => {
                println!(
                    "skipped: Kamailio is not installed (apt-get install kamailio kamailio-tls-modules)"
                );
                Ok(())
            }
        },
    }
}

const FIGURES: [&str; 7] = ["udp", "tcp", "listeners", "redirects", "signed", "connections", "kamailio"];
