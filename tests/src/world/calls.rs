//! Calls in the world: a person places and takes them, and a phone is told how to send sound.

use std::time::Duration;

use homing_core::agent::Agent;
use homing_core::call_event::{CallEvent, CallNotice};
use homing_core::call_request::CallRequest;
use homing_core::description::{Description, DescriptionQuestion, DescriptionRefusal, Turn};
use homing_core::error::Misuse;
use homing_core::ids::CallId;
use homing_core::outbox::Answer;
use homing_core::time::Now;
use homing_wire::sdp::{Direction, Media, Origin, Session};

use super::World;
use super::person::Habit;

impl World {
    /// A phone calls; none where it may not, which the ladder tells.
    pub fn call(&mut self, phone: usize, to: &str) -> Option<CallId> {
        let account = self.phones[phone].account;
        let request = CallRequest::new(format!("sip:{to}"));
        let mut placed = None;
        self.act(phone, &format!("calls {to}"), |agent, now| {
            placed = Some(agent.place_call(account, request, now)?);
            Ok(())
        });
        placed
    }

    /// A person does something with the phone's calls.
    pub fn act(
        &mut self,
        phone: usize,
        words: &str,
        deed: impl FnOnce(&mut Agent, Now) -> Result<(), Misuse>,
    ) {
        let now = self.instant(self.phones[phone].born);
        let name = self.phones[phone].name.clone();
        self.ladder.note(self.now(), &name, words);
        if let Err(misuse) = deed(&mut self.phones[phone].agent, now) {
            self.ladder.note(self.now(), &name, format!("not now: {misuse}"));
        }
        self.drain_phone(phone);
        self.check_rules();
    }

    /// A phone told something of a call: the person does what they do.
    pub(super) fn told_of_call(&mut self, phone: usize, notice: CallNotice) {
        let at = self.now();
        let name = self.phones[phone].name.clone();
        self.ladder.note(at, &name, format!("call {}: {}", notice.call.0, words(&notice.what)));
        let call = notice.call;
        if self.phones[phone].person.end(call).is_some() {
            self.fail("something was told of a call after its end");
        }
        if matches!(notice.what, CallEvent::Incoming(_)) {
            match self.phones[phone].person.habit {
                Habit::Ignores => {}
                Habit::Answers(after) => {
                    self.act_later(phone, Duration::ZERO, "rings", move |agent, now| {
                        agent.ring(call, false, now)
                    });
                    self.act_later(phone, after, "answers", move |agent, now| agent.answer(call, now));
                }
                Habit::Rejects(after, status) => {
                    self.act_later(phone, after, "refuses", move |agent, now| {
                        agent.reject(call, status, now)
                    });
                }
            }
        }
        self.phones[phone].person.told.push((at, notice));
    }

    /// The person acts later, unless the phone is another by then.
    pub fn act_later(
        &mut self,
        phone: usize,
        after: Duration,
        words: &'static str,
        deed: impl FnOnce(&mut Agent, Now) -> Result<(), Misuse> + 'static,
    ) {
        let life = self.phones[phone].life;
        self.at(self.now() + after, move |world| {
            if world.phones[phone].life == life {
                world.act(phone, words, deed);
            }
        });
    }

    /// What a phone answers when it is asked how to send sound.
    pub(super) fn describe(&mut self, phone: usize, question: &DescriptionQuestion) -> Answer {
        let person = &mut self.phones[phone].person;
        let (version, ip) = (person.next_version(), self.phones[phone].place.ip.to_string());
        let origin = Origin {
            user: "-",
            session: u64::from(question.call.0) + 1,
            version,
            network: "IN IP4",
            address: &ip,
        };
        let mut session = Session::new(&origin);
        match &question.turn {
            Turn::Answer(offer) => {
                let Ok(offer) = Session::parse(&offer.body) else {
                    return Answer::Described(Err(DescriptionRefusal::new(399, "cannot be read")));
                };
                for media in &offer.media {
                    let both = offer.direction_of(media).reversed();
                    session.media.push(audio(both, question.hold));
                }
            }
            _ => session.media.push(audio(Direction::SendRecv, question.hold)),
        }
        Answer::Described(Ok(Description::sdp(session.to_string())))
    }
}

fn audio(direction: Direction, hold: bool) -> Media<'static> {
    let mut media = Media::new("audio", 40_000, "RTP/AVP", "0 8 101");
    media.push_attribute("rtpmap", "101 telephone-event/8000");
    let direction = match (hold, direction.sends()) {
        (false, _) => direction,
        (true, true) => Direction::SendOnly,
        (true, false) => Direction::Inactive,
    };
    media.push_attribute(direction.as_str(), "");
    media
}

/// An event as one ladder line.
fn words(what: &CallEvent) -> String {
    match what {
        CallEvent::Incoming(caller) => format!("{} calls", caller.from),
        CallEvent::Described { fork, preview, .. } => format!("described by fork {fork}, preview {preview}"),
        CallEvent::Ended(end) => format!("ended by {:?}: {:?} {:?}", end.by, end.why, end.status),
        other => format!("{other:?}"),
    }
}
