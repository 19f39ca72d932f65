//! What an action comes to: effects, and what the phone says about it.

use crate::effect::Effect;
use crate::messages::{Notification, Severity};
use crate::text::ScreenText;

/// The outcome of one action.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) effects: Vec<Effect>,
    pub(crate) notification: Option<Notification>,
    /// What the phone said before needs no more attention.
    pub(crate) settles: bool,
}

impl Outcome {
    /// The screen changed, or nothing did.
    pub(crate) fn done() -> Self {
        Self::default()
    }

    /// The action makes no sense now, and why.
    pub(crate) fn refused(why: ScreenText) -> Self {
        Notification::plain(Severity::Warning, why).into()
    }
}

impl From<Effect> for Outcome {
    fn from(effect: Effect) -> Self {
        Self { effects: vec![effect], ..Self::default() }
    }
}

impl From<Notification> for Outcome {
    fn from(notification: Notification) -> Self {
        Self { notification: Some(notification), ..Self::default() }
    }
}
