//! A sound server as a script has it: it answers octets with octets, and its devices come and go.

use std::ffi::CString;
use std::mem;

use pulseaudio::protocol::{
    AuthReply, Command, CommandReply, CreatePlaybackStreamReply, CreateRecordStreamReply,
    PlaybackStreamMovedParams, PulseError, Request, ServerInfo, SinkInfo, SourceInfo, StreamSuspendedParams,
    SubscriptionEvent, SubscriptionEventFacility, SubscriptionEventType, write_command_message, write_error,
    write_memblock, write_reply_message,
};

use crate::sound::device::pulse::frame::{Frame, Frames};
use crate::sound::device::pulse::outbound::VERSION;

/// What the server knows and did.
#[derive(Debug)]
pub(super) struct Server {
    frames: Frames,
    /// What it says next.
    pub(super) out: Vec<u8>,
    pub(super) sinks: Vec<&'static str>,
    pub(super) sources: Vec<&'static str>,
    pub(super) playback: Option<Connected>,
    pub(super) record: Option<Connected>,
    /// All samples that came.
    pub(super) played: Vec<i16>,
    /// All that it was asked.
    pub(super) asked: Vec<Command>,
    /// Answers none of these.
    pub(super) ignores: fn(&Command) -> bool,
    pub(super) refuses: bool,
    channels: u32,
}

/// A stream of a client.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Connected {
    pub(super) channel: u32,
    pub(super) device: &'static str,
    /// How much had been played before it.
    since: usize,
}

impl Server {
    /// The first device of each list is the default.
    pub(super) fn new(sinks: &[&'static str], sources: &[&'static str]) -> Self {
        Self {
            frames: Frames::default(),
            out: Vec::new(),
            sinks: sinks.to_vec(),
            sources: sources.to_vec(),
            playback: None,
            record: None,
            played: Vec::new(),
            asked: Vec::new(),
            ignores: |_| false,
            refuses: false,
            channels: 0,
        }
    }

    pub(super) fn hear(&mut self, octets: &[u8]) {
        self.frames.push(octets);
        while let Some(frame) = self.frames.next().unwrap() {
            match frame {
                Frame::Control(octets) => {
                    let (sequence, command) =
                        Command::read_tag_prefixed(&mut octets.as_ref(), VERSION).unwrap();
                    self.asked.push(command.clone());
                    if !(self.ignores)(&command) {
                        self.answer(sequence, command);
                    }
                }
                Frame::Sound { octets, .. } => {
                    let samples = octets.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
                    self.played.extend(samples);
                }
            }
        }
    }

    fn answer(&mut self, sequence: u32, command: Command) {
        match command {
            Command::Auth(_) if self.refuses => self.refuse(sequence, PulseError::AccessDenied),
            Command::Auth(_) => {
                self.reply(sequence, &AuthReply { version: 35, ..AuthReply::default() });
            }
            Command::GetServerInfo => {
                let info = ServerInfo {
                    default_sink_name: self.sinks.first().map(|name| c_string(name)),
                    default_source_name: self.sources.first().map(|name| c_string(name)),
                    ..ServerInfo::default()
                };
                self.reply(sequence, &info);
            }
            Command::GetSinkInfoList => {
                let sinks =
                    self.sinks.iter().map(|name| SinkInfo { name: c_string(name), ..SinkInfo::new_dummy(1) });
                self.reply(sequence, &sinks.collect::<Vec<_>>());
            }
            Command::GetSourceInfoList => {
                let source = |name: &&str| SourceInfo {
                    name: c_string(name),
                    description: Some(c_string("A microphone")),
                    monitor_of_sink_name: name.strip_suffix(".monitor").map(c_string),
                    ..SourceInfo::default()
                };
                self.reply(sequence, &self.sources.iter().map(source).collect::<Vec<_>>());
            }
            Command::CreatePlaybackStream(wanted) => self.create_playback(sequence, wanted.sink_name),
            Command::CreateRecordStream(wanted) => self.create_record(sequence, wanted.source_name),
            Command::DeletePlaybackStream(channel) => {
                self.playback.take_if(|stream| stream.channel == channel);
            }
            Command::DeleteRecordStream(channel) => {
                self.record.take_if(|stream| stream.channel == channel);
            }
            _ => self.reply(sequence, &AuthReply::default()),
        }
    }

