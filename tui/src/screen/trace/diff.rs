//! Two messages line by line: what only one of them has is marked.

use ratatui::text::{Line, Span};

use crate::look::{Look, Role};
use crate::screen::trace::Entry;
use crate::text::ScreenText;

/// The lines of both; `-` stands before what only the first has, `+` before what only the second has.
pub(crate) fn lines(a: &Entry, b: &Entry, look: &Look) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut rest = b.lines.as_slice();
    for line in &a.lines {
        match rest.iter().position(|other| other == line) {
            Some(at) => {
                out.extend(rest[..at].iter().map(|added| signed("+ ", added, Role::Good, look)));
                out.push(signed("  ", line, Role::Plain, look));
                rest = &rest[at + 1..];
            }
            None => out.push(signed("- ", line, Role::Bad, look)),
        }
    }
    out.extend(rest.iter().map(|added| signed("+ ", added, Role::Good, look)));
    out
}

fn signed(sign: &'static str, line: &ScreenText, role: Role, look: &Look) -> Line<'static> {
    Line::from(vec![
        Span::styled(sign, look.style(role)),
        Span::styled(line.as_str().to_owned(), look.style(role)),
    ])
}
