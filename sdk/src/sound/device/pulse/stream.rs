//! One stream, from a microphone or to a loudspeaker: created, watched, and created again when it is lost.

use std::ffi::CString;
use std::time::Duration;

use bytes::Bytes;
use homing_media::SAMPLE_RATE;
use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    ChannelMap, Command, CreatePlaybackStreamReply, CreateRecordStreamReply, PlaybackStreamParams, Prop,
    Props, PulseError, RecordStreamParams, SampleFormat, SampleSpec,
};

use super::super::choice::{DeviceChoice, DeviceDirection};
use super::super::error::DeviceError;
use super::super::rings::DeviceRings;
use super::frame::read;
use super::outbound::{Asked, Outbound};

/// The stream of one direction, whatever becomes of it.
#[derive(Debug)]
pub(super) struct Stream {
    direction: DeviceDirection,
    choice: DeviceChoice,
    state: State,
    /// Attempts in a row that brought nothing that lasted.
    failures: u32,
    tried_at: Duration,
}

#[derive(Debug)]
enum State {
    /// To be created then, or sooner when a device appears.
    Waiting(Duration),
    Creating(Asked),
    Running(Running),
}

#[derive(Debug)]
struct Running {
    /// Names the stream on this connection, in sound and requests.
    channel: u32,
    /// Names the stream in what the server tells.
    index: u32,
    device: CString,
    /// It is there, and its sound is of no use.
    fault: Option<DeviceError>,
    /// When sound last moved.
    alive_at: Duration,
    since: Duration,
    /// Octets that the server asked for and has not got; below zero by the rest of a frame, as only whole ones are
    /// given: what it asks for may be less than one, and it may be waiting for just that to begin.
    credit: i64,
    /// The default went elsewhere, and by then the server should have moved the stream there by itself.
    follow: Option<Follow>,
}

#[derive(Debug)]
struct Follow {
    /// The stream is created anew if it is still there.
    from: CString,
    at: Duration,
}

/// What the server says of a stream that it created.
struct Created {
    channel: u32,
    index: u32,
    device: CString,
    credit: i64,
}

impl Stream {
    pub(super) fn new(direction: DeviceDirection, choice: DeviceChoice) -> Self {
        let state = State::Waiting(Duration::ZERO);
        Self { direction, choice, state, failures: 0, tried_at: Duration::ZERO }
    }

    /// What the server says of the stream that it was asked for.
    pub(super) fn hear_created(
        &mut self,
        body: &Bytes,
        version: u16,
        rings: &mut DeviceRings,
        now: Duration,
    ) -> Result<(), DeviceError> {
        let Created { channel, index, device, credit } = Created::read(self.direction, body, version)?;
        let fault = self.fault_of(&device);
        let (alive_at, since) = (now, now);
        let running = Running { channel, index, device, fault, alive_at, since, credit, follow: None };
        self.state = State::Running(running);
        self.tell(rings);
        Ok(())
    }

    /// Takes an error if it answers this stream's question.
    pub(super) fn hear_error(
        &mut self,
        sequence: u32,
        code: u32,
        rings: &mut DeviceRings,
        now: Duration,
    ) -> bool {
        let is_ours = self.awaits(sequence);
        if is_ours {
            let missing = code == PulseError::NoEntity as u32;
            self.lose(if missing { DeviceError::Missing } else { DeviceError::Denied }, rings, now);
        }
        is_ours
    }

    /// Sound of a microphone.
    pub(super) fn hear_sound(
        &mut self,
        channel: u32,
        octets: &Bytes,
        rings: &mut DeviceRings,
        now: Duration,
    ) {
        let is_input = self.direction == DeviceDirection::Input;
        let Some(running) = self.running(|running| running.channel == channel && is_input) else { return };
        running.alive_at = now;
        if running.fault.is_none() {
            rings.up(DeviceDirection::Input);
            let samples = octets.chunks_exact(2);
            rings.capture(samples.map(|two| two.try_into().map_or(0, i16::from_le_bytes)));
        }
    }

    /// The server wants so many octets more.
    pub(super) fn hear_request(&mut self, channel: u32, octets: u32, rings: &mut DeviceRings, now: Duration) {
        if let Some(running) = self.running(|running| running.channel == channel) {
            running.alive_at = now;
            running.credit = running.credit.saturating_add(octets.into()).min(MOST_CREDIT);
            if running.fault.is_none() {
                rings.up(DeviceDirection::Output);
            }
        }
    }

    pub(super) fn hear_killed(&mut self, channel: u32, rings: &mut DeviceRings, now: Duration) {
        if self.running(|running| running.channel == channel).is_some() {
            self.lose(DeviceError::Removed, rings, now);
        }
    }

