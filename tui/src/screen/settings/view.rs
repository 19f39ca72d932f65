//! The Settings screen: a table, and the selected setting in full below it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::config::SETTINGS;
use crate::screen::Scene;
use crate::theme::Role;
use crate::widget::{Pane, scroll_to, wrap_words, write_lines};

/// Draws the screen.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let [upper, lower] = Layout::vertical([Constraint::Min(5), Constraint::Length(6)]).areas(area);
    let (theme, state) = (scene.theme, &scene.pages.settings);
    let inner = Pane::new("Settings").note("Enter changes").focused(true).draw(upper, theme, buf);
    // Where there is no room for it in the table, the source stands below.
    let origin_width = if usize::from(inner.width) >= ROOMY { ORIGIN } else { 0 };
    let room = usize::from(inner.width).saturating_sub(NAME + origin_width + 2);
    let lines: Vec<Line<'_>> = SETTINGS
        .iter()
        .enumerate()
        .map(|(index, setting)| {
            let mark = if index == state.selected { theme.glyphs.focus } else { " " };
            let origin = state.config.value(setting).1.word();
            let value = match &state.edit {
                Some(edit) if index == state.selected => format!("{}_", edit.shown()),
                _ => state.shown(setting).fit(room, theme.glyphs.cut),
            };
            Line::from(vec![
                Span::styled(mark, theme.style(Role::Key)),
                Span::styled(format!(" {:<NAME$}", setting.path), theme.style(Role::Title)),
                theme.dim(&format!("{origin:<ORIGIN$}")[..origin_width]),
                Span::raw(value),
            ])
        })
        .collect();
    let skip = scroll_to(state.selected, lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);
    scene.hits.add_rows(inner, skip, lines.len());

    let setting = state.current();
    let inner = Pane::new(setting.path).draw(lower, theme, buf);
    let when =
        if setting.needs_restart() { "takes effect at the next start" } else { "takes effect immediately" };
    let origin = state.config.value(setting).1.word();
    let mut lines: Vec<Line<'_>> =
        wrap_words(setting.meaning, usize::from(inner.width)).into_iter().map(Line::from).collect();
    lines.push(Line::from(format!("takes {}", setting.values())));
    lines.push(Line::from(theme.dim(&format!("from: {origin}; {when}"))));
    write_lines(&lines, 0, inner, buf);
}

const NAME: usize = 22;
const ORIGIN: usize = 13;
const ROOMY: usize = 60;
