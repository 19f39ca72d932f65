//! A word in Morse code (ITU-R M.1677), in units of a dot.

/// Whether the tone sounds in each unit, with a pause of two seconds at the end.
pub(super) fn keyed(text: &str) -> Vec<bool> {
    let mut units = Vec::new();
    for sign in text.chars().take(LONGEST) {
        let Some(code) = code_of(sign.to_ascii_uppercase()) else { continue };
        for element in code.chars() {
            let length = if element == '-' { 3 } else { 1 };
            units.extend(std::iter::repeat_n(true, length));
            units.push(false);
        }
        // Three units between letters, of which the last element's own pause is one.
        units.extend([false; 2]);
    }
    units.extend(std::iter::repeat_n(false, PAUSE));
    units
}

/// The code of a letter, a digit, or what stands in names of hosts.
fn code_of(sign: char) -> Option<&'static str> {
    let place = SIGNS.chars().position(|known| known == sign)?;
    CODES.get(place).copied()
}

const SIGNS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
const CODES: [&str; 38] = [
    ".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-", ".-..", "--", "-.", "---",
    ".--.", "--.-", ".-.", "...", "-", "..-", "...-", ".--", "-..-", "-.--", "--..", "-----", ".----",
    "..---", "...--", "....-", ".....", "-....", "--...", "---..", "----.", ".-.-.-", "-....-",
];
/// Letters of a name that are keyed: what nobody would listen to is left out.
const LONGEST: usize = 32;
/// Units of 60 ms.
const PAUSE: usize = 33;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_keyed_letter_by_letter() {
        let text: String = keyed("hs_1").into_iter().map(|sounds| if sounds { '#' } else { ' ' }).collect();
        assert_eq!(text.trim_end(), "# # # #   # # #   # ### ### ### ###");
        assert_eq!(text.len() - text.trim_end().len(), 3 + PAUSE);
        assert_eq!(SIGNS.chars().count(), CODES.len());
        assert_eq!(keyed("").len(), PAUSE);
    }
}