    pub(super) fn hear_moved(&mut self, index: u32, device: CString, rings: &mut DeviceRings, now: Duration) {
        let fault = self.fault_of(&device);
        if let Some(running) = self.running(|running| running.index == index) {
            (running.device, running.fault, running.alive_at) = (device, fault, now);
            self.tell(rings);
        }
    }

    pub(super) fn hear_suspended(
        &mut self,
        index: u32,
        is_suspended: bool,
        rings: &mut DeviceRings,
        now: Duration,
    ) {
        let Some(running) = self.running(|running| running.index == index) else { return };
        let device = running.device.clone();
        let fault = if is_suspended { Some(DeviceError::Suspended) } else { self.fault_of(&device) };
        if let Some(running) = self.running(|_| true) {
            (running.fault, running.alive_at) = (fault, now);
        }
        self.tell(rings);
    }

    /// The system's default is another device now. The server moves the stream along, or soon has had time to.
    pub(super) fn hear_default(&mut self, from: &CString, now: Duration) {
        if self.choice == DeviceChoice::Default
            && let Some(running) = self.running(|running| running.device == *from)
        {
            running.follow = Some(Follow { from: from.clone(), at: now + MOVED });
        }
    }

    /// A device appeared: it may be the one that is missing.
    pub(super) fn hear_device(&mut self, now: Duration) {
        if let State::Waiting(at) = &mut self.state {
            *at = (*at).min(now.max(self.tried_at + SOONEST));
        }
    }

    /// Gives the server what it asked for, as far as there is any.
    pub(super) fn pump(&mut self, out: &mut Outbound, rings: &mut DeviceRings, now: Duration) {
        let State::Running(running) = &mut self.state else { return };
        if self.direction == DeviceDirection::Input {
            return;
        }
        while running.credit > 0
            && !out.is_full()
            && let Some(frame) = rings.hear()
        {
            out.sound(running.channel, &frame);
            running.credit -= i64::from(FRAGMENT);
        }
        // A server that still wants some has not come to a standstill.
        if running.credit > 0 {
            running.alive_at = now;
        }
    }

    /// # Errors
    /// `Mute` for a server that does not answer.
    pub(super) fn handle_timeout(
        &mut self,
        out: &mut Outbound,
        rings: &mut DeviceRings,
        now: Duration,
    ) -> Result<(), DeviceError> {
        match &mut self.state {
            State::Waiting(at) if *at <= now => self.create(out, now),
            State::Creating(asked) if asked.until <= now => return Err(DeviceError::Mute),
            State::Running(running) => {
                let is_still = running.fault.is_none() && running.alive_at + STILL <= now;
                let follow = running.follow.take_if(|follow| follow.at <= now);
                let is_left_behind = follow.is_some_and(|follow| follow.from == running.device);
                let channel = running.channel;
                if is_still {
                    self.delete(channel, out, now);
                    self.lose(DeviceError::Stalled, rings, now);
                } else if is_left_behind {
                    self.delete(channel, out, now);
                    self.create(out, now);
                }
            }
            State::Waiting(_) | State::Creating(_) => {}
        }
        Ok(())
    }

    /// None for a device with a fault: the server tells when that is over.
    pub(super) fn deadline(&self) -> Option<Duration> {
        match &self.state {
            State::Waiting(at) => Some(*at),
            State::Creating(asked) => Some(asked.until),
            State::Running(running) => {
                let still = running.fault.is_none().then(|| running.alive_at + STILL);
                still.into_iter().chain(running.follow.as_ref().map(|follow| follow.at)).min()
            }
        }
    }

    /// True for the answer to this stream's question.
    pub(super) fn awaits(&self, sequence: u32) -> bool {
        matches!(&self.state, State::Creating(asked) if asked.sequence == sequence)
    }

    fn running(&mut self, is_it: impl Fn(&Running) -> bool) -> Option<&mut Running> {
        match &mut self.state {
            State::Running(running) if is_it(running) => Some(running),
            _ => None,
        }
    }

    fn create(&mut self, out: &mut Outbound, now: Duration) {
        self.tried_at = now;
        let name = match &self.choice {
            DeviceChoice::Default => None,
            DeviceChoice::Named(name) => CString::new(name.as_str()).ok(),
        };
        let command = match self.direction {
            DeviceDirection::Input => Command::CreateRecordStream(record(name)),
            DeviceDirection::Output => Command::CreatePlaybackStream(playback(name)),
        };
        self.state = State::Creating(out.ask(&command, now));
    }

    fn delete(&self, channel: u32, out: &mut Outbound, now: Duration) {
        let command = match self.direction {
            DeviceDirection::Input => Command::DeleteRecordStream(channel),
            DeviceDirection::Output => Command::DeletePlaybackStream(channel),
        };
        // Nobody waits for the answer: what still comes of the stream is no stream's any more.
        out.ask(&command, now);
    }

