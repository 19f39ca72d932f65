//! The Trace screen: dialogs, ladder with the message beside it, one message, two messages.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::look::{Look, Role, Tier};
use crate::screen::Scene;
use crate::screen::trace::ladder::{Ladder, RowState};
use crate::screen::trace::{Entry, Level, State, diff};
use crate::widget::{Pane, scroll_to, write_lines};

/// Draws the screen.
pub(crate) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    match scene.trace.level {
        Level::Dialogs => draw_dialogs(scene, area, buf),
        Level::Ladder => draw_ladder_and_message(scene, area, buf),
        Level::Raw(from) => {
            let lines =
                scene.trace.current().map(|entry| raw_lines(entry, scene.look, area.width.saturating_sub(2)));
            let lines = lines.unwrap_or_default();
            let title = scene.trace.current().map(title_of).unwrap_or_default();
            draw_scrolled(&title, &lines, from, (scene, area), buf);
        }
        Level::Diff(from) => {
            let lines = scene.trace.marked().map(|(a, b)| diff::lines(a, b, scene.look)).unwrap_or_default();
            draw_scrolled("Two messages compared", &lines, from, (scene, area), buf);
        }
    }
}

/// The last messages in a few lines.
pub(crate) fn draw_mini(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if let (Level::Raw(from), Some(entry)) = (scene.trace.level, scene.trace.current()) {
        let lines = raw_lines(entry, scene.look, area.width);
        let hidden = lines.len().saturating_sub(usize::from(area.height));
        write_lines(&lines, usize::from(from).min(hidden), area, buf);
        return;
    }
    let entries: Vec<&Entry> = scene.trace.shown().collect();
    let skip = entries.len().saturating_sub(usize::from(area.height));
    let signs = &scene.look.glyphs.ladder;
    let lines: Vec<Line<'_>> = entries[skip..]
        .iter()
        .map(|entry| {
            let way = if entry.outgoing { signs.right } else { signs.left };
            Line::from(format!("{way} {} {}", entry.label, entry.server))
        })
        .collect();
    write_lines(&lines, 0, area, buf);
}

/// The end of the ladder under another screen.
pub(crate) fn draw_tail(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.height < 4 {
        return;
    }
    let inner = Pane::new("Trace").note("6 opens").draw(area, scene.look, buf);
    let entries: Vec<&Entry> = scene.trace.shown().collect();
    draw_ladder(&entries, usize::MAX, (scene, inner), buf);
}

fn draw_ladder_and_message(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let state = scene.trace;
    let wide = scene.look.tier >= Tier::Wide;
    let (left, right) = if state.view.side.preview && wide {
        let [left, right] = Layout::horizontal([Constraint::Percentage(60), Constraint::Min(30)]).areas(area);
        (left, Some(right))
    } else {
        (area, None)
    };
    let entries: Vec<&Entry> = state.shown().collect();
    let note = note(state, entries.len());
    let title = match &state.dialog {
        Some(call) => format!("Ladder  {}", call.fit(24, scene.look.glyphs.cut)),
        None => "Ladder".to_owned(),
    };
    let inner = Pane::new(&title).note(&note).focused(true).draw(left, scene.look, buf);
    draw_ladder(&entries, state.cursor, (scene, inner), buf);
    if let (Some(right), Some(entry)) = (right, state.current()) {
        let inner = Pane::new(&title_of(entry)).draw(right, scene.look, buf);
        write_lines(&raw_lines(entry, scene.look, inner.width), 0, inner, buf);
    }
}

fn draw_ladder(entries: &[&Entry], cursor: usize, paper: (&Scene<'_>, Rect), buf: &mut Buffer) {
    let (scene, area) = paper;
    let (look, state) = (scene.look, scene.trace);
    if entries.is_empty() {
        let text =
            if state.filter.value().is_empty() { "No message yet." } else { "No message has that word." };
        write_lines(&[Line::from(text)], 0, area, buf);
        return;
    }
    let ladder = Ladder::new(entries, look, state.view.side.relative, usize::from(area.width));
    let height = usize::from(area.height.saturating_sub(1));
    let first = scroll_to(cursor.min(entries.len() - 1), entries.len(), height);
    let mut lines = vec![ladder.heads()];
    for (index, entry) in entries.iter().enumerate().skip(first).take(height) {
        let before = index.checked_sub(1).map(|before| entries[before].at);
        let row = RowState { selected: index == cursor, marked: state.is_marked(entry.seq) };
        lines.push(ladder.row(entry, before, row));
    }
    write_lines(&lines, 0, area, buf);
}

fn draw_dialogs(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let look = scene.look;
    let dialogs = scene.trace.dialogs();
    let inner = Pane::new("Dialogs").note("Enter opens").focused(true).draw(area, look, buf);
    let lines: Vec<Line<'_>> = dialogs
        .iter()
        .enumerate()
        .map(|(index, dialog)| {
            let mark = if index == scene.trace.cursor { look.glyphs.focus } else { " " };
            Line::from(vec![
                Span::styled(mark, look.style(Role::Key)),
                Span::raw(format!(" {:<10}", dialog.first.fit(10, ""))),
                Span::raw(format!("{:>4} messages  ", dialog.messages)),
                Span::styled(
                    format!("{:<26}", dialog.server.fit(25, look.glyphs.cut)),
                    look.style(Role::Accent),
                ),
                Span::raw(format!("{:<24}", dialog.last.fit(23, look.glyphs.cut))),
                Span::styled(dialog.call.fit(40, look.glyphs.cut), look.style(Role::Dim)),
            ])
        })
        .collect();
    let skip = scroll_to(scene.trace.cursor, lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);
}

fn draw_scrolled(title: &str, lines: &[Line<'_>], from: u16, paper: (&Scene<'_>, Rect), buf: &mut Buffer) {
    let (scene, area) = paper;
    let inner = Pane::new(title).note("Esc closes").focused(true).draw(area, scene.look, buf);
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    write_lines(lines, usize::from(from).min(hidden), inner, buf);
}

/// A message in full: header names told apart, long lines broken and indented.
fn raw_lines(entry: &Entry, look: &Look, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width).max(16);
    let mut lines = Vec::new();
    for (index, line) in entry.lines.iter().enumerate() {
        let name = match line.as_str().split_once(':') {
            Some((name, _)) if index > 0 => name.len() + 1,
            _ => 0,
        };
        let lead = if index == 0 { Role::Title } else { Role::Plain };
        for (part, text) in line.broken(width, INDENT).into_iter().enumerate() {
            let cut = if part == 0 && name <= text.len() { name } else { 0 };
            let (name, rest) = text.split_at(cut);
            lines.push(Line::from(vec![
                Span::styled(name.to_owned(), look.style(Role::Accent)),
                Span::styled(rest.to_owned(), look.style(lead)),
            ]));
        }
    }
    lines
}

fn title_of(entry: &Entry) -> String {
    let way = if entry.outgoing { "to" } else { "from" };
    format!("{} {way} {}", entry.label, entry.server)
}

fn note(state: &State, count: usize) -> String {
    let mut note = format!("{count} messages");
    if state.is_held() {
        note.push_str(", held");
    }
    if state.filter.typing || !state.filter.value().is_empty() {
        note = format!("/{}  {note}", state.filter.shown());
    }
    note
}

/// Before the second and later parts of a broken line.
const INDENT: &str = "    ";
