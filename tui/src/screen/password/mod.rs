//! The password prompt: a verified server wants to know who signs in.

use homing::Password;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::effect::Effect;
use crate::keys::{Chord, Held, Key};
use crate::look::{Look, Role};
use crate::text::ScreenText;
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
}

impl State {
    /// Nothing typed yet.
    pub(crate) fn new(request: Request) -> Self {
        Self { request, typed: Password::new(""), keep: false }
    }

    /// Takes a key; an effect answers the question.
    pub(crate) fn handle(&mut self, chord: Chord) -> Option<Effect> {
        match (chord.held, chord.key) {
            (_, Key::Esc) | (Held::Ctrl, Key::Char('c')) => return Some(self.answer(None)),
            (_, Key::Enter) if !self.typed.is_empty() => {
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
pub(crate) fn draw(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let area = clear_box(area, (62, 8), look, buf);
    let inner = Pane::new("Password").note("Enter sends, Esc cancels").focused(true).draw(area, look, buf);
    let room = usize::from(inner.width.saturating_sub(10));
    let refused = if state.request.refused_before { "The last one was not accepted." } else { "" };
    let typed = if state.typed.is_empty() { "(type it; it is not shown)" } else { "(typed; not shown)" };
    let keep = if state.keep { "[x]" } else { "[ ]" };
    let lines = [
        Line::from(vec![
            look.say("account   ", Role::Dim),
            Span::raw(state.request.aor.fit(room, look.glyphs.cut)),
        ]),
        Line::from(vec![
            look.say("server    ", Role::Dim),
            Span::raw(state.request.server.fit(room, look.glyphs.cut)),
        ]),
        Line::from(look.say(refused, Role::Warn)),
        Line::from(vec![look.say("password  ", Role::Dim), Span::raw(typed)]),
        Line::from(vec![
            look.say("Tab", Role::Key),
            Span::raw(format!("       {keep} keep it in a 0600 file")),
        ]),
    ];
    write_lines(&lines, 0, inner, buf);
}

const LONGEST: usize = 256;