    fn create_playback(&mut self, sequence: u32, name: Option<CString>) {
        let Some(stream) = self.connect(&self.sinks.clone(), name) else {
            return self.refuse(sequence, PulseError::NoEntity);
        };
        let reply = CreatePlaybackStreamReply {
            channel: stream.channel,
            stream_index: stream.channel,
            // What PulseAudio asks for of two frames, having kept a part of them for its device.
            requested_bytes: 480,
            sink_name: Some(c_string(stream.device)),
            ..CreatePlaybackStreamReply::default()
        };
        self.reply(sequence, &reply);
        self.playback = Some(stream);
    }

    fn create_record(&mut self, sequence: u32, name: Option<CString>) {
        let Some(stream) = self.connect(&self.sources.clone(), name) else {
            return self.refuse(sequence, PulseError::NoEntity);
        };
        let reply = CreateRecordStreamReply {
            channel: stream.channel,
            stream_index: stream.channel,
            sink_name: Some(c_string(stream.device)),
            ..CreateRecordStreamReply::default()
        };
        self.reply(sequence, &reply);
        self.record = Some(stream);
    }

    fn connect(&mut self, devices: &[&'static str], name: Option<CString>) -> Option<Connected> {
        let device = match name {
            Some(name) => devices.iter().find(|device| device.as_bytes() == name.as_bytes())?,
            None => devices.first()?,
        };
        self.channels += 1;
        Some(Connected { channel: self.channels, device, since: self.played.len() })
    }

    fn reply<T: CommandReply>(&mut self, sequence: u32, reply: &T) {
        write_reply_message(&mut self.out, sequence, reply, VERSION).unwrap();
    }

    fn refuse(&mut self, sequence: u32, error: PulseError) {
        write_error(&mut self.out, sequence, &error).unwrap();
    }

    pub(super) fn tell(&mut self, event: &Command) {
        write_command_message(&mut self.out, u32::MAX, event, VERSION).unwrap();
    }

    /// 20 ms go by: the loudspeaker wants more, and the microphone gave some.
    pub(super) fn tick(&mut self, sample: i16) {
        // It begins with one and a half frames, as it was asked to.
        if let Some(stream) = &self.playback
            && self.played.len() - stream.since >= 240
        {
            let request = Request { channel: stream.channel, length: 320 };
            self.tell(&Command::Request(request));
        }
        if let Some(stream) = &self.record {
            let octets: Vec<u8> = (0..160).flat_map(|_| sample.to_le_bytes()).collect();
            write_memblock(&mut self.out, stream.channel, &octets, 0).unwrap();
        }
    }

    /// Says that the list of sinks changed.
    pub(super) fn tell_change(&mut self, facility: SubscriptionEventFacility) {
        let event_type = SubscriptionEventType::New;
        let event = SubscriptionEvent { event_facility: facility, event_type, index: Some(0) };
        self.tell(&Command::SubscribeEvent(event));
    }

    /// Takes both devices away, and the streams with them.
    pub(super) fn unplug(&mut self) {
        let (playback, record) = (self.playback.take(), self.record.take());
        (self.sinks, self.sources) = (Vec::new(), Vec::new());
        if let Some(stream) = playback {
            self.tell(&Command::PlaybackStreamKilled(stream.channel));
        }
        if let Some(stream) = record {
            self.tell(&Command::RecordStreamKilled(stream.channel));
        }
    }

    pub(super) fn plug(&mut self, sink: &'static str, source: &'static str) {
        (self.sinks, self.sources) = (vec![sink], vec![source]);
        self.tell_change(SubscriptionEventFacility::Sink);
        self.tell_change(SubscriptionEventFacility::Source);
    }

    pub(super) fn move_playback(&mut self, device: &'static str) {
        let stream = self.playback.as_mut().unwrap();
        stream.device = device;
        let moved = PlaybackStreamMovedParams {
            stream_index: stream.channel,
            device_index: 9,
            device_name: c_string(device),
            device_suspended: false,
            buffer_attr: pulseaudio::protocol::stream::BufferAttr::default(),
            configured_sink_latency: 0,
        };
        self.tell(&Command::PlaybackStreamMoved(moved));
    }

    pub(super) fn suspend_playback(&mut self, suspended: bool) {
        let stream_index = self.playback.as_ref().unwrap().channel;
        self.tell(&Command::PlaybackStreamSuspended(StreamSuspendedParams { stream_index, suspended }));
    }

    /// How often it was asked so.
    pub(super) fn count(&self, is_it: fn(&Command) -> bool) -> usize {
        self.asked.iter().filter(|command| is_it(command)).count()
    }

    pub(super) fn take_out(&mut self) -> Vec<u8> {
        mem::take(&mut self.out)
    }
}

fn c_string(name: &str) -> CString {
    CString::new(name).unwrap()
}
