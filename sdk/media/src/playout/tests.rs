//! Streams through a bad network, in virtual time.

use super::*;
use crate::random::{Purpose, Random};

/// A stream of packets on its way: what is sent every 20 ms of a clock that may run differently from ours.
struct Network {
    random: Random,
    /// Arrival in microseconds, and the number of the packet; sorted when drawn.
    under_way: Vec<(i64, i64)>,
    next: i64,
    skew_ppm: i64,
    jitter_micros: i64,
    loss_percent: u32,
}

impl Network {
    fn new(skew_ppm: i64, jitter_micros: i64, loss_percent: u32) -> Self {
        let random = Random::new(&[5; 32], Purpose::Source);
        Self { random, under_way: Vec::new(), next: 0, skew_ppm, jitter_micros, loss_percent }
    }

    /// The packets that arrive until then, in the order in which they do.
    fn until(&mut self, micros: i64) -> Vec<(i64, i64)> {
        loop {
            let sent = self.next * 20_000 * (1_000_000 + self.skew_ppm) / 1_000_000;
            if sent > micros {
                break;
            }
            let late = i64::from(self.random.u32() % 1_000_001) * self.jitter_micros / 1_000_000;
            if self.random.u32() % 100 >= self.loss_percent {
                self.under_way.push((sent + 30_000 + late, self.next));
            }
            self.next += 1;
        }
        self.under_way.sort_unstable();
        let arrived = self.under_way.iter().take_while(|(at, _)| *at <= micros).count();
        self.under_way.drain(..arrived).collect()
    }
}

fn tone(packet: i64) -> Vec<u8> {
    let sample = |at: i64| ((at as f64 * 1000.0 / 8000.0 * std::f64::consts::TAU).sin() * 10_000.0) as i16;
    (0..160).map(|at| Codec::Pcmu.encode(sample(packet * 160 + at))).collect()
}

/// Plays `seconds` of it and returns what was heard, with the delay at each step.
fn play(network: &mut Network, playout: &mut Playout, seconds: i64, heard: &mut Vec<i16>) -> Vec<Duration> {
    let mut delays = Vec::new();
    for step in 0..seconds * 50 {
        let now = step * 20_000 + 7_000;
        for (at, number) in network.until(now) {
            let timestamp = (number * 160 + 0xffff_f000) as u32;
            playout.put(timestamp, Codec::Pcmu, &tone(number), Duration::from_micros(at as u64));
        }
        let mut frame = [0; 160];
        playout.take(&mut frame, Duration::from_micros(now as u64));
        heard.extend(frame);
        delays.push(playout.buffered());
    }
    delays
}

#[test]
fn an_hour_of_loss_jitter_reordering_and_skew_neither_drifts_nor_grows() {
    for skew in [200, -200] {
        let (mut network, mut playout) = (Network::new(skew, 60_000, 5), Playout::new());
        let delays = play(&mut network, &mut playout, 3600, &mut Vec::new());
        let settled = &delays[50 * 30..];
        let (least, most) = (settled.iter().min().unwrap(), settled.iter().max().unwrap());
        assert!(*most <= Duration::from_millis(140), "{skew} ppm: at most {most:?}");
        assert!(*least >= Duration::from_millis(60), "{skew} ppm: at least {least:?}");
        let mean = |part: &[Duration]| part.iter().sum::<Duration>().as_secs_f64() / part.len() as f64;
        let (early, late) = (mean(&settled[..15_000]), mean(&settled[settled.len() - 15_000..]));
        assert!((early - late).abs() < 0.005 && late < 0.095, "{skew} ppm: from {early} to {late}");
        // 5 % are lost; hardly more come too late.
        let concealed = playout.concealed().as_secs_f64() / 3600.0;
        assert!((0.045..0.065).contains(&concealed), "{skew} ppm: {concealed} made up");
        assert!(playout.late() < 180_000 / 100, "{skew} ppm: {} late", playout.late());
    }
}

#[test]
fn without_jitter_little_waits_and_nothing_is_made_up() {
    let (mut network, mut playout) = (Network::new(0, 0, 0), Playout::new());
    let mut heard = Vec::new();
    let delays = play(&mut network, &mut playout, 60, &mut heard);
    assert!(delays[100..].iter().all(|delay| *delay <= Duration::from_millis(40)), "{:?}", delays.last());
    assert_eq!((playout.concealed(), playout.late()), (Duration::ZERO, 0));
    // The same tone from one end to the other.
    let settled = &heard[8000..];
    let broken = settled.windows(3).filter(|three| {
        let [a, b, c] = [0, 1, 2].map(|at| f64::from(three[at]));
        (a + c - 2.0 * (std::f64::consts::TAU / 8.0).cos() * b).abs() > 1500.0
    });
    assert_eq!(broken.count(), 0);
}

