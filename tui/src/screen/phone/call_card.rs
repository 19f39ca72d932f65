//! One call as the Phone screen shows it: who, how far, since when, and how it ended.

use std::time::Duration;

use homing::AccountId;
use homing::call::{CallEnd, CallEvent, EndReason, EndedBy};
use homing::sound::SoundEvent;

use super::sound::CallSound;
use crate::messages::{Notification, Problem, Severity};
use crate::text::{ScreenText, screen_text};
use crate::theme::Role;

/// A call that is under way, or one of the last that ended.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and any of them may hold")]
pub(crate) struct CallCard {
    /// The phone's own number of it.
    pub(crate) key: u64,
    pub(crate) account: AccountId,
    /// The address of the other party, as it is dialled again.
    pub(crate) party: ScreenText,
    /// The name it gives itself; empty where it gives none.
    pub(crate) name: ScreenText,
    /// True where the home server vouches for the address.
    pub(crate) vouched: bool,
    pub(crate) incoming: bool,
    pub(crate) begun: Duration,
    pub(crate) sound: CallSound,
    /// The other side hears silence.
    pub(crate) is_muted: bool,
    /// Digits that were sent.
    pub(crate) pressed: String,
    /// Digits that the other side pressed.
    pub(crate) heard_digits: String,
    stage: Stage,
    on_hold: OnHold,
    /// The connection is lost, and another is being opened.
    lost: bool,
}

/// How far a call is.
#[derive(Clone, Debug)]
enum Stage {
    /// It is placed, and nobody rings yet.
    Dialling,
    /// It rings there, or here.
    Ringing,
    /// The other side is heard before the answer.
    EarlyMedia,
    /// A person answered it, and the caller has not confirmed that yet.
    Answering,
    Connected {
        since: Duration,
    },
    /// A person ended it, and that is on its way.
    Ending {
        since: Option<Duration>,
    },
    Ended {
        at: Duration,
        talked: Option<Duration>,
        how: Ending,
    },
}

/// How a call ended, in words.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// By somebody's wish.
    Wished(ScreenText),
    /// A call that came in and that nobody here answered.
    Missed,
    Failed(Problem),
}

/// Who holds the call.
#[derive(Clone, Copy, Debug, Default)]
struct OnHold {
    us: bool,
    them: bool,
}

/// What a call begins with.
#[derive(Clone, Debug)]
pub(crate) struct Began {
    pub(crate) key: u64,
    pub(crate) account: AccountId,
    pub(crate) party: ScreenText,
    pub(crate) name: ScreenText,
    pub(crate) vouched: bool,
    pub(crate) incoming: bool,
}

impl CallCard {
    /// A call that begins.
    pub(crate) fn new(began: Began, now: Duration) -> Self {
        let Began { key, account, party, name, vouched, incoming } = began;
        let stage = if incoming { Stage::Ringing } else { Stage::Dialling };
        let on_hold = OnHold::default();
        Self {
            key,
            account,
            party,
            name,
            vouched,
            incoming,
            begun: now,
            sound: CallSound::default(),
            is_muted: false,
            pressed: String::new(),
            heard_digits: String::new(),
            stage,
            on_hold,
            lost: false,
        }
    }

    /// Takes one event; what a person should hear of it comes back.
    pub(crate) fn handle(&mut self, event: &CallEvent, now: Duration) -> Option<Notification> {
        match event {
            CallEvent::Progress { status: 180, .. } if self.is_being_placed() => self.stage = Stage::Ringing,
            CallEvent::Progress { status: 183, .. } if matches!(self.stage, Stage::Dialling) => {
                self.stage = Stage::EarlyMedia;
            }
            CallEvent::Answered { .. } => {
                self.stage = Stage::Connected { since: now };
                return Some(self.told(Severity::Success, "connected"));
            }
            CallEvent::PeerHolds(on) => {
                self.on_hold.them = *on;
                return Some(self.told(Severity::Info, if *on { "holds the call" } else { "is back" }));
            }
            CallEvent::Held(on) => self.on_hold.us = *on,
            CallEvent::ChangeRefused { status } => {
                let text =
                    screen_text!("{} refused the change ({status}); the call goes on as it was", self.who());
                return Some(Notification::plain(Severity::Warning, text));
            }
            CallEvent::ConnectionLost => {
                self.lost = true;
                return Some(self.told(Severity::Warning, "connection lost; another is being opened"));
            }
            CallEvent::ConnectionBack => {
                self.lost = false;
                return Some(self.told(Severity::Success, "connected again"));
            }
            CallEvent::Ended(end) => return Some(self.end(end, now)),
            _ => {}
        }
        None
    }