    fn lose(&mut self, why: DeviceError, rings: &mut DeviceRings, now: Duration) {
        let lasted = matches!(&self.state, State::Running(running) if running.since + LASTING <= now);
        self.failures = if lasted { 0 } else { self.failures.saturating_add(1) };
        let pause = FIRST_RETRY.saturating_mul(1 << self.failures.min(5)).min(LAST_RETRY);
        self.state = State::Waiting(now + pause);
        rings.down(self.direction, why);
    }

    /// A microphone is up with its first sound, a loudspeaker once it was given some and wants more.
    fn tell(&mut self, rings: &mut DeviceRings) {
        let direction = self.direction;
        let Some(running) = self.running(|_| true) else { return };
        match running.fault {
            Some(why) => rings.down(direction, why),
            None if direction == DeviceDirection::Output => rings.try_output(),
            None => {}
        }
    }

    /// Where no device is left, a server plays into the void, and records what it plays. Nobody hears the one, and the
    /// other gives the other side its own voice back. Who names such a device wants it.
    fn fault_of(&self, device: &CString) -> Option<DeviceError> {
        if self.choice != DeviceChoice::Default {
            return None;
        }
        match self.direction {
            DeviceDirection::Input if device.to_bytes().ends_with(MONITOR) => Some(DeviceError::NoMicrophone),
            DeviceDirection::Output if device.to_bytes() == VOID => Some(DeviceError::Missing),
            _ => None,
        }
    }
}

impl Created {
    fn read(direction: DeviceDirection, body: &Bytes, version: u16) -> Result<Self, DeviceError> {
        Ok(match direction {
            DeviceDirection::Input => {
                let reply: CreateRecordStreamReply = read(body, version)?;
                let device = reply.sink_name.unwrap_or_default();
                Self { channel: reply.channel, index: reply.stream_index, device, credit: 0 }
            }
            DeviceDirection::Output => {
                let reply: CreatePlaybackStreamReply = read(body, version)?;
                let device = reply.sink_name.unwrap_or_default();
                let credit = i64::from(reply.requested_bytes).min(MOST_CREDIT);
                Self { channel: reply.channel, index: reply.stream_index, device, credit }
            }
        })
    }
}

fn record(name: Option<CString>) -> RecordStreamParams {
    RecordStreamParams {
        sample_spec: SPEC,
        channel_map: ChannelMap::mono(),
        flags: flags(name.is_some()),
        source_name: name,
        buffer_attr: BufferAttr { fragment_size: FRAGMENT, ..BufferAttr::default() },
        props: properties(),
        ..RecordStreamParams::default()
    }
}

fn playback(name: Option<CString>) -> PlaybackStreamParams {
    PlaybackStreamParams {
        sample_spec: SPEC,
        channel_map: ChannelMap::mono(),
        flags: flags(name.is_some()),
        sink_name: name,
        // Two frames at most wait in the server; it begins with one and a half, so that a frame may be 10 ms late.
        buffer_attr: BufferAttr {
            target_length: 2 * FRAGMENT,
            pre_buffering: FRAGMENT + FRAGMENT / 2,
            minimum_request_length: FRAGMENT / 2,
            ..BufferAttr::default()
        },
        props: properties(),
        ..PlaybackStreamParams::default()
    }
}

/// A device that was chosen by name is not exchanged for another: a headset that is unplugged must not become a
/// loudspeaker.
fn flags(is_named: bool) -> StreamFlags {
    StreamFlags { adjust_latency: true, no_move: is_named, ..StreamFlags::default() }
}

/// By its role a desktop knows that music is to be quiet and which profile a headset needs.
fn properties() -> Props {
    let mut properties = Props::new();
    properties.set(Prop::MediaName, c"Call");
    properties.set(Prop::MediaRole, c"phone");
    properties
}

const SPEC: SampleSpec = SampleSpec { format: SampleFormat::S16Le, channels: 1, sample_rate: SAMPLE_RATE };
/// A frame of 20 ms, in octets.
const FRAGMENT: u32 = SAMPLE_RATE / 50 * 2;
const MONITOR: &[u8] = b".monitor";
/// The sink that PulseAudio and PipeWire put where there is none.
const VOID: &[u8] = b"auto_null";
/// A second and more: a server that asks for so much has been asleep.
const MOST_CREDIT: i64 = 64 << 10;
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(16);
/// However many devices appear, a stream is not tried more often.
const SOONEST: Duration = Duration::from_millis(500);
/// A stream that lasted so long did not fail at once.
const LASTING: Duration = Duration::from_secs(5);
/// Headsets without a wire take up to three seconds to wake up.
const STILL: Duration = Duration::from_secs(4);
/// What a server needs to move its streams to a new default.
const MOVED: Duration = Duration::from_millis(500);
