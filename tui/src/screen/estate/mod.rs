//! The demo's estate: its servers, and the keys that stop them, move the user and provoke faults.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::msg::{Control, Server};
use crate::screen::{Scene, Target};
use crate::text::{ScreenText, screen_text};
use crate::theme::{Role, Theme};
use crate::widget::Pane;

/// Servers and keys, as the demo reported them.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) controls: Vec<Control>,
    pub(crate) servers: Vec<Server>,
}

impl State {
    /// True if `key` does something here.
    pub(crate) fn knows(&self, key: char) -> bool {
        self.controls.iter().any(|control| control.key == key)
    }
}

/// Rows of the whole pane.
pub(crate) fn height(state: &State) -> u16 {
    u16::try_from(state.servers.len() + state.controls.len() + 3).unwrap_or(u16::MAX)
}

/// Rows of the strip that a narrow screen has room for.
pub(crate) fn strip_height(state: &State, width: u16) -> u16 {
    u16::try_from(strip_lines(state, usize::from(width)).len()).unwrap_or(u16::MAX)
}

/// The pane: servers above, keys below.
pub(crate) fn draw(state: &State, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let inner = Pane::new("Demo estate").draw(area, theme, buf);
    let width = usize::from(inner.width);
    let mut lines: Vec<(Line<'_>, Option<char>)> =
        state.servers.iter().map(|server| (server_line(server, theme, width), None)).collect();
    lines.push((Line::from(""), None));
    for control in &state.controls {
        let line = Line::from(vec![
            Span::raw(" "),
            Span::styled(control.key.to_string(), theme.style(Role::Key)),
            Span::raw(format!("  {}", control.label)),
        ]);
        lines.push((line, Some(control.key)));
    }
    // Where not everything fits, the servers go first and the keys stay.
    let skip = lines.len().saturating_sub(usize::from(inner.height));
    for (row, (line, key)) in inner.rows().zip(&lines[skip..]) {
        buf.set_line(row.x, row.y, line, row.width);
        if let Some(key) = key {
            scene.hits.add(row, Target::EstateKey(*key));
        }
    }
}

/// Keys with their words in as few lines as fit.
pub(crate) fn draw_strip(state: &State, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    for (row, line) in area.rows().zip(strip_lines(state, usize::from(area.width))) {
        let mut x = row.x;
        for control in line {
            let spans = [
                Span::styled(control.key.to_string(), scene.theme.style(Role::Key)),
                scene.theme.dim(&format!(" {}  ", control.label)),
            ];
            let line = Line::from(spans.to_vec());
            let width = u16::try_from(line.width()).unwrap_or(u16::MAX).min(row.right().saturating_sub(x));
            buf.set_line(x, row.y, &line, width);
            scene.hits.add(Rect { x, width, ..row }, Target::EstateKey(control.key));
            x += width;
        }
    }
}

/// The keys that share a line, line by line.
fn strip_lines(state: &State, width: usize) -> Vec<Vec<&Control>> {
    let (mut lines, mut used) = (vec![Vec::new()], 0);
    for control in &state.controls {
        let wide = control.label.len() + 2;
        let last = lines.len() - 1;
        if used + wide > width && !lines[last].is_empty() {
            lines.push(vec![control]);
            used = wide + 2;
        } else {
            lines[last].push(control);
            used += wide + 2;
        }
    }
    lines
}

fn server_line(server: &Server, theme: &Theme, width: usize) -> Line<'static> {
    let (word, role) = if server.up { ("up", Role::Good) } else { ("down", Role::Bad) };
    let left = format!("{:<7}", server.name.fit(6, theme.glyphs.cut));
    let right = screen_text!("{:<12}{}", server.role, server.note);
    let right = if server.note.is_empty() { ScreenText::of(server.role) } else { right };
    let compact = screen_text!("{} {}", server.role, server.note);
    let room = width.saturating_sub(left.len() + 5);
    let right = if right.width() > room { compact } else { right };
    Line::from(vec![
        Span::raw(left),
        Span::styled(format!("{word:<5}"), theme.style(role)),
        Span::styled(right.fit(room, theme.glyphs.cut), theme.style(Role::Accent)),
    ])
}