    fn end(&mut self, end: &CallEnd, now: Duration) -> Notification {
        let how = ending(end, self.incoming && self.since().is_none());
        let notification = match &how {
            Ending::Wished(text) => {
                Notification::plain(Severity::Info, screen_text!("{}: {text}", self.who()))
            }
            Ending::Missed => {
                Notification::plain(Severity::Warning, screen_text!("missed call from {}", self.who()))
            }
            Ending::Failed(problem) => {
                let mut notification = Notification::from(problem);
                notification.text = screen_text!("{}: {}", self.who(), notification.text);
                notification
            }
        };
        self.stage = Stage::Ended { at: now, talked: self.talked(now), how };
        notification
    }

    /// Takes what happened in its sound; what a person should hear of it comes back.
    pub(crate) fn handle_sound(&mut self, event: &SoundEvent) -> Option<Notification> {
        match event {
            SoundEvent::Digit { digit, .. } => {
                // A phone shows the last ones.
                if self.heard_digits.len() >= DIGITS {
                    self.heard_digits.remove(0);
                }
                self.heard_digits.push_str(&digit.to_string());
                None
            }
            SoundEvent::PeerHeard => None,
            SoundEvent::PeerSilent
            | SoundEvent::SourceLate
            | SoundEvent::BackendFailed
            | SoundEvent::DeviceLost { .. } => Some(self.told(Severity::Warning, &event.to_string())),
            SoundEvent::SoundServerLost(error) => {
                let mut notification = Notification::from(&Problem::new(error.code(), event, error.hint()));
                notification.text = screen_text!("{}: {}", self.who(), notification.text);
                Some(notification)
            }
            other => Some(self.told(Severity::Info, &other.to_string())),
        }
    }

    /// It could not even be placed.
    pub(crate) fn fail(&mut self, problem: Problem, now: Duration) {
        self.stage = Stage::Ended { at: now, talked: None, how: Ending::Failed(problem) };
    }

    /// A person answers it.
    pub(crate) fn answer(&mut self) {
        if self.rings_here() {
            self.stage = Stage::Answering;
        }
    }

    /// A person ends it.
    pub(crate) fn hang_up(&mut self) {
        if !self.is_over() {
            self.stage = Stage::Ending { since: self.since() };
        }
    }

    /// True while it waits for a person here.
    pub(crate) fn rings_here(&self) -> bool {
        self.incoming && matches!(self.stage, Stage::Ringing)
    }

