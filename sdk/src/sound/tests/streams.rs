//! Sines, pipes, recordings and backends, without a call.

use std::fs;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use homing_media::FRAME;
use tokio::sync::oneshot;

use super::{Measured, Path, drain, sine, spec, write_wav};
use crate::sound::backend::{Adapted, AudioBackend};
use crate::sound::error::SoundError;
use crate::sound::feed::{Fed, Feed};
use crate::sound::outlet::{self, BothSides};
use crate::sound::pipe::Pipe;
use crate::sound::resample::{FromSession, ToSession};
use crate::sound::source::{Repeat, Sine, SineGenerator, Source};
use crate::sound::workers::Workers;

#[test]
fn a_sine_has_its_frequency_level_and_length() {
    let wanted = Sine { hertz: 440.0, dbov: -20.0, duration: Some(Duration::from_millis(1_010)) };
    let mut feed = SineGenerator::new(wanted);
    let samples: Vec<i16> = std::iter::from_fn(|| feed.frame()).flatten().collect();
    assert_eq!(samples.len(), 51 * FRAME);
    Measured::of(&samples[..8_000]).assert_is(440.0, -20.0);
    assert!(samples[8_081..].iter().all(|sample| *sample == 0));
    // Faded: no step of more than a period's at the start and the end.
    assert!(samples[..3].iter().chain(&samples[8_077..8_081]).all(|sample| sample.abs() < 300));
}

#[test]
fn a_pipe_that_blocks_is_late_and_one_that_breaks_is_an_error() {
    let (give, take) = channel::<io::Result<Vec<u8>>>();
    let source = Source::Pcm { reader: Box::new(Channel(take)), rate: 8_000 };
    let mut feed = Feed::open(source, &Workers::new(1)).unwrap();
    assert_eq!(feed.next(), Fed::NotYet);
    // Cut inside a sample.
    let octets: Vec<u8> = (0..160_i16).flat_map(|sample| (sample * 100).to_le_bytes()).collect();
    give.send(Ok(octets[..101].to_vec())).unwrap();
    give.send(Ok(octets[101..].to_vec())).unwrap();
    let frame = loop {
        match feed.next() {
            Fed::Frame(frame) => break frame,
            other => assert_eq!(other, Fed::NotYet),
        }
    };
    assert_eq!((frame[1], frame[50], frame[159]), (100, 5_000, 15_900));
    assert_eq!((feed.next(), feed.next()), (Fed::Late, Fed::Late));
    give.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
    assert_eq!(drain(&mut feed).1, Err(SoundError::Read(io::ErrorKind::BrokenPipe)));
}

/// A pipe that a test feeds; it blocks as long as nothing comes.
struct Channel(Receiver<io::Result<Vec<u8>>>);

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.recv() {
            Ok(Ok(octets)) => {
                buffer[..octets.len()].copy_from_slice(&octets);
                Ok(octets.len())
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(0),
        }
    }
}

#[test]
fn a_worker_stops_when_nobody_listens() {
    let path = write_wav("ahead", spec(1, 8_000, 16, false), &[&sine(1_000.0, 8_000, 0.5)]);
    let workers = Workers::new(1);
    let source = Source::File { path: path.0.clone(), repeat: Repeat::Forever };
    drop(Feed::open(source, &workers).unwrap());
    while workers.start(|| ()) == Err(SoundError::TooMany) {
        std::thread::yield_now();
    }
}

#[test]
fn what_was_read_ahead_is_forgotten_by_a_flush() {
    let (give, take) = std::sync::mpsc::sync_channel(0);
    let source = Source::Pcm { reader: Box::new(Channel(take)), rate: 8_000 };
    let mut feed = Feed::open(source, &Workers::new(1)).unwrap();
    for value in [1, 2] {
        let frames: Vec<u8> = [value, 0].repeat(5 * FRAME);
        give.send(Ok(frames)).unwrap();
        // Once this is taken, what came before is in the ring.
        give.send(Err(io::ErrorKind::Interrupted.into())).unwrap();
        if value == 1 {
            assert_eq!(feed.next(), Fed::Frame([1; FRAME]));
            feed.flush();
        }
    }
    assert_eq!(feed.next(), Fed::Frame([2; FRAME]));
}

fn finished<T>(done: oneshot::Receiver<T>) -> T {
    done.blocking_recv().unwrap()
}

#[test]
fn a_recording_is_readable_while_it_is_made_and_whole_when_it_ends() {
    let path = Path::new("recording");
    let (tell, done) = oneshot::channel();
    let mut outlet = outlet::record(path.0.clone(), &Workers::new(1), tell).unwrap();
    let both = |value| BothSides { said: [value; FRAME], heard: [-value; FRAME] };
    for value in 0..75 {
        assert!(outlet.push(both(value)));
    }
    // The head counts the first second as soon as that is written.
    while fs::metadata(&path.0).map_or(0, |file| file.len()) < 32_000 {
        std::thread::yield_now();
    }
    let copy = Path::holding("recording-copy", &fs::read(&path.0).unwrap());
    assert!(hound::WavReader::open(&copy.0).unwrap().duration() >= 8_000);
    drop(outlet);
    assert_eq!(finished(done), Ok(Duration::from_millis(1_500)));
    let mut file = hound::WavReader::open(&path.0).unwrap();
    assert_eq!((file.spec(), file.duration()), (spec(2, 8_000, 16, false), 12_000));
    let samples: Vec<i16> = file.samples().map(Result::unwrap).collect();
    assert_eq!(
        (samples[2 * FRAME], samples[2 * FRAME + 1], samples[23_998], samples[23_999]),
        (1, -1, 74, -74)
    );
}

