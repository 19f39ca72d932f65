//! What the phone says to a person: a sentence with its severity, for log, toast and plain lines.

use homing::AccountEvent;
use homing::account::Answered;
use homing::event::{Journey, LogoutReason, MoveCause, RequestOutcome, UnregisterOutcome};

use crate::messages::{Problem, sign_out_problem};
use crate::text::{ScreenText, screen_text};

/// One thing to tell a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    /// How loudly.
    pub(crate) severity: Severity,
    /// The code, where something went wrong.
    pub(crate) code: Option<&'static str>,
    /// The sentence.
    pub(crate) text: ScreenText,
    /// The next step, where there is one.
    pub(crate) hint: ScreenText,
}

/// How loudly something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Into the log only.
    Detail,
    /// Into the log, and a toast where the effect is not in sight.
    Info,
    /// The same, and whatever was in sight is settled by it.
    Success,
    /// A toast in any case.
    Warning,
}

impl Notification {
    /// A sentence without code or hint.
    pub(crate) fn plain(severity: Severity, text: ScreenText) -> Self {
        Self { severity, code: None, text, hint: ScreenText::default() }
    }
}

impl From<&Problem> for Notification {
    fn from(problem: &Problem) -> Self {
        Self {
            severity: Severity::Warning,
            code: Some(problem.code),
            text: problem.sentence.clone(),
            hint: problem.hint.clone(),
        }
    }
}

/// The sentence of an event; none where the state word says it all.
pub(crate) fn notification(event: &AccountEvent) -> Option<Notification> {
    let told = |severity, text| Some(Notification::plain(severity, text));
    match event {
        AccountEvent::StateChanged { from, to } => {
            told(Severity::Detail, screen_text!("{} → {}", from.words().word, to.words().word))
        }
        AccountEvent::JourneyChanged(journey) => redirect_notification(journey),
        AccountEvent::Registered(registered) => told(
            Severity::Success,
            screen_text!(
                "signed in at {} ({}), for {} min",
                registered.home,
                hops_word(registered.journey.redirects()),
                registered.expires / 60
            ),
        ),
        AccountEvent::Refreshed { expires } => {
            told(Severity::Success, screen_text!("registration refreshed for {} min", expires / 60))
        }
        AccountEvent::AssociationRenewed => {
            told(Severity::Detail, ScreenText::of("security association renewed"))
        }
        AccountEvent::LoginFailed { failure, retry_in } => {
            let mut notification = Notification::from(&Problem::from(&failure.error));
            let next = retry_in.map_or_else(
                || "no automatic retry".to_owned(),
                |pause| format!("next attempt in {} s", pause.as_secs()),
            );
            notification.text = screen_text!("{} → login failed; {next}", notification.text);
            Some(notification)
        }
        AccountEvent::Unregistered { outcome } => Some(unregistered_notification(*outcome)),
        AccountEvent::LoggedOut { why } => told(logout_severity(*why), ScreenText::of(logout_word(*why))),
        AccountEvent::HomeServerChanged { old, new, cause } => {
            let before = old.as_ref().map(|old| format!(", was {old}")).unwrap_or_default();
            // The first one was told with the registration.
            let severity = if *cause == MoveCause::First { Severity::Detail } else { Severity::Success };
            told(severity, screen_text!("home server is {new}{before}{}", cause_word(*cause)))
        }
        AccountEvent::MessageRefused { server, why } => {
            told(Severity::Warning, screen_text!("message from {server} ignored: {why}"))
        }
        AccountEvent::ResponseDropped { server, why } => {
            told(Severity::Warning, screen_text!("answer from {server} dropped: {why}"))
        }
        AccountEvent::ProofWrong { server } => {
            told(Severity::Warning, screen_text!("{server} could not prove that it knows the password"))
        }
        AccountEvent::Learned(remembered) => {
            told(Severity::Detail, screen_text!("home server {} is remembered", remembered.host))
        }
        AccountEvent::Forgotten => {
            told(Severity::Detail, ScreenText::of("the remembered home server is forgotten"))
        }
        AccountEvent::RequestEnded { outcome: RequestOutcome::Answered { answer, .. }, .. } => {
            let Answered { status, millis, .. } = answer;
            told(Severity::Info, screen_text!("OPTIONS answered {status} in {millis} ms"))
        }
        other => told(Severity::Detail, ScreenText::of(other.kind().name())),
    }
}

fn unregistered_notification(outcome: UnregisterOutcome) -> Notification {
    match sign_out_problem(outcome) {
        Some(problem) => Notification::from(&problem),
        None => Notification::plain(Severity::Detail, ScreenText::from_display(&outcome)),
    }
}

fn redirect_notification(journey: &Journey) -> Option<Notification> {
    let last = journey.last()?;
    let words = super::journey::hops(journey).pop()?;
    let (severity, text) = match words.status {
        super::HopStatus::Redirected => {
            (Severity::Info, screen_text!("{} redirected us: {}", last.server, words.because))
        }
        super::HopStatus::Failed => (Severity::Detail, screen_text!("{}: {}", last.server, words.because)),
        super::HopStatus::Pending | super::HopStatus::Home => return None,
    };
    Some(Notification::plain(severity, text))
}

fn hops_word(redirects: usize) -> String {
    match redirects {
        0 => "direct".to_owned(),
        1 => "1 redirect".to_owned(),
        n => format!("{n} redirects"),
    }
}

fn logout_severity(why: LogoutReason) -> Severity {
    match why {
        LogoutReason::Asked => Severity::Info,
        _ => Severity::Warning,
    }
}

fn logout_word(why: LogoutReason) -> &'static str {
    match why {
        LogoutReason::Asked => "signed out",
        LogoutReason::Moved => "moved by administrator → signing in again",
        LogoutReason::Deactivated => "the server asks to sign in elsewhere → signing in again",
        LogoutReason::Displaced => "another device took this one's place",
        LogoutReason::Disabled => "the account was disabled",
        LogoutReason::BindingLost => "the server had lost the registration → signing in again",
        LogoutReason::ConnectionLost => "connection to the home server lost → signing in again",
        LogoutReason::Lapsed => "the registration lapsed → signing in again",
        _ => "signed out by the server",
    }
}

fn cause_word(cause: MoveCause) -> &'static str {
    match cause {
        MoveCause::Moved => " (assignment changed)",
        MoveCause::Preferred => " (named by the server)",
        MoveCause::Failover => " (the old one failed)",
        _ => "",
    }
}
