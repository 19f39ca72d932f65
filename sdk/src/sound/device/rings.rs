//! What joins the paced thread with the thread of the devices: sound both ways, what happened, and three flags.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use homing_media::{FRAME, SAMPLE_RATE};

use super::choice::DeviceDirection;
use super::error::DeviceError;
use super::slack::{KEPT, Slack};
use crate::sound::backend::AudioBackend;
use crate::sound::event::SoundEvent;

/// The paced thread's end of the devices. It never waits: what does not come in time is silence.
pub(super) struct DeviceBackend {
    captured: rtrb::Consumer<i16>,
    heard: rtrb::Producer<i16>,
    flags: Arc<Flags>,
    slack: Slack,
    /// It waits until there is enough for a frame and for a side that is a little late.
    is_filling: bool,
    wake: Box<dyn Fn() + Send>,
}

/// The end of the thread that talks to the devices.
pub(super) struct DeviceRings {
    captured: rtrb::Producer<i16>,
    heard: rtrb::Consumer<i16>,
    events: rtrb::Producer<SoundEvent>,
    flags: Arc<Flags>,
    slack: Slack,
    input: Condition,
    output: Condition,
}

/// What the call knows of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    /// Neither sound nor a failure came of it yet.
    New,
    Up,
    Down,
}

#[derive(Debug, Default)]
struct Flags {
    is_over: AtomicBool,
    /// The input gives sound now.
    captures: AtomicBool,
    /// The output takes sound now.
    plays: AtomicBool,
}

/// Both ends, and where the call reads what happened.
pub(super) struct Joined {
    pub(super) backend: DeviceBackend,
    pub(super) rings: DeviceRings,
    pub(super) events: rtrb::Consumer<SoundEvent>,
}

/// Rings of 200 ms; `wake` rouses the thread of the devices and may not wait.
pub(super) fn join(wake: Box<dyn Fn() + Send>) -> Joined {
    let (captured_in, captured) = rtrb::RingBuffer::new(SAMPLES);
    let (heard, heard_out) = rtrb::RingBuffer::new(SAMPLES);
    let (tell, events) = rtrb::RingBuffer::new(EVENTS);
    let flags = Arc::<Flags>::default();
    let backend = DeviceBackend {
        captured,
        heard,
        flags: Arc::clone(&flags),
        slack: Slack::default(),
        is_filling: true,
        wake,
    };
    let rings = DeviceRings {
        captured: captured_in,
        heard: heard_out,
        events: tell,
        flags,
        slack: Slack::default(),
        input: Condition::New,
        output: Condition::New,
    };
    Joined { backend, rings, events }
}

impl AudioBackend for DeviceBackend {
    fn rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn capture(&mut self, frame: &mut [i16]) -> usize {
        frame.fill(0);
        if !self.flags.captures.load(Ordering::Acquire) {
            // That there is no device was told; it is not late on top of that.
            drop_samples(&mut self.captured, usize::MAX);
            self.is_filling = true;
            return frame.len();
        }
        let wanted = if self.is_filling { frame.len() + KEPT } else { frame.len() };
        self.is_filling = self.captured.slots() < wanted;
        if self.is_filling {
            return 0;
        }
        for sample in frame.iter_mut() {
            *sample = self.captured.pop().unwrap_or_default();
        }
        let dropped = self.slack.after_frame(self.captured.slots());
        drop_samples(&mut self.captured, dropped);
        frame.len()
    }

    fn play(&mut self, frame: &[i16]) {
        if self.flags.plays.load(Ordering::Acquire) {
            for sample in frame {
                // Full where the thread does not run: sound that is 200 ms old is of no use.
                let _ = self.heard.push(*sample);
            }
            (self.wake)();
        }
    }

    fn flush(&mut self) {
        drop_samples(&mut self.captured, usize::MAX);
        self.is_filling = true;
    }
}

impl Drop for DeviceBackend {
    fn drop(&mut self) {
        self.flags.is_over.store(true, Ordering::Release);
        (self.wake)();
    }
}

impl DeviceRings {
    /// The call has ended.
    pub(super) fn is_over(&self) -> bool {
        self.flags.is_over.load(Ordering::Acquire)
    }

    /// Takes what the microphone gave; what does not fit is lost, as for a call that does not run.
    pub(super) fn capture(&mut self, samples: impl Iterator<Item = i16>) {
        for sample in samples {
            let _ = self.captured.push(sample);
        }
    }

    /// The next frame to be heard, if there is a whole one.
    pub(super) fn hear(&mut self) -> Option<[i16; FRAME]> {
        if self.heard.slots() < FRAME {
            return None;
        }
        let mut frame = [0; FRAME];
        for sample in &mut frame {
            *sample = self.heard.pop().unwrap_or_default();
        }
        let dropped = self.slack.after_frame(self.heard.slots());
        drop_samples(&mut self.heard, dropped);
        Some(frame)
    }

    /// An output is given sound; whether it takes any is not known yet.
    pub(super) fn try_output(&mut self) {
        self.set_flag(DeviceDirection::Output, true);
    }

