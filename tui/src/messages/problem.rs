//! An error as a person meets it: code, sentence, next step.

use homing::error::LoginError;

use crate::text::ScreenText;

/// What went wrong, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Stable, such as `E0702`.
    pub(crate) code: &'static str,
    /// What happened, for people; without a full stop.
    pub(crate) sentence: ScreenText,
    /// What can be done next.
    pub(crate) hint: ScreenText,
}

impl Problem {
    /// Problem of this program's own making.
    pub(crate) fn new(code: &'static str, sentence: &impl std::fmt::Display, hint: &'static str) -> Self {
        Self { code, sentence: ScreenText::from_display(sentence), hint: ScreenText::of(hint) }
    }
}

impl From<&LoginError> for Problem {
    fn from(error: &LoginError) -> Self {
        Self::new(error.code(), error, error.hint())
    }
}

impl From<&homing::Error> for Problem {
    fn from(error: &homing::Error) -> Self {
        Self::new(error.code(), error, error.hint())
    }
}
