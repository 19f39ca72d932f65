//! The sound of one call on the paced thread: a session, joined with what is said and what becomes of what is heard.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use homing_core::time::Moment;
use homing_media::{FRAME, PacketKind, Session, SessionEvent};
use homing_net::rtp::{Component, PacketMachine, SLOT, Transmit};
use tokio::sync::oneshot;

use super::backend::Adapted;
use super::command::{Command, Dialling, PlaybackEnd, Playing, Tape};
use super::error::SoundError;
use super::event::{SoundEvent, SoundStats};
use super::feed::Fed;
use super::outlet::BothSides;

/// Where the last reading of the numbers stands.
pub(super) type Numbers = Arc<Mutex<SoundStats>>;

/// What the paced thread drives for a call.
pub(super) struct SoundMachine {
    session: Session,
    backend: Adapted,
    /// What happens to the devices, where the backend is some.
    devices: Option<rtrb::Consumer<SoundEvent>>,
    /// Nothing is said before the call is answered.
    is_answered: bool,
    is_muted: bool,
    playing: Option<Played>,
    /// The next one starts where the last one ended.
    tape: Option<Tape>,
    /// Whoever waits until all digits are sent; at most as many as commands.
    dialling: Vec<oneshot::Sender<Result<(), SoundError>>>,
    late: Late,
    events: VecDeque<SoundEvent>,
    stats: SoundStats,
    numbers: Numbers,
    read_at: Moment,
}

/// A source while it is played.
struct Played {
    playing: Playing,
    frames: u32,
}

/// How many slots in a row went without what was to be said.
#[derive(Default)]
struct Late {
    slots: u32,
}

impl SoundMachine {
    pub(super) fn new(session: Session, backend: Adapted, numbers: Numbers) -> Self {
        Self {
            session,
            backend,
            devices: None,
            is_answered: false,
            is_muted: false,
            playing: None,
            tape: None,
            dialling: Vec::with_capacity(MOST_DIALLING),
            late: Late::default(),
            events: VecDeque::with_capacity(MOST_EVENTS),
            stats: SoundStats::default(),
            numbers,
            read_at: Moment::default(),
        }
    }

    /// Tells what happens to its devices, too.
    pub(super) fn with_devices(mut self, devices: Option<rtrb::Consumer<SoundEvent>>) -> Self {
        self.devices = devices;
        self
    }

    /// What is to be said in this slot. The backend is asked in any case, so that a device does not run over.
    fn said(&mut self) -> [i16; FRAME] {
        let (mut frame, mut is_late) = match self.backend.capture() {
            Ok(captured) => (captured.frame, captured.is_short),
            Err(_) => {
                self.tell(SoundEvent::BackendFailed);
                ([0; FRAME], false)
            }
        };
        if !self.is_answered {
            return [0; FRAME];
        }
        if let Some(played) = &mut self.playing {
            let fed = played.playing.feed.next();
            is_late = fed == Fed::Late;
            match fed {
                Fed::Frame(given) => {
                    played.frames = played.frames.saturating_add(1);
                    frame = given;
                }
                Fed::Late | Fed::NotYet => frame = [0; FRAME],
                Fed::Ended(how) => self.end_playback(how.map(|()| PlaybackEnd::Completed)),
            }
        }
        self.note_late(is_late);
        frame
    }

    fn note_late(&mut self, is_late: bool) {
        if !is_late {
            self.late.slots = 0;
            return;
        }
        self.stats.late_frames += 1;
        self.late.slots = self.late.slots.saturating_add(1);
        // A frame or two is what a busy machine costs; more is a source that fails.
        if self.late.slots == LATE_SLOTS {
            self.tell(SoundEvent::SourceLate);
        }
    }

    fn end_playback(&mut self, how: Result<PlaybackEnd, SoundError>) {
        if let Some(played) = self.playing.take() {
            // Nobody may wait for it.
            let _ = played.playing.done.send(how);
        }
    }

    fn interrupt(&mut self) {
        let frames = self.playing.as_ref().map_or(0, |played| played.frames);
        self.end_playback(Ok(PlaybackEnd::Interrupted { after: SLOT.saturating_mul(frames) }));
    }

    fn record(&mut self, both: BothSides) {
        let Some(tape) = &mut self.tape else { return };
        let lost = tape.outlet.lost();
        let goes_on = tape.outlet.push(both);
        self.stats.unrecorded_frames += tape.outlet.lost() - lost;
        if !goes_on {
            self.tape = None;
            self.tell(SoundEvent::RecordingFailed);
        }
    }

