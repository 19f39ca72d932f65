//! Session timers (RFC 4028): a session that is refreshed, or counts as dead.

use std::time::Duration;

use homing_wire::header::Refresher;
use homing_wire::header::{MinSe, SessionExpires};
use homing_wire::{Message, Name};

use super::exchange::Field;
use crate::config::SessionTimers;
use crate::time::{Deadline, Moment, Now, Why};
use crate::uas::Refusal;

/// The interval both sides agreed on, and who refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionTimer {
    interval: Duration,
    is_ours: bool,
    due: Moment,
}

/// What this side asks for in its INVITE and UPDATE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Session-Expires; 0 for none.
    expires: u32,
    /// Min-SE; raised by 422.
    least: u32,
    /// How often it was: who demands a little more each time would be asked for ever.
    raises: u8,
}

/// What becomes due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionDue {
    /// This side refreshes.
    Refresh,
    /// The peer did not.
    Dead,
}

impl Wish {
    /// As the account has it.
    pub(crate) fn new(rules: SessionTimers) -> Self {
        let least = rules.least.max(LEAST);
        let expires = if rules.expires == 0 { 0 } else { rules.expires.max(least) };
        Self { expires, least, raises: 0 }
    }

    /// The header lines of a request. `refresher`: who refreshes, where that is agreed on.
    pub(crate) fn lines(self, refresher: Option<Refresher>) -> Vec<Field> {
        if self.expires == 0 {
            return Vec::new();
        }
        let expires = SessionExpires { seconds: self.expires, refresher }.to_string();
        let least = self.least.to_string();
        vec![Field { name: Name::SessionExpires, value: expires }, Field { name: Name::MinSe, value: least }]
    }

    /// For a request within the session: who asks for no timers keeps the one that the peer brought.
    pub(crate) fn keeping(self, timer: Option<SessionTimer>) -> Self {
        let agreed = timer.and_then(|timer| u32::try_from(timer.interval.as_secs()).ok());
        match agreed.filter(|_| self.expires == 0) {
            Some(seconds) => Self { expires: seconds.max(self.least), ..self },
            None => self,
        }
    }

    /// A 422 demands a longer interval. False if it demands none, or more than a day, or demanded enough before.
    pub(crate) fn raise(&mut self, refusal: &Message) -> bool {
        let Ok(Some(MinSe(least))) = refusal.get::<MinSe>() else { return false };
        if least <= self.expires || least > MOST || self.raises >= MOST_RAISES {
            return false;
        }
        self.raises += 1;
        self.least = least;
        self.expires = least;
        true
    }

    /// What a 2xx of this side grants to a request of the peer: the timer, and its header lines.
    ///
    /// # Errors
    /// [`Refusal`]: 422, the interval is too small and the peer can raise it.
    pub(crate) fn grant(self, request: &Message, now: Now) -> Result<Option<Granted>, Refusal> {
        let is_able = [Name::Supported, Name::Require].iter().any(|list| request.has_token(*list, "timer"));
        let asked = request.get::<SessionExpires>().ok().flatten();
        let floor =
            request.get::<MinSe>().ok().flatten().map_or(0, |least| least.0.min(MOST)).max(self.least);
        let Some(SessionExpires { seconds, refresher }) = asked else {
            let ours = (is_able && self.expires > 0).then(|| self.expires.max(floor));
            return Ok(ours.map(|seconds| Granted::new(seconds, Refresher::Uac, is_able, now)));
        };
        if seconds < self.least && is_able {
            return Err(Refusal::too_brief(self.least));
        }
        let wanted = if self.expires == 0 { seconds } else { seconds.min(self.expires) };
        let seconds = wanted.max(floor).min(MOST);
        let who = match refresher {
            Some(who) if is_able => who,
            Some(_) | None if is_able => Refresher::Uac,
            Some(_) | None => Refresher::Uas,
        };
        Ok(Some(Granted::new(seconds, who, is_able, now)))
    }
}

/// A timer this side granted.
pub(crate) struct Granted {
    pub(crate) timer: SessionTimer,
    pub(crate) lines: Vec<Field>,
}

impl Granted {
    fn new(seconds: u32, who: Refresher, is_able: bool, now: Now) -> Self {
        let timer = SessionTimer::new(seconds, who == Refresher::Uas, now);
        let value = SessionExpires { seconds, refresher: Some(who) }.to_string();
        let mut lines = vec![Field { name: Name::SessionExpires, value }];
        if is_able && who == Refresher::Uac {
            lines.push(Field { name: Name::Require, value: "timer".to_owned() });
        }
        Self { timer, lines }
    }
}

impl SessionTimer {
    /// What the 2xx to a request of ours agreed to; none without Session-Expires.
    pub(crate) fn agreed(success: &Message, now: Now) -> Option<Self> {
        let SessionExpires { seconds, refresher } = success.get::<SessionExpires>().ok()??;
        let seconds = seconds.clamp(LEAST, MOST);
        Some(Self::new(seconds, refresher != Some(Refresher::Uas), now))
    }

    /// Who refreshes, in the words of a request of ours.
    pub(crate) fn refresher(&self) -> Refresher {
        if self.is_ours { Refresher::Uac } else { Refresher::Uas }
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(self.due, Why::SessionTimer)
    }

