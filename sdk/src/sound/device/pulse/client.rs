//! A call's conversation with the sound server: greeting, both streams, and the system's default devices.

use std::ffi::CString;
use std::time::Duration;

use bytes::Bytes;
use pulseaudio::protocol::{
    Command, ServerInfo, SubscriptionEvent, SubscriptionEventFacility, SubscriptionEventType,
    SubscriptionMask,
};

use super::super::choice::{DeviceDirection, Devices};
use super::super::error::DeviceError;
use super::super::rings::DeviceRings;
use super::address::Cookie;
use super::conversation::Conversation;
use super::frame::{Frame, Frames, Message, read};
use super::greeting::{Greeted, Greeting};
use super::outbound::{Asked, Outbound};
use super::stream::Stream;

/// One connection's worth of devices, without the connection: octets and time in, octets out.
pub(super) struct Client<'r> {
    rings: &'r mut DeviceRings,
    frames: Frames,
    out: Outbound,
    phase: Phase,
    input: Stream,
    output: Stream,
}

enum Phase {
    /// Only while one takes the place of another.
    Changing,
    Greeting(Greeting),
    Ready(Defaults),
}

/// Which devices are the system's.
#[derive(Default)]
struct Defaults {
    known: Option<Names>,
    asked: Option<Asked>,
    /// They may have changed since they were asked for.
    is_stale: bool,
    /// Not asked sooner than then.
    pause_until: Duration,
}

#[derive(Clone, PartialEq)]
struct Names {
    source: CString,
    sink: CString,
}

impl<'r> Client<'r> {
    pub(super) fn new(devices: &Devices, cookie: &Cookie, rings: &'r mut DeviceRings, now: Duration) -> Self {
        let mut out = Outbound::default();
        let phase = Phase::Greeting(Greeting::begin(cookie, &mut out, now));
        Self {
            rings,
            frames: Frames::default(),
            out,
            phase,
            input: Stream::new(DeviceDirection::Input, devices.input.clone()),
            output: Stream::new(DeviceDirection::Output, devices.output.clone()),
        }
    }

    /// The server let this program in.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready(_))
    }

    fn hear(&mut self, message: Message, now: Duration) -> Result<(), DeviceError> {
        match std::mem::replace(&mut self.phase, Phase::Changing) {
            Phase::Changing => Ok(()),
            Phase::Greeting(greeting) => {
                self.phase = match greeting.hear(message, &mut self.out, now)? {
                    Greeted::NotYet(greeting) => Phase::Greeting(greeting),
                    Greeted::Done => {
                        let mask = SubscriptionMask::SINK | SubscriptionMask::SOURCE;
                        self.out.ask(&Command::Subscribe(mask | SubscriptionMask::SERVER), now);
                        Phase::Ready(Defaults { is_stale: true, ..Defaults::default() })
                    }
                };
                Ok(())
            }
            Phase::Ready(mut defaults) => {
                let heard = self.hear_ready(message, &mut defaults, now);
                self.phase = Phase::Ready(defaults);
                heard
            }
        }
    }

    fn hear_ready(
        &mut self,
        message: Message,
        defaults: &mut Defaults,
        now: Duration,
    ) -> Result<(), DeviceError> {
        match message {
            Message::Reply { sequence, body } if defaults.awaits(sequence) => {
                self.hear_defaults(&body, defaults, now)?;
            }
            Message::Reply { sequence, body } => {
                let awaiting = [&mut self.input, &mut self.output];
                if let Some(stream) = awaiting.into_iter().find(|stream| stream.awaits(sequence)) {
                    stream.hear_created(&body, self.out.version, self.rings, now)?;
                }
            }
            Message::Error { sequence, code } => {
                if !self.input.hear_error(sequence, code, self.rings, now) {
                    self.output.hear_error(sequence, code, self.rings, now);
                }
            }
            Message::Event(event) => self.hear_event(*event, defaults, now),
            Message::Other => {}
        }
        Ok(())
    }

    fn hear_event(&mut self, event: Command, defaults: &mut Defaults, now: Duration) {
        let rings = &mut *self.rings;
        match event {
            Command::Request(request) => {
                self.output.hear_request(request.channel, request.length, rings, now)
            }
            Command::PlaybackStreamKilled(channel) => self.output.hear_killed(channel, rings, now),
            Command::RecordStreamKilled(channel) => self.input.hear_killed(channel, rings, now),
            Command::PlaybackStreamMoved(moved) => {
                self.output.hear_moved(moved.stream_index, moved.device_name, rings, now);
            }
            Command::RecordStreamMoved(moved) => {
                self.input.hear_moved(moved.stream_index, moved.device_name, rings, now);
            }
            Command::PlaybackStreamSuspended(told) => {
                self.output.hear_suspended(told.stream_index, told.suspended, rings, now);
            }
            Command::RecordStreamSuspended(told) => {
                self.input.hear_suspended(told.stream_index, told.suspended, rings, now);
            }
            Command::SubscribeEvent(event) => {
                defaults.is_stale = true;
                self.hear_device(event, now);
            }
            _ => {}
        }
    }

    fn hear_device(&mut self, event: SubscriptionEvent, now: Duration) {
        if event.event_type == SubscriptionEventType::Removed {
            return;
        }
        match event.event_facility {
            SubscriptionEventFacility::Sink => self.output.hear_device(now),
            SubscriptionEventFacility::Source => self.input.hear_device(now),
            _ => {}
        }
    }

    fn hear_defaults(
        &mut self,
        body: &Bytes,
        defaults: &mut Defaults,
        now: Duration,
    ) -> Result<(), DeviceError> {
        let info: ServerInfo = read(body, self.out.version)?;
        let names = Names {
            source: info.default_source_name.unwrap_or_default(),
            sink: info.default_sink_name.unwrap_or_default(),
        };
        defaults.asked = None;
        defaults.pause_until = now + PAUSE;
        if let Some(known) = defaults.known.replace(names.clone()) {
            if known.source != names.source {
                self.input.hear_default(&known.source, now);
            }
            if known.sink != names.sink {
                self.output.hear_default(&known.sink, now);
            }
        }
        Ok(())
    }
}

