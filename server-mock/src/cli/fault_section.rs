//! A fault as a file (`[[fault]]`) and the control socket (`fault`) describe it.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Rule, RuleError};

/// Which server plays what, to whom and how often.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultSection {
    /// Short name.
    pub(super) server: String,
    play: Fault,
    /// All users without.
    user: Option<String>,
    /// REGISTER without; `*` for all.
    method: Option<String>,
    /// Once without.
    times: Option<u32>,
    /// Until it is taken away.
    #[serde(default)]
    always: bool,
}

impl FaultSection {
    pub(super) fn new(server: String, play: Fault) -> Self {
        Self { server, play, user: None, method: None, times: None, always: false }
    }

    /// The same for one user, one method, and so many times.
    pub(super) fn limited(
        mut self,
        user: Option<String>,
        method: Option<String>,
        times: Option<u32>,
    ) -> Self {
        (self.user, self.method, self.times) = (user, method, times);
        self
    }

    /// The same until it is taken away.
    pub(super) fn always(mut self, always: bool) -> Self {
        self.always = always;
        self
    }

    /// The rule it describes.
    ///
    /// # Errors
    /// [`RuleError`] if it could never be played.
    pub(super) fn rule(&self) -> Result<Rule, RuleError> {
        let fault = self.play.clone();
        let mut rule = match (self.always, self.times) {
            (true, _) => Rule::always(fault),
            (false, times) => Rule::next(times.unwrap_or(1), fault),
        };
        if let Some(user) = &self.user {
            rule = rule.of(user);
        }
        if let Some(method) = &self.method {
            rule = rule.to_method(method);
        }
        rule.check().map(|()| rule)
    }
}
