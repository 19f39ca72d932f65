//! Calls over loopback: two sessions on the paced thread, heard by what their recordings hold.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use homing_core::ids::Seed;
use homing_core::time::Moment;
use homing_media::{Agreed, LocalAddress, Negotiation, Policy, Security, Session, Setup};
use homing_net::rtp::{PacketMachine as _, RtpPair, RtpSockets};
use tokio::sync::oneshot;

use super::{Measured, Path, sine, spec, write_wav};
use crate::sound::backend::{Adapted, Null};
use crate::sound::command::{Command, PlaybackId, Playing, Tape};
use crate::sound::feed::Feed;
use crate::sound::machine::{Numbers, SoundMachine};
use crate::sound::outlet;
use crate::sound::workers::Workers;
use crate::sound::{
    Audio, AudioBackend, Opened, PlaybackEnd, PortRange, Recording, Repeat, RtpAddress, Sine, Sound,
    SoundConfig, SoundError, SoundEvent, Source,
};

const LOOPBACK: RtpAddress =
    RtpAddress { bind: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), advertise: None };

fn start(first: u16) -> Sound {
    let ports = PortRange::new(first, first + 499).unwrap();
    let config = SoundConfig { ports, ..SoundConfig::new(Instant::now()) };
    Sound::start(config, &Seed::from_number(u64::from(first))).unwrap()
}

fn negotiation(sockets: &RtpSockets, seed: u8) -> Negotiation {
    let local = LocalAddress {
        ip: sockets.advertised().ip(),
        rtp_port: sockets.advertised().port(),
        rtcp_port: sockets.local_rtcp().map(|address| address.port()),
    };
    let policy = Policy { security: Security::Required, secure_signalling: true, ..Policy::default() };
    Negotiation::new(policy, local, &[seed; 32])
}

/// What offer and answer come to, at both ends.
fn agreed(caller: &RtpSockets, called: &RtpSockets) -> [Agreed; 2] {
    let (mut caller, mut called) = (negotiation(caller, 1), negotiation(called, 2));
    let answer = called.answer(caller.offer(false).unwrap().as_bytes(), false).unwrap();
    [caller.take_answer(answer.body.as_bytes()).unwrap(), answer.agreed]
}

/// An answered call, encrypted, between two ends of one program.
fn call(sound: &mut Sound, caller: Audio, called: Audio) -> [Opened; 2] {
    let sockets = [(); 2].map(|()| sound.bind(LOOPBACK, RtpPair::Two).unwrap());
    let [one, other] = agreed(&sockets[0], &sockets[1]);
    let [first, second] = sockets;
    let ends = [sound.open(first, caller).unwrap(), sound.open(second, called).unwrap()];
    ends[0].control.agree(one).unwrap();
    ends[1].control.agree(other).unwrap();
    ends.iter().for_each(|end| end.control.answered().unwrap());
    ends
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(30), future).await })
        .expect("within 30 s")
}

fn event(end: &mut Opened, wanted: impl Fn(&SoundEvent) -> bool) -> SoundEvent {
    wait(async {
        loop {
            let event = end.events.next().await.expect("the call lasts");
            if wanted(&event) {
                return event;
            }
        }
    })
}

/// What a recording holds of one side, from the first sound to the last.
fn heard(path: &Path, channel: usize) -> Vec<i16> {
    let mut file = hound::WavReader::open(&path.0).unwrap();
    let samples: Vec<i16> = file.samples().map(Result::unwrap).collect();
    let side: Vec<i16> = samples.into_iter().skip(channel).step_by(2).collect();
    let is_loud = |sample: &i16| sample.abs() > 200;
    let (Some(first), Some(last)) = (side.iter().position(is_loud), side.iter().rposition(is_loud)) else {
        return Vec::new();
    };
    side[first..=last].to_vec()
}

fn longest_silence(samples: &[i16]) -> usize {
    samples.split(|sample| sample.abs() > 60).map(<[i16]>::len).max().unwrap_or_default()
}

