//! The theme: size tier, colours, glyphs and motion, decided once and read by every view.

mod color;
mod glyph;
mod tier;

pub(crate) use color::{ColorMode, ColorTheme, Role, ThemeName};
pub(crate) use glyph::Glyphs;
pub(crate) use tier::Tier;

use homing::AccountState;
use ratatui::style::Style;
use ratatui::text::Span;

/// Everything a view needs to know about the terminal and the person's taste.
#[derive(Clone, Debug)]
pub(crate) struct Theme {
    pub(crate) tier: Tier,
    /// No more than this is shown, however much room there is.
    pub(crate) most: Tier,
    /// The colours of this terminal, where no setting says otherwise.
    pub(crate) detected: ColorMode,
    pub(crate) colors: ColorTheme,
    pub(crate) glyphs: &'static Glyphs,
    /// No spinners: a running task says `[working]`.
    pub(crate) reduced_motion: bool,
}

impl Theme {
    /// The theme of a terminal whose size is not known yet.
    pub(crate) fn new(colors: ColorTheme, ascii: bool) -> Self {
        let glyphs = if ascii { &Glyphs::ASCII } else { &Glyphs::UNICODE };
        let (tier, most, detected) = (Tier::of(80, 24), Tier::Wide, colors.mode);
        Self { tier, most, detected, colors, glyphs, reduced_motion: false }
    }

    /// The style of a role.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.colors.style(role)
    }

    /// Literal text of this program in the style of a role.
    pub(crate) fn say(&self, text: &'static str, role: Role) -> Span<'static> {
        Span::styled(text, self.style(role))
    }

    /// Any text, as what matters least.
    pub(crate) fn dim(&self, text: &str) -> Span<'static> {
        Span::styled(text.to_owned(), self.style(Role::Dim))
    }

    /// The glyph of an account's state.
    pub(crate) fn state_glyph(&self, state: AccountState) -> &'static str {
        let words = state.words();
        if self.glyphs.ascii { words.ascii } else { words.glyph }
    }

    /// The role in which a state is drawn; the word beside it says the same without colour.
    pub(crate) fn state_role(state: AccountState) -> Role {
        match state {
            AccountState::Registered => Role::Good,
            AccountState::Fallback | AccountState::Expiring | AccountState::NoNetwork => Role::Warn,
            AccountState::Unreachable | AccountState::NeedsPassword | AccountState::Rejected => Role::Bad,
            AccountState::Offline | AccountState::LoggedOff => Role::Dim,
            _ => Role::Busy,
        }
    }
}