#[test]
fn a_recording_that_cannot_be_written_is_told_and_ends_nothing_else() {
    let path = Path::new("no-such-folder").0.join("file.wav");
    let (tell, done) = oneshot::channel();
    let mut outlet = outlet::record(path, &Workers::new(1), tell).unwrap();
    let error = finished(done).unwrap_err();
    assert_eq!(error.code(), "E1615");
    assert!(!outlet.push(BothSides { said: [0; FRAME], heard: [0; FRAME] }));
}

#[test]
fn what_a_slow_outlet_does_not_take_is_lost_and_counted() {
    let (go, wait) = channel::<()>();
    let writer = Slow(wait);
    let mut outlet = outlet::write_pcm(Box::new(writer), 8_000, &Workers::new(1)).unwrap();
    (0..200).for_each(|_| assert!(outlet.push([0; FRAME])));
    assert!((98..=100).contains(&outlet.lost()), "{}", outlet.lost());
    drop(go);
    while outlet.push([0; FRAME]) {
        std::thread::yield_now();
    }
}

/// Blocks until it is let go, and breaks then.
struct Slow(Receiver<()>);

impl io::Write for Slow {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Echoes what it hears at its rate, and panics when it is told to.
struct Echo {
    rate: u32,
    heard: Vec<i16>,
    panics: bool,
}

impl AudioBackend for Echo {
    fn rate(&self) -> u32 {
        self.rate
    }

    fn capture(&mut self, frame: &mut [i16]) -> usize {
        assert!(!self.panics, "as it was told to");
        let given = frame.len().min(self.heard.len());
        frame[..given].copy_from_slice(&self.heard[..given]);
        drop(self.heard.drain(..given));
        given
    }

    fn play(&mut self, frame: &[i16]) {
        self.heard.extend_from_slice(frame);
    }
}

#[test]
fn a_backend_of_any_rate_is_heard_at_its_pitch() {
    for rate in [8_000, 11_025, 16_000, 44_100, 48_000] {
        let mut backend = Adapted::new(Box::new(Echo { rate, heard: Vec::new(), panics: false })).unwrap();
        let mut tone = SineGenerator::new(Sine { dbov: -6.0, ..Sine::new(1_000.0) });
        let mut samples = Vec::new();
        for _ in 0..100 {
            backend.play(&tone.frame().unwrap()).unwrap();
            samples.extend(backend.capture().unwrap().frame);
        }
        Measured::of(&samples[1_600..]).assert_is(1_000.0, -6.0);
    }
    assert_eq!(
        Adapted::new(Box::new(Echo { rate: 7, heard: Vec::new(), panics: false })).err(),
        Some(SoundError::Rate(7))
    );
}

#[test]
fn a_backend_that_panics_is_silence_from_then_on() {
    let mut backend = Adapted::new(Box::new(Echo { rate: 8_000, heard: Vec::new(), panics: true })).unwrap();
    assert_eq!(backend.capture().err(), Some(SoundError::Backend));
    let captured = backend.capture().unwrap();
    assert_eq!((captured.frame, captured.is_short), ([0; FRAME], false));
    assert_eq!((backend.play(&[1; FRAME]), backend.flush()), (Ok(()), Ok(())));
}

#[test]
fn pipes_say_what_is_read_and_write_what_is_heard() {
    let (give, take) = channel();
    let (out, written) = channel();
    let workers = Workers::new(2);
    let mut pipe = Pipe::open(Box::new(Channel(take)), Box::new(Told(out)), 8_000, &workers).unwrap();
    pipe.play(&[258; FRAME]);
    let mut octets: Vec<u8> = Vec::new();
    while octets.len() < 2 * FRAME {
        octets.extend(written.recv().unwrap());
    }
    assert!(octets.iter().eq([2, 1].iter().cycle().take(2 * FRAME)));
    let mut frame = [7; FRAME];
    assert_eq!(pipe.capture(&mut frame), 0);
    give.send(Ok([2, 1].repeat(FRAME))).unwrap();
    while pipe.capture(&mut frame) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(frame, [258; FRAME]);
}

struct Told(std::sync::mpsc::Sender<Vec<u8>>);

impl io::Write for Told {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let _ = self.0.send(octets.to_vec());
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_frame_at_another_rate_has_as_many_samples_as_it_lasts() {
    for rate in [8_000, 16_000, 44_100, 48_000] {
        let mut frames = FromSession::new(rate).unwrap();
        let all: usize = (0..500).map(|_| frames.samples(&[0; FRAME]).len()).sum();
        assert!(all.abs_diff(rate as usize * 10) <= 100, "{rate}: {all}");
    }
    for rate in [8_000, 11_025, 44_100] {
        let mut frames = ToSession::new(rate).unwrap();
        let mut all = 0;
        for _ in 0..500 {
            all += frames.missing();
            assert!(frames.missing() <= frames.most());
            (0..frames.missing()).for_each(|_| frames.push(0.0));
            frames.frame();
        }
        assert!(all.abs_diff(rate as usize * 10) <= 100, "{rate}: {all}");
    }
}
