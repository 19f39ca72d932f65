//! The stage: an estate inside this program, whose servers can be moved, stopped and made to lie by keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::look::{Look, Role};
use crate::text::{ScreenText, screen_text};
use crate::widget::{Pane, write_lines};

/// What is on the stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) acts: Vec<Act>,
    pub(crate) servers: Vec<Server>,
}

/// One thing a key does to the estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) key: char,
    /// A few words.
    pub(crate) label: &'static str,
    /// A sentence for the help.
    pub(crate) meaning: &'static str,
}

/// One server of the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) name: ScreenText,
    pub(crate) role: &'static str,
    pub(crate) up: bool,
    /// Users registered there, and what it was made to do next.
    pub(crate) note: ScreenText,
}

/// What happens on the stage.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "demo"), expect(dead_code, reason = "only the demo raises a stage"))]
pub(crate) enum Msg {
    /// The curtain rises.
    Raised(Vec<Act>),
    /// The servers stand like this now.
    Servers(Vec<Server>),
    /// Something to be told.
    Told(ScreenText),
    /// Something for the log.
    Noted(ScreenText),
}

impl State {
    /// True if `key` does something here.
    pub(crate) fn knows(&self, key: char) -> bool {
        self.acts.iter().any(|act| act.key == key)
    }
}

/// Rows of the whole pane.
pub(crate) fn height(state: &State) -> u16 {
    u16::try_from(state.servers.len() + state.acts.len() + 3).unwrap_or(u16::MAX)
}

/// Rows of the strip that a narrow screen has room for.
pub(crate) fn strip_height(state: &State, width: u16) -> u16 {
    u16::try_from(strip_lines(state, usize::from(width)).len()).unwrap_or(u16::MAX)
}

/// The pane: servers above, keys below.
pub(crate) fn draw(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let inner = Pane::new("Demo estate").draw(area, look, buf);
    let width = usize::from(inner.width);
    let mut lines: Vec<Line<'_>> =
        state.servers.iter().map(|server| server_line(server, look, width)).collect();
    lines.push(Line::from(""));
    for act in &state.acts {
        lines.push(Line::from(vec![
            Span::raw(" "),
            Span::styled(act.key.to_string(), look.style(Role::Key)),
            Span::raw(format!("  {}", act.label)),
        ]));
    }
    let skip = lines.len().saturating_sub(usize::from(inner.height));
    // Where not everything fits, the empty line goes first and the keys stay.
    write_lines(&lines, skip, inner, buf);
}

/// Keys with their words in as few lines as fit.
pub(crate) fn draw_strip(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let lines: Vec<Line<'_>> = strip_lines(state, usize::from(area.width))
        .into_iter()
        .map(|text| Line::from(Span::styled(text, look.style(Role::Dim))))
        .collect();
    write_lines(&lines, 0, area, buf);
}

fn strip_lines(state: &State, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for act in &state.acts {
        let word = format!("{} {}  ", act.key, act.label);
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].len() + word.trim_end().len() > width {
            lines.push(word);
        } else {
            lines[last].push_str(&word);
        }
    }
    lines
}

fn server_line(server: &Server, look: &Look, width: usize) -> Line<'static> {
    let (word, role) = if server.up { ("up", Role::Good) } else { ("down", Role::Bad) };
    let left = format!("{:<7}", server.name.fit(6, look.glyphs.cut));
    let right = screen_text!("{:<12}{}", server.role, server.note);
    let right = if server.note.is_empty() { ScreenText::of(server.role) } else { right };
    let compact = screen_text!("{} {}", server.role, server.note);
    let room = width.saturating_sub(left.len() + 5);
    let right = if right.width() > room { compact } else { right };
    Line::from(vec![
        Span::raw(left),
        Span::styled(format!("{word:<5}"), look.style(role)),
        Span::styled(right.fit(room, look.glyphs.cut), look.style(Role::Accent)),
    ])
}
