//! The Trace screen: dialogs, ladder with the message beside it, one message, two messages.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::keys::Screen;
use crate::screen::trace::ladder::{Ladder, RowState};
use crate::screen::trace::{Dialog, Entry, Level, Paint, State, diff, statistics};
use crate::screen::{Scene, Target};
use crate::text::{ScreenText, count};
use crate::theme::{Role, Theme, Tier};
use crate::widget::{Pane, scroll_to, write_lines};

/// Draws the screen.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let state = &scene.pages.trace;
    let border = if scene.theme.tier == Tier::Mini { 0 } else { 2 };
    let width = area.width.saturating_sub(border);
    match state.level {
        Level::Dialogs => draw_dialogs(scene, area, buf),
        Level::Ladder => draw_ladder_and_message(scene, area, buf),
        Level::Raw(from) => {
            let lines = state.current().map(|entry| raw_lines(entry, scene.theme, width)).unwrap_or_default();
            let title = state.current().map(title_of).unwrap_or_default();
            draw_scrolled(&title, &lines, from, (scene, area), buf);
        }
        Level::Diff(from) => {
            let lines = state.marked().map(|(a, b)| diff::lines(a, b, scene.theme, usize::from(width)));
            let lines = lines.unwrap_or_default();
            draw_scrolled("Two messages compared", &lines, from, (scene, area), buf);
        }
        Level::Statistics => {
            let lines = statistics::lines(state.shown(), scene.theme);
            draw_scrolled("Statistics", &lines, 0, (scene, area), buf);
        }
    }
}

/// The end of the ladder under another screen.
pub(crate) fn draw_tail(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.height < 4 {
        return;
    }
    let inner = Pane::new("Trace").note("6 opens").draw(area, scene.theme, buf);
    scene.hits.add(area, Target::Screen(Screen::Trace));
    let entries: Vec<&Entry> = scene.pages.trace.shown().collect();
    draw_ladder(&entries, usize::MAX, (scene, inner), buf);
}

fn draw_ladder_and_message(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let state = &scene.pages.trace;
    let wide = scene.theme.tier >= Tier::Wide;
    let (left, right) = if state.view.side.preview && wide {
        let [left, right] = Layout::horizontal([Constraint::Percentage(60), Constraint::Min(30)]).areas(area);
        (left, Some(right))
    } else {
        (area, None)
    };
    let entries: Vec<&Entry> = state.shown().collect();
    let note = note(state, entries.len());
    let title = match &state.dialog {
        Some(call) => format!("Ladder  {}", call.fit(24, scene.theme.glyphs.cut)),
        None => "Ladder".to_owned(),
    };
    let inner = Pane::new(&title).note(&note).focused(true).draw(left, scene.theme, buf);
    draw_ladder(&entries, state.cursor, (scene, inner), buf);
    if let (Some(right), Some(entry)) = (right, state.current()) {
        let inner = Pane::new(&title_of(entry)).draw(right, scene.theme, buf);
        write_lines(&raw_lines(entry, scene.theme, inner.width), 0, inner, buf);
    }
}

fn draw_ladder(entries: &[&Entry], cursor: usize, paper: (&Scene<'_>, Rect), buf: &mut Buffer) {
    let (scene, area) = paper;
    let (theme, state) = (scene.theme, &scene.pages.trace);
    if entries.is_empty() {
        let text =
            if state.filter.value().is_empty() { "No message yet." } else { "No message has that word." };
        write_lines(&[Line::from(text)], 0, area, buf);
        return;
    }
    let ladder = Ladder::new(entries, theme, state.view, usize::from(area.width));
    let height = usize::from(area.height.saturating_sub(1));
    let first = scroll_to(cursor.min(entries.len() - 1), entries.len(), height);
    let mut lines = vec![ladder.heads()];
    for (index, entry) in entries.iter().enumerate().skip(first).take(height) {
        let before = index.checked_sub(1).map(|before| entries[before].at);
        let row = RowState { selected: index == cursor, marked: state.is_marked(entry.seq()) };
        lines.push(ladder.row(entry, before, row));
    }
    write_lines(&lines, 0, area, buf);
    // Under another screen the ladder is only looked at.
    if cursor != usize::MAX {
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        scene.hits.add_rows(below, first, entries.len());
    }
}

fn draw_dialogs(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let dialogs = scene.pages.trace.dialogs();
    let inner = Pane::new("Dialogs").note("Enter opens").focused(true).draw(area, theme, buf);
    let width = usize::from(inner.width);
    let lines: Vec<Line<'_>> = dialogs
        .iter()
        .enumerate()
        .map(|(index, dialog)| dialog_line(dialog, index == scene.pages.trace.cursor, theme, width))
        .collect();
    let skip = scroll_to(scene.pages.trace.cursor, lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);
    scene.hits.add_rows(inner, skip, lines.len());
}

/// Request, count, server and last answer; the Call-ID where there is room for it.
fn dialog_line(dialog: &Dialog<'_>, selected: bool, theme: &Theme, width: usize) -> Line<'static> {
    let mark = if selected { theme.glyphs.focus } else { " " };
    let lead = format!(" {:<9}{:>4}  ", dialog.first.fit(9, ""), dialog.messages);
    let left = width.saturating_sub(lead.len() + 1);
    let (server, last) = (left / 2, left - left / 2);
    let (server, last) = (server.clamp(1, 28), last.clamp(1, 26));
    let call = left.saturating_sub(server + last + 1);
    let column = |text: &ScreenText, cells: usize| {
        let text = text.fit(cells.saturating_sub(1), theme.glyphs.cut);
        let pad = cells.saturating_sub(Span::raw(text.as_str()).width());
        text + &" ".repeat(pad)
    };
    Line::from(vec![
        Span::styled(mark, theme.style(Role::Key)),
        Span::raw(lead),
        Span::styled(column(dialog.server, server), theme.style(Role::Accent)),
        Span::raw(column(dialog.last, last)),
        theme.dim(&dialog.call.fit(call, theme.glyphs.cut)),
    ])
}

fn draw_scrolled(title: &str, lines: &[Line<'_>], from: u16, paper: (&Scene<'_>, Rect), buf: &mut Buffer) {
    let (scene, area) = paper;
    let inner = Pane::new(title).note("Esc closes").focused(true).draw(area, scene.theme, buf);
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    write_lines(lines, usize::from(from).min(hidden), inner, buf);
}

/// A message in full: header names told apart, long lines broken and indented.
fn raw_lines(entry: &Entry, theme: &Theme, width: u16) -> Vec<Line<'static>> {
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
                Span::styled(name.to_owned(), theme.style(Role::Accent)),
                Span::styled(rest.to_owned(), theme.style(lead)),
            ]));
        }
    }
    lines
}

fn title_of(entry: &Entry) -> String {
    let way = if entry.outgoing { "to" } else { "from" };
    format!("{} {way} {}", entry.label, entry.server)
}

fn note(state: &State, messages: usize) -> String {
    let mut note = count(messages, "message", "messages");
    if state.view.paint != Paint::Message {
        note = format!("{note}, {}", state.view.paint.word());
    }
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