#[test]
fn clocks_that_differ_neither_fill_nor_empty_the_buffer() {
    for skew in [200, -200] {
        let (mut network, mut playout) = (Network::new(skew, 0, 0), Playout::new());
        let delays = play(&mut network, &mut playout, 1200, &mut Vec::new());
        let (least, most) = (delays[500..].iter().min().unwrap(), delays[500..].iter().max().unwrap());
        assert!(
            *most <= Duration::from_millis(32) && *least >= Duration::from_millis(5),
            "{least:?} to {most:?}"
        );
        assert_eq!(playout.concealed(), Duration::ZERO, "{skew} ppm");
    }
}

#[test]
fn what_piled_up_while_nobody_played_is_left_out() {
    let mut playout = Playout::new();
    for step in 0..100u64 {
        let now = Duration::from_millis(step * 20);
        playout.put((step * 160) as u32, Codec::Pcmu, &tone(step as i64), now);
        if !(40..70).contains(&step) {
            playout.take(&mut [0; 160], now);
        }
        if step >= 72 {
            assert!(playout.buffered() <= Duration::from_millis(60), "{:?}", playout.buffered());
        }
    }
}

#[test]
fn a_network_that_turns_slower_is_waited_for_once() {
    let mut playout = Playout::new();
    let mut heard = Vec::new();
    for step in 0..500i64 {
        let (now, late) = (step * 20_000, if step < 250 { 0 } else { 15 });
        if !(250..265).contains(&step) {
            let number = step - late;
            playout.put((number * 160) as u32, Codec::Pcmu, &tone(number), Duration::from_micros(now as u64));
        }
        let mut frame = [0; 160];
        playout.take(&mut frame, Duration::from_micros(now as u64 + 1000));
        heard.push(frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap());
    }
    let silent = heard[4..].iter().filter(|loudest| **loudest < 1000).count();
    assert!(silent <= 16, "{silent} frames of 20 ms are silent for a step of 300 ms");
    assert!(playout.buffered() < Duration::from_millis(400), "{:?}", playout.buffered());
}

#[test]
fn a_peer_whose_clock_stands_still_in_silence_is_heard_again_soon() {
    let mut playout = Playout::new();
    let mut silent = 0;
    for step in 0..300i64 {
        // Silent from the first to the third second, and the timestamps go on as if it had not been.
        let number = if step < 50 { Some(step) } else { (step >= 125).then_some(step - 75) };
        let now = Duration::from_millis(step as u64 * 20);
        if let Some(number) = number {
            playout.put((number * 160) as u32, Codec::Pcmu, &tone(number), now);
        }
        let mut frame = [0; 160];
        playout.take(&mut frame, now);
        silent += usize::from(step >= 125 && frame.iter().all(|sample| sample.unsigned_abs() < 1000));
    }
    assert!(silent <= 12, "{silent} frames of 20 ms more are silent");
}

#[test]
fn other_timestamps_begin_anew_without_a_new_source() {
    let mut playout = Playout::new();
    let mut frame = [0; 160];
    for step in 0..100u64 {
        let timestamp = if step < 50 { step * 160 } else { step * 160 + 1_000_000_000 };
        let now = Duration::from_millis(step * 20);
        playout.put(timestamp as u32, Codec::Pcma, &[0x2a; 160], now);
        playout.take(&mut frame, now);
    }
    assert!(playout.buffered() <= Duration::from_millis(60), "{:?}", playout.buffered());
    assert_eq!(frame, [Codec::Pcma.decode(0x2a); 160]);
}

#[test]
fn who_is_not_asked_for_sound_keeps_a_second_of_it_at_most() {
    let mut playout = Playout::new();
    for step in 0..1000u64 {
        playout.put((step * 160) as u32, Codec::Pcmu, &[0; 160], Duration::from_millis(step * 20));
    }
    let mut frame = [0; 160];
    for step in 1000..1010u64 {
        playout.put((step * 160) as u32, Codec::Pcmu, &[0; 160], Duration::from_millis(step * 20));
        playout.take(&mut frame, Duration::from_millis(step * 20));
    }
    assert!(playout.buffered() < Duration::from_millis(400), "{:?}", playout.buffered());
}
