//! Which ports sessions may have.

/// A range of ports, whole pairs of an even and the odd one above it (RFC 3550 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    pairs: u16,
}

impl PortRange {
    /// The whole pairs from `first` to `last`; none if there is none.
    pub fn new(first: u16, last: u16) -> Option<Self> {
        let first = first.checked_add(first % 2)?.max(2);
        let pairs = last.checked_sub(first)?.saturating_add(1) / 2;
        (pairs > 0).then_some(Self { first, pairs })
    }

    /// The lowest port, an even one.
    pub fn first(&self) -> u16 {
        self.first
    }

    /// The highest port, an odd one.
    pub fn last(&self) -> u16 {
        self.first.saturating_add(self.pairs.saturating_mul(2) - 1)
    }

    pub(super) fn pairs(&self) -> u16 {
        self.pairs
    }

    /// The even port of a pair, counted round the range.
    pub(super) fn even(&self, pair: u64) -> u16 {
        let pair = u16::try_from(pair % u64::from(self.pairs)).unwrap_or(0);
        self.first.saturating_add(pair.saturating_mul(2))
    }
}

impl Default for PortRange {
    /// 16384 to 32767, below the ports that systems give to connections of their own.
    fn default() -> Self {
        Self { first: 16_384, pairs: 8_192 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_whole_pairs_only() {
        let ends = |first, last| PortRange::new(first, last).map(|range| (range.first(), range.last()));
        assert_eq!(ends(10_001, 10_006), Some((10_002, 10_005)));
        assert_eq!(ends(65_534, 65_535), Some((65_534, 65_535)));
        assert_eq!(ends(0, 5), Some((2, 5)));
        assert_eq!((ends(10_001, 10_002), ends(65_535, 65_535), ends(9, 3)), (None, None, None));
        assert_eq!((PortRange::default().first(), PortRange::default().last()), (16_384, 32_767));
    }
}
