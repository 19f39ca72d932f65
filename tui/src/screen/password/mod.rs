//! The password prompt: a verified server wants to know who signs in.

use homing::Password;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::effect::Effect;
use crate::keys::{Chord, Held, Key};
use crate::text::ScreenText;
use crate::theme::{Role, Theme};
use crate::widget::{Pane, clear_box, write_lines};

/// A question for a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The bridge's name for the question.
    pub(crate) id: u64,
    pub(crate) aor: ScreenText,
    /// The server that was verified.
    pub(crate) server: ScreenText,
    /// An earlier answer was refused.
    pub(crate) refused_before: bool,
}

/// The question and what is typed so far.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) request: Request,
    typed: Password,
    keep: bool,
    /// Enter was pressed with nothing typed: once more, and that is the password.
    empty: bool,
}

impl State {
    /// Nothing typed yet.
    pub(crate) fn new(request: Request) -> Self {
        Self { request, typed: Password::new(""), keep: false, empty: false }
    }

    /// Takes a key; an effect answers the question.
    pub(crate) fn handle(&mut self, chord: Chord) -> Option<Effect> {
        // An empty password is one, but Enter may have been meant for a question that is gone.
        let confirmed = std::mem::replace(&mut self.empty, false);
        match (chord.held, chord.key) {
            (_, Key::Esc) | (Held::Ctrl, Key::Char('c')) => return Some(self.answer(None)),
            (_, Key::Enter) if self.typed.is_empty() && !confirmed => self.empty = true,
            (_, Key::Enter) => {
                let typed = std::mem::replace(&mut self.typed, Password::new(""));
                return Some(self.answer(Some(typed)));
            }
            (_, Key::Tab) => self.keep = !self.keep,
            (Held::Nothing, Key::Char(c)) => self.paste(c.encode_utf8(&mut [0; 4])),
            (_, Key::Backspace) => {
                let mut text = self.typed.reveal().to_owned();
                text.pop();
                self.typed = Password::new(text);
            }
            (Held::Ctrl, Key::Char('u')) => self.typed = Password::new(""),
            _ => {}
        }
        None
    }

    /// Takes typed or pasted text.
    pub(crate) fn paste(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.typed.reveal().len());
        let mut whole = String::with_capacity(self.typed.reveal().len() + text.len());
        whole.push_str(self.typed.reveal());
        whole.extend(text.chars().filter(|c| !c.is_control()).take(room));
        self.typed = Password::new(whole);
    }

    fn answer(&self, password: Option<Password>) -> Effect {
        Effect::Password { id: self.request.id, password, keep: self.keep }
    }
}

/// Draws the prompt; neither the password nor its length is shown.
pub(crate) fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = clear_box(area, (62, 8), theme, buf);
    let inner = Pane::new("Password").note("Enter sends, Esc cancels").focused(true).draw(area, theme, buf);
    let room = usize::from(inner.width.saturating_sub(10));
    let refused = if state.request.refused_before { "The last password was not accepted." } else { "" };
    let typed = match (state.typed.is_empty(), state.empty) {
        (true, true) => "(Enter again sends an empty one)",
        (true, false) => "(type it; it is not shown)",
        (false, _) => "(typed; not shown)",
    };
    let keep = if state.keep { "[x]" } else { "[ ]" };
    let saves = if room >= 40 { "save it (only you can read the file)" } else { "save it, for you only" };
    let lines = [
        Line::from(vec![
            theme.say("account   ", Role::Dim),
            Span::raw(state.request.aor.fit(room, theme.glyphs.cut)),
        ]),
        Line::from(vec![
            theme.say("server    ", Role::Dim),
            Span::raw(state.request.server.fit(room, theme.glyphs.cut)),
        ]),
        Line::from(theme.say(refused, Role::Warn)),
        Line::from(vec![theme.say("password  ", Role::Dim), Span::raw(typed)]),
        Line::from(vec![theme.say("Tab", Role::Key), Span::raw(format!("       {keep} {saves}"))]),
    ];
    write_lines(&lines, 0, inner, buf);
}

const LONGEST: usize = 256;
