//! The sound of one call: what is said of it in offers and answers, and what those come to.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use homing_core::call_event::CallEvent;
use homing_core::call_path::CallPath;
use homing_core::description::{Description, DescriptionQuestion, DescriptionRefusal, Turn};
use homing_core::ids::{Rng, Seed};
use homing_media::{Agreed, Codec, LocalAddress, Negotiation, Policy, Refusal, Tone};
use homing_net::rtp::{Lateness, RtpAddress, RtpPair};

use super::describer::SessionDescriber;
use crate::sound::{Audio, AudioControl, Opened, Playback, Sound, SoundConfig, SoundError, SoundEvents};

/// What all calls of a user agent share. The threads begin with the first call that needs them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SoundOfCalls(Arc<Mutex<Shared>>);

struct Shared {
    config: SoundConfig,
    seeds: Rng,
    sound: Option<Sound>,
}

/// The sound of one call. Cheap to clone; clones are one and the same. It describes the session of its call.
#[derive(Clone)]
pub(crate) struct CallSound(Arc<Mutex<State>>);

struct State {
    shared: SoundOfCalls,
    /// This side's ends; taken when the sound is opened.
    audio: Option<Audio>,
    path: Option<CallPath>,
    is_outgoing: bool,
    stage: Stage,
}

/// How far the sound of a call is.
enum Stage {
    /// Nothing was described yet.
    Fresh,
    Open(Box<Open>),
    /// The call is over, or its sound could not be opened.
    Closed,
}

struct Open {
    control: AudioControl,
    events: Option<SoundEvents>,
    playback: Option<Playback>,
    /// As it stood before the forks of the INVITE were told apart.
    first: Negotiation,
    /// The dialogs there are, by the number of the fork.
    forks: BTreeMap<u8, Negotiation>,
    /// What is in force.
    agreed: Option<Agreed>,
    /// Why an answer was none.
    unusable: Option<Refusal>,
}

/// What both sides agreed on, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SoundTerms {
    /// What is sent.
    pub codec: Codec,
    /// SRTP with keys by SDES (RFC 4568): nobody on the way of the sound hears it, and the servers on the way of the
    /// signalling know the keys.
    pub is_encrypted: bool,
    /// The other side takes digits (RFC 4733).
    pub takes_digits: bool,
}

/// What an event means for the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    GoesOn,
    /// It is answered, and the two agree on no sound.
    IsUnusable(Refusal),
}

impl SoundOfCalls {
    /// Without any thread yet.
    pub(crate) fn new(config: SoundConfig, seed: &Seed) -> Self {
        let seeds = seed.rng("sound of calls");
        Self(Arc::new(Mutex::new(Shared { config, seeds, sound: None })))
    }

    /// How late packets left after their slots since the first call, of all calls together.
    pub(crate) fn lateness(&self) -> Lateness {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.sound.as_ref().map_or_else(Lateness::none, Sound::lateness)
    }

    /// The sound of a call that begins.
    pub(crate) fn of_call(&self, audio: Audio, is_outgoing: bool) -> CallSound {
        let state =
            State { shared: self.clone(), audio: Some(audio), path: None, is_outgoing, stage: Stage::Fresh };
        CallSound(Arc::new(Mutex::new(state)))
    }

    /// Binds ports where the signalling is, and opens the sound there.
    fn open(&self, audio: Audio, path: &CallPath) -> Result<Open, SoundError> {
        let shared = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Shared { config, seeds, sound } = shared;
        let here = RtpAddress { bind: path.local.ip(), advertise: None };
        let address = config.address.unwrap_or(here);
        let sound = match sound {
            Some(sound) => sound,
            None => sound.insert(Sound::start(config.clone(), &seeds.fork())?),
        };
        let sockets = sound.bind(address, RtpPair::Two)?;
        let (ip, rtp_port) = (sockets.advertised().ip(), sockets.advertised().port());
        let rtcp_port = sockets.local_rtcp().map(|rtcp| rtcp.port());
        let local = LocalAddress { ip, rtp_port, rtcp_port };
        let policy = Policy { secure_signalling: path.is_proved, ..config.policy.clone() };
        let first = Negotiation::new(policy, local, &seeds.fork().0);
        let Opened { control, events, playback } = sound.open(sockets, audio)?;
        let forks = BTreeMap::new();
        let events = Some(events);
        Ok(Open { control, events, playback, first, forks, agreed: None, unusable: None })
    }
}

impl CallSound {
    /// What the call says and plays, if nothing was described yet.
    pub(crate) fn set_audio(&self, audio: Audio) {
        let mut state = self.state();
        if matches!(state.stage, Stage::Fresh) {
            state.audio = Some(audio);
        }
    }

    /// How the signalling travels; asked before each description.
    pub(crate) fn set_path(&self, path: Option<CallPath>) {
        let mut state = self.state();
        state.path = path.or(state.path);
    }

    /// Opens it now where that is possible, so that its holder has it from the beginning.
    pub(crate) fn open(&self) {
        let mut state = self.state();
        if state.path.is_some() {
            // What cannot be opened is told when it is to be described.
            let _ = state.opened();
        }
    }

    /// The sound, once it is open and until the call is over.
    pub(crate) fn control(&self) -> Option<AudioControl> {
        self.state().open().map(|open| open.control.clone())
    }

    /// The events, for the first who asks.
    pub(crate) fn events(&self) -> Option<SoundEvents> {
        self.state().open()?.events.take()
    }

    /// What [`Audio::File`] and [`Audio::Sine`] play, for the first who asks.
    pub(crate) fn playback(&self) -> Option<Playback> {
        self.state().open()?.playback.take()
    }

