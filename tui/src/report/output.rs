//! What verbs tell: each thing as an event for programs and as sentences for people.

use std::time::Duration;

use homing::account::Answered;
use homing::error::{Family, LoginError};
use homing::event::{Journey, UnregisterOutcome};
use homing::{AccountState, Error, Registration, ServerName};
use serde_json::{Value, json};

use crate::messages::{HopStatus, HopText, Problem, hops};
use crate::report::exit::{Exit, Failure};
use crate::report::journey::journey_lines;
use crate::report::json::{journey_fields, unregistered_fields};
use crate::text::{ScreenText, screen_text};

/// One thing that a verb tells.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// The name of the event.
    pub(crate) name: &'static str,
    /// Its fields, an object.
    pub(crate) fields: Value,
    /// The same for people, one sentence per line; empty where the event is for programs only.
    pub(crate) say: Vec<ScreenText>,
}

impl Output {
    /// An event and its sentences.
    pub(crate) fn new(name: &'static str, fields: Value, say: Vec<ScreenText>) -> Self {
        Self { name, fields, say }
    }

    /// A registration that stands, for `expires` seconds more, and how the login came there.
    pub(crate) fn registered(registration: &Registration, expires: u64) -> Self {
        let journey = registration.journey();
        let fields = json!({
            "home": registration.home().to_string(),
            "expires": expires,
            "gruu": registration.gruu(),
            "journey": journey_fields(journey),
        });
        let mut say = journey_lines(journey);
        say.push(screen_text!(
            "registered at {} for {expires} s, {} round trips",
            registration.home(),
            journey.round_trips()
        ));
        Self::new("registered", fields, say)
    }

    /// What became of a binding that was to be removed; where it may be left, the failure has the sentence.
    pub(crate) fn unregistered(outcome: UnregisterOutcome) -> Self {
        let say =
            if outcome.leaves_binding() { Vec::new() } else { vec![ScreenText::from_display(&outcome)] };
        Self::new("unregistered", unregistered_fields(outcome), say)
    }

    /// The journey of a login, hop by hop, and where it ended.
    pub(crate) fn redirects(journey: &Journey, home: Option<&ServerName>) -> Self {
        let mut fields = journey_fields(journey);
        fields["home"] = json!(home.map(ToString::to_string));
        let mut say = journey_lines(journey);
        if let Some(home) = home {
            let (redirects, limit) = (journey.redirects(), journey.limit);
            say.push(screen_text!("home server: {home}, {redirects} of {limit} redirects"));
        }
        Self::new("redirect-trace", fields, say)
    }

    /// What came back on OPTIONS; `target` is the URI that was asked for, none for the home server itself.
    pub(crate) fn options(target: Option<&str>, server: &ServerName, answered: &Answered) -> Self {
        let Answered { status, reason, allow, millis } = answered;
        let fields = json!({
            "target": target,
            "server": server.to_string(),
            "status": status,
            "reason": reason,
            "allow": allow,
            "millis": millis,
        });
        let whom = target.map(|target| format!("{target} by way of ")).unwrap_or_default();
        let mut say = vec![screen_text!("{whom}{server}: {status} {reason}, {millis} ms")];
        if !allow.is_empty() {
            say.push(screen_text!("allows {}", allow.join(", ")));
        }
        Self::new("options", fields, say)
    }

    /// How one check of `homing doctor` ended: `ok`, `warn` or `fail`.
    pub(crate) fn check(what: &str, verdict: &str, text: &ScreenText) -> Self {
        let fields = json!({ "what": what, "verdict": verdict, "text": text.as_str() });
        Self::new("check", fields, vec![screen_text!("{verdict:<5} {what:<10} {text}")])
    }
}

/// One check for each server of a login's journey: those that led on, and those that did not answer or refused.
pub(crate) fn hop_checks(journey: &Journey) -> Vec<Output> {
    let check = |hop: &HopText| {
        let place = screen_text!("{} {}", hop.server, hop.connection);
        match hop.status {
            HopStatus::Home | HopStatus::Redirected => Output::check("server", "ok", &place),
            HopStatus::Pending => Output::check("server", "warn", &screen_text!("{place}: no answer yet")),
            HopStatus::Failed => Output::check("server", "warn", &screen_text!("{place}: {}", hop.because)),
        }
    };
    hops(journey).iter().map(check).collect()
}

/// The check that a login ended with.
pub(crate) fn login_check(result: Result<&Registration, &Error>) -> Output {
    match result {
        Ok(registration) => {
            Output::check("login", "ok", &screen_text!("home server {}", registration.home()))
        }
        Err(error) => {
            let what = match error.family() {
                Some(Family::Resolve) => "dns",
                Some(Family::Transport) => "transport",
                Some(Family::Redirect) => "redirect",
                _ => "login",
            };
            Output::check(what, "fail", &ScreenText::from_display(error))
        }
    }
}

/// How a verb ends that got this answer to OPTIONS.
///
/// # Errors
/// It was a refusal, or there was none.
pub(crate) fn options_verdict(server: &ServerName, answered: &Answered) -> Result<Exit, Failure> {
    let server = server.clone();
    let (exit, error) = match answered.status {
        200..=299 => return Ok(Exit::Done),
        408 => (Exit::Timeout, LoginError::NoAnswer { server }),
        status => {
            let reason = ScreenText::of(&answered.reason).to_string();
            (Exit::Refused, LoginError::Refused { server, status, reason })
        }
    };
    let mut problem = Problem::from(&error);
    if matches!(answered.status, 401 | 407) {
        problem.hint = ScreenText::of("It is there and wants a login: ask through an account.");
    }
    Err(Failure::of(exit, problem))
}

/// What `homing login --wait` tells at its end, and how it ends.
pub(crate) fn waited(
    state: AccountState,
    wanted: AccountState,
    in_time: bool,
    within: Duration,
) -> (Output, Result<Exit, Failure>) {
    let (word, wanted) = (state.words().word, wanted.words().word);
    let fields = json!({ "state": word, "wanted": wanted, "reached": in_time });
    if in_time {
        return (Output::new("waited", fields, vec![ScreenText::of(wanted)]), Ok(Exit::Done));
    }
    let sentence = format!("{word}, not {wanted}, after {} ms", within.as_millis());
    let failure = Failure::new(Exit::Expectation, "E1101", &sentence, "`homing login --once` tells why.");
    (Output::new("waited", fields, Vec::new()), Err(failure))
}
