//! What is wrong with a TOML text: line and column in a sentence, and the line with an arrow under it.

use std::fmt;

use crate::text::ScreenText;

/// A fault of a TOML text.
pub(crate) struct TomlFault {
    line: usize,
    column: usize,
    message: String,
    /// The line, and an arrow under the place; empty where the fault has no place.
    pub(crate) excerpt: Vec<ScreenText>,
}

impl TomlFault {
    /// What the parser says about `text`.
    pub(crate) fn new(text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = text.get(..at).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[begin..].chars().count() + 1;
        let source = text[begin..].lines().next().unwrap_or_default();
        let number = line.to_string();
        let arrow = format!("{} | {}^", " ".repeat(number.len()), " ".repeat(column - 1));
        let excerpt = vec![ScreenText::of(&format!("{number} | {source}")), ScreenText::of(&arrow)];
        Self { line, column, message: error.message().to_owned(), excerpt }
    }
}

impl fmt::Display for TomlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TOML parse error at line {}, column {}: {}",
            self.line,
            self.column,
            self.message.replace('\n', ", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_line_and_points_at_its_place() {
        let text = "[ui]\ntheme = \"light\"\nascii = yes\n";
        let error = text.parse::<toml::Table>().expect_err("no TOML");
        let fault = TomlFault::new(text, &error);
        assert!(fault.to_string().starts_with("TOML parse error at line 3, column 9: "), "{fault}");
        assert!(!fault.to_string().contains('\n'));
        assert_eq!(fault.excerpt[0].as_str(), "3 | ascii = yes");
        assert_eq!(fault.excerpt[1].as_str(), "  |         ^");
        let open = "aor = [";
        let error = open.parse::<toml::Table>().expect_err("no TOML");
        assert!(TomlFault::new(open, &error).to_string().contains("at line 1, "));
    }
}