    /// What both sides agreed on; none before.
    pub(crate) fn terms(&self) -> Option<SoundTerms> {
        let mut state = self.state();
        let agreed = state.open()?.agreed.as_ref()?;
        Some(SoundTerms {
            codec: agreed.send.codec,
            is_encrypted: agreed.keys.is_some(),
            takes_digits: agreed.send_digits.is_some(),
        })
    }

    /// Takes what happened to the call.
    pub(crate) fn handle(&self, event: &CallEvent) -> Verdict {
        let mut state = self.state();
        let is_outgoing = state.is_outgoing;
        if matches!(event, CallEvent::Ended(_)) {
            if let Stage::Open(open) = std::mem::replace(&mut state.stage, Stage::Closed) {
                open.control.end();
            }
            return Verdict::GoesOn;
        }
        let Some(open) = state.open() else { return Verdict::GoesOn };
        match event {
            CallEvent::Described { fork, description, .. } => open.take(*fork, description),
            CallEvent::Progress { status: 180, .. } if is_outgoing => {
                // A thread that is gone, or has too much to do, plays no tone; the call goes on.
                let _ = open.control.tone(Some(Tone::Ringback));
            }
            CallEvent::Answered { fork } => return open.answered(*fork),
            CallEvent::Held(hold) => {
                // What was agreed on says the same.
                let _ = open.control.hold(*hold);
            }
            _ => {}
        }
        Verdict::GoesOn
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer_to(&self, question: &DescriptionQuestion) -> Result<Description, DescriptionRefusal> {
        let mut state = self.state();
        let open = state.opened()?;
        let negotiation = open.dialog(question.fork);
        let body = match &question.turn {
            Turn::Answer(offer) => {
                let answer = negotiation.answer(&offer.body, question.hold).map_err(|why| refused(&why))?;
                open.agree(answer.agreed);
                answer.body
            }
            _ => negotiation.offer(question.hold).map_err(|why| refused(&why))?,
        };
        Ok(Description::sdp(body))
    }
}

impl SessionDescriber for CallSound {
    fn describe(
        &self,
        question: &DescriptionQuestion,
    ) -> impl Future<Output = Result<Description, DescriptionRefusal>> + Send {
        let described: Ready<_> = ready(self.answer_to(question));
        described
    }
}

impl State {
    fn open(&mut self) -> Option<&mut Open> {
        match &mut self.stage {
            Stage::Open(open) => Some(open),
            Stage::Fresh | Stage::Closed => None,
        }
    }

    /// The sound, opened now if it was not before.
    fn opened(&mut self) -> Result<&mut Open, DescriptionRefusal> {
        if matches!(self.stage, Stage::Fresh) {
            let path = self.path.ok_or_else(no_sound)?;
            let audio = self.audio.take().unwrap_or(Audio::Silence);
            self.stage = match self.shared.open(audio, &path) {
                Ok(open) => Stage::Open(Box::new(open)),
                Err(error) => {
                    tracing::warn!(code = error.code(), %error, "the sound of a call cannot be opened");
                    Stage::Closed
                }
            };
        }
        self.open().ok_or_else(no_sound)
    }
}

impl Open {
    /// The offers and answers of one fork.
    fn dialog(&mut self, fork: u8) -> &mut Negotiation {
        // The offer of an INVITE is one for all its forks, and made before there are any.
        if self.forks.is_empty() && fork == 0 {
            return &mut self.first;
        }
        self.forks.entry(fork).or_insert_with(|| self.first.clone())
    }

    /// What the peer described: the answer to an offer of ours, or an offer, which comes as a question, too.
    fn take(&mut self, fork: u8, description: &Description) {
        let negotiation = self.forks.entry(fork).or_insert_with(|| self.first.clone());
        if !negotiation.awaits_answer() {
            return;
        }
        match negotiation.take_answer(&description.body) {
            Ok(agreed) => self.agree(agreed),
            // One fork of many may say what is none; it counts once that one has the call.
            Err(why) => self.unusable = Some(why),
        }
    }

    fn agree(&mut self, agreed: Agreed) {
        // A thread that is gone has told so already.
        let _ = self.control.agree(agreed.clone());
        self.agreed = Some(agreed);
    }

    /// The fork that answered has the call; what the others agreed on is past.
    fn answered(&mut self, fork: u8) -> Verdict {
        let won = self.forks.remove(&fork).unwrap_or_else(|| self.first.clone());
        let agreed = won.agreed().cloned();
        self.forks = BTreeMap::from([(fork, won)]);
        let Some(agreed) = agreed else {
            return Verdict::IsUnusable(self.unusable.clone().unwrap_or(Refusal::NoAudio));
        };
        if self.agreed.as_ref() != Some(&agreed) {
            self.agree(agreed);
        }
        // As above.
        let _ = self.control.tone(None);
        let _ = self.control.answered();
        Verdict::GoesOn
    }
}

/// What the peer reads; why it is so is ours to know.
fn no_sound() -> DescriptionRefusal {
    DescriptionRefusal::new(399, "no sound is at hand")
}

fn refused(why: &Refusal) -> DescriptionRefusal {
    DescriptionRefusal::new(why.warning(), why.to_string())
}

/// `PCMU, encrypted (keys known to the servers)`
impl fmt::Display for SoundTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if self.is_encrypted { "encrypted (keys known to the servers)" } else { "not encrypted" };
        write!(f, "{}, {words}", self.codec.name())
    }
}

impl fmt::Debug for SoundOfCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SoundOfCalls")
    }
}

impl fmt::Debug for CallSound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallSound")
    }
}
