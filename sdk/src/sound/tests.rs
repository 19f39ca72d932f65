//! Sound files, resampling, feeds and recordings, without a call.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use homing_media::FRAME;
use tokio::sync::oneshot;

use super::backend::{Adapted, AudioBackend};
use super::error::SoundError;
use super::feed::{Fed, Feed};
use super::file::WavReader;
use super::outlet::{self, BothSides};
use super::pipe::Pipe;
use super::resample::{FromSession, ToSession};
use super::source::{Repeat, Sine, SineGenerator, Source};
use super::workers::Workers;

/// A file of its own for each test, removed with it.
struct Path(PathBuf);

impl Path {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("homing-sound-{}-{name}", std::process::id())))
    }

    fn holding(name: &str, octets: &[u8]) -> Self {
        let path = Self::new(name);
        fs::write(&path.0, octets).unwrap();
        path
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A sine of −6 dBov at that rate.
fn sine(hertz: f64, rate: u32, seconds: f64) -> Vec<f32> {
    let samples = (f64::from(rate) * seconds) as u32;
    let at = |sample| (f64::from(sample) * hertz / f64::from(rate) * std::f64::consts::TAU).sin() * 0.5;
    (0..samples).map(|sample| at(sample) as f32).collect()
}

/// Frequency by zero crossings, and level in dBov, of what follows the first tenth of a second.
struct Measured {
    hertz: f64,
    dbov: f64,
}

impl Measured {
    fn of(samples: &[i16]) -> Self {
        let samples = &samples[800..samples.len() - 800];
        let rising: Vec<f64> = samples
            .windows(2)
            .enumerate()
            .filter(|(_, two)| two[0] < 0 && two[1] >= 0)
            .map(|(at, two)| {
                at as f64 + f64::from(-two[0]) / f64::from(i32::from(two[1]) - i32::from(two[0]))
            })
            .collect();
        let periods = (rising.len() - 1) as f64;
        let hertz = periods / (rising.last().unwrap() - rising[0]) * 8_000.0;
        let square =
            samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64;
        Self { hertz, dbov: 10.0 * (square * 2.0 / 32_768_f64.powi(2)).log10() }
    }

    fn assert_is(&self, hertz: f64, dbov: f64) {
        assert!((self.hertz - hertz).abs() < 0.5, "{} Hz", self.hertz);
        assert!((self.dbov - dbov).abs() < 0.2, "{} dBov", self.dbov);
    }
}

/// All that a feed gives, with its end; what is late is asked for again.
fn drain(feed: &mut Feed) -> (Vec<i16>, Result<(), SoundError>) {
    let mut samples = Vec::new();
    loop {
        match feed.next() {
            Fed::Frame(frame) => samples.extend(frame),
            Fed::Late | Fed::NotYet => std::thread::yield_now(),
            Fed::Ended(how) => return (samples, how),
        }
    }
}

fn played(path: &Path, repeat: Repeat) -> (Vec<i16>, Result<(), SoundError>) {
    let source = Source::File { path: path.0.clone(), repeat };
    drain(&mut Feed::open(source, &Workers::new(64)).unwrap())
}

fn write_wav(name: &str, spec: hound::WavSpec, channels: &[&[f32]]) -> Path {
    let path = Path::new(name);
    let mut writer = hound::WavWriter::create(&path.0, spec).unwrap();
    for at in 0..channels[0].len() {
        for channel in channels {
            match spec.sample_format {
                hound::SampleFormat::Float => writer.write_sample(channel[at]).unwrap(),
                hound::SampleFormat::Int => {
                    let full = f64::from(spec.bits_per_sample - 1).exp2();
                    writer.write_sample((f64::from(channel[at]) * full) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    path
}

fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16, float: bool) -> hound::WavSpec {
    let sample_format = if float { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
    hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format }
}

/// The head of a WAV file of one octet a sample.
fn law_file(tag: u16, octets: &[u8], length: u32) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x12\0\0\0".to_vec();
    file.extend(tag.to_le_bytes());
    file.extend([1, 0, 0x40, 0x1f, 0, 0, 0x40, 0x1f, 0, 0, 1, 0, 8, 0, 0, 0]);
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(octets);
    file
}

#[test]
fn every_width_and_rate_of_pcm_and_float_is_played_at_its_pitch_and_level() {
    let forms = [(8_000, 8, false), (8_000, 16, false), (11_025, 16, false), (16_000, 24, false)];
    let more = [
        (22_050, 32, false),
        (44_100, 16, false),
        (48_000, 24, false),
        (48_000, 32, true),
        (96_000, 16, false),
    ];
    for (rate, bits, float) in forms.into_iter().chain(more) {
        let samples = sine(1_000.0, rate, 1.5);
        let path = write_wav(&format!("form-{rate}-{bits}-{float}"), spec(1, rate, bits, float), &[&samples]);
        let (samples, how) = played(&path, Repeat::Times(1));
        assert_eq!(how, Ok(()));
        let whole = samples.len() as f64 / 12_000.0;
        assert!((1.0..1.04).contains(&whole), "{rate} {bits}: {} samples", samples.len());
        Measured::of(&samples).assert_is(1_000.0, -6.02);
        Measured::of(&played(&high(rate), Repeat::Times(1)).0).assert_is(3_000.0, -6.02);
    }
}

/// Where the filter begins to bite at a telephone's upper end.
fn high(rate: u32) -> Path {
    write_wav(&format!("high-{rate}"), spec(1, rate, 16, false), &[&sine(3_000.0, rate, 0.5)])
}

#[test]
fn what_a_call_cannot_carry_is_filtered_and_not_folded_back() {
    let path = write_wav("alias", spec(1, 48_000, 16, false), &[&sine(7_000.0, 48_000, 1.0)]);
    let (samples, _) = played(&path, Repeat::Times(1));
    let loudest = samples[400..].iter().map(|sample| sample.unsigned_abs()).max().unwrap();
    assert!(loudest < 40, "{loudest}");
}

#[test]
fn channels_are_mixed_to_one() {
    let (one, other) = (sine(1_000.0, 8_000, 1.0), vec![0.0; 8_000]);
    let path = write_wav("mix", spec(2, 8_000, 16, false), &[&one, &other]);
    Measured::of(&played(&path, Repeat::Times(1)).0).assert_is(1_000.0, -12.04);
}

#[test]
fn a_law_and_mu_law_are_read_up_to_where_the_file_says_or_ends() {
    // Full-scale and idle codes of G.711, a sample each; the odd chunk before them is passed over.
    for (tag, octets, samples) in
        [(6, [0xaa, 0x2a, 0xd5], [32_256, -32_256, 8]), (7, [0x80, 0x00, 0xff], [32_124, -32_124, 0])]
    {
        for length in [3, u32::MAX, 90] {
            let path = Path::holding(&format!("law-{tag}-{length}"), &law_file(tag, &octets, length));
            let (played, how) = played(&path, Repeat::Times(1));
            assert_eq!((how, &played[..3], played.len()), (Ok(()), &samples[..], FRAME));
        }
        let path = Path::holding(&format!("law-{tag}-short"), &law_file(tag, &octets, 1));
        assert_eq!(played(&path, Repeat::Times(1)).0[..2], [samples[0], 0]);
    }
}

#[test]
fn a_file_is_repeated_without_a_gap() {
    let quarter: Vec<f32> = sine(1_000.0, 8_000, 0.25);
    let path = write_wav("repeat", spec(1, 8_000, 16, false), &[&quarter]);
    let (samples, how) = played(&path, Repeat::Times(4));
    assert_eq!(how, Ok(()));
    assert_eq!(samples.len(), 8_000 + FRAME);
    Measured::of(&samples[..8_000]).assert_is(1_000.0, -6.02);
    assert_eq!(played(&path, Repeat::Times(0)).0.len(), FRAME);
    let empty = write_wav("empty", spec(1, 8_000, 16, false), &[&[]]);
    assert_eq!(played(&empty, Repeat::Forever), (Vec::new(), Ok(())));
}

#[test]
fn a_file_that_a_crash_cut_off_is_played_up_to_there() {
    let whole = write_wav("cut", spec(1, 8_000, 16, false), &[&sine(1_000.0, 8_000, 1.0)]);
    let octets = fs::read(&whole.0).unwrap();
    let cut = Path::holding("cut-off", &octets[..octets.len() - 8_001]);
    let (samples, how) = played(&cut, Repeat::Times(1));
    assert_eq!((how, samples.len() / FRAME), (Ok(()), 4_000 / FRAME));
}

#[test]
fn what_is_no_sound_file_is_refused_with_a_code() {
    let code = |name: &str, octets: &[u8]| {
        let path = Path::holding(name, octets);
        played(&path, Repeat::Times(1)).1.unwrap_err().code()
    };
    let missing = Path::new("missing");
    let error = played(&missing, Repeat::Times(1)).1.unwrap_err();
    assert_eq!((error.code(), error.hint().is_empty()), ("E1611", false));
    assert!(error.to_string().contains("homing-sound") && error.to_string().contains("not found"), "{error}");
    assert_eq!(code("text", b"This is no sound at all."), "E1612");
    assert_eq!(code("nothing", b""), "E1612");
    assert_eq!(code("head", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0"), "E1612");
    assert_eq!(code("adpcm", &law_file(0x11, &[0; 8], 8)), "E1613");
    assert_eq!(
        code("rate", &{
            let mut file = law_file(7, &[0; 8], 8);
            let at = file.windows(4).position(|four| four == [0x40, 0x1f, 0, 0]).unwrap();
            file[at..at + 4].copy_from_slice(&[1, 0, 0, 0]);
            file
        }),
        "E1622"
    );
}

#[test]
fn no_cut_or_changed_head_does_more_than_fail() {
    let whole = write_wav(
        "fuzz",
        spec(2, 44_100, 24, false),
        &[&sine(1_000.0, 44_100, 0.01), &sine(1_000.0, 44_100, 0.01)],
    );
    let linear = fs::read(&whole.0).unwrap();
    for octets in [linear, law_file(6, &[7; 40], 40)] {
        for at in 0..octets.len().min(80) {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = octets.clone();
                changed[at] = value;
                let path = Path::holding("fuzzed", &changed);
                // A rate that takes minutes to play is not read to its end.
                if let Ok(mut file) = WavReader::open(&path.0) {
                    (0..2_000).for_each(|_| drop(file.next()));
                    drop(file.rewind());
                }
            }
            let path = Path::holding("fuzzed", &octets[..at]);
            drop(WavReader::open(&path.0).map(|mut file| file.next()));
        }
    }
}

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
fn a_worker_stops_when_nobody_listens_and_what_was_read_ahead_can_be_forgotten() {
    let path = write_wav("ahead", spec(1, 8_000, 16, false), &[&sine(1_000.0, 8_000, 0.5)]);
    let workers = Workers::new(1);
    let source = Source::File { path: path.0.clone(), repeat: Repeat::Forever };
    let mut feed = Feed::open(source, &workers).unwrap();
    while !matches!(feed.next(), Fed::Frame(_)) {
        std::thread::yield_now();
    }
    feed.flush();
    assert!(matches!(feed.next(), Fed::Late | Fed::Frame(_)));
    drop(feed);
    while workers.start(|| ()) == Err(SoundError::TooMany) {
        std::thread::yield_now();
    }
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
