//! What happened, as a sentence with a weight: for the log, the toasts and the plain lines.

use homing::AccountEvent;
use homing::account::Answered;
use homing::event::{Journey, LogoutReason, MoveCause, RequestOutcome};

use crate::text::{ScreenText, screen_text};
use crate::words::Trouble;

/// One thing to tell a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// How loudly.
    pub(crate) weight: Weight,
    /// The code, where something went wrong.
    pub(crate) code: Option<&'static str>,
    /// The sentence.
    pub(crate) text: ScreenText,
    /// The next step, where there is one.
    pub(crate) hint: ScreenText,
}

/// How loudly something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Into the log only.
    Detail,
    /// Into the log, and a toast where the effect is not in sight.
    Notice,
    /// The same, and whatever was in sight is settled by it.
    Success,
    /// A toast in any case.
    Warning,
}

impl News {
    /// A sentence without code or hint.
    pub(crate) fn plain(weight: Weight, text: ScreenText) -> Self {
        Self { weight, code: None, text, hint: ScreenText::default() }
    }
}

impl From<&Trouble> for News {
    fn from(trouble: &Trouble) -> Self {
        Self {
            weight: Weight::Warning,
            code: Some(trouble.code),
            text: trouble.sentence.clone(),
            hint: trouble.hint.clone(),
        }
    }
}

/// The sentence of an event; none where the state word says it all.
pub(crate) fn news(event: &AccountEvent) -> Option<News> {
    let told = |weight, text| Some(News::plain(weight, text));
    match event {
        AccountEvent::StateChanged { from, to } => {
            told(Weight::Detail, screen_text!("{} → {}", from.words().word, to.words().word))
        }
        AccountEvent::JourneyChanged(journey) => redirect_news(journey),
        AccountEvent::Registered(registered) => told(
            Weight::Success,
            screen_text!(
                "signed in at {} ({}), for {} min",
                registered.home,
                hops_word(registered.journey.redirects()),
                registered.expires / 60
            ),
        ),
        AccountEvent::Refreshed { expires } => {
            told(Weight::Success, screen_text!("registration refreshed for {} min", expires / 60))
        }
        AccountEvent::AssociationRenewed => {
            told(Weight::Detail, ScreenText::of("security association renewed without leaving"))
        }
        AccountEvent::LoginFailed { failure, retry_in } => {
            let mut news = News::from(&Trouble::from(&failure.error));
            let next = retry_in.map_or_else(
                || "not tried again by itself".to_owned(),
                |pause| format!("next attempt in {} s", pause.as_secs()),
            );
            news.text = screen_text!("{} → login failed; {next}", news.text);
            Some(news)
        }
        AccountEvent::LoggedOut { why } => told(logout_weight(*why), ScreenText::of(logout_word(*why))),
        AccountEvent::HomeServerChanged { old, new, cause } => {
            let before = old.as_ref().map(|old| format!(", was {old}")).unwrap_or_default();
            // The first one was told with the registration.
            let weight = if *cause == MoveCause::First { Weight::Detail } else { Weight::Success };
            told(weight, screen_text!("home server is {new}{before}{}", cause_word(*cause)))
        }
        AccountEvent::MessageRefused { server, why } => {
            told(Weight::Warning, screen_text!("message from {server} ignored: {why}"))
        }
        AccountEvent::ProofWrong { server } => {
            told(Weight::Warning, screen_text!("{server} cannot prove that it knows the password"))
        }
        AccountEvent::Learned(remembered) => {
            told(Weight::Detail, screen_text!("home server {} is remembered", remembered.host))
        }
        AccountEvent::Forgotten => {
            told(Weight::Detail, ScreenText::of("the remembered home server is forgotten"))
        }
        AccountEvent::RequestEnded { outcome: RequestOutcome::Answered { answer, .. }, .. } => {
            let Answered { status, millis, .. } = answer;
            told(Weight::Notice, screen_text!("OPTIONS answered {status} in {millis} ms"))
        }
        other => told(Weight::Detail, ScreenText::of(other.kind().name())),
    }
}

fn redirect_news(journey: &Journey) -> Option<News> {
    let last = journey.last()?;
    let words = super::journey::hops(journey).pop()?;
    let (weight, text) = match words.standing {
        super::Standing::SentOn => {
            (Weight::Notice, screen_text!("{} sent us on: {}", last.server, words.because))
        }
        super::Standing::Failed => (Weight::Detail, screen_text!("{}: {}", last.server, words.because)),
        super::Standing::Pending | super::Standing::Home => return None,
    };
    Some(News::plain(weight, text))
}

fn hops_word(redirects: usize) -> String {
    match redirects {
        0 => "direct".to_owned(),
        1 => "1 redirect".to_owned(),
        n => format!("{n} redirects"),
    }
}

fn logout_weight(why: LogoutReason) -> Weight {
    match why {
        LogoutReason::Asked => Weight::Notice,
        _ => Weight::Warning,
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
