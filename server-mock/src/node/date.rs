//! The Date header: RFC 1123 form, computed without a library of calendars.

use std::sync::Arc;

use homing_core::time::Now;

/// The value of Date headers: RFC 1123 form, GMT (RFC 3261 section 20.17). It is written once a second.
#[derive(Default)]
pub(super) struct DateLine {
    seconds: u64,
    text: Option<Arc<str>>,
}

impl DateLine {
    /// The value of now.
    pub(super) fn at(&mut self, now: Now) -> Arc<str> {
        let seconds = now.wall.unix_seconds();
        if self.seconds != seconds {
            self.text = None;
            self.seconds = seconds;
        }
        Arc::clone(self.text.get_or_insert_with(|| date(seconds).into()))
    }
}

fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let week = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][usize::try_from(days % 7).unwrap_or(0)];
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month];
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{week}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Year, month from 0 and day of the month of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March on, so that a leap day is the last of its year, and months of 30 and 31 days then
/// follow each other five by five in 153 days.
fn civil(days: u64) -> (u64, usize, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let after_new_year = u64::from(month >= 10);
    let month = usize::try_from((month + 2) % 12).unwrap_or(0);
    (era * 400 + year + after_new_year, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_written_as_rfc_1123_wants_them() {
        let rows = [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_826_154, "Tue, 29 Feb 2000 12:09:14 GMT"),
            (1_705_564_800, "Thu, 18 Jan 2024 08:00:00 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (32_503_679_999, "Tue, 31 Dec 2999 23:59:59 GMT"),
        ];
        let mut line = DateLine::default();
        for (seconds, text) in rows {
            let now = Now::new(Duration::ZERO, Duration::from_secs(seconds));
            assert_eq!(&*line.at(now), text);
            assert_eq!(&*line.at(now), text, "once more within the second");
        }
    }
}
