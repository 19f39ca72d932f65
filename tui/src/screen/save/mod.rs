//! Saves the visible messages of the trace in the format that is chosen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::effect::Effect;
use crate::keys::{Chord, Key};
use crate::text::{ScreenText, count};
use crate::theme::{Role, Theme};
use crate::trace::TraceFormat;
use crate::widget::{Pane, clear_box, write_lines};

/// What is to be saved.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The numbers of the visible entries.
    pub(crate) entries: Vec<u64>,
}

/// What a key did to the question.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Stay,
    Close,
    Save(Effect),
}

impl State {
    /// Takes a key: the first letter of a form.
    pub(crate) fn handle(&self, chord: Chord) -> Verdict {
        match chord.key {
            Key::Esc => Verdict::Close,
            Key::Char(key) => match TraceFormat::ALL.into_iter().find(|form| letter(*form) == key) {
                Some(form) => Verdict::Save(Effect::SaveTrace { form, entries: self.entries.clone() }),
                None => Verdict::Stay,
            },
            _ => Verdict::Stay,
        }
    }
}

/// Draws the question.
pub(crate) fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = clear_box(area, (62, 9), theme, buf);
    let inner = Pane::new("Save visible messages").note("Esc cancels").focused(true).draw(area, theme, buf);
    let room = usize::from(inner.width).saturating_sub(11);
    let mut lines = vec![
        Line::from(format!("{}, secrets left out, as", count(state.entries.len(), "entry", "entries"))),
        Line::from(""),
    ];
    lines.extend(TraceFormat::ALL.into_iter().map(|form| {
        Line::from(vec![
            Span::styled(format!(" {} ", letter(form)), theme.style(Role::Key)),
            Span::styled(format!(" .{:<6}", form.extension()), theme.style(Role::Title)),
            theme.dim(&ScreenText::of(form.purpose()).fit(room, theme.glyphs.cut)),
        ])
    }));
    write_lines(&lines, 0, inner, buf);
}

fn letter(form: TraceFormat) -> char {
    form.extension().chars().next().unwrap_or('?')
}
