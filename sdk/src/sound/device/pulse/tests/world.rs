//! A call's devices and a scripted server, joined in virtual time.

use std::time::Duration;

use homing_media::FRAME;

use super::server::Server;
use crate::sound::backend::AudioBackend;
use crate::sound::device::choice::Devices;
use crate::sound::device::error::DeviceError;
use crate::sound::device::pulse::address::{Cookie, Environment};
use crate::sound::device::pulse::client::Client;
use crate::sound::device::pulse::conversation::Conversation;
use crate::sound::device::rings::{DeviceBackend, Joined, join};
use crate::sound::event::SoundEvent;

/// Both ends, and a clock.
pub(super) struct World {
    pub(super) server: Server,
    pub(super) backend: DeviceBackend,
    client: Client<'static>,
    events: rtrb::Consumer<SoundEvent>,
    pub(super) now: Duration,
    /// What the server's microphone gives, and the call says; each frame one more than the last.
    sample: i16,
    /// What the call took of the microphone.
    pub(super) captured: Vec<i16>,
    /// Slots in which the microphone was late.
    pub(super) late: usize,
    /// The loudspeaker and the microphone stand still.
    pub(super) stands: bool,
}

impl World {
    pub(super) fn new(devices: &Devices, server: Server) -> Self {
        let Joined { backend, rings, events } = join(Box::new(|| ()));
        let client = Client::new(devices, &cookie(), Box::leak(Box::new(rings)), Duration::ZERO);
        Self {
            server,
            backend,
            client,
            events,
            now: Duration::ZERO,
            sample: 0,
            captured: Vec::new(),
            late: 0,
            stands: false,
        }
    }

    /// So much time goes by, in steps of 5 ms; the call has its slot every 20 ms, the devices 5 ms before it.
    pub(super) fn run(&mut self, time: Duration) -> Result<(), DeviceError> {
        let end = self.now + time;
        while self.now < end {
            let at = self.now.as_millis() % 20;
            if at == 0 {
                self.sample = self.sample.wrapping_add(1);
                self.backend.play(&[self.sample; FRAME]);
                let mut frame = [0; FRAME];
                self.late += usize::from(self.backend.capture(&mut frame) == 0);
                self.captured.extend(frame);
            }
            if at == 15 && !self.stands {
                self.server.tick(self.sample);
            }
            self.exchange()?;
            self.now += Duration::from_millis(5);
        }
        Ok(())
    }

    pub(super) fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds)).unwrap();
    }

    /// Octets go both ways until nobody says anything.
    pub(super) fn exchange(&mut self) -> Result<(), DeviceError> {
        loop {
            self.client.handle_timeout(self.now)?;
            let said = self.client.outbound().waiting().to_vec();
            self.client.outbound().written(said.len());
            self.server.hear(&said);
            let answered = self.server.take_out();
            self.client.receive(&answered, self.now)?;
            if said.is_empty() && answered.is_empty() {
                return Ok(());
            }
        }
    }

    /// Octets that no script has.
    pub(super) fn receive(&mut self, octets: &[u8]) -> Result<(), DeviceError> {
        self.client.receive(octets, self.now)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.client.deadline()
    }

    pub(super) fn told(&mut self) -> Vec<SoundEvent> {
        std::iter::from_fn(|| self.events.pop().ok()).collect()
    }

    /// What the server last played, and the call last took: the number of its slot.
    pub(super) fn heard(&self) -> Heard {
        Heard {
            now: self.sample,
            by_loudspeaker: self.server.played.last().copied().unwrap_or_default(),
            by_call: self.captured.last().copied().unwrap_or_default(),
        }
    }
}

/// Slots by which what is heard is marked.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) now: i16,
    pub(super) by_loudspeaker: i16,
    pub(super) by_call: i16,
}

/// No file, so zeros.
pub(super) fn cookie() -> Cookie {
    Environment::default().cookie(&Devices::default())
}
