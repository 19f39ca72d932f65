//! What the phone says: the same sentences on the screen, in plain lines, in the log and in toasts.

mod index;
mod journey;
mod notification;
mod problem;
mod sign_out;

pub(crate) use index::error_index;
pub(crate) use journey::{HopStatus, HopText, hop, hops, scheme_word};
pub(crate) use notification::{Notification, Severity, notification};
pub(crate) use problem::Problem;
pub(crate) use sign_out::sign_out_problem;

use std::time::Duration;

/// A span of time at the granularity at which it is shown: minutes above ten, else `m:ss`.
pub(crate) fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    if seconds > COARSE {
        format!("{} min", seconds / 60)
    } else {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }
}

/// The same in the status line: `48m` or `42s`.
pub(crate) fn brief(left: Duration) -> String {
    let seconds = left.as_secs();
    if seconds >= 120 { format!("{}m", seconds / 60) } else { format!("{seconds}s") }
}

/// When the shown countdown changes next.
pub(crate) fn next_change(left: Duration) -> Duration {
    let seconds = left.as_secs();
    let part = Duration::from_nanos(u64::from(left.subsec_nanos()) + 1);
    if seconds > COARSE { Duration::from_secs(seconds % 60) + part } else { part }
}

/// The wall clock as `09:12`, in UTC.
pub(crate) fn clock(wall: Duration) -> String {
    let minutes = wall.as_secs() / 60;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// The wall clock as RFC 3339 with milliseconds, in UTC.
pub(crate) fn timestamp(wall: Duration) -> String {
    let seconds = wall.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let millis = wall.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a count of days since 1970-01-01, in the proleptic Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Above this many seconds only minutes are shown.
const COARSE: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_as_people_read_it() {
        assert_eq!(countdown(Duration::from_secs(2_880)), "48 min");
        assert_eq!(countdown(Duration::from_secs(125)), "2:05");
        assert_eq!(brief(Duration::from_secs(2_880)), "48m");
        assert_eq!(timestamp(Duration::from_millis(1_705_564_800_250)), "2024-01-18T08:00:00.250Z");
        assert_eq!(timestamp(Duration::from_secs(951_782_400)), "2000-02-29T00:00:00.000Z");
        assert_eq!(clock(Duration::from_secs(1_705_564_800)), "08:00");
    }

    #[test]
    fn a_countdown_is_drawn_again_only_when_it_reads_differently() {
        for millis in [1_000, 59_999, 600_000, 661_500, 7_199_250] {
            let left = Duration::from_millis(millis);
            let later = left.saturating_sub(next_change(left));
            assert_ne!(countdown(left), countdown(later), "{millis}");
            let just_before = left.saturating_sub(next_change(left) - Duration::from_nanos(1));
            assert_eq!(countdown(left), countdown(just_before), "{millis}");
        }
    }
}
