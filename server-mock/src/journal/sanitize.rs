//! Text of peers on its way to a console: nothing in it moves a cursor, hides or turns text around.

/// The text on one line, with every character that is no visible one replaced by `·`.
pub(crate) fn sanitize(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { '·' } else { c }).collect()
}

/// Lines of JSON, with such characters escaped: the value stays the same for every parser.
pub(crate) fn sanitize_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !is_unprintable(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

/// Controls (C0, DEL, C1), line separators, format characters (Unicode category Cf: directions, joiners,
/// tags), variation selectors and fillers without a shape.
fn is_unprintable(c: char) -> bool {
    c.is_control() || UNPRINTABLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

const UNPRINTABLE: [(char, char); 26] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{10fffe}', '\u{10ffff}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        "a\u{1b}[2Jb\rc\nd\u{7f}e\u{9b}f\u{202e}g\u{200b}h\u{2028}i\u{feff}j\u{e0041}k\u{2066}l";

    #[test]
    fn what_moves_a_cursor_or_hides_text_is_replaced_and_the_rest_stays() {
        assert_eq!(sanitize(HOSTILE), "a·[2Jb·c·d·e·f·g·h·i·j·k·l");
        assert_eq!(sanitize("Zoë ── 李 → ok"), "Zoë ── 李 → ok");
    }

    #[test]
    fn json_says_the_same_in_plain_characters() {
        let value = serde_json::json!({ "text": HOSTILE });
        let line = sanitize_json(&(value.to_string() + "\n"));
        assert!(line.trim_end_matches('\n').chars().all(|c| !is_unprintable(c)), "{line:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
