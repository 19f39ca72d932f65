//! What an octet may be part of: one table for every grammar.

/// A set of octets; what is in it is looked up, not compared.
#[derive(Clone, Copy)]
pub(crate) struct Class(u8);

impl Class {
    /// RFC 3261 25.1 `token`.
    pub(crate) const TOKEN: Class = Class(1);
    /// Letters, digits, `-` and `.` (RFC 3261 25.1), and `_`, which is met in practice.
    pub(crate) const HOST: Class = Class(2);
    /// What stands in no URI, and would end or break the line or the brackets it is in.
    pub(crate) const NO_URI: Class = Class(4);

    pub(crate) fn has(self, octet: u8) -> bool {
        TABLE[octet as usize] & self.0 != 0
    }

    /// Whether one of the octets is in this class. All are looked at, so that nothing has to be decided in between.
    pub(crate) fn has_any(self, octets: &[u8]) -> bool {
        octets.iter().fold(0, |seen, octet| seen | TABLE[*octet as usize]) & self.0 != 0
    }
}

static TABLE: [u8; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256 by the loop's condition")]
        let letter = octet as u8;
        let alphanumeric = letter.is_ascii_alphanumeric();
        if alphanumeric
            || matches!(letter, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
        {
            table[octet] |= Class::TOKEN.0;
        }
        if alphanumeric || matches!(letter, b'-' | b'.' | b'_') {
            table[octet] |= Class::HOST.0;
        }
        if letter <= b' ' || matches!(letter, 0x7f | b'<' | b'>' | b'"') {
            table[octet] |= Class::NO_URI.0;
        }
        octet += 1;
    }
    table
};
