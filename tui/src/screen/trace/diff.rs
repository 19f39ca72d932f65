//! Two messages line by line: what only one of them has is marked.

use ratatui::text::{Line, Span};

use crate::screen::trace::Entry;
use crate::text::ScreenText;
use crate::theme::{Role, Theme};

/// The lines of both; `-` stands before what only the first has, `+` before what only the second has.
pub(crate) fn lines(a: &Entry, b: &Entry, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let paper = (theme, width);
    let mut rest = b.lines.as_slice();
    for line in &a.lines {
        match rest.iter().position(|other| other == line) {
            Some(at) => {
                out.extend(rest[..at].iter().flat_map(|added| signed("+ ", added, Role::Good, paper)));
                out.extend(signed("  ", line, Role::Plain, paper));
                rest = &rest[at + 1..];
            }
            None => out.extend(signed("- ", line, Role::Bad, paper)),
        }
    }
    out.extend(rest.iter().flat_map(|added| signed("+ ", added, Role::Good, paper)));
    out
}

/// A line with its sign, broken where it is too long.
fn signed(sign: &'static str, line: &ScreenText, role: Role, paper: (&Theme, usize)) -> Vec<Line<'static>> {
    let (theme, width) = paper;
    let broken = line.broken(width.saturating_sub(sign.len()).max(16), "    ");
    let of = |text| Line::from(vec![theme.say(sign, role), Span::styled(text, theme.style(role))]);
    broken.into_iter().map(of).collect()
}
