//! Requests with one answer: the phone does what is asked with the registration it has.

use std::io;
use std::time::Duration;

use homing::{Account, Registration, Trace};
use tokio::time::timeout;

use crate::bridge::AddFault;
use crate::control::connection::{Outcome, Shared, Writer, leaving};
use crate::control::request::{Ask, Request};
use crate::control::snapshot::{Held, Snapshot};
use crate::messages::Problem;
use crate::report::{Exit, Failure, Output, hop_checks, login_check, options_verdict};
use crate::text::{ScreenText, screen_text};
use crate::trace::{Record, json};

/// What is told, and how it ends.
struct Answer {
    told: Vec<Output>,
    end: Outcome,
    /// The trace of a user agent that was there for this only.
    trace: Option<Trace>,
}

/// Answers a request; then, where that is wanted, tells the messages that were exchanged for it.
pub(super) async fn answer(
    request: Request,
    snapshot: Snapshot,
    shared: &Shared,
    writer: &mut Writer,
) -> io::Result<()> {
    let Snapshot { agent, accounts } = snapshot;
    let trace = agent.trace();
    // A journey lies in the past: all that is kept of it is wanted.
    let all = matches!(request.ask, Ask::Journey { .. });
    let before = if request.trace && !all { newest(&trace) } else { 0 };
    let Answer { told, end, trace: own } =
        match timeout(LONGEST_WORK, work(request.ask, accounts, shared)).await {
            Ok(answer) => answer,
            Err(_) => Answer::failed(Failure::timeout(LONGEST_WORK)),
        };
    for told in &told {
        writer.tell(told).await?;
    }
    if request.trace && !matches!(end, Outcome::Declined(_)) {
        let entries = own.map_or_else(|| trace.entries(before), |own| own.entries(0));
        for entry in entries {
            let record = Record::of(&entry);
            writer.tell(&Output::new(json::EVENT, json::fields(&record), Vec::new())).await?;
        }
    }
    writer.end(&end).await
}

async fn work(ask: Ask, accounts: Vec<Held>, shared: &Shared) -> Answer {
    let Some(aor) = ask.aor() else {
        let told = accounts.into_iter().map(|held| held.status).collect();
        return Answer::new(told, Outcome::Done);
    };
    let process = std::process::id();
    let Some(held) = accounts.into_iter().find(|held| held.aor == aor) else {
        return Answer::declined(screen_text!("the phone of process {process} does not have {aor}"));
    };
    match ask {
        Ask::Test { .. } => return test(held).await,
        Ask::Logout { .. } => return logout(&held.account, aor).await,
        _ => {}
    }
    let state = held.account.state();
    if !state.is_reachable() {
        let word = state.words().word;
        return Answer::declined(screen_text!(
            "{aor} is not signed in by the phone of process {process} ({word})"
        ));
    }
    let account = held.account;
    let _alone = shared.sending.lock().await;
    match ask {
        Ask::Options { uri, .. } => options(&account, uri.as_deref()).await,
        Ask::Journey { .. } => journey(&account).await,
        Ask::Check { .. } => {
            let result = refreshed(&account).await.map(|(registration, _)| registration);
            let mut told =
                hop_checks(result.as_ref().map_or_else(homing::Error::journey, Registration::journey));
            told.push(login_check(result.as_ref()));
            Answer::new(told, Outcome::of(result))
        }
        Ask::Login { .. } => match refreshed(&account).await {
            Ok((registration, expires)) => {
                Answer::new(vec![Output::registered(&registration, expires)], Outcome::Done)
            }
            Err(error) => Answer::failed(Failure::from(&error)),
        },
        Ask::Status | Ask::Test { .. } | Ask::Logout { .. } | Ask::Wait { .. } | Ask::Attach { .. } => {
            Answer::new(Vec::new(), Outcome::Done)
        }
    }
}