#[test]
fn a_file_that_is_played_is_heard_at_its_pitch_and_level_without_a_gap() {
    let file = write_wav("call", spec(1, 16_000, 16, false), &[&sine(1_000.0, 16_000, 0.7)]);
    for attempt in 1.. {
        let mut sound = start(30_000);
        let recording = Path::new("call-recording");
        let ends = call(&mut sound, Audio::Silence, Audio::Silence);
        let tape: Recording = ends[1].control.record(&recording.0);
        let source = Source::File { path: file.0.clone(), repeat: Repeat::Times(1) };
        assert_eq!(wait(ends[0].control.play(source).ended()), Ok(PlaybackEnd::Completed));
        // What the jitter buffer still holds at the other end.
        wait(ends[0].control.play(Source::Silence(Duration::from_millis(200))).ended()).unwrap();
        let length = wait(tape.stop()).unwrap();
        assert!(length >= Duration::from_millis(700), "{length:?}");
        // A machine of tests that was late says nothing about the call.
        if sound.lateness().quantile(1.0) > Duration::from_millis(15) && attempt < 20 {
            continue;
        }
        let samples = heard(&recording, 1);
        // The jitter buffer may shorten or lengthen it by what it adapts.
        assert!((5_200..6_000).contains(&samples.len()), "{} samples", samples.len());
        let found = Measured::of(&samples);
        // Until the delay has settled, sound is played up to one sample in 160 faster or slower; to the hertz it is
        // measured in virtual time (`homing-media`).
        assert!((found.hertz - 1_000.0).abs() < 10.0, "{} Hz", found.hertz);
        assert!((found.dbov + 6.02).abs() < 1.0, "{} dBov", found.dbov);
        assert!(longest_silence(&samples) < 160);
        assert!(heard(&recording, 0).is_empty(), "nothing was said at this end");
        return;
    }
}

#[test]
fn nothing_is_heard_before_the_answer_and_a_playback_waits_for_it() {
    let mut sound = start(30_500);
    let sockets = [(); 2].map(|()| sound.bind(LOOPBACK, RtpPair::Two).unwrap());
    let [one, other] = agreed(&sockets[0], &sockets[1]);
    let [first, second] = sockets;
    let tone = Sine { duration: Some(Duration::from_millis(40)), ..Sine::new(1_000.0) };
    let ends = [sound.open(first, Audio::Sine(tone)).unwrap(), sound.open(second, Audio::Silence).unwrap()];
    let [mut caller, mut called] = ends;
    called.control.agree(other).unwrap();
    caller.control.agree(one).unwrap();
    let recording = Path::new("early");
    let tape = caller.control.record(&recording.0);
    // Early packets come, and they are silence.
    assert_eq!(event(&mut called, |_| true), SoundEvent::PeerHeard);
    assert_eq!(heard_now(&recording, tape), Vec::<i16>::new());
    let recording = Path::new("answered");
    let tape = caller.control.record(&recording.0);
    caller.control.answered().unwrap();
    assert_eq!(wait(caller.playback.take().unwrap().ended()), Ok(PlaybackEnd::Completed));
    assert!(!heard_now(&recording, tape).is_empty());
}

/// What a recording holds of what was said, ended now.
fn heard_now(path: &Path, tape: Recording) -> Vec<i16> {
    wait(tape.stop()).unwrap();
    heard(path, 0)
}

#[test]
fn a_playback_is_interrupted_by_a_stop_by_another_and_by_the_end() {
    let mut sound = start(31_000);
    let ends = call(&mut sound, Audio::Silence, Audio::Silence);
    let [caller, _called] = ends;
    let forever = || caller.control.play(Source::Sine(Sine::new(440.0)));
    let (one, other) = (forever(), forever());
    let interrupted = |end| matches!(end, Ok(PlaybackEnd::Interrupted { .. }));
    assert!(interrupted(wait(one.ended())));
    other.stop().unwrap();
    assert!(interrupted(wait(other.ended())));
    let last = forever();
    let missing =
        caller.control.play(Source::File { path: "no-such-file.wav".into(), repeat: Repeat::Forever });
    assert!(interrupted(wait(last.ended())));
    assert_eq!(wait(missing.ended()).unwrap_err().code(), "E1611");
    let last = forever();
    drop(caller);
    assert!(interrupted(wait(last.ended())));
}

#[test]
fn digits_are_told_once_each_and_the_sender_learns_when_they_are_sent() {
    let mut sound = start(31_500);
    let [caller, mut called] = call(&mut sound, Audio::Silence, Audio::Silence);
    assert_eq!(wait(caller.control.dtmf("1#")), Ok(()));
    let mut next = || match event(&mut called, |event| matches!(event, SoundEvent::Digit { .. })) {
        SoundEvent::Digit { digit, .. } => digit.as_char(),
        other => panic!("{other:?}"),
    };
    assert_eq!([next(), next()], ['1', '#']);
    assert_eq!(wait(caller.control.dtmf("x")).unwrap_err().code(), "E1521");
}

