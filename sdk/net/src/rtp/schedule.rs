//! Which machine has a slot when: twenty phases a millisecond apart, so that hundreds of machines do not send at once.

use std::time::Duration;

use homing_core::time::Moment;

use super::machine::SLOT;

/// The phases of one thread's machines.
#[derive(Debug)]
pub(super) struct Schedule {
    phases: [Phase; PHASES],
}

/// The machines that have their slots at the same moments.
#[derive(Debug, Default)]
struct Phase {
    /// Meaningless while it has no machine.
    due: Moment,
    seats: Vec<usize>,
}

/// A slot that is due: all machines of a phase have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) phase: usize,
    /// When it should have begun.
    pub(super) at: Moment,
    /// How many slots before it are given up.
    pub(super) missed: u64,
}

impl Schedule {
    pub(super) fn new() -> Self {
        Self { phases: std::array::from_fn(|_| Phase::default()) }
    }

    /// Gives a machine a phase: the one with the fewest.
    pub(super) fn add(&mut self, seat: usize, now: Moment) {
        let phases = self.phases.iter_mut().enumerate();
        let Some((number, phase)) = phases.min_by_key(|(_, phase)| phase.seats.len()) else { return };
        if phase.seats.is_empty() {
            phase.due = next_of(number, now);
        }
        phase.seats.push(seat);
    }

    pub(super) fn remove(&mut self, seat: usize) {
        for phase in &mut self.phases {
            phase.seats.retain(|other| *other != seat);
        }
    }

    /// When the next slot is due.
    pub(super) fn next(&self) -> Option<Moment> {
        let occupied = self.phases.iter().filter(|phase| !phase.seats.is_empty());
        occupied.map(|phase| phase.due).min()
    }

    /// Takes the slot that is due longest. Slots up to 100 ms late are made up for one by one; later ones are missed,
    /// all but the last.
    pub(super) fn take(&mut self, now: Moment) -> Option<Due> {
        let occupied = self.phases.iter_mut().enumerate().filter(|(_, phase)| !phase.seats.is_empty());
        let (number, phase) = occupied.min_by_key(|(_, phase)| phase.due)?;
        let late = now.0.checked_sub(phase.due.0)?;
        let missed = if late > MADE_UP_FOR { whole_slots(late) } else { 0 };
        let at = later(phase.due, slots(missed));
        phase.due = later(at, SLOT);
        Some(Due { phase: number, at, missed })
    }

    /// The machine at a place of a phase, for walking it while machines leave.
    pub(super) fn seat(&self, phase: usize, place: usize) -> Option<usize> {
        self.phases.get(phase)?.seats.get(place).copied()
    }
}

/// The first moment of a phase after `now`.
fn next_of(phase: usize, now: Moment) -> Moment {
    let offset = Duration::from_millis(phase as u64);
    let passed = now.0.saturating_sub(offset);
    let slot = if now.0 < offset { 0 } else { whole_slots(passed) + 1 };
    Moment(offset + slots(slot))
}

fn later(moment: Moment, by: Duration) -> Moment {
    Moment(moment.0.saturating_add(by))
}

fn whole_slots(time: Duration) -> u64 {
    u64::try_from(time.as_nanos() / SLOT.as_nanos()).unwrap_or(u64::MAX)
}

fn slots(count: u64) -> Duration {
    Duration::from_millis(count.saturating_mul(20))
}

/// One a millisecond.
const PHASES: usize = 20;
/// How late a slot may be and still be served as if it were not: what a peer's jitter buffer bears.
const MADE_UP_FOR: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment(Duration::from_millis(millis))
    }

    /// The slots up to a moment, each served the instant it is due.
    fn served(schedule: &mut Schedule, until: Moment) -> Vec<(usize, Moment)> {
        let mut found = Vec::new();
        while let Some(next) = schedule.next().filter(|next| *next <= until) {
            let due = schedule.take(next).unwrap();
            assert_eq!((due.at, due.missed), (next, 0));
            let seats = (0..).map_while(|place| schedule.seat(due.phase, place));
            found.extend(seats.map(|seat| (seat, due.at)));
        }
        found
    }

    #[test]
    fn every_machine_has_a_slot_each_twenty_milliseconds_and_twenty_share_no_moment() {
        let mut schedule = Schedule::new();
        assert_eq!(schedule.next(), None);
        (0..20).for_each(|seat| schedule.add(seat, at(1_003)));
        let served = served(&mut schedule, at(1_203));
        for seat in 0..20 {
            let own: Vec<Moment> = served.iter().filter(|one| one.0 == seat).map(|one| one.1).collect();
            assert_eq!(own.len(), 10);
            assert!(own.windows(2).all(|two| two[1] == later(two[0], SLOT)));
        }
        let mut moments: Vec<Moment> = served.iter().map(|one| one.1).collect();
        moments.dedup();
        assert_eq!(moments.len(), 200);
    }

    #[test]
    fn five_hundred_machines_are_spread_evenly() {
        let mut schedule = Schedule::new();
        (0..500).for_each(|seat| schedule.add(seat, at(0)));
        assert!(schedule.phases.iter().all(|phase| phase.seats.len() == 25));
        (0..500).filter(|seat| seat % 20 == 3).for_each(|seat| schedule.remove(seat));
        schedule.add(500, at(0));
        assert_eq!(schedule.seat(3, 0), Some(500));
    }

    #[test]
    fn a_short_delay_is_made_up_for_slot_by_slot_and_a_long_one_is_counted() {
        let mut schedule = Schedule::new();
        schedule.add(0, at(0));
        assert_eq!(schedule.take(at(19)), None);
        let first = schedule.take(at(20)).unwrap();
        assert_eq!((first.at, first.missed), (at(20), 0));
        let late: Vec<(Moment, u64)> =
            std::iter::from_fn(|| schedule.take(at(140))).map(|d| (d.at, d.missed)).collect();
        assert_eq!(late, [40, 60, 80, 100, 120, 140].map(|due| (at(due), 0)));
        let late = schedule.take(at(60_175)).unwrap();
        assert_eq!((late.at, late.missed, schedule.next()), (at(60_160), 3_000, Some(at(60_180))));
        assert_eq!(schedule.take(at(60_179)), None);
    }

    #[test]
    fn a_phase_that_was_empty_starts_at_its_next_moment() {
        let mut schedule = Schedule::new();
        schedule.add(0, at(0));
        schedule.remove(0);
        assert_eq!((schedule.next(), schedule.take(at(500))), (None, None));
        schedule.add(1, at(90_007));
        assert_eq!(schedule.next(), Some(at(90_020)));
    }
}
