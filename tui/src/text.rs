//! The only text that may reach a terminal: what the network says, made harmless and cut.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text that cannot move the cursor, change a title, reorder its neighbours or hide anything.
///
/// It is made only here. Control characters (C0, DEL, C1), format characters (bidi, zero-width,
/// tags), line separators, private-use and non-characters each become U+FFFD; invalid UTF-8 does
/// too; more than two combining marks on one base are dropped; tabs become spaces; the length is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ScreenText(String);

impl ScreenText {
    /// Makes `text` harmless, as one line of at most [`LONGEST`] characters.
    pub(crate) fn of(text: &str) -> Self {
        Self::within(text, LONGEST)
    }

    /// Makes anything that prints itself harmless: errors, addresses, names.
    pub(crate) fn from_display(value: &impl fmt::Display) -> Self {
        Self::of(&value.to_string())
    }

    /// Splits at line ends first, then makes each line harmless.
    pub(crate) fn lines(text: &str, most: usize) -> Vec<Self> {
        text.lines().take(most).map(Self::of).collect()
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// True if there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Terminal cells it covers.
    pub(crate) fn width(&self) -> usize {
        self.0.width()
    }

    /// The same in at most `cells` cells; what is cut off is marked with `mark`.
    pub(crate) fn fit(&self, cells: usize, mark: &str) -> String {
        if self.width() <= cells {
            return self.0.clone();
        }
        let room = cells.saturating_sub(mark.width());
        let mut out = String::new();
        let mut used = 0;
        for c in self.0.chars() {
            used += c.width().unwrap_or(0);
            if used > room {
                break;
            }
            out.push(c);
        }
        if mark.width() <= cells {
            out.push_str(mark);
        }
        out
    }

    /// The same broken into lines of at most `cells` cells; `indent` stands before all but the first.
    pub(crate) fn broken(&self, cells: usize, indent: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut used = 0;
        for c in self.0.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > cells && used > indent.width() {
                // A line is best broken where a word or a parameter ends, if that is not far back.
                let end = line.rfind([' ', ';', ',']).map_or(line.len(), |at| at + 1);
                let end = if line[..end].width() * 2 > cells { end } else { line.len() };
                let rest = line.split_off(end);
                lines.push(std::mem::replace(&mut line, indent.to_owned() + &rest));
                used = line.width();
            }
            line.push(c);
            used += wide;
        }
        lines.push(line);
        lines
    }

    /// True if `needle`, in lower case, occurs in it whatever the letter case.
    pub(crate) fn matches(&self, needle: &str) -> bool {
        self.0.to_lowercase().contains(needle)
    }

    fn within(text: &str, longest: usize) -> Self {
        let mut out = String::with_capacity(text.len().min(longest * 4));
        let mut marks = MARKS_PER_BASE;
        for c in text.chars().take(longest) {
            match judge(c) {
                Verdict::Show => {
                    marks = 0;
                    out.push(c);
                }
                Verdict::Mark if marks < MARKS_PER_BASE => {
                    marks += 1;
                    out.push(c);
                }
                Verdict::Mark => {}
                Verdict::Space => {
                    marks = 0;
                    out.push(' ');
                }
                Verdict::Replace => {
                    // A mark after a replaced character would sit on the sign that says so.
                    marks = MARKS_PER_BASE;
                    out.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
        Self(out)
    }
}

impl fmt::Display for ScreenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Puts harmless parts together: literals of this program, numbers, other screen text.
macro_rules! screen_text {
    ($($part:tt)*) => { $crate::text::ScreenText::of(&format!($($part)*)) };
}
pub(crate) use screen_text;

/// What becomes of one character.
enum Verdict {
    Show,
    Mark,
    Space,
    Replace,
}

fn judge(c: char) -> Verdict {
    let code = u32::from(c);
    if c == '\t' {
        Verdict::Space
    } else if c.is_control() || is_hidden(code) || is_nobody(code) {
        Verdict::Replace
    } else if c.width() == Some(0) {
        Verdict::Mark
    } else {
        Verdict::Show
    }
}

/// Unicode general category Cf, the line separators, variation selectors and invisible fillers.
fn is_hidden(code: u32) -> bool {
    HIDDEN.binary_search_by(|&(first, last)| range_order(first, last, code)).is_ok()
}

/// Private use and non-characters: their look is undefined.
fn is_nobody(code: u32) -> bool {
    matches!(code, 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF | 0xFDD0..=0xFDEF) || code & 0xFFFE == 0xFFFE
}

fn range_order(first: u32, last: u32, code: u32) -> std::cmp::Ordering {
    if last < code {
        std::cmp::Ordering::Less
    } else if first > code {
        std::cmp::Ordering::Greater
    } else {
        std::cmp::Ordering::Equal
    }
}

/// Characters kept of one line; a SIP line that is longer shows its beginning.
pub(crate) const LONGEST: usize = 2_048;

const MARKS_PER_BASE: u8 = 2;

const HIDDEN: &[(u32, u32)] = &[
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
];

/// What stands for a character where only ASCII can be shown.
pub(crate) fn ascii_twin(symbol: &str) -> &'static str {
    match symbol {
        "→" | "▶" => ">",
        "←" | "◀" => "<",
        "×" => "x",
        "·" | "–" | "—" => "-",
        "…" => "~",
        "•" => "*",
        "“" | "”" => "\"",
        _ => "?",
    }
}

/// The same text in ASCII only.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(ascii_twin(c.encode_utf8(&mut [0; 4])));
        }
    }
    out
}

