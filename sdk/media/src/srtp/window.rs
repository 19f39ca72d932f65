//! Which packets of one source came already (RFC 3711 section 3.3.2), and how their numbers go on above 16 bits.

/// The packets of one source, by an index that never wraps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    highest: u64,
    /// Bit 0 is the highest.
    seen: u128,
}

/// Why an index is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Replayed;

impl Window {
    pub(super) fn new(first: u64) -> Self {
        Self { highest: first, seen: 1 }
    }

    /// The index that a sequence number most likely stands for (RFC 3711 appendix A); none beyond the last there is.
    pub(super) fn guess(&self, sequence: u16) -> Option<u64> {
        let base = self.highest & !0xffff;
        let number = u64::from(sequence);
        let behind = self.highest & 0xffff;
        let index = if behind < 0x8000 && number > behind + 0x8000 {
            // Of the round before; in the very first there is none.
            base.checked_sub(0x1_0000)? + number
        } else if behind >= 0x8000 && number < behind - 0x8000 {
            base + 0x1_0000 + number
        } else {
            base + number
        };
        (index < INDICES).then_some(index)
    }

    /// Refuses what came already, and what is too old to tell.
    pub(super) fn check(&self, index: u64) -> Result<(), Replayed> {
        if index > self.highest {
            return Ok(());
        }
        let behind = u32::try_from(self.highest - index).unwrap_or(u32::MAX);
        match 1u128.checked_shl(behind) {
            Some(bit) if self.seen & bit == 0 => Ok(()),
            _ => Err(Replayed),
        }
    }

    /// Notes an index whose packet proved genuine.
    pub(super) fn accept(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.highest) {
            let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = index;
        } else {
            let behind = u32::try_from(self.highest - index).unwrap_or(u32::MAX);
            self.seen |= 1u128.checked_shl(behind).unwrap_or(0);
        }
    }
}

/// Of one key and source: 2^48 packets (RFC 3711 section 9.2).
pub(super) const INDICES: u64 = 1 << 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_go_on_over_the_end_of_16_bits_and_back() {
        let mut window = Window::new(0xfff0);
        assert_eq!(window.guess(0x0005), Some(0x1_0005));
        window.accept(0x1_0005);
        assert_eq!(window.guess(0xfff1), Some(0xfff1), "late, of the round before");
        assert_eq!(window.guess(0x8004), Some(0x1_8004));
        assert_eq!(Window::new(3).guess(0xfff0), None, "before the first round there is none");
        assert_eq!(Window::new(INDICES - 1).guess(0), None, "after the last round there is none");
    }

    #[test]
    fn nothing_passes_twice_and_nothing_old_at_all() {
        let mut window = Window::new(1000);
        for index in [1001, 1200, 1199, 1073] {
            assert_eq!(window.check(index), Ok(()), "{index}");
            window.accept(index);
            assert_eq!(window.check(index), Err(Replayed), "{index}");
        }
        assert_eq!(window.check(1072), Err(Replayed), "older than the window");
        window.accept(5000);
        assert_eq!((window.check(4999), window.check(1200)), (Ok(()), Err(Replayed)));
    }
}
