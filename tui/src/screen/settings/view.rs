//! The Settings screen: a table, and the selected setting in full below it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::config::SETTINGS;
use crate::look::Role;
use crate::screen::Scene;
use crate::widget::{Pane, scroll_to, write_lines};

/// Draws the screen.
pub(crate) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let [upper, lower] = Layout::vertical([Constraint::Min(5), Constraint::Length(5)]).areas(area);
    let (look, state) = (scene.look, scene.settings);
    let inner = Pane::new("Settings").note("Enter changes").focused(true).draw(upper, look, buf);
    let room = usize::from(inner.width).saturating_sub(NAME + ORIGIN + 3);
    let lines: Vec<Line<'_>> = SETTINGS
        .iter()
        .enumerate()
        .map(|(index, setting)| {
            let mark = if index == state.selected { look.glyphs.focus } else { " " };
            let origin = state.config.value(setting).1.word();
            let value = match &state.edit {
                Some(edit) if index == state.selected => format!("{}_", edit.shown()),
                _ => state.shown(setting).fit(room, look.glyphs.cut),
            };
            Line::from(vec![
                Span::styled(mark, look.style(Role::Key)),
                Span::styled(format!(" {:<NAME$}", setting.path), look.style(Role::Title)),
                Span::styled(format!("{origin:<ORIGIN$}"), look.style(Role::Dim)),
                Span::raw(value),
            ])
        })
        .collect();
    let skip = scroll_to(state.selected, lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);

    let setting = state.current();
    let inner = Pane::new(setting.path).draw(lower, look, buf);
    let when = if setting.needs_restart() { "holds from the next start" } else { "holds at once" };
    let lines = [
        Line::from(setting.meaning),
        Line::from(format!("takes {}", setting.values())),
        Line::from(look.say(when, Role::Dim)),
    ];
    write_lines(&lines, 0, inner, buf);
}

const NAME: usize = 24;
const ORIGIN: usize = 13;