/// True if the locale is one of UTF-8 (POSIX.1 section 8.2: the first that is not empty; without one it is the POSIX
/// locale, which is ASCII).
pub(crate) fn is_utf8_locale(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    set.is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

/// A number with the noun that agrees with it: `1 entry`, `2 entries`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Texts a hostile peer may send; each must be harmless wherever it is shown.
    pub(crate) const HOSTILE: &[&str] = &[
        "\u{1b}[2J\u{1b}[H",
        "\u{1b}]0;owned\u{7}",
        "\u{1b}]52;c;aGk=\u{1b}\\",
        "\u{9b}31m",
        "\u{9d}0;x\u{9c}",
        "a\u{8}\u{8}b",
        "a\rb\nc",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{2028}x\u{2029}",
        "\u{202e}txt.exe",
        "\u{2066}a\u{2069}",
        "\u{200b}\u{200d}\u{feff}",
        "\u{e0041}\u{e007f}",
        "e\u{301}\u{302}\u{303}\u{304}\u{305}",
        "\u{301}first",
        "\u{fe0f}\u{fe0e}",
        "\u{1b}P+q544e\u{1b}\\",
        "\u{1b}[6n\u{5}",
        "\u{90}$qm\u{9c}",
        "\u{e000}\u{10fffd}\u{fffe}",
        "\u{3164}\u{115f}\u{ad}",
        "\u{600}\u{70f}",
    ];

    /// True if a terminal does nothing with `text` but show it.
    pub(crate) fn is_harmless(text: &str) -> bool {
        text.chars().all(|c| !c.is_control() && !is_hidden(u32::from(c)) && !is_nobody(u32::from(c)))
    }

    #[test]
    fn nothing_hostile_survives() {
        for text in HOSTILE {
            let shown = ScreenText::of(text);
            assert!(is_harmless(shown.as_str()), "{text:?} became {:?}", shown.as_str());
            let marks = shown.as_str().chars().filter(|c| c.width() == Some(0)).count();
            assert!(marks <= 2, "{text:?} kept {marks} marks");
        }
    }

    #[test]
    fn every_single_character_is_harmless() {
        for code in 0..=0x10_FFFF {
            if let Some(c) = char::from_u32(code) {
                assert!(is_harmless(ScreenText::of(&format!("a{c}b")).as_str()), "U+{code:04X}");
            }
        }
    }

    #[test]
    fn long_text_is_cut_and_fits_say_so() {
        assert_eq!(ScreenText::of(&"x".repeat(LONGEST * 2)).as_str().len(), LONGEST);
        let name = ScreenText::of("proxy.corp.example");
        assert_eq!(name.fit(8, "…"), "proxy.c…");
        assert_eq!(name.fit(40, "…"), "proxy.corp.example");
        assert_eq!(ScreenText::of("日本語").fit(4, "…"), "日…");
    }

    #[test]
    fn broken_lines_hold_every_character() {
        let line = ScreenText::of("Contact: <sip:alice@network.com>");
        assert_eq!(line.broken(12, "  "), ["Contact: ", "  <sip:alice", "  @network.c", "  om>"]);
        assert_eq!(line.broken(20, "  "), ["Contact: <sip:alice@", "  network.com>"]);
        assert_eq!(line.broken(80, "  "), [line.as_str()]);
        assert_eq!(ScreenText::default().broken(5, ""), [""]);
    }

    #[test]
    fn plain_speech_is_untouched() {
        for text in ["Zoë Müller", "Ελένη", "日本語", "naïve e\u{301}", "a b"] {
            assert_eq!(ScreenText::of(text).as_str(), text);
        }
    }

    #[test]
    fn a_locale_of_another_character_set_means_ascii() {
        let with = |pairs: &'static [(&str, &str)]| {
            is_utf8_locale(move |name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(!with(&[]) && !with(&[("LANG", "")]), "no locale is the POSIX one");
        assert!(with(&[("LANG", "de_DE.UTF-8")]) && with(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
        assert!(!with(&[("LANG", "C")]) && !with(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")]));
        assert!(!with(&[("LC_CTYPE", "de_DE.ISO-8859-1")]));
    }
}
