//! A second of samples by their place in the stream, with gaps.

/// Samples that came, and the place that is played next.
pub(super) struct Timeline {
    samples: Box<[i16; RING]>,
    /// Which of them came.
    present: Box<[bool; RING]>,
    cursor: i64,
    /// Behind the last sample that came.
    end: i64,
}

/// Samples that follow one another and came, or did not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Run {
    pub(super) length: usize,
    pub(super) is_present: bool,
}

impl Timeline {
    pub(super) fn new() -> Timeline {
        Timeline { samples: Box::new([0; RING]), present: Box::new([false; RING]), cursor: 0, end: 0 }
    }

    /// Forgets all samples and goes on at `cursor`.
    pub(super) fn clear(&mut self, cursor: i64) {
        self.present.fill(false);
        (self.cursor, self.end) = (cursor, cursor);
    }

    pub(super) fn cursor(&self) -> i64 {
        self.cursor
    }

    /// A packet of any length at this place fits, or is late.
    pub(super) fn reaches(&self, place: i64) -> bool {
        place < self.cursor + REACH
    }

    /// Samples from `place` on; those already played are left out.
    pub(super) fn write(&mut self, place: i64, samples: impl Iterator<Item = i16>) {
        let places = (place..self.cursor + LENGTH).zip(samples);
        for (place, sample) in places.filter(|(place, _)| *place >= self.cursor) {
            let at = slot(place);
            if let (Some(to), Some(present)) = (self.samples.get_mut(at), self.present.get_mut(at)) {
                (*to, *present) = (sample, true);
                self.end = self.end.max(place + 1);
            }
        }
    }

    /// How many samples are missing before the next that came.
    pub(super) fn next_present(&self) -> Option<usize> {
        if self.end <= self.cursor {
            return None;
        }
        let places = self.cursor..self.end;
        places.map(slot).position(|at| self.present.get(at) == Some(&true))
    }

    /// Moves over samples, perhaps some that came.
    pub(super) fn skip(&mut self, length: i64) {
        for place in (self.cursor..self.cursor + length).take(RING) {
            if let Some(present) = self.present.get_mut(slot(place)) {
                *present = false;
            }
        }
        self.cursor += length;
    }

    /// Takes samples up to the first that is different in having come; what did not come is left as it is in `out`.
    pub(super) fn read_run(&mut self, out: &mut [i16]) -> Run {
        let mut run = Run { length: 0, is_present: false };
        for to in out {
            let at = slot(self.cursor);
            let (Some(sample), Some(present)) = (self.samples.get(at), self.present.get_mut(at)) else {
                break;
            };
            if run.length > 0 && *present != run.is_present {
                break;
            }
            run.is_present = *present;
            if *present {
                *to = *sample;
            }
            *present = false;
            run.length += 1;
            self.cursor += 1;
        }
        run
    }
}

/// Two's complement keeps the order of places below zero, too.
fn slot(place: i64) -> usize {
    usize::try_from(place.cast_unsigned() % LENGTH.cast_unsigned()).unwrap_or(0)
}

/// A second and a little.
const RING: usize = 8192;
const LENGTH: i64 = 8192;
/// Behind it there is room for a packet of 180 ms, the longest that a datagram usually holds.
const REACH: i64 = LENGTH - 1500;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(timeline: &mut Timeline, length: usize) -> (Run, Vec<i16>) {
        let mut out = vec![-1; length];
        let run = timeline.read_run(&mut out);
        out.truncate(run.length);
        (run, out)
    }

    #[test]
    fn samples_come_back_by_place_with_gaps_between() {
        let mut timeline = Timeline::new();
        timeline.clear(-2);
        timeline.write(3, [30, 40].into_iter());
        timeline.write(-4, [1, 2, 3, 4].into_iter());
        assert_eq!(read(&mut timeline, 10), (Run { length: 2, is_present: true }, vec![3, 4]));
        assert_eq!(read(&mut timeline, 10), (Run { length: 3, is_present: false }, vec![-1; 3]));
        assert_eq!(read(&mut timeline, 1).1, [30]);
        assert_eq!((timeline.cursor(), timeline.next_present()), (4, Some(0)));
        timeline.skip(1);
        assert_eq!(timeline.next_present(), None);
        timeline.write(8, [80].into_iter());
        assert_eq!(timeline.next_present(), Some(3));
        assert_eq!(read(&mut timeline, 5).0, Run { length: 3, is_present: false });
    }

    #[test]
    fn nothing_is_heard_twice_and_nothing_overtakes_the_ring() {
        let mut timeline = Timeline::new();
        timeline.write(0, std::iter::repeat_n(7, 20_000));
        let mut heard = 0;
        while read(&mut timeline, 160).0.is_present {
            heard += 160;
        }
        assert!((8192..8192 + 160).contains(&heard), "{heard}");
        assert_eq!(timeline.next_present(), None);
        assert!(timeline.reaches(timeline.cursor() + 6000) && !timeline.reaches(timeline.cursor() + 7000));
    }
}
