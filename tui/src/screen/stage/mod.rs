//! The stage: an estate inside this program, whose servers can be moved, stopped and made to lie by keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::look::{Look, Role};
use crate::screen::{Scene, Target};
use crate::text::{ScreenText, screen_text};
use crate::widget::Pane;

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
pub(crate) fn draw(state: &State, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let look = scene.look;
    let inner = Pane::new("Demo estate").draw(area, look, buf);
    let width = usize::from(inner.width);
    let mut lines: Vec<(Line<'_>, Option<char>)> =
        state.servers.iter().map(|server| (server_line(server, look, width), None)).collect();
    lines.push((Line::from(""), None));
    for act in &state.acts {
        let line = Line::from(vec![
            Span::raw(" "),
            Span::styled(act.key.to_string(), look.style(Role::Key)),
            Span::raw(format!("  {}", act.label)),
        ]);
        lines.push((line, Some(act.key)));
    }
    // Where not everything fits, the servers go first and the keys stay.
    let skip = lines.len().saturating_sub(usize::from(inner.height));
    for (row, (line, key)) in inner.rows().zip(&lines[skip..]) {
        buf.set_line(row.x, row.y, line, row.width);
        if let Some(key) = key {
            scene.hits.add(row, Target::Stage(*key));
        }
    }
}

/// Keys with their words in as few lines as fit.
pub(crate) fn draw_strip(state: &State, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    for (row, line) in area.rows().zip(strip_lines(state, usize::from(area.width))) {
        let mut x = row.x;
        for act in line {
            let spans = [
                Span::styled(act.key.to_string(), scene.look.style(Role::Key)),
                scene.look.dim(&format!(" {}  ", act.label)),
            ];
            let line = Line::from(spans.to_vec());
            let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(row.right().saturating_sub(x));
            buf.set_line(x, row.y, &line, width);
            scene.hits.add(Rect { x, width, ..row }, Target::Stage(act.key));
            x += width;
        }
    }
}

/// The acts that share a line, line by line.
fn strip_lines(state: &State, width: usize) -> Vec<Vec<&Act>> {
    let (mut lines, mut used) = (vec![Vec::new()], 0);
    for act in &state.acts {
        let wide = act.label.len() + 2;
        let last = lines.len() - 1;
        if used + wide > width && !lines[last].is_empty() {
            lines.push(vec![act]);
            used = wide + 2;
        } else {
            lines[last].push(act);
            used += wide + 2;
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
