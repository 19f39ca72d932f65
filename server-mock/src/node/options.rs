//! Methods other than REGISTER: what a server without calls and presence says to them.

use homing_core::time::Now;
use homing_wire::{Message, Method, Name, Uri};

use super::endpoint::address_of;
use super::gate::Passport;
use super::reply::Reply;
use super::{Case, Node};
use crate::journal::{Decision, Verdict};

impl Node {
    pub(super) fn serve_other(&mut self, case: &Case, passport: &Passport, now: Now) {
        let (reply, why) = match case.request.method() {
            Some(Method::Options) if self.asks_for_nobody(&case.request) => {
                let why = "no such user in this domain";
                (Reply::new(404).diagnostics(1003, why, &self.config.identity.fqdn), why)
            }
            Some(Method::Options) => {
                (self.with_allow(Reply::new(200)).header(Name::Accept, "*/*"), "it is here")
            }
            Some(Method::Subscribe | Method::Publish) => {
                (Reply::new(489).header(Name::AllowEvents, "registration"), "no such event package here")
            }
            Some(Method::Cancel | Method::Bye | Method::Update | Method::Prack | Method::Notify) => {
                (Reply::new(481), "there is no such call or subscription")
            }
            Some(Method::Other(_)) | None => (self.with_allow(Reply::new(501)), "an unknown method"),
            Some(_) => (self.with_allow(Reply::new(405)), "this server carries registrations"),
        };
        let verdict = if reply.status == 200 { Verdict::Accepted } else { Verdict::Refused };
        self.note(Some(case.flow), Decision::new(verdict, why).about(&passport.endpoint.user), now);
        self.answer(case, reply, &passport.seal, now);
    }

    /// True if the Request-URI is a user of the domain whom nobody knows; without a user it is the server itself.
    /// Where nobody is asked for a password, no account is needed to be somebody.
    fn asks_for_nobody(&self, request: &Message) -> bool {
        let schemes = self.config.gate.schemes;
        if !schemes.ntlm() && !schemes.digest() {
            return false;
        }
        let uri = request.request_uri().and_then(|uri| Uri::parse(uri).ok());
        let Some(address) = uri.as_ref().and_then(address_of) else { return false };
        let address = address.trim_end_matches('.');
        let here = address.rsplit_once('@').is_some_and(|(_, host)| host == self.config.identity.domain);
        here && self.config.accounts.find(address).is_none() && !self.serves(address)
    }

    /// Adds what this server understands.
    pub(super) fn with_allow(&self, reply: Reply) -> Reply {
        reply
            .header(Name::Allow, "REGISTER, OPTIONS, CANCEL")
            .header(Name::Supported, "path, outbound, gruu-10")
    }
}

/// A Date header's value: RFC 1123 form, GMT (RFC 3261 section 20.17).
pub(super) fn date(now: Now) -> String {
    let seconds = now.wall.unix_seconds();
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
        for (seconds, text) in rows {
            assert_eq!(date(Now::new(Duration::ZERO, Duration::from_secs(seconds))), text);
        }
    }
}