impl Conversation for Client<'_> {
    fn receive(&mut self, octets: &[u8], now: Duration) -> Result<(), DeviceError> {
        self.frames.push(octets);
        while let Some(frame) = self.frames.next()? {
            match frame {
                Frame::Control(octets) => self.hear(Message::read(&octets, self.out.version)?, now)?,
                Frame::Sound { channel, octets } => {
                    self.input.hear_sound(channel, &octets, self.rings, now);
                }
            }
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: Duration) -> Result<(), DeviceError> {
        match &mut self.phase {
            Phase::Changing => {}
            Phase::Greeting(greeting) if greeting.until() <= now => return Err(DeviceError::Mute),
            Phase::Greeting(_) => {}
            Phase::Ready(defaults) => {
                defaults.handle_timeout(&mut self.out, now)?;
                self.input.handle_timeout(&mut self.out, self.rings, now)?;
                self.output.handle_timeout(&mut self.out, self.rings, now)?;
                self.output.pump(&mut self.out, self.rings, now);
            }
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Changing => None,
            Phase::Greeting(greeting) => Some(greeting.until()),
            Phase::Ready(defaults) => {
                let streams = [self.input.deadline(), self.output.deadline()];
                streams.into_iter().flatten().chain(defaults.deadline()).min()
            }
        }
    }

    fn outbound(&mut self) -> &mut Outbound {
        &mut self.out
    }

    fn is_over(&self) -> bool {
        self.rings.is_over()
    }
}

impl Defaults {
    fn awaits(&self, sequence: u32) -> bool {
        self.asked.is_some_and(|asked| asked.sequence == sequence)
    }

    fn handle_timeout(&mut self, out: &mut Outbound, now: Duration) -> Result<(), DeviceError> {
        if self.asked.is_some_and(|asked| asked.until <= now) {
            return Err(DeviceError::Mute);
        }
        if self.asked.is_none() && self.is_stale && self.pause_until <= now {
            self.is_stale = false;
            self.asked = Some(out.ask(&Command::GetServerInfo, now));
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Duration> {
        match self.asked {
            Some(asked) => Some(asked.until),
            None => self.is_stale.then_some(self.pause_until),
        }
    }
}

/// However much a server tells, it is asked no more often.
const PAUSE: Duration = Duration::from_millis(100);
