//! What may happen thousands of times a second is journalled once a second, with its number.

use std::collections::BTreeMap;
use std::time::Duration;

use homing_core::time::{Moment, Now};

/// When each kind of notice was last journalled, and how many were left out since.
#[derive(Debug, Default)]
pub(super) struct Notices(BTreeMap<&'static str, (Moment, u64)>);

impl Notices {
    /// The text to journal now, with the number of those that were left out; none within a second of the last.
    pub(super) fn due(&mut self, what: &'static str, now: Now) -> Option<String> {
        let Some((last, left_out)) = self.0.get_mut(what) else {
            self.0.insert(what, (now.since_start, 0));
            return Some(what.to_owned());
        };
        if now.since_start.since(*last) < SECOND {
            *left_out += 1;
            return None;
        }
        let before = std::mem::take(left_out);
        *last = now.since_start;
        Some(if before == 0 { what.to_owned() } else { format!("{what} (and {before} more before)") })
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_journalled_once_a_second_with_its_number() {
        let at = |millis| Now::new(Duration::from_millis(millis), Duration::ZERO);
        let mut notices = Notices::default();
        let told: Vec<String> = (0..2_500).filter_map(|millis| notices.due("refused", at(millis))).collect();
        assert_eq!(told, ["refused", "refused (and 999 more before)", "refused (and 999 more before)"]);
        assert_eq!(notices.due("evicted", at(2_500)).as_deref(), Some("evicted"), "each kind by itself");
    }
}
