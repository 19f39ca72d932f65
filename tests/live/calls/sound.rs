//! Calls with sound: a tone arrives at its pitch and level, digits once each, hold is silence, and all ends with the call.

use std::path::PathBuf;
use std::time::Duration;

use homing::call::{Call, EndReason, IncomingCall};
use homing::sound::{Audio, Repeat, Security, Sine, SoundConfig, SoundError, SoundEvent, Source};
use homing::{Account, Resolver, Roots, UserAgent};
use homing_server_mock::estate::Estate;
use homing_server_mock::node::party::Party;
use homing_server_mock::node::sound::{PartySound, Speech};

use super::phones::{BOB, Phones, account, within};
use crate::client::{estate, eventually, register, run};

/// Alice and Bob with the sound of this crate in place of a describer.
struct Heard {
    phones: Phones,
}

impl Heard {
    async fn new(seed: u64) -> Self {
        Self { phones: Phones::with_sound(seed, |_| {}).await }
    }

    /// Alice calls Bob with this sound, and he answers with that.
    async fn talking(&mut self, hers: Audio, his: Audio) -> (Call, Call) {
        let call = self.phones.alice.account.call(BOB).audio(hers).place().await.unwrap();
        let incoming = self.phones.incoming().await;
        incoming.audio(his);
        let answered = self.phones.within(incoming.answer()).await.unwrap();
        self.phones.within(call.answered()).await.unwrap();
        (call, answered)
    }
}

/// A file that is gone with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("homing-live-{}-{name}.wav", std::process::id())))
    }

    /// What the recording heard, at 8,000 samples a second.
    fn heard(&self) -> Vec<f64> {
        let mut reader = hound::WavReader::open(&self.0).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8_000, 2));
        reader
            .samples::<i16>()
            .skip(1)
            .step_by(2)
            .map(|sample| f64::from(sample.unwrap()) / 32_768.0)
            .collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Pitch in Hz and level in dB below the loudest sine, of the loud part without its ends.
fn pitch_and_level(samples: &[f64]) -> (f64, f64) {
    let first = samples.iter().position(|sample| sample.abs() > 0.01).expect("there is sound");
    let last = samples.iter().rposition(|sample| sample.abs() > 0.01).expect("there is sound");
    let steady = &samples[first + 400..last - 400];
    let crossings: Vec<f64> = steady
        .windows(2)
        .zip(0u32..)
        .filter(|(pair, _)| pair[0] < 0.0 && pair[1] >= 0.0)
        .map(|(pair, at)| f64::from(at) + pair[0] / (pair[0] - pair[1]))
        .collect();
    let periods = f64::from(u32::try_from(crossings.len() - 1).unwrap());
    let hertz = periods * 8_000.0 / (crossings.last().unwrap() - crossings[0]);
    let count = f64::from(u32::try_from(steady.len()).unwrap());
    let power = steady.iter().map(|sample| sample * sample).sum::<f64>() / count;
    (hertz, 10.0 * (2.0 * power).log10())
}

/// The longest run of samples without sound between the first and the last loud one.
fn longest_gap(samples: &[f64]) -> usize {
    let first = samples.iter().position(|sample| sample.abs() > 0.01).unwrap();
    let last = samples.iter().rposition(|sample| sample.abs() > 0.01).unwrap();
    samples[first..=last].split(|sample| sample.abs() > 0.01).map(<[f64]>::len).max().unwrap_or(0)
}

#[test]
fn a_tone_is_heard_through_two_home_servers_encrypted_and_digits_once_each() {
    run(async {
        let mut heard = Heard::new(640).await;
        let tone = Sine { duration: Some(Duration::from_secs(2)), ..Sine::new(1_000.0) };
        let (hers, his) = heard.talking(Audio::Sine(tone), Audio::Silence).await;
        let tape = Scratch::new("tone");
        let recording = his.audio().unwrap().record(&tape.0);
        for call in [&hers, &his] {
            let terms = call.sound_terms().unwrap();
            assert!(terms.is_encrypted && terms.takes_digits);
            assert_eq!(terms.to_string(), "PCMU, encrypted (keys known to the servers)");
        }
        let mut events = his.sound_events().unwrap();
        assert!(his.sound_events().is_none(), "there is one reader");
        let played = heard.phones.within(hers.playback().unwrap().ended()).await.unwrap();
        assert_eq!(played, homing::sound::PlaybackEnd::Completed);
        heard.phones.within(hers.audio().unwrap().dtmf("1*#0D")).await.unwrap();
        let mut digits = String::new();
        heard
            .phones
            .within(async {
                while digits.len() < 5 {
                    if let Some(SoundEvent::Digit { digit, .. }) = events.next().await {
                        digits.push_str(&digit.to_string());
                    }
                }
            })
            .await;
        assert_eq!(digits, "1*#0D");
        let control = his.audio().unwrap();
        let end = heard.phones.within(his.hang_up()).await.unwrap();
        assert_eq!(end.why, EndReason::HungUp);
        heard.phones.within(recording.ended()).await.unwrap();
        assert_eq!(control.mute(true), Err(SoundError::Over), "the sound ends with the call");
        assert!(his.audio().is_none());
        let samples = tape.heard();
        let (hertz, level) = pitch_and_level(&samples);
        // While the delay settles a sound is played up to one sample in 160 faster or slower; to the hertz it is measured
        // in virtual time (`homing-media`).
        assert!((hertz - 1_000.0).abs() < 10.0, "{hertz} Hz");
        assert!((level - tone.dbov).abs() < 1.0, "{level} dB, not {}", tone.dbov);
        let lateness = [&heard.phones.alice, &heard.phones.bob].map(|phone| phone.ua.sound_lateness());
        // A machine of tests that was late says nothing about the call.
        if lateness.iter().all(|lateness| lateness.quantile(1.0) < Duration::from_millis(15)) {
            assert!(longest_gap(&samples) < 160, "a gap of {} samples", longest_gap(&samples));
        }
        assert!(events.next().await.is_none());
    });
}