    /// True once both sides are connected.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.stage, Stage::Connected { .. })
    }

    /// True once it has ended.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended { .. })
    }

    /// True while this side holds it.
    pub(crate) fn is_held(&self) -> bool {
        self.on_hold.us
    }

    fn is_being_placed(&self) -> bool {
        !self.incoming && matches!(self.stage, Stage::Dialling | Stage::EarlyMedia)
    }

    fn since(&self) -> Option<Duration> {
        match self.stage {
            Stage::Connected { since } => Some(since),
            Stage::Ending { since } => since,
            _ => None,
        }
    }

    /// How long both sides have been, or were, connected.
    pub(crate) fn talked(&self, now: Duration) -> Option<Duration> {
        match self.stage {
            Stage::Ended { talked, .. } => talked,
            _ => self.since().map(|since| now.saturating_sub(since)),
        }
    }

    /// How long ago it ended.
    pub(crate) fn over_since(&self, now: Duration) -> Option<Duration> {
        match self.stage {
            Stage::Ended { at, .. } => Some(now.saturating_sub(at)),
            _ => None,
        }
    }

    /// The name where there is one, else the address.
    pub(crate) fn who(&self) -> ScreenText {
        if self.name.is_empty() { self.address() } else { self.name.clone() }
    }

    /// The address without its scheme.
    pub(crate) fn address(&self) -> ScreenText {
        let text = self.party.as_str();
        ScreenText::of(text.strip_prefix("sip:").unwrap_or(text))
    }

    /// How far it is, in words.
    pub(crate) fn words(&self) -> ScreenText {
        if self.lost && !self.is_over() {
            return ScreenText::of("connection lost, reconnecting");
        }
        let word = match &self.stage {
            Stage::Dialling => "dialling",
            Stage::Ringing if self.incoming => "calls you",
            Stage::Ringing => "ringing",
            Stage::EarlyMedia => "early media",
            Stage::Answering => "answering",
            Stage::Connected { .. } => match (self.on_hold.us, self.on_hold.them) {
                (false, false) if self.is_muted => "connected, muted",
                (false, false) => "connected",
                (true, false) => "on hold (you)",
                (false, true) => "on hold (them)",
                (true, true) => "on hold (both)",
            },
            Stage::Ending { .. } => "ending",
            Stage::Ended { how: Ending::Missed, .. } => "missed",
            Stage::Ended { how: Ending::Wished(text), .. } => return text.clone(),
            Stage::Ended { how: Ending::Failed(problem), .. } => {
                return screen_text!("failed ({}): {}", problem.code, problem.sentence);
            }
        };
        ScreenText::of(word)
    }

    /// What can be done after it failed; empty else.
    pub(crate) fn hint(&self) -> ScreenText {
        match &self.stage {
            Stage::Ended { how: Ending::Failed(problem), .. } => problem.hint.clone(),
            _ => ScreenText::default(),
        }
    }

    /// The role in which it is drawn; the words say the same without colour.
    pub(crate) fn role(&self) -> Role {
        match &self.stage {
            _ if self.lost && !self.is_over() => Role::Warn,
            Stage::Connected { .. } if self.on_hold.us || self.on_hold.them => Role::Warn,
            Stage::Connected { .. } => Role::Good,
            Stage::Ringing if self.incoming => Role::Accent,
            Stage::Ended { how: Ending::Wished(_), .. } => Role::Dim,
            Stage::Ended { how: Ending::Missed, .. } => Role::Warn,
            Stage::Ended { how: Ending::Failed(_), .. } => Role::Bad,
            _ => Role::Busy,
        }
    }

    fn told(&self, severity: Severity, words: &str) -> Notification {
        Notification::plain(severity, screen_text!("{}: {words}", self.who()))
    }
}

/// How a call ended, as a person reads it; `unanswered` is one that came in and was not answered here.
fn ending(end: &CallEnd, unanswered: bool) -> Ending {
    let sentence = end.why.sentence();
    match &end.why {
        EndReason::AnsweredElsewhere => Ending::Wished(ScreenText::of("answered on another device")),
        EndReason::Declined if end.by == EndedBy::Us => Ending::Wished(ScreenText::of("declined")),
        _ if unanswered && end.by != EndedBy::Us => Ending::Missed,
        EndReason::HungUp => Ending::Wished(ScreenText::of(match end.by {
            EndedBy::Us => "ended by you",
            EndedBy::Peer => "ended by them",
            _ => "ended",
        })),
        EndReason::Cancelled => Ending::Wished(ScreenText::of("given up")),
        why => match why.code() {
            Some(_) if unanswered => Ending::Wished(ScreenText::of("declined")),
            Some(code) => Ending::Failed(Problem::new(code, &sentence, why.hint())),
            None => Ending::Wished(ScreenText::of(&sentence)),
        },
    }
}

/// Digits of the other side that are shown.
const DIGITS: usize = 32;