    /// What is due; afterwards the session is dead unless the refresh succeeds.
    pub(crate) fn handle_deadline(&mut self, now: Now) -> Option<SessionDue> {
        if !now.reached(self.due) {
            return None;
        }
        if std::mem::take(&mut self.is_ours) {
            self.due = Moment(self.due.0 + self.interval / 2);
            return Some(SessionDue::Refresh);
        }
        Some(SessionDue::Dead)
    }

    /// Ours is due half-way; the peer's counts as missed a third of the interval, at most 32 s, before its end (RFC 4028
    /// section 10).
    fn new(seconds: u32, is_ours: bool, now: Now) -> Self {
        let interval = Duration::from_secs(u64::from(seconds));
        let wait = if is_ours { interval / 2 } else { interval - (interval / 3).min(GRACE) };
        Self { interval, is_ours, due: now.after(wait) }
    }
}

/// RFC 4028 section 5: no interval below this.
const LEAST: u32 = 90;
/// Longer than a day is no interval.
const MOST: u32 = 86_400;
/// 422 that one call follows.
const MOST_RAISES: u8 = 2;
const GRACE: Duration = Duration::from_secs(32);

#[cfg(test)]
mod tests {
    use super::*;

    fn message(lines: &str) -> Message {
        let text = format!("SIP/2.0 200 OK\r\nCall-ID: c1\r\n{lines}\r\n");
        Message::parse(text.into_bytes()).unwrap()
    }

    fn at(seconds: u64) -> Now {
        Now::new(Duration::from_secs(seconds), Duration::ZERO)
    }

    fn wish() -> Wish {
        Wish::new(SessionTimers { expires: 1_800, least: 90 })
    }

    fn granted(lines: &str) -> Option<String> {
        let granted = wish().grant(&message(lines), at(0)).unwrap()?;
        Some(granted.lines.iter().map(|field| format!("{}: {}|", field.name, field.value)).collect())
    }

    #[test]
    fn the_called_side_grants_what_the_caller_can_keep() {
        let able = "Supported: timer\r\n";
        assert_eq!(granted(""), None, "who knows no timers gets none unasked");
        assert_eq!(granted(able).unwrap(), "Session-Expires: 1800;refresher=uac|Require: timer|");
        let asked = |lines: &str| granted(&format!("Session-Expires: {lines}"));
        assert_eq!(asked("300\r\n").unwrap(), "Session-Expires: 300;refresher=uas|", "a proxy asked");
        assert_eq!(
            asked("300;refresher=uas\r\nSupported: timer\r\n").unwrap(),
            "Session-Expires: 300;refresher=uas|"
        );
        let high = asked("9000\r\nSupported: timer\r\n").unwrap();
        assert_eq!(high, "Session-Expires: 1800;refresher=uac|Require: timer|");
        let floor = asked("9000\r\nMin-SE: 4000\r\nSupported: timer\r\n").unwrap();
        assert_eq!(floor, "Session-Expires: 4000;refresher=uac|Require: timer|");
        let brief = wish().grant(&message("Session-Expires: 60\r\nSupported: timer\r\n"), at(0)).err();
        assert_eq!(brief, Some(Refusal::too_brief(90)));
        assert_eq!(
            asked("60\r\n").unwrap(),
            "Session-Expires: 90;refresher=uas|",
            "nobody there could raise it"
        );
    }

    #[test]
    fn a_422_raises_the_wish_and_only_upwards() {
        let mut wish = wish();
        for useless in ["", "Min-SE: 60\r\n", "Min-SE: 1800\r\n", "Min-SE: 100000\r\n"] {
            assert!(!wish.raise(&message(useless)), "{useless}");
        }
        assert!(wish.raise(&message("Min-SE: 3600\r\n")));
        let lines: Vec<String> = wish.lines(None).into_iter().map(|field| field.value).collect();
        assert_eq!(lines, ["3600", "3600"]);
        assert!(Wish::new(SessionTimers { expires: 0, least: 90 }).lines(None).is_empty());
    }

    #[test]
    fn no_more_than_two_422_raise_it() {
        let mut wish = wish();
        let raised =
            ["3600", "3601", "3602"].map(|least| wish.raise(&message(&format!("Min-SE: {least}\r\n"))));
        assert_eq!(raised, [true, true, false]);
    }

    #[test]
    fn who_refreshes_does_so_half_way_and_who_waits_gives_up_before_the_end() {
        let mut ours =
            SessionTimer::agreed(&message("Session-Expires: 100;refresher=uac\r\n"), at(0)).unwrap();
        assert_eq!(ours.handle_deadline(at(49)), None);
        assert_eq!(ours.handle_deadline(at(50)), Some(SessionDue::Refresh));
        assert_eq!(ours.handle_deadline(at(99)), None);
        assert_eq!(ours.handle_deadline(at(100)), Some(SessionDue::Dead));
        let mut theirs =
            SessionTimer::agreed(&message("Session-Expires: 90;refresher=uas\r\n"), at(0)).unwrap();
        assert_eq!(
            (theirs.handle_deadline(at(59)), theirs.handle_deadline(at(60))),
            (None, Some(SessionDue::Dead))
        );
        assert_eq!(theirs.refresher(), Refresher::Uas);
        assert_eq!(SessionTimer::agreed(&message(""), at(0)), None);
    }
}
