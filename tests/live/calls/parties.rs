//! Parties of the estate that are heard: an echo to the hertz, and packets that are wrong and end no call.

use std::time::{Duration, Instant};

use homing::call::Call;
use homing::sound::{Security, Sine, SoundConfig, Source};
use homing::{Account, Resolver, Roots, UserAgent};
use homing_server_mock::estate::Estate;
use homing_server_mock::node::party::Party;
use homing_server_mock::node::sound::{PartySound, SoundFault, Speech};

use super::phones::{account, within};
use crate::client::{estate, eventually, register, run};

/// Alice, at home with one party.
struct Visit {
    estate: Estate,
    alice: Account,
    agent: UserAgent,
}

impl Visit {
    async fn new(seed: u64, sound: PartySound) -> Self {
        let party = Party { sound: Some(sound), after: Duration::ZERO, ..Party::new("party") };
        let estate = estate(seed).party("hs104", party).start().await.unwrap();
        let mut sound = SoundConfig::new(Instant::now());
        sound.policy.security = Security::Required;
        let agent = UserAgent::builder()
            .resolver(Resolver::name_server(estate.dns_address()))
            .roots(Roots::pem(estate.ca_pem()).unwrap())
            .sound(sound)
            .build()
            .unwrap();
        let alice = account(&agent, "alice", |_| {});
        register(&estate, &alice).await.unwrap();
        Self { estate, alice, agent }
    }

    async fn call(&self) -> Call {
        let call = self.alice.call("party@network.com").place().await.unwrap();
        within(&self.estate, call.answered()).await.unwrap();
        call
    }

    /// What is heard while a sine is said, in samples of 8 kHz.
    async fn say(&self, call: &Call, tone: Sine) -> Vec<i16> {
        let name = format!("homing-live-{}-party-{}.wav", std::process::id(), call.id().0);
        let path = std::env::temp_dir().join(name);
        let control = call.audio().unwrap();
        let recording = control.record(&path);
        within(&self.estate, control.play(Source::Sine(tone)).ended()).await.unwrap();
        within(&self.estate, recording.stop()).await.unwrap();
        let mut file = hound::WavReader::open(&path).unwrap();
        let samples = file.samples::<i16>().map(Result::unwrap).skip(1).step_by(2).collect();
        std::fs::remove_file(&path).unwrap();
        samples
    }
}

fn hertz(samples: &[i16]) -> f64 {
    let pairs = samples.windows(2).enumerate().filter(|(_, two)| two[0] < 0 && two[1] >= 0);
    let rising: Vec<f64> = pairs
        .map(|(at, two)| at as f64 + f64::from(-two[0]) / f64::from(i32::from(two[1]) - i32::from(two[0])))
        .collect();
    let (Some(first), Some(last)) = (rising.first(), rising.last()) else { return 0.0 };
    (rising.len() - 1) as f64 / (last - first) * 8_000.0
}

fn dbov(samples: &[i16]) -> f64 {
    let squares: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (squares / samples.len() as f64 * 2.0 / 32_768_f64.powi(2)).log10()
}

fn longest_silence(samples: &[i16]) -> usize {
    samples.split(|sample| sample.abs() > 60).map(<[i16]>::len).max().unwrap_or_default()
}

#[test]
fn an_echo_comes_back_to_the_hertz_once_both_delays_rest() {
    run(async {
        let visit = Visit::new(701, PartySound { speech: Speech::Echo, fault: None }).await;
        for attempt in 1.. {
            let call = visit.call().await;
            let tone = Sine { duration: Some(Duration::from_millis(4_500)), ..Sine::new(1_000.0) };
            let heard = visit.say(&call, tone).await;
            within(&visit.estate, call.hang_up()).await.unwrap();
            // While a delay follows the jitter, sound is played up to 1.3 % faster or slower; then it is exact.
            let exact = heard.windows(4_000).step_by(400).any(|half| {
                let is_whole = longest_silence(half) < 160;
                is_whole && (hertz(half) - 1_000.0).abs() < 1.0 && (dbov(half) + 16.0).abs() < 1.0
            });
            // A machine of tests that was late says nothing about the call.
            let is_late = visit.agent.sound_lateness().quantile(1.0) > Duration::from_millis(15);
            if exact || !is_late || attempt == 5 {
                let last = &heard[heard.len() - 4_000..];
                let silence = longest_silence(last);
                assert!(
                    exact,
                    "at the end {} Hz, {} dBov, {silence} silent samples",
                    hertz(last),
                    dbov(last)
                );
                return;
            }
        }
    });
}

#[test]
fn packets_with_wrong_tags_are_dropped_and_end_no_call() {
    run(async {
        let fault = Some(SoundFault::BadTags);
        let visit = Visit::new(702, PartySound { speech: Speech::Tone(440), fault }).await;
        let call = visit.call().await;
        let control = call.audio().unwrap().clone();
        let dropped = || control.stats().session.dropped.unauthenticated > 0;
        assert!(eventually(Duration::from_secs(30), dropped).await);
        assert_eq!(control.stats().session.received.packets, 0);
        within(&visit.estate, call.hang_up()).await.unwrap();
    });
}
