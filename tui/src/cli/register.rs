//! `homing login`: sign in once, until a state is reached, or for as long as one watches.

use homing::{AccountEvent, AccountState, Registration};

use crate::bridge::GRACE;
use crate::cli::agent::{Session, Setup, runtime};
use crate::cli::args::{Cli, Expectation, Login};
use crate::report::{Console, Exit, Failure, event_json, say_journey};
use crate::shell::Signals;
use crate::text::screen_text;
use crate::words::news;

/// Runs the verb.
///
/// # Errors
/// Why the login failed, or what was expected and did not happen.
pub(crate) fn run(cli: &Cli, login: &Login, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    if login.watch && !cli.json {
        return crate::cli::phone::watch(&setup, &login.visit, console);
    }
    let session = setup.session(&login.visit)?;
    match &login.wait {
        Some(expected) => session.run(expected.within + GRACE, console, wait(&session, expected, console)),
        None if login.watch => watch(&session, console),
        None => session.run(cli.timeout, console, once(&session, console)),
    }
}

/// Signs in, tells the journey, signs out.
///
/// # Errors
/// Why the login failed.
pub(crate) async fn once(session: &Session, console: &Console) -> Result<Exit, Failure> {
    let telling = tokio::spawn(tell_events(session.account.events(), *console));
    let result = session.account.register().await;
    if let Ok(registration) = &result {
        say_registration(registration, console);
    }
    session.agent.shutdown(GRACE).await;
    // The events end with the agent.
    let _ = telling.await;
    result.map(|_| Exit::Done).map_err(|error| {
        say_journey(error.journey(), console);
        Failure::from(&error)
    })
}

async fn wait(session: &Session, expected: &Expectation, console: &Console) -> Result<Exit, Failure> {
    let mut account = session.account.clone();
    let trying = {
        let account = session.account.clone();
        tokio::spawn(async move { account.register().await })
    };
    let reached = tokio::time::timeout(expected.within, async {
        while account.state() != expected.state {
            if account.changed().await.is_none() {
                break;
            }
        }
    });
    let in_time = reached.await.is_ok();
    let state = account.state();
    trying.abort();
    let (word, wanted) = (state.words().word, expected.state.words().word);
    console.event("waited", serde_json::json!({ "state": word, "wanted": wanted, "reached": in_time }));
    if in_time {
        console.say(&screen_text!("{wanted}"));
        return Ok(Exit::Done);
    }
    let sentence = format!("{word}, not {wanted}, after {} ms", expected.within.as_millis());
    Err(Failure::new(Exit::Expectation, "E1101", &sentence, "`homing login --once` tells why."))
}

/// Tells every event until somebody ends it; the agent keeps signing in by itself.
fn watch(session: &Session, console: &Console) -> Result<Exit, Failure> {
    let watched = runtime()?.block_on(async {
        let mut signals = Signals::new().map_err(|error| Failure::system(&error))?;
        let telling = tokio::spawn(tell_events(session.account.events(), *console));
        let watching = async {
            match session.account.register().await {
                // One that is refused may be tried again later.
                Err(error) if session.account.state() != AccountState::Refused => Failure::from(&error),
                _ => std::future::pending().await,
            }
        };
        let failure = tokio::select! {
            failure = watching => Some(failure),
            () = signals.end() => None,
        };
        session.agent.shutdown(GRACE).await;
        // The events end with the agent.
        let _ = telling.await;
        failure.map_or(Ok(Exit::Done), Err)
    });
    session.keep_trace(console)?;
    watched
}

async fn tell_events(mut events: homing::AccountEvents, console: Console) {
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => tell(&event, console),
            Err(lagged) => console.event("missed", serde_json::json!({ "events": lagged.missed() })),
        }
    }
}

fn tell(event: &AccountEvent, console: Console) {
    let (name, fields) = event_json(event);
    console.event(name, fields);
    let told = matches!(event, AccountEvent::LoggedOut { .. } | AccountEvent::MessageRefused { .. });
    if let Some(news) = news(event).filter(|_| told) {
        console.say(&news.text);
    }
}

fn say_registration(registration: &Registration, console: &Console) {
    say_journey(registration.journey(), console);
    console.say(&screen_text!(
        "registered at {} for {} s, {} round trips",
        registration.home(),
        registration.expires().as_secs(),
        registration.journey().round_trips()
    ));
}
