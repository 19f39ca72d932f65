//! A phone beside another one: accounts that the other has signed in are not signed in a second time.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::path::Path;

use crate::cli::attach::silent;
use crate::control::{Claim, Found, Phone, Published, find};
use crate::report::{Exit, Failure};

/// What is to be done about accounts that another phone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConflictPolicy {
    /// The person at the terminal decides.
    Ask,
    /// Show what the other phone does.
    Attach,
    /// Nothing: it is an error.
    Refuse,
    /// Sign in as new endpoints, whichever phones run.
    NewEndpoint,
}

/// What was decided.
pub(crate) enum Decision {
    Start(Start),
    /// Show what these phones do.
    Attach(Vec<Phone>),
    Leave,
}

/// How a phone starts.
pub(crate) struct Start {
    /// Its control socket, or why it has none.
    pub(crate) socket: io::Result<Published>,
    /// The accounts that are to be new endpoints here.
    pub(crate) elsewhere: BTreeSet<String>,
}

/// Looks whether another phone has one of these accounts, and decides.
///
/// # Errors
/// Another phone has one and no person can be asked what to do; or one does not answer, so that it cannot be
/// known.
pub(crate) async fn decide(
    folder: &Path,
    addresses: Vec<String>,
    policy: ConflictPolicy,
) -> Result<Decision, Failure> {
    let claim = Claim::take(folder).await;
    if policy == ConflictPolicy::NewEndpoint {
        let elsewhere = addresses.into_iter().collect();
        return Ok(Decision::Start(Start { socket: claim.publish().await, elsewhere }));
    }
    let found = find(folder).await;
    if let Some(process) = found.silent.first().filter(|_| !addresses.is_empty()) {
        return Err(silent(*process));
    }
    let held: Vec<(String, u32)> = addresses
        .into_iter()
        .filter_map(|address| {
            found.with(&address).map(|phone| phone.process).map(|process| (address, process))
        })
        .collect();
    if held.is_empty() {
        let socket = claim.publish().await;
        return Ok(Decision::Start(Start { socket, elsewhere: BTreeSet::new() }));
    }
    // Other phones do not wait for this person.
    drop(claim);
    match (policy, &held[0]) {
        (ConflictPolicy::Attach, _) => Ok(Decision::Attach(holders(found, &held))),
        (ConflictPolicy::Ask, _) => {
            match ask(&held).or_else(unread).map_err(|error| Failure::system(&error))? {
                Answer::Attach => Ok(Decision::Attach(holders(found, &held))),
                Answer::Leave => Ok(Decision::Leave),
                Answer::NewEndpoint => {
                    let elsewhere = held.into_iter().map(|(address, _)| address).collect();
                    let socket = Claim::take(folder).await.publish().await;
                    Ok(Decision::Start(Start { socket, elsewhere }))
                }
            }
        }
        (ConflictPolicy::Refuse | ConflictPolicy::NewEndpoint, (address, process)) => {
            Err(refused(address, *process))
        }
    }
}

fn refused(address: &str, process: u32) -> Failure {
    let sentence = format!("{address} is signed in by the phone of process {process}");
    let hint = "`homing attach` shows what it does; --new-endpoint signs in as a new endpoint.";
    Failure::new(Exit::Config, "E0138", &sentence, hint)
}

fn holders(found: Found, held: &[(String, u32)]) -> Vec<Phone> {
    let holds = |phone: &Phone| held.iter().any(|(_, process)| *process == phone.process);
    found.phones.into_iter().filter(holds).collect()
}

enum Answer {
    Attach,
    NewEndpoint,
    Leave,
}

/// The question is not read: then it is not answered.
fn unread(error: io::Error) -> io::Result<Answer> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(Answer::Leave) } else { Err(error) }
}

/// Asks on the terminal, before there is a screen; the end of input leaves.
fn ask(held: &[(String, u32)]) -> io::Result<Answer> {
    let mut out = io::stdout().lock();
    for (address, process) in held {
        writeln!(out, "{address} is signed in by another phone, process {process}.")?;
    }
    writeln!(out, "Signing in here as the same endpoint would end its registration.\n")?;
    writeln!(out, "  a  attach: show what that phone does; Ctrl-C leaves it running")?;
    writeln!(out, "  n  start as a new endpoint next to it")?;
    writeln!(out, "  q  quit\n")?;
    let mut typed = String::new();
    loop {
        write!(out, "a, n or q: ")?;
        out.flush()?;
        typed.clear();
        if io::stdin().lock().read_line(&mut typed)? == 0 {
            return Ok(Answer::Leave);
        }
        match typed.trim() {
            "a" | "attach" => return Ok(Answer::Attach),
            "n" | "new" => return Ok(Answer::NewEndpoint),
            "q" | "quit" => return Ok(Answer::Leave),
            _ => {}
        }
    }
}