#[test]
fn a_dropped_control_ends_the_sound_with_a_goodbye_and_frees_its_ports() {
    let mut sound = start(32_000);
    let [caller, mut called] = call(&mut sound, Audio::Silence, Audio::Silence);
    event(&mut called, |event| *event == SoundEvent::PeerHeard);
    let Opened { control, mut events, .. } = caller;
    let recording = Path::new("goodbye");
    let tape = control.record(&recording.0);
    let other = control.clone();
    drop(control);
    assert!(other.mute(false).is_ok());
    drop(other);
    assert_eq!(event(&mut called, |event| *event == SoundEvent::PeerLeft), SoundEvent::PeerLeft);
    while wait(events.next()).is_some() {}
    assert!(wait(tape.ended()).is_ok());
    while sound.calls() > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn the_numbers_of_a_call_are_read_while_it_lasts_and_after() {
    let mut sound = start(32_500);
    let [caller, called] = call(&mut sound, Audio::Sine(Sine::new(1_000.0)), Audio::Silence);
    let stats = loop {
        let stats = called.control.stats();
        if stats.session.played.dbov.is_some() {
            break stats;
        }
        std::thread::yield_now();
    };
    assert!(stats.session.is_encrypted && stats.session.dropped.unauthenticated == 0, "{stats:?}");
    assert!(stats.packets.received >= 20, "{stats:?}");
    drop(sound);
    assert_eq!(caller.control.answered(), Err(SoundError::Over));
    assert!(caller.control.stats().packets.sent >= 20);
}

#[test]
fn a_slot_with_a_playback_and_a_recording_allocates_nothing() {
    let mut sound = start(33_000);
    let sockets = [(); 2].map(|()| sound.bind(LOOPBACK, RtpPair::Two).unwrap());
    let [own, _] = agreed(&sockets[0], &sockets[1]);
    let session = Session::new(&Setup::new([3; 32]));
    let numbers = Numbers::default();
    let mut machine = SoundMachine::new(session, Adapted::new(Box::new(Null)).unwrap(), numbers.clone());
    let (tell, _done) = oneshot::channel();
    let workers = Workers::new(1);
    let feed = Feed::open(Source::Sine(Sine::new(1_000.0)), &workers).unwrap();
    let path = Path::new("allocation");
    let (written, end) = oneshot::channel();
    let outlet = outlet::record(path.0.clone(), &workers, written).unwrap();
    let commands = [
        Command::Agree(Box::new(own)),
        Command::Answered,
        Command::Play(Playing { id: PlaybackId(1), feed, done: tell }),
        Command::Record(Tape { id: PlaybackId(2), outlet }),
    ];
    commands.into_iter().for_each(|command| machine.handle_command(command, Moment::default()));
    let mut buffer = [0; 2_048];
    let mut sent = 0;
    let allocated = allocation_counter::measure(|| {
        for slot in 1..=60 {
            let now = Moment(Duration::from_millis(20) * slot);
            machine.handle_slot(0, now);
            while machine.poll_transmit(&mut buffer, now).is_some() {
                sent += 1;
            }
            while machine.poll_report().is_some() {}
        }
    });
    assert!(sent >= 60 && numbers.lock().unwrap().session.sent.packets >= 40);
    assert_eq!((allocated.count_total, allocated.bytes_total), (0, 0));
    drop(machine);
    assert_eq!(end.blocking_recv().unwrap(), Ok(Duration::from_millis(1_200)));
}

/// Gives a tenth of a second, and then nothing until it is let go.
struct Hanging {
    has_given: bool,
    released: Receiver<()>,
}

impl std::io::Read for Hanging {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if std::mem::replace(&mut self.has_given, true) {
            let ended = self.released.recv();
            assert!(ended.is_err(), "nothing is sent");
            return Ok(0);
        }
        buffer[..1_600].fill(8);
        Ok(1_600)
    }
}

#[test]
fn a_pipe_that_hangs_is_silence_is_told_once_and_the_call_goes_on() {
    let mut sound = start(33_500);
    let (release, released) = channel();
    let reader = Box::new(Hanging { has_given: false, released });
    let audio = Audio::Pcm { reader, writer: Box::new(std::io::sink()), rate: 8_000 };
    let [mut caller, mut called] = call(&mut sound, audio, Audio::Silence);
    event(&mut caller, |event| *event == SoundEvent::SourceLate);
    event(&mut called, |event| *event == SoundEvent::PeerHeard);
    let sent = caller.control.stats().packets.sent;
    while caller.control.stats().packets.sent < sent + 10 || caller.control.stats().late_frames < 5 {
        std::thread::yield_now();
    }
    assert_eq!(caller.events.try_next().filter(|event| *event == SoundEvent::SourceLate), None, "once");
    drop(release);
}

/// Panics when it is asked.
struct Broken;

impl AudioBackend for Broken {
    fn rate(&self) -> u32 {
        16_000
    }

    fn capture(&mut self, _: &mut [i16]) -> usize {
        panic!("the application is wrong")
    }

    fn play(&mut self, _: &[i16]) {}
}

#[test]
fn a_backend_that_panics_ends_neither_its_call_nor_another() {
    let mut sound = start(34_000);
    let [mut caller, mut called] = call(&mut sound, Audio::Custom(Box::new(Broken)), Audio::Silence);
    event(&mut caller, |event| *event == SoundEvent::BackendFailed);
    event(&mut called, |event| *event == SoundEvent::PeerHeard);
    let [_one, mut other] = call(&mut sound, Audio::Silence, Audio::Silence);
    event(&mut other, |event| *event == SoundEvent::PeerHeard);
}
