//! Date: the sender's wall clock, always GMT (RFC 3261 20.17).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::scan::Cursor;

/// A second of the calendar, counted from 1970-01-01 00:00:00 GMT.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Date(pub u64);

impl Date {
    fn read_from(cursor: &mut Cursor<'_>) -> Option<Date> {
        let weekday = cursor.token()?;
        DAYS.iter().position(|day| day.eq_ignore_ascii_case(weekday))?;
        cursor.eat_spaced(b',').then_some(())?;
        let day = cursor.number()?;
        cursor.skip_white();
        let month = cursor.token()?;
        let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
        cursor.skip_white();
        let year = cursor.number()?;
        cursor.skip_white();
        let hour = cursor.number()?;
        cursor.eat(b':').then_some(())?;
        let minute = cursor.number()?;
        cursor.eat(b':').then_some(())?;
        let second = cursor.number()?;
        cursor.skip_white();
        let in_range = (1970..10_000).contains(&year)
            && (1..=days_in(month, year)).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        if !in_range || !cursor.token()?.eq_ignore_ascii_case("GMT") {
            return None;
        }
        let days = days_before(year) + (0..month).map(|month| u64::from(days_in(month, year))).sum::<u64>();
        let days = days + u64::from(day - 1);
        Some(Date(days * DAY + u64::from(hour * 3600 + minute * 60 + second)))
    }
}

impl<'m> Header<'m> for Date {
    const NAME: Name<'static> = Name::Date;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, Date::read_from)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Later years have no form in RFC 1123.
        let seconds = self.0.min(LAST);
        let (days, rest) = (seconds / DAY, seconds % DAY);
        let mut year = 1970 + u32::try_from(days / 366).unwrap_or(0);
        while days_before(year + 1) <= days {
            year += 1;
        }
        let mut left = u32::try_from(days - days_before(year)).unwrap_or(0);
        let mut month = 0;
        while left >= days_in(month, year) {
            left -= days_in(month, year);
            month += 1;
        }
        let weekday = DAYS[usize::try_from((days + 3) % 7).unwrap_or(0)];
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(f, "{weekday}, {:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT", left + 1, MONTHS[month])
    }
}

/// Days from 1970 to the beginning of that year.
fn days_before(year: u32) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let past = u64::from(year) - 1;
    (past + 1 - 1970) * 365 + leap_days(past) - leap_days(1969)
}

fn days_in(month: usize, year: u32) -> u32 {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    LENGTHS[month] + u32::from(month == 1 && leap)
}

const DAY: u64 = 86_400;
/// 9999-12-31 23:59:59.
const LAST: u64 = 253_402_300_799;
/// The first of January 1970 was a Thursday.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates_read_and_print() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sat, 13 Nov 2010 23:29:00 GMT", 1_289_690_940),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Sat, 21 Nov 2026 00:09:58 GMT", 1_795_219_798),
            ("Fri, 31 Dec 9999 23:59:59 GMT", LAST),
        ] {
            assert_eq!(Date::read(text.as_bytes()).map(|(date, _)| date), Some(Date(seconds)), "{text}");
            assert_eq!(Date(seconds).to_string(), text);
        }
        assert_eq!(Date(u64::MAX).to_string(), Date(LAST).to_string());
    }

    #[test]
    fn every_day_of_four_centuries_reads_as_printed() {
        for day in 0..146_097 {
            let date = Date(day * DAY + day % DAY);
            assert_eq!(Date::read(date.to_string().as_bytes()).unwrap().0, date);
        }
    }

    #[test]
    fn other_zones_and_impossible_days_are_refused() {
        for wrong in [
            "Fri, 01 Jan 2010 16:00:00 EST",
            "Fri, 01 Jan 2010 16:00:00",
            "Mon, 29 Feb 2100 00:00:00 GMT",
            "Mon, 00 Jan 2010 00:00:00 GMT",
            "Mon, 01 Jan 2010 24:00:00 GMT",
            "Mon, 01 Jan 1969 00:00:00 GMT",
            "Noday, 01 Jan 2010 00:00:00 GMT",
            "",
        ] {
            assert!(Date::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
