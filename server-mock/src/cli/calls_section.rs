//! The `[calls]` of the configuration: how many requests are passed on, how widely, and how many calls are remembered.

use std::num::{NonZeroU32, NonZeroUsize};

use serde::Deserialize;

use crate::node::config::CallsConfig;

/// Bounds as the file gives them; what is not given stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CallsSection {
    requests: Option<NonZeroUsize>,
    requests_of_user: Option<NonZeroUsize>,
    breadth: Option<NonZeroU32>,
    unanswered_from_user: Option<NonZeroUsize>,
    unanswered_to_user: Option<NonZeroUsize>,
    calls_of_device: Option<NonZeroUsize>,
    calls: Option<NonZeroUsize>,
    /// Whom users may call of whom nothing else is said.
    pub(super) may_call: Option<Vec<String>>,
}

impl CallsSection {
    pub(super) fn apply(&self, calls: &mut CallsConfig) {
        for (given, field) in [
            (self.requests, &mut calls.contexts),
            (self.requests_of_user, &mut calls.requests_of_user),
            (self.unanswered_from_user, &mut calls.from_user),
            (self.unanswered_to_user, &mut calls.to_user),
            (self.calls_of_device, &mut calls.dialogs_of_endpoint),
            (self.calls, &mut calls.dialogs),
        ] {
            *field = given.map_or(*field, NonZeroUsize::get);
        }
        calls.breadth = self.breadth.map_or(calls.breadth, NonZeroU32::get);
    }
}
