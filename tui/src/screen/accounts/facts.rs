//! The facts of an account, one per line: state, server, path, login, certificate, expiry, last error.

use std::time::Duration;

use ratatui::text::{Line, Span};

use crate::screen::accounts::Card;
use crate::text::ScreenText;
use crate::theme::{Role, Theme};

/// Name and value of each fact that holds now.
pub(crate) fn lines(card: &Card, theme: &Theme, width: usize, now: Duration) -> Vec<Line<'static>> {
    let mut facts = vec![
        ("state", ScreenText::of(&format!("{} {}", theme.state_glyph(card.state), card.state_words()))),
        ("address", card.aor.clone()),
    ];
    if let Some(home) = &card.home {
        facts.push(("home", home.server.clone()));
        facts.push(("path", card.path_words()));
        facts.push(("flow", home.connection.clone()));
        facts.push(("login", ScreenText::of(home.scheme.unwrap_or("none"))));
        let badge = if home.proof.is_empty() { "in the clear" } else { home.proof.as_str() };
        facts.push(("cert", ScreenText::of(badge)));
        facts.push(("expires", card.expiry_words(now)));
        if let Some(gruu) = &home.gruu {
            facts.push(("gruu", gruu.clone()));
        }
    }
    if let Some(failed_login) = &card.failed_login {
        facts.push(("error", ScreenText::of(failed_login.problem.code)));
    }
    facts.into_iter().map(|(name, value)| line(name, &value, theme, width)).collect()
}

fn line(name: &'static str, value: &ScreenText, theme: &Theme, width: usize) -> Line<'static> {
    let room = width.saturating_sub(NAME_WIDTH);
    Line::from(vec![
        Span::styled(format!("{name:<NAME_WIDTH$}"), theme.style(Role::Dim)),
        Span::raw(value.fit(room, theme.glyphs.cut)),
    ])
}

const NAME_WIDTH: usize = 9;
