//! Saving a trace: which form is wanted of what is in sight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::effect::Effect;
use crate::keys::{Chord, Key};
use crate::look::{Look, Role};
use crate::text::ScreenText;
use crate::trace::Form;
use crate::widget::{Pane, clear_box, write_lines};

/// What is to be saved.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The numbers of the entries in sight.
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
            Key::Char(key) => match Form::ALL.into_iter().find(|form| letter(*form) == key) {
                Some(form) => Verdict::Save(Effect::SaveTrace { form, entries: self.entries.clone() }),
                None => Verdict::Stay,
            },
            _ => Verdict::Stay,
        }
    }
}

/// Draws the question.
pub(crate) fn draw(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let area = clear_box(area, (62, 9), look, buf);
    let inner = Pane::new("Save what is in sight").note("Esc cancels").focused(true).draw(area, look, buf);
    let room = usize::from(inner.width).saturating_sub(11);
    let mut lines =
        vec![Line::from(format!("{} entries, secrets left out, as", state.entries.len())), Line::from("")];
    lines.extend(Form::ALL.into_iter().map(|form| {
        Line::from(vec![
            Span::styled(format!(" {} ", letter(form)), look.style(Role::Key)),
            Span::styled(format!(" .{:<6}", form.extension()), look.style(Role::Title)),
            look.dim(&ScreenText::of(form.purpose()).fit(room, look.glyphs.cut)),
        ])
    }));
    write_lines(&lines, 0, inner, buf);
}

fn letter(form: Form) -> char {
    form.extension().chars().next().unwrap_or('?')
}
