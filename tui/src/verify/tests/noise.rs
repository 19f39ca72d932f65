//! Whatever the bytes are: no panic, no endless search, nothing secret shown.

use super::*;

/// A small generator with a printed seed.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }
}

fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(6) {
        let at = rng.below(bytes.len());
        match rng.below(5) {
            0 => bytes[at] = rng.byte(),
            1 => bytes[at] ^= 1 << rng.below(8),
            2 => drop(bytes.drain(at..(at + rng.below(40)).min(bytes.len()))),
            3 => {
                let from = rng.below(bytes.len());
                let piece = bytes[from..(from + rng.below(200)).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, piece));
            }
            _ => bytes.truncate(bytes.len() - rng.below(bytes.len() / 8 + 1)),
        }
        if bytes.is_empty() {
            bytes.push(b' ');
        }
    }
}

fn seeds() -> u64 {
    std::env::var("HOMING_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

#[test]
fn damaged_files_never_panic() {
    let all = sessions();
    for seed in 0..seeds() {
        let mut rng = Rng(seed);
        let session = &all[rng.below(all.len())];
        let mut bytes = match rng.below(2) {
            0 => session.log().into_bytes(),
            _ => capture::sample(session, rng.below(36)),
        };
        mutate(&mut bytes, &mut rng);
        if let Ok(recording) = source::read_bytes(&bytes) {
            let report = check::judge(recording, &Password::new(session.password.as_str()));
            assert!(!all_output(&report).contains(&session.password), "seed {seed}");
            let harmless = lines(&report).iter().all(|line| !line.as_str().chars().any(char::is_control));
            assert!(harmless, "seed {seed}");
        }
    }
}

#[test]
fn noise_is_nothing() {
    for seed in 0..200 {
        let mut rng = Rng(seed);
        let size = rng.below(4_000);
        let mut bytes: Vec<u8> = (0..size).map(|_| rng.byte()).collect();
        if let (0, Some(head)) = (seed % 2, bytes.first_chunk_mut::<4>()) {
            *head = [[0xd4, 0xc3, 0xb2, 0xa1], [0x0a, 0x0d, 0x0d, 0x0a]][rng.below(2)];
        }
        let _ = source::read_bytes(&bytes).map(|recording| check::judge(recording, &Password::new("x")));
    }
}

#[test]
fn many_wrong_signatures_do_not_search_for_ever() {
    let mut session = session("a4");
    let text = session.steps[7].text.clone();
    let (head, mac) = text.split_once("rspauth=\"01000000").unwrap();
    let checksum: String = mac[..16].chars().rev().collect();
    let bad = format!("{head}rspauth=\"01000000{checksum}{}", &mac[16..]);
    for number in 0..400 {
        let mut step = session.steps[7].clone();
        step.text = bad.replace("snum=\"2\"", &format!("snum=\"{}\"", number + 50));
        session.steps.push(step);
    }
    let report = session.judge();
    assert_eq!(report.totals().differ, 400);
    let (number, difference) = first(&report);
    assert!(matches!((number, difference.cause), (17, Cause::Unexplained { .. })));
}
