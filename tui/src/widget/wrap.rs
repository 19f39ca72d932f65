//! Sentences broken at spaces, so that no word of them is lost at the edge of a pane.

use unicode_width::UnicodeWidthStr;

/// The lines of `text`, none wider than `cells`; a word that is wider alone is broken where it must be.
pub(crate) fn wrap_words(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let used = line.width();
        if used > 0 && used + 1 + word.width() > cells {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        while line.width() > cells {
            let at = fitting(&line, cells);
            let rest = line.split_off(at);
            lines.push(std::mem::replace(&mut line, rest));
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Bytes of the longest beginning that is at most so wide, of one character at least.
fn fitting(line: &str, cells: usize) -> usize {
    let ends = line.char_indices().map(|(at, c)| at + c.len_utf8());
    let first = line.chars().next().map_or(0, char::len_utf8);
    ends.take_while(|&end| line[..end].width() <= cells).last().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces_and_nothing_is_lost() {
        assert_eq!(wrap_words("not signed (NTLM)", 10), ["not signed", "(NTLM)"]);
        assert_eq!(wrap_words("hs104.network.com:5061 x", 8), ["hs104.ne", "twork.co", "m:5061 x"]);
        assert_eq!(wrap_words("", 8), [""]);
        assert_eq!(wrap_words("日本語", 3), ["日", "本", "語"]);
        assert_eq!(wrap_words("日", 1), ["日"]);
    }
}
