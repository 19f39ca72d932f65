//! RFC 2782: the draw follows the weights.

use super::super::srv::order;
use super::*;

fn records(weights: &[u16]) -> Vec<Srv> {
    let record = |(n, weight): (usize, &u16)| Srv {
        priority: 0,
        weight: *weight,
        port: 5061,
        target: format!("h{n}.test"),
    };
    weights.iter().enumerate().map(record).collect()
}

/// How often each record comes first in `random` random.
fn firsts(weights: &[u16], random: u32) -> Vec<u32> {
    let mut rng = Rng::new(&Seed::from_number(2782));
    let mut counts = vec![0; weights.len()];
    for _ in 0..random {
        let first = order(records(weights), &mut rng).swap_remove(0);
        let n: usize = first.target[1..first.target.len() - 5].parse().unwrap();
        counts[n] += 1;
    }
    counts
}

#[test]
fn shares_follow_weights() {
    for weights in [[10, 30, 60], [1, 1, 1], [100, 100, 800]] {
        let random = 30_000;
        let sum: u32 = weights.iter().map(|weight| u32::from(*weight)).sum();
        for (count, weight) in firsts(&weights, random).into_iter().zip(weights) {
            let share = f64::from(count) / f64::from(random);
            // Drawing from 0..=sum gives the lightest record 1/(sum+1) more than its share (RFC 2782).
            let slack = 0.015 + 1.0 / f64::from(sum + 1);
            assert!((share - f64::from(weight) / f64::from(sum)).abs() < slack, "{weights:?}: {share}");
        }
    }
}

#[test]
fn weight_zero_has_a_small_chance_beside_others_and_an_even_one_among_its_kind() {
    let random = 20_000;
    let beside = firsts(&[0, 99], random)[0];
    assert!((100..300).contains(&beside), "about 1 in 100: {beside}");
    for count in firsts(&[0, 0, 0, 0], random) {
        assert!((4_500..5_500).contains(&count), "{count}");
    }
}

#[test]
fn every_record_stays_and_priorities_rule() {
    for seed in 0..300 {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let mut all = records(&[0, 5, 9, 0, 65_535]);
        all.extend(records(&[3, 0]).into_iter().map(|record| Srv { priority: 1, ..record }));
        let ordered = order(all.clone(), &mut rng);
        assert!(ordered.is_sorted_by_key(|record| record.priority), "seed {seed}");
        let key = |record: &Srv| (record.priority, record.weight, record.target.clone());
        let (mut before, mut after) = (all, ordered);
        before.sort_by_key(key);
        after.sort_by_key(key);
        assert_eq!(before, after, "seed {seed}");
    }
}