    fn dial(&mut self, dialling: Dialling) {
        let Dialling { digits, done } = dialling;
        let refused = match self.session.send_digits(&digits) {
            Ok(()) if self.dialling.len() < MOST_DIALLING => return self.dialling.push(done),
            // They are sent; that nobody is told so is all there is room for.
            Ok(()) => SoundError::Busy,
            Err(error) => SoundError::Digits(error),
        };
        let _ = done.send(Err(refused));
    }

    fn take_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            if event == SessionEvent::DigitsSent {
                self.dialling.drain(..).for_each(|done| drop(done.send(Ok(()))));
            }
            if let Some(event) = SoundEvent::of(event) {
                self.tell(event);
            }
        }
        while let Some(Ok(event)) = self.devices.as_mut().map(rtrb::Consumer::pop) {
            self.tell(event);
        }
    }

    fn tell(&mut self, event: SoundEvent) {
        if self.events.len() < MOST_EVENTS {
            self.events.push_back(event);
        } else {
            self.stats.events_lost += 1;
        }
    }

    /// Once a second; a reader that holds the numbers this instant gets them a slot later.
    fn publish(&mut self, now: Moment) {
        if now.since(self.read_at) < PUBLISHED {
            return;
        }
        if let Ok(mut numbers) = self.numbers.try_lock() {
            self.stats.session = self.session.statistics(now.0);
            *numbers = self.stats;
            self.read_at = now;
        }
    }
}

impl PacketMachine for SoundMachine {
    type Command = Command;
    type Report = SoundEvent;

    fn handle_packet(&mut self, component: Component, packet: &mut [u8], from: SocketAddr, now: Moment) {
        match component {
            Component::Rtp => self.session.handle_rtp(packet, from, now.0),
            Component::Rtcp => self.session.handle_rtcp(packet, from, now.0),
        }
        self.take_events();
    }

    fn handle_command(&mut self, command: Command, now: Moment) {
        match command {
            Command::Agree(agreed) => self.session.agree(&agreed, now.0),
            Command::Answered => self.is_answered = true,
            Command::Hold(is_held) => self.session.hold(is_held),
            Command::Mute(is_muted) => {
                self.is_muted = is_muted;
                self.session.mute(is_muted);
            }
            Command::Tone(tone) => self.session.play_tone(tone),
            Command::Play(playing) => {
                self.interrupt();
                self.playing = Some(Played { playing, frames: 0 });
            }
            Command::Stop(id) => {
                if self.playing.as_ref().is_some_and(|played| played.playing.id == id) {
                    self.interrupt();
                }
            }
            Command::Record(tape) => self.tape = Some(tape),
            Command::StopRecording(id) => {
                self.tape.take_if(|tape| tape.id == id);
            }
            Command::Digits(dialling) => self.dial(dialling),
            Command::Flush => {
                if let Some(played) = &mut self.playing {
                    played.playing.feed.flush();
                }
                if self.backend.flush().is_err() {
                    self.tell(SoundEvent::BackendFailed);
                }
            }
        }
    }

    fn handle_slot(&mut self, _: u64, now: Moment) {
        self.session.handle_timeout(now.0);
        let said = self.said();
        self.session.capture(&said, now.0);
        let mut heard = [0; FRAME];
        self.session.play(&mut heard, now.0);
        if self.backend.play(&heard).is_err() {
            self.tell(SoundEvent::BackendFailed);
        }
        let said = if self.is_muted { [0; FRAME] } else { said };
        self.record(BothSides { said, heard });
        self.take_events();
        self.publish(now);
    }

    fn handle_stop(&mut self, now: Moment) {
        self.interrupt();
        self.tape = None;
        self.dialling.drain(..).for_each(|done| drop(done.send(Err(SoundError::Over))));
        self.session.close(now.0);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8], _: Moment) -> Option<Transmit> {
        let packet = self.session.poll_output(buffer)?;
        let component = match packet.kind {
            PacketKind::Rtp => Component::Rtp,
            PacketKind::Rtcp => Component::Rtcp,
        };
        Some(Transmit { component, to: packet.to, length: packet.length })
    }

    fn poll_report(&mut self) -> Option<SoundEvent> {
        self.events.pop_front()
    }
}

/// Half of them wait here, as many in the ring.
const MOST_EVENTS: usize = 64;
const MOST_DIALLING: usize = 16;
/// 100 ms.
const LATE_SLOTS: u32 = 5;
const PUBLISHED: Duration = Duration::from_secs(1);
