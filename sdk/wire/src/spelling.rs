//! Words compared eight octets at a time: how the names of headers and parameters are known.

/// The octets of a text, eight to a word, the first of them lowest.
#[derive(Clone, Copy)]
pub(crate) struct Words<'t>(&'t [[u8; 8]]);

/// A name in small letters, ready to be compared with [`Words`] in any case.
///
/// An octet with its bits of `ignored` set has to equal that of `small`: the bit of the case where a letter stands,
/// every bit behind the name.
#[derive(Clone, Copy)]
pub(crate) struct Spelling<const N: usize> {
    length: usize,
    ignored: [u64; N],
    small: [u64; N],
}

impl<'t> Words<'t> {
    /// The whole words of a text: up to seven octets at its end are left out.
    #[inline]
    pub(crate) fn of(text: &'t [u8]) -> Words<'t> {
        Words(text.as_chunks().0)
    }

    /// Where that octet stands first, within the first `most` words.
    #[inline]
    pub(crate) fn find(self, octet: u8, most: usize) -> Option<usize> {
        const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
        const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
        for (number, word) in self.0.iter().take(most).enumerate() {
            let differs = u64::from_le_bytes(*word) ^ (ONES * u64::from(octet));
            // The lowest octet that is zero shows as a high bit, whatever stands above it.
            let zero = differs.wrapping_sub(ONES) & !differs & HIGH;
            if zero != 0 {
                return Some(number * 8 + zero.trailing_zeros() as usize / 8);
            }
        }
        None
    }
}

impl<const N: usize> Spelling<N> {
    pub(crate) const fn of(name: &str) -> Spelling<N> {
        let name = name.as_bytes();
        let (mut ignored, mut small) = ([u64::MAX; N], [u64::MAX; N]);
        let mut at = 0;
        while at < name.len() {
            let (word, shift) = (at / 8, at % 8 * 8);
            let case = if name[at].is_ascii_alphabetic() { 0x20 } else { 0 };
            ignored[word] ^= (0xff ^ case) << shift;
            small[word] ^= (0xff ^ name[at].to_ascii_lowercase() as u64) << shift;
            at += 1;
        }
        Spelling { length: name.len(), ignored, small }
    }

    /// Whether the first `length` octets are this name; they have to be within the words.
    #[inline]
    pub(crate) fn is(&self, words: Words<'_>, length: usize) -> bool {
        let pattern = self.ignored.iter().zip(&self.small).take(length.div_ceil(8));
        length == self.length
            && words.0.len() * 8 >= length
            && pattern
                .zip(words.0)
                .all(|((ignored, small), word)| u64::from_le_bytes(*word) | ignored == *small)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_octet_is_found_where_it_stands_first() {
        let find = |text, octet| Words::of(text).find(octet, 2);
        assert_eq!(find(b"Call-ID: a:b, c", b':'), Some(7));
        assert_eq!(find(b"Call-ID: a:b", b'C'), Some(0));
        assert_eq!(find(b"Call-ID: a:b", b'x'), None);
        assert_eq!(find(b"seventeen octets: more", b':'), None);
    }

    #[test]
    fn only_the_case_of_letters_is_ignored() {
        let spelling = Spelling::<2>::of("Call-ID");
        for (text, same) in [
            (b"call-id: whatever follows", true),
            (b"CALL-ID: whatever follows", true),
            (b"Call\rID: whatever follows", false),
            (b"Call-I\x24: whatever follows", false),
            (b"Call-I\xc4: whatever follows", false),
        ] {
            assert_eq!(spelling.is(Words::of(text), 7), same, "{text:?}");
        }
        assert!(!spelling.is(Words::of(b"Call-ID "), 6));
        assert!(!spelling.is(Words::of(b"Call-ID"), 7));
    }
}