#[test]
fn hold_is_silence_both_ways_and_what_follows_is_heard_again() {
    run(async {
        let mut heard = Heard::new(641).await;
        let forever = || Audio::Sine(Sine::new(700.0));
        let (hers, his) = heard.talking(forever(), forever()).await;
        let control = his.audio().unwrap();
        let comes = |call: &Call| {
            let stats = call.audio().unwrap().stats();
            stats.session.received.packets
        };
        assert!(eventually(Duration::from_secs(5), || comes(&hers) > 20 && comes(&his) > 20).await);
        heard.phones.within(hers.hold()).await.unwrap();
        assert!(eventually(Duration::from_secs(5), || his.holds().peer).await);
        // Statistics are a second old at most.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let before = (comes(&hers), comes(&his));
        tokio::time::sleep(Duration::from_secs(2)).await;
        let after = (comes(&hers), comes(&his));
        assert!(after.0 - before.0 < 5 && after.1 - before.1 < 5, "{before:?} {after:?}");
        heard.phones.within(hers.resume()).await.unwrap();
        assert!(
            eventually(Duration::from_secs(5), || comes(&hers) > after.0 + 20 && comes(&his) > after.1 + 20)
                .await
        );
        drop((hers, his));
        assert!(eventually(Duration::from_secs(5), || control.mute(true) == Err(SoundError::Over)).await);
    });
}

#[test]
fn a_file_that_is_not_there_is_told_and_ends_no_call() {
    run(async {
        let mut heard = Heard::new(642).await;
        let missing = Audio::File { path: "/nonexistent/greeting.wav".into(), repeat: Repeat::Times(1) };
        let (hers, his) = heard.talking(missing, Audio::Silence).await;
        let told = heard.phones.within(hers.playback().unwrap().ended()).await.unwrap_err();
        assert!(matches!(told, SoundError::Open { .. }), "{told}");
        let beep = Source::Sine(Sine { duration: Some(Duration::from_millis(100)), ..Sine::new(500.0) });
        let played = hers.audio().unwrap().play(beep);
        heard.phones.within(played.ended()).await.unwrap();
        drop((hers, his));
    });
}

#[test]
fn two_who_agree_on_no_protection_have_no_call_and_are_told_why() {
    run(async {
        let heard = Heard::new(643).await;
        let ports = SoundConfig::new(std::time::Instant::now());
        let mut config = ports.clone();
        config.policy.security = Security::Off;
        let clear = user_agent(&heard.phones.estate, config);
        let carol = account(&clear, "carol", |_| {});
        register(&heard.phones.estate, &carol).await.unwrap();
        let mut required = ports;
        required.policy.security = Security::Required;
        let strict = user_agent(&heard.phones.estate, required);
        let dave = account(&strict, "dave", |_| {});
        let mut calls = dave.incoming();
        register(&heard.phones.estate, &dave).await.unwrap();
        let call = carol.call("sip:dave@network.com").place().await.unwrap();
        let incoming: IncomingCall = heard.phones.within(calls.next()).await.unwrap();
        let his = heard.phones.within(incoming.answer()).await.unwrap_err();
        assert_eq!(his.code(), "E1205", "{his}");
        let hers = heard.phones.within(call.answered()).await.unwrap_err();
        assert_eq!(hers.code(), "E1205", "{hers}");
        let end = heard.phones.end(&call).await;
        assert_eq!((end.status, end.why), (Some(488), EndReason::NotAcceptable));
    });
}

#[test]
fn a_party_of_the_estate_sends_back_what_it_hears() {
    run(async {
        let echo = Party {
            sound: Some(PartySound { speech: Speech::Echo, fault: None }),
            after: Duration::ZERO,
            ..Party::new("echo")
        };
        let estate = estate(644).party("hs102", echo).start().await.unwrap();
        let ua = user_agent(&estate, SoundConfig::new(std::time::Instant::now()));
        let alice: Account = account(&ua, "alice", |_| {});
        register(&estate, &alice).await.unwrap();
        let call = alice.call("echo@network.com").place().await.unwrap();
        within(&estate, call.answered()).await.unwrap();
        let tape = Scratch::new("echo");
        let control = call.audio().unwrap();
        let recording = control.record(&tape.0);
        let tone = Sine { duration: Some(Duration::from_secs(1)), ..Sine::new(800.0) };
        within(&estate, control.play(Source::Sine(tone)).ended()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        within(&estate, recording.stop()).await.unwrap();
        let (hertz, level) = pitch_and_level(&tape.heard());
        assert!((hertz - 800.0).abs() < 8.0 && (level - tone.dbov).abs() < 1.0, "{hertz} Hz {level} dB");
        within(&estate, call.hang_up()).await.unwrap();
    });
}

fn user_agent(estate: &Estate, sound: SoundConfig) -> UserAgent {
    UserAgent::builder()
        .resolver(Resolver::name_server(estate.dns_address()))
        .roots(Roots::pem(estate.ca_pem()).unwrap())
        .sound(sound)
        .build()
        .unwrap()
}
