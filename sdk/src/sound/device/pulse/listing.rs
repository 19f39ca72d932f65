//! A conversation that only asks which devices there are.

use std::ffi::CStr;
use std::time::Duration;

use pulseaudio::protocol::{Command, ServerInfo, SinkInfo, SinkState, SourceInfo, SourceState};

use super::super::choice::{Device, DeviceDirection, DeviceState};
use super::super::error::DeviceError;
use super::address::Cookie;
use super::conversation::Conversation;
use super::frame::{Frame, Frames, Message, read};
use super::greeting::{Greeted, Greeting};
use super::outbound::{Asked, Outbound};

/// Asks for the system's defaults, then for both lists.
pub(super) struct Listing {
    frames: Frames,
    out: Outbound,
    phase: Phase,
    /// All of it, not only each answer, is to come by then.
    until: Duration,
}

enum Phase {
    Changing,
    Greeting(Greeting),
    Defaults(Asked),
    Sinks(Asked, ServerInfo),
    Sources(Asked, ServerInfo, Vec<Device>),
    Over(Vec<Device>),
}

impl Listing {
    pub(super) fn new(cookie: &Cookie, now: Duration) -> Self {
        let mut out = Outbound::default();
        let phase = Phase::Greeting(Greeting::begin(cookie, &mut out, now));
        Self { frames: Frames::default(), out, phase, until: now + LISTED }
    }

    /// Outputs first, each direction in the server's order.
    pub(super) fn into_devices(self) -> Vec<Device> {
        match self.phase {
            Phase::Over(devices) => devices,
            _ => Vec::new(),
        }
    }

    fn hear(&mut self, message: Message, now: Duration) -> Result<(), DeviceError> {
        let phase = std::mem::replace(&mut self.phase, Phase::Changing);
        if let (Some(asked), Message::Error { sequence, .. }) = (phase.asked(), &message)
            && asked.sequence == *sequence
        {
            return Err(DeviceError::Refused);
        }
        let version = self.out.version;
        self.phase = match (phase, message) {
            (Phase::Greeting(greeting), message) => match greeting.hear(message, &mut self.out, now)? {
                Greeted::NotYet(greeting) => Phase::Greeting(greeting),
                Greeted::Done => Phase::Defaults(self.out.ask(&Command::GetServerInfo, now)),
            },
            (Phase::Defaults(asked), Message::Reply { sequence, body }) if sequence == asked.sequence => {
                let info = read(&body, version)?;
                Phase::Sinks(self.out.ask(&Command::GetSinkInfoList, now), info)
            }
            (Phase::Sinks(asked, info), Message::Reply { sequence, body }) if sequence == asked.sequence => {
                let default = info.default_sink_name.as_deref();
                let sinks: Vec<SinkInfo> = read(&body, version)?;
                let sinks = sinks.iter().map(|sink| of_sink(sink, default)).collect();
                Phase::Sources(self.out.ask(&Command::GetSourceInfoList, now), info, sinks)
            }
            (Phase::Sources(asked, info, mut devices), Message::Reply { sequence, body })
                if sequence == asked.sequence =>
            {
                let default = info.default_source_name.as_deref();
                let sources: Vec<SourceInfo> = read(&body, version)?;
                devices.extend(sources.iter().map(|source| of_source(source, default)));
                Phase::Over(devices)
            }
            (phase, _) => phase,
        };
        Ok(())
    }
}

impl Phase {
    fn asked(&self) -> Option<Asked> {
        match self {
            Phase::Defaults(asked) | Phase::Sinks(asked, _) | Phase::Sources(asked, ..) => Some(*asked),
            Phase::Changing | Phase::Greeting(_) | Phase::Over(_) => None,
        }
    }
}

impl Conversation for Listing {
    fn receive(&mut self, octets: &[u8], now: Duration) -> Result<(), DeviceError> {
        self.frames.push(octets);
        while let Some(frame) = self.frames.next()? {
            if let Frame::Control(octets) = frame {
                self.hear(Message::read(&octets, self.out.version)?, now)?;
            }
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: Duration) -> Result<(), DeviceError> {
        if self.until <= now && !self.is_over() { Err(DeviceError::Mute) } else { Ok(()) }
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.until)
    }

    fn outbound(&mut self) -> &mut Outbound {
        &mut self.out
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }
}

fn of_sink(sink: &SinkInfo, default: Option<&CStr>) -> Device {
    let state = match sink.state {
        SinkState::Running => DeviceState::Running,
        SinkState::Idle => DeviceState::Idle,
        SinkState::Suspended => DeviceState::Suspended,
    };
    Device {
        name: text(&sink.name),
        description: text(sink.description.as_ref().unwrap_or(&sink.name)),
        direction: DeviceDirection::Output,
        is_default: default == Some(sink.name.as_c_str()),
        monitor_of: None,
        is_muted: sink.muted,
        state,
    }
}

fn of_source(source: &SourceInfo, default: Option<&CStr>) -> Device {
    let state = match source.state {
        SourceState::Running => DeviceState::Running,
        SourceState::Idle => DeviceState::Idle,
        SourceState::Suspended => DeviceState::Suspended,
    };
    Device {
        name: text(&source.name),
        description: text(source.description.as_ref().unwrap_or(&source.name)),
        direction: DeviceDirection::Input,
        is_default: default == Some(source.name.as_c_str()),
        monitor_of: source.monitor_of_sink_name.as_deref().map(text),
        is_muted: source.muted,
        state,
    }
}

fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

const LISTED: Duration = Duration::from_secs(4);
