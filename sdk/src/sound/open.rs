//! The sound of all calls of a program: its ports, its paced threads, and how a call gets its share.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use homing_core::ids::{Rng, Seed};
use homing_media::{Policy, Session, Setup};
use homing_net::rtp::{
    Driven, Lateness, PacedConfig, PacedThreads, PortRange, Reports, RtpAddress, RtpPair, RtpPorts,
    RtpSockets,
};

use super::audio::Audio;
use super::backend::{Adapted, AudioBackend, Null};
use super::control::{AudioControl, Playback};
use super::device::{self, DeviceEnds};
use super::error::SoundError;
use super::event::SoundEvent;
use super::machine::{Numbers, SoundMachine};
use super::pipe::Pipe;
use super::source::Source;
use super::workers::Workers;

/// Bounds of the sound of all calls.
#[derive(Clone, Debug)]
pub struct SoundConfig {
    /// Ports of RTP and RTCP.
    pub ports: PortRange,
    /// Threads that carry packets; one carries hundreds of calls.
    pub threads: usize,
    /// Calls with sound on each thread.
    pub calls: usize,
    /// Files and pipes that are read and written at the same time, each by a thread of its own.
    pub files: usize,
    /// Where sound is received. None takes the address of each call's signalling, which fits unless a NAT lies between
    /// that lets sound through elsewhere.
    pub address: Option<RtpAddress>,
    /// What may be spoken, and whether it is encrypted. Whether the signalling may carry keys is found out for each call.
    pub policy: Policy,
    /// Where the time of all calls begins; that of the signalling beside them, so that their moments compare.
    pub origin: Instant,
}

/// The sound of all calls of a user agent.
///
/// A call gets its ports when its description is written, and its sound at once: before anything is agreed it hears
/// tones only.
pub(crate) struct Sound {
    threads: PacedThreads,
    ports: RtpPorts,
    seeds: Rng,
    workers: Workers,
}

/// The sound of a call that was just opened.
#[derive(Debug)]
pub(crate) struct Opened {
    /// To be kept as long as the call.
    pub(crate) control: AudioControl,
    /// What happens in it, in order and each once.
    pub(crate) events: SoundEvents,
    /// What [`Audio::File`] and [`Audio::Sine`] play; none for others.
    pub(crate) playback: Option<Playback>,
}

/// Reads what happens in the sound of one call. Up to 128 events wait; what comes then is counted.
#[derive(Debug)]
pub struct SoundEvents(Reports<SoundEvent>);

impl SoundConfig {
    /// Ports 16384 to 32767, one thread for a thousand calls, 256 files, G.711, encryption where it can be had.
    pub fn new(origin: Instant) -> Self {
        let (ports, policy) = (PortRange::default(), Policy::default());
        Self { ports, threads: 1, calls: 1_000, files: 256, address: None, policy, origin }
    }
}

impl Sound {
    /// Starts the threads; without a call they sleep. Ports, SSRCs and all else that is random come from `seed`.
    ///
    /// # Errors
    /// [`SoundError::Socket`] when the system gives no thread.
    pub(crate) fn start(config: SoundConfig, seed: &Seed) -> Result<Self, SoundError> {
        let SoundConfig { ports, threads, calls, files, origin, .. } = config;
        let paced = PacedConfig { threads, machines: calls, ..PacedConfig::new(origin) };
        Ok(Self {
            threads: PacedThreads::start(paced)?,
            ports: RtpPorts::new(ports, &seed.stream("sound ports", &[])),
            seeds: seed.rng("sound sessions"),
            workers: Workers::new(files),
        })
    }

    /// Binds the ports of a call, for its description to name.
    ///
    /// # Errors
    /// [`SoundError::Socket`] when the range is exhausted or the address is none of this machine's.
    pub(crate) fn bind(&mut self, address: RtpAddress, pair: RtpPair) -> Result<RtpSockets, SoundError> {
        Ok(self.ports.bind(address, pair)?)
    }

    /// Opens the sound of a call by its sockets.
    ///
    /// # Errors
    /// [`SoundError::Rate`] for a backend or pipes at a rate that no sound has, [`SoundError::TooMany`] and
    /// [`SoundError::Thread`] for pipes and devices, [`SoundError::Socket`] when the threads have as many calls as they may. A file
    /// that cannot be read is told by the playback.
    pub(crate) fn open(&mut self, sockets: RtpSockets, audio: Audio) -> Result<Opened, SoundError> {
        let mut source = None;
        let mut devices = None;
        let backend: Box<dyn AudioBackend> = match audio {
            Audio::Silence => Box::new(Null),
            Audio::File { path, repeat } => {
                source = Some(Source::File { path, repeat });
                Box::new(Null)
            }
            Audio::Sine(sine) => {
                source = Some(Source::Sine(sine));
                Box::new(Null)
            }
            Audio::Pcm { reader, writer, rate } => Box::new(Pipe::open(reader, writer, rate, &self.workers)?),
            Audio::Devices(chosen) => {
                let DeviceEnds { backend, events } = device::open(chosen, &self.workers)?;
                devices = Some(events);
                backend
            }
            Audio::Custom(backend) => backend,
        };
        let setup = Setup::new(self.seeds.fork().0);
        let session = Session::new(&setup);
        let numbers = Numbers::default();
        let machine =
            SoundMachine::new(session, Adapted::new(backend)?, Arc::clone(&numbers)).with_devices(devices);
        let Driven { commands, reports, packets } = self.threads.add(sockets, machine)?;
        let control = AudioControl::new(commands, numbers, packets, self.workers.clone());
        let playback = source.map(|source| control.play(source));
        Ok(Opened { control, events: SoundEvents(reports), playback })
    }

    /// How many calls have sound now.
    pub(crate) fn calls(&self) -> usize {
        self.threads.machines()
    }

    /// How late packets left after their slots since the start, of all calls together.
    pub(crate) fn lateness(&self) -> Lateness {
        self.threads.lateness()
    }
}

impl SoundEvents {
    /// Waits for the next; none once the call's sound has ended and all were read. Cancel-safe.
    pub async fn next(&mut self) -> Option<SoundEvent> {
        self.0.next().await
    }

    /// The next if there is one.
    pub fn try_next(&mut self) -> Option<SoundEvent> {
        self.0.try_next()
    }
}

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sound").field("calls", &self.calls()).finish_non_exhaustive()
    }
}
