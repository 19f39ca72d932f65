//! The window of 256 counters that lets messages overtake each other but never repeat.
//!
//! Source: MS-SIPAE 3.2.5.2 and 3.3.5.2. It is asked only after the signature proved good.

/// Which of the last 256 counters were seen.
///
/// ```
/// use homing_core::auth::security_association::{Place, Window};
///
/// let mut window = Window::default();
/// assert_eq!(window.admit(5), Place::Fresh);
/// assert_eq!(window.admit(3), Place::Fresh);   // overtaken on the way
/// assert_eq!(window.admit(5), Place::Replayed);
/// assert_eq!(window.admit(0), Place::Below);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The highest counter seen; 0 before the first.
    last: u32,
    /// Bit `i` of word `w` stands for the counter `last - (64 * w + i)`.
    seen: [u64; WORDS],
}

/// Where a counter lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Not seen before; it is seen now.
    Fresh,
    /// Seen before.
    Replayed,
    /// Zero, or 256 or more behind the highest counter.
    Below,
}

impl Window {
    /// Judges the counter of a message whose signature is good, and remembers it.
    pub fn admit(&mut self, number: u32) -> Place {
        if number > self.last {
            self.advance(number - self.last);
            self.last = number;
            self.seen[0] |= 1;
            return Place::Fresh;
        }
        let behind = self.last - number;
        let bit = 1u64 << (behind % 64);
        let word = if number == 0 { None } else { self.seen.get_mut((behind / 64) as usize) };
        let Some(word) = word else { return Place::Below };
        if *word & bit != 0 {
            return Place::Replayed;
        }
        *word |= bit;
        Place::Fresh
    }

    /// The highest counter seen, 0 before the first.
    pub fn last(&self) -> u32 {
        self.last
    }

    /// Moves every mark `distance` counters further into the past.
    fn advance(&mut self, distance: u32) {
        if distance >= SPAN {
            self.seen = [0; WORDS];
            return;
        }
        let (words, bits) = ((distance / 64) as usize, distance % 64);
        for at in (0..WORDS).rev() {
            let low = at.checked_sub(words).map_or(0, |from| self.seen[from] << bits);
            let carried = if bits == 0 { None } else { at.checked_sub(words + 1) };
            self.seen[at] = low | carried.map_or(0, |from| self.seen[from] >> (64 - bits));
        }
    }
}

/// How many counters are remembered.
const SPAN: u32 = 256;
const WORDS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_edges_of_the_window() {
        let mut window = Window::default();
        assert_eq!(window.admit(0), Place::Below);
        assert_eq!(window.admit(256), Place::Fresh);
        assert_eq!(window.admit(1), Place::Fresh, "255 behind is inside");
        assert_eq!(window.admit(1), Place::Replayed);
        assert_eq!(window.admit(257), Place::Fresh);
        assert_eq!(window.admit(1), Place::Below, "256 behind is outside");
        assert_eq!(window.admit(256), Place::Replayed);
        assert_eq!(window.admit(u32::MAX), Place::Fresh);
        assert_eq!(window.admit(257), Place::Below);
        assert_eq!(window.admit(u32::MAX), Place::Replayed);
        assert_eq!(window.admit(u32::MAX - 255), Place::Fresh);
        assert_eq!(window.last(), u32::MAX);
    }

    proptest::proptest! {
        /// Against a set that remembers everything: a counter passes exactly if it is new and less
        /// than 256 behind the highest one before it.
        #[test]
        fn each_counter_passes_at_most_once_and_none_is_lost_within_the_window(
            start in 0u32..=u32::MAX - 4096,
            steps in proptest::collection::vec((0u32..700, proptest::bool::ANY), 1..400),
        ) {
            let mut window = Window::default();
            let mut passed = BTreeSet::new();
            let mut highest = start;
            for (step, back) in steps {
                let number = if back { highest.saturating_sub(step) } else { highest.saturating_add(step % 8) };
                let last = window.last();
                let expected = match number {
                    0 => Place::Below,
                    _ if number <= last && last - number >= 256 => Place::Below,
                    _ if passed.contains(&number) => Place::Replayed,
                    _ => Place::Fresh,
                };
                proptest::prop_assert_eq!(window.admit(number), expected);
                if expected == Place::Fresh {
                    proptest::prop_assert!(passed.insert(number));
                }
                highest = highest.max(number);
            }
        }
    }
}
