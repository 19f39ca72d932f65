//! What one pass over a recording knows so far.

use std::collections::BTreeMap;

use homing::Password;

use super::diagnosis::Search;
use super::sessions::{Nonces, Sessions};
use crate::verify::conversation::Conversation;
use crate::verify::source::{Kind, Recorded, Recording};

/// The state of one pass.
pub(super) struct Check<'c, 'r> {
    pub(super) conversation: &'c Conversation<'r>,
    pub(super) recording: &'r Recording,
    pub(super) password: &'c Password,
    pub(super) sessions: Sessions<'r>,
    pub(super) nonces: Nonces<'r>,
    pub(super) search: Search<'r>,
    /// The first message with these bytes on a link.
    pub(super) copies: BTreeMap<(usize, &'r [u8]), usize>,
}

impl<'r> Check<'_, 'r> {
    pub(super) fn recorded(&self, at: usize) -> &'r Recorded {
        &self.recording.messages[at]
    }
}

/// True for a value that our trace has hidden.
fn is_masked(value: &str) -> bool {
    value.contains('•')
}

/// True if secrets of this recording are hidden.
pub(super) fn hides(kind: Kind, value: &str) -> bool {
    is_masked(value) || (kind == Kind::Trace && value.contains('\u{fffd}'))
}
