//! The order of SRV records: priority, then a weighted draw (RFC 2782).

use crate::dns::Srv;
use crate::ids::Rng;

/// The records in the order in which they are to be tried.
///
/// Within one priority the draw goes over the running sum of weights, records of weight 0 first, so
/// that those have a small chance beside heavier ones; where all weights are 0 the order is even.
pub(super) fn order(mut records: Vec<Srv>, rng: &mut Rng) -> Vec<Srv> {
    // Wire order is the name server's choice; the draw must not depend on it.
    records.sort_by(|a, b| {
        (a.priority, a.weight, &a.target, a.port).cmp(&(b.priority, b.weight, &b.target, b.port))
    });
    let mut ordered = Vec::with_capacity(records.len());
    for group in records.chunk_by_mut(|a, b| a.priority == b.priority) {
        let zeros = group.iter().take_while(|record| record.weight == 0).count();
        shuffle(&mut group[..zeros], rng);
        draw(group, rng);
        ordered.extend_from_slice(group);
    }
    ordered
}

/// Brings the group into drawn order; what is left keeps its order, zeros first.
fn draw(group: &mut [Srv], rng: &mut Rng) {
    for place in 0..group.len() {
        let rest = &mut group[place..];
        let sum: u64 = rest.iter().map(|record| u64::from(record.weight)).sum();
        let drawn = rng.below(sum + 1);
        let mut running = 0;
        let hit = rest.iter().position(|record| {
            running += u64::from(record.weight);
            running >= drawn
        });
        rest[..=hit.unwrap_or(0)].rotate_right(1);
    }
}

fn shuffle(records: &mut [Srv], rng: &mut Rng) {
    for last in (1..records.len()).rev() {
        let other = rng.below(last as u64 + 1);
        records.swap(last, usize::try_from(other).unwrap_or(last));
    }
}