    /// A device gives, or takes, sound. Told if it was lost before.
    pub(super) fn up(&mut self, direction: DeviceDirection) {
        if std::mem::replace(self.condition(direction), Condition::Up) == Condition::Down {
            self.tell(SoundEvent::DeviceBack { direction });
        }
        self.set_flag(direction, true);
    }

    /// A device gives, or takes, no sound. Told once until it is up again.
    pub(super) fn down(&mut self, direction: DeviceDirection, why: DeviceError) {
        if std::mem::replace(self.condition(direction), Condition::Down) != Condition::Down {
            self.tell(SoundEvent::DeviceLost { direction, why });
        }
        self.set_flag(direction, false);
    }

    /// No device gives or takes sound any more. Told once until one is up again.
    pub(super) fn server_down(&mut self, why: DeviceError) {
        let both = [&mut self.input, &mut self.output].map(|one| std::mem::replace(one, Condition::Down));
        if both.iter().any(|condition| *condition != Condition::Down) {
            self.tell(SoundEvent::SoundServerLost(why));
        }
        self.set_flag(DeviceDirection::Input, false);
        self.set_flag(DeviceDirection::Output, false);
    }

    fn condition(&mut self, direction: DeviceDirection) -> &mut Condition {
        match direction {
            DeviceDirection::Input => &mut self.input,
            DeviceDirection::Output => &mut self.output,
        }
    }

    fn set_flag(&mut self, direction: DeviceDirection, is_up: bool) {
        match direction {
            DeviceDirection::Input => self.flags.captures.store(is_up, Ordering::Release),
            DeviceDirection::Output => {
                let was_up = self.flags.plays.swap(is_up, Ordering::AcqRel);
                if was_up && !is_up {
                    // What waits now is old when a device is there again.
                    drop_samples(&mut self.heard, usize::MAX);
                }
            }
        }
    }

    /// What a reader who does not read has no room for is not told: the latest state is heard.
    fn tell(&mut self, event: SoundEvent) {
        let _ = self.events.push(event);
    }
}

fn drop_samples(ring: &mut rtrb::Consumer<i16>, most: usize) {
    let dropped = ring.slots().min(most);
    if let Ok(chunk) = ring.read_chunk(dropped) {
        chunk.commit_all();
    }
}

/// 200 ms, rounded up to frames: more than ever waits, see [`Slack`].
const SAMPLES: usize = 10 * FRAME;
/// A call reads them every 20 ms.
const EVENTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_microphone_that_is_late_is_silence_until_there_is_enough_again() {
        let Joined { mut backend, mut rings, .. } = join(Box::new(|| ()));
        let mut frame = [7; FRAME];
        assert_eq!((backend.capture(&mut frame), frame), (FRAME, [0; FRAME]));
        rings.up(DeviceDirection::Input);
        rings.capture(std::iter::repeat_n(5, FRAME));
        assert_eq!(backend.capture(&mut frame), 0);
        rings.capture(std::iter::repeat_n(5, KEPT));
        assert_eq!((backend.capture(&mut frame), frame), (FRAME, [5; FRAME]));
        assert_eq!(backend.capture(&mut frame), 0);
        rings.capture(std::iter::repeat_n(5, FRAME));
        assert_eq!((backend.capture(&mut frame), frame), (FRAME, [5; FRAME]));
        rings.down(DeviceDirection::Input, DeviceError::Removed);
        assert_eq!((backend.capture(&mut frame), frame), (FRAME, [0; FRAME]));
    }

    #[test]
    fn what_is_heard_waits_only_while_an_output_takes_it_and_never_long() {
        let Joined { mut backend, mut rings, .. } = join(Box::new(|| ()));
        backend.play(&[1; FRAME]);
        assert_eq!(rings.hear(), None);
        rings.up(DeviceDirection::Output);
        (2..9).for_each(|value| backend.play(&[value; FRAME]));
        assert_eq!(rings.hear(), Some([2; FRAME]));
        // Six frames were left, and 10 ms of them are.
        backend.play(&[9; FRAME]);
        let mut frame = [9; FRAME];
        frame[..KEPT].fill(8);
        assert_eq!(rings.hear(), Some(frame));
        rings.down(DeviceDirection::Output, DeviceError::Removed);
        rings.up(DeviceDirection::Output);
        assert_eq!(rings.hear(), None);
        drop(backend);
        assert!(rings.is_over());
    }

    #[test]
    fn a_loss_is_told_once_and_so_is_its_end() {
        let Joined { mut rings, mut events, .. } = join(Box::new(|| ()));
        let (input, output) = (DeviceDirection::Input, DeviceDirection::Output);
        rings.up(input);
        rings.up(output);
        rings.down(input, DeviceError::Removed);
        rings.down(input, DeviceError::Missing);
        rings.server_down(DeviceError::Closed);
        rings.server_down(DeviceError::NoServer);
        rings.up(output);
        let told: Vec<SoundEvent> = std::iter::from_fn(|| events.pop().ok()).collect();
        assert_eq!(
            told,
            [
                SoundEvent::DeviceLost { direction: input, why: DeviceError::Removed },
                SoundEvent::SoundServerLost(DeviceError::Closed),
                SoundEvent::DeviceBack { direction: output },
            ]
        );
    }
}
