//! Consent: a redirect that passed every rule waits for a yes or no where the account asks for one.

use homing::AccountId;
use homing::redirect::Decision;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::effect::Effect;
use crate::keys::{Chord, Key};
use crate::text::{ScreenText, count};
use crate::theme::{Role, Theme};
use crate::widget::{Pane, clear_box, write_lines};

/// A redirect to be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The bridge's name for the question.
    pub(crate) id: u64,
    pub(crate) account: AccountId,
    /// Whose, in words; filled in where accounts are known.
    pub(crate) aor: ScreenText,
    pub(crate) from: ScreenText,
    pub(crate) to: ScreenText,
    pub(crate) signed: bool,
    /// Redirects that may still follow.
    pub(crate) remaining: usize,
}

impl Request {
    /// The answer a key gives; none if it gives none.
    pub(crate) fn handle(&self, chord: Chord) -> Option<Effect> {
        let (decision, always) = match chord.key {
            Key::Char('f' | 'y') => (Decision::Follow, false),
            Key::Char('a') => (Decision::Follow, true),
            Key::Char('s' | 'n') | Key::Esc => (Decision::Stop, false),
            _ => return None,
        };
        Some(Effect::Consent { id: self.id, decision, always })
    }
}

/// Draws the question.
pub(crate) fn draw(request: &Request, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = clear_box(area, (64, 9), theme, buf);
    let inner = Pane::new("Follow this redirect?").focused(true).draw(area, theme, buf);
    let room = usize::from(inner.width.saturating_sub(9));
    let fact = |name: &'static str, value: &ScreenText| {
        Line::from(vec![
            Span::styled(format!("{name:<9}"), theme.style(Role::Dim)),
            Span::raw(value.fit(room, theme.glyphs.cut)),
        ])
    };
    let signed = ScreenText::of(if request.signed { "yes, by the security association" } else { "no" });
    let lines = [
        fact("account", &request.aor),
        fact("from", &request.from),
        fact("to", &request.to),
        fact("signed", &signed),
        fact(
            "left",
            &ScreenText::of(&format!(
                "{} allowed",
                count(request.remaining, "more redirect", "more redirects")
            )),
        ),
        Line::from(""),
        Line::from(vec![
            theme.say("f", Role::Key),
            Span::raw(" follow once  "),
            theme.say("a", Role::Key),
            Span::raw(" always there  "),
            theme.say("s", Role::Key),
            Span::raw(" stop"),
        ]),
    ];
    write_lines(&lines, 0, inner, buf);
}