/// The registration after a refresh, and the seconds granted by that.
async fn refreshed(account: &Account) -> Result<(Registration, u64), homing::Error> {
    let granted = account.refresh().await?;
    // It stands: nothing is sent for this.
    let registration = account.register().await?;
    Ok((registration, granted.as_secs()))
}

async fn options(account: &Account, uri: Option<&str>) -> Answer {
    let asked = async {
        let registration = account.register().await?;
        let answered = match uri {
            Some(uri) => account.options_of(uri).await?,
            None => account.options().await?,
        };
        Ok((registration, answered))
    };
    match asked.await {
        Ok((registration, answered)) => {
            let home = registration.home();
            let told = vec![Output::options(uri, home, &answered)];
            let end = options_verdict(home, &answered).map_or_else(Outcome::Failed, |_| Outcome::Done);
            Answer::new(told, end)
        }
        Err(error) => Answer::failed(Failure::from(&error)),
    }
}

async fn journey(account: &Account) -> Answer {
    match account.register().await {
        Ok(registration) => {
            let mut told = Output::redirects(registration.journey(), Some(registration.home()));
            let hint = "this is how the phone signed in; --new-endpoint signs in once more";
            told.say.push(ScreenText::of(hint));
            Answer::new(vec![told], Outcome::Done)
        }
        Err(error) => Answer::failed(Failure::from(&error)),
    }
}

async fn logout(account: &Account, aor: &str) -> Answer {
    let state = account.state().words().word;
    match account.unregister().await {
        Ok(outcome) => {
            let end = Failure::sign_out(None, outcome).map_or(Outcome::Done, Outcome::Failed);
            Answer::new(vec![Output::unregistered(outcome)], end)
        }
        Err(homing::Error::Misuse(_)) => {
            let sentence = format!("{aor} is not signed in ({state})");
            Answer::failed(Failure::new(
                Exit::Config,
                "E0143",
                &sentence,
                "`homing status` tells how it stands.",
            ))
        }
        Err(error) => Answer::failed(Failure::from(&error)),
    }
}

/// The check runs to its end even if the client has gone, so that its endpoint is signed out.
async fn test(held: Held) -> Answer {
    let process = std::process::id();
    let check = match held.check {
        Ok(check) => check,
        Err(why) => {
            return Answer::declined(screen_text!("the phone of process {process} {why}: {}", held.aor));
        }
    };
    let filled = tokio::task::spawn_blocking(|| check.filled());
    let check = match filled.await {
        Ok(Ok(check)) => check,
        Ok(Err(fault)) => return Answer::failed(Failure::no_password(&fault)),
        Err(_) => return Answer::failed(leaving()),
    };
    let Ok(checked) = tokio::spawn(check.run()).await else {
        return Answer::failed(leaving());
    };
    match checked {
        Ok(checked) => {
            let told = checked.result.as_ref().ok().map(|it| Output::registered(it, it.expires().as_secs()));
            let left = checked.left.and_then(|outcome| Failure::sign_out(None, outcome));
            let end = match (Outcome::of(checked.result), left) {
                (Outcome::Done, Some(left)) => Outcome::Failed(left),
                (end, _) => end,
            };
            let answer = Answer::new(told.into_iter().collect(), end);
            Answer { trace: Some(checked.trace), ..answer }
        }
        Err(AddFault::Agent(error)) => Answer::failed(Failure::from(&error)),
        Err(fault) => Answer::failed(Failure::config(Problem::from(&fault))),
    }
}

fn newest(trace: &Trace) -> u64 {
    trace.entries(0).last().map_or(0, |entry| entry.seq)
}

impl Answer {
    fn new(told: Vec<Output>, end: Outcome) -> Self {
        Self { told, end, trace: None }
    }

    fn declined(why: ScreenText) -> Self {
        Self::new(Vec::new(), Outcome::Declined(why))
    }

    fn failed(failure: Failure) -> Self {
        Self::new(Vec::new(), Outcome::Failed(failure))
    }
}

/// What a phone does for one request takes no longer than this.
const LONGEST_WORK: Duration = Duration::from_secs(60);
