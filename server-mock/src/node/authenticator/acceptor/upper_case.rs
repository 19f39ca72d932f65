//! Upper case as servers of NTLM know it: the simple mapping of an early Unicode. A copy of its own: the estate reads the
//! protocol apart from the client, and a table that only one of the two has wrong is found by every login.

/// One letter for one letter; what has several or none stays, and so does what got one after the table was made.
pub(super) fn simple_upper_case(letter: char) -> char {
    let upper: Vec<char> = letter.to_uppercase().collect();
    let is_young =
        letter > '\u{ffff}' || YOUNG.iter().any(|(first, last)| (first..=last).contains(&&u32::from(letter)));
    match upper[..] {
        [one] if !is_young => one,
        _ => letter,
    }
}

/// Small letters without an upper case in that table, from first to last, as Samba 4.17 has it.
const YOUNG: [(u32, u32); 49] = [
    (0x00b5, 0x00b5),
    (0x0131, 0x0131),
    (0x017f, 0x0180),
    (0x0195, 0x0195),
    (0x019a, 0x019e),
    (0x01bf, 0x01c5),
    (0x01c8, 0x01c8),
    (0x01cb, 0x01cb),
    (0x01f2, 0x01f2),
    (0x01f9, 0x01f9),
    (0x0219, 0x0252),
    (0x025c, 0x025c),
    (0x0261, 0x0261),
    (0x0264, 0x0266),
    (0x026a, 0x026c),
    (0x0271, 0x0271),
    (0x027d, 0x0282),
    (0x0287, 0x0287),
    (0x0289, 0x0289),
    (0x028c, 0x028c),
    (0x029d, 0x029e),
    (0x0345, 0x0345),
    (0x0371, 0x037d),
    (0x03d0, 0x03e1),
    (0x03f0, 0x03fb),
    (0x0450, 0x0450),
    (0x045d, 0x045d),
    (0x048b, 0x048f),
    (0x04c6, 0x04c6),
    (0x04ca, 0x04ca),
    (0x04ce, 0x04cf),
    (0x04ed, 0x04ed),
    (0x04f7, 0x04f7),
    (0x04fb, 0x052f),
    (0x10d0, 0x10ff),
    (0x13f8, 0x13fd),
    (0x1c80, 0x1c8a),
    (0x1d79, 0x1d8e),
    (0x1e9b, 0x1e9b),
    (0x1efb, 0x1eff),
    (0x1f80, 0x1fa7),
    (0x1fb3, 0x1fc3),
    (0x1ff3, 0x1ff3),
    (0x214e, 0x214e),
    (0x2184, 0x2184),
    (0x2c30, 0x2d2d),
    (0xa641, 0xa69b),
    (0xa723, 0xa7f6),
    (0xab53, 0xabbf),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_beyond_the_first_plane_stay() {
        assert_eq!(['\u{10428}', 'u'].map(simple_upper_case), ['\u{10428}', 'U']);
    }
}
