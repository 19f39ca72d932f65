//! The status line: fixed order, dropped from the right where there is no room; and its longer cousins.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::messages::{brief, clock, timestamp};
use crate::model::Model;
use crate::screen::accounts::Card;
use crate::text::{ScreenText, screen_text};
use crate::theme::{Role, Theme};

/// Draws the line.
pub(crate) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.theme;
    let mut spans = Vec::new();
    let mut left = usize::from(area.width);
    for (part, role) in parts(model) {
        let separator = if spans.is_empty() { "" } else { "  " };
        let room = left.saturating_sub(separator.len());
        // The first part is cut rather than dropped: it says whether one can be reached. Of the others
        // those that have no room are left out, and a shorter one may stand in their place.
        if part.width() > room && !spans.is_empty() {
            continue;
        }
        let text = part.fit(room, theme.glyphs.cut);
        left = room.saturating_sub(Span::raw(text.as_str()).width());
        spans.push(Span::raw(separator));
        spans.push(Span::styled(text, theme.style(role)));
    }
    buf.set_line(area.x, area.y, &Line::from(spans), area.width);
}

/// The title of the terminal's window.
pub(crate) fn title(model: &Model) -> ScreenText {
    if let Some(call) = model.pages.phone.ringing() {
        return screen_text!("{} calls", call.who());
    }
    match model.pages.accounts.current() {
        Some(card) => {
            screen_text!("{} {} {}", model.theme.state_glyph(card.state), card.aor, card.state_words())
        }
        None => ScreenText::of("Homing"),
    }
}

/// A report without secrets, for a bug report or an administrator.
pub(crate) fn diagnostics(model: &Model) -> ScreenText {
    let mut lines = vec![format!("Homing {} at {}", env!("CARGO_PKG_VERSION"), timestamp(model.clock.wall))];
    for card in &model.pages.accounts.cards {
        lines.push(card.change_line(model.clock.since_start).to_string());
        lines.extend(card.journey.iter().map(|hop| format!("{} {} {}", hop.server, hop.said, hop.because)));
        lines.extend(
            card.failed_login.iter().map(|failed_login| {
                format!("{} {}", failed_login.problem.code, failed_login.problem.sentence)
            }),
        );
    }
    ScreenText::of(&lines.join(" | "))
}

/// Address and state, home server and path, security, expiry, time.
fn parts(model: &Model) -> Vec<(ScreenText, Role)> {
    let theme = &model.theme;
    let time = screen_text!("{} UTC", clock(model.clock.wall));
    let Some(card) = model.pages.accounts.current() else {
        return vec![(ScreenText::of("no account; + adds one"), Role::Dim), (time, Role::Dim)];
    };
    let glyph = theme.state_glyph(card.state);
    let mut parts =
        vec![(screen_text!("{glyph} {} {}", card.aor, card.state_words()), Theme::state_role(card.state))];
    if let Some(home) = &card.home {
        parts.push((screen_text!("home {} ({})", host(&home.server), card.path_words()), Role::Plain));
        parts.push(badge(card, theme));
        if let Some(left) = card.left(model.clock.since_start) {
            parts.push((screen_text!("exp {}", brief(left)), Role::Plain));
        }
    }
    if let Some(failed_login) = &card.failed_login {
        parts.push((failed_login.problem.sentence.clone(), Role::Bad));
    }
    parts.push((time, Role::Dim));
    parts
}

/// The name of a server without its port: one glance asks which, not how.
fn host(server: &ScreenText) -> &str {
    server.as_str().rsplit_once(':').map_or(server.as_str(), |(host, _)| host)
}

fn badge(card: &Card, theme: &Theme) -> (ScreenText, Role) {
    match card.home.as_ref().filter(|home| !home.proof.is_empty()) {
        Some(_) => (screen_text!("TLS{}", theme.glyphs.yes), Role::Good),
        None => (ScreenText::of("no TLS"), Role::Warn),
    }
}
