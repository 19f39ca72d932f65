//! The Journey panel: each server of a login, how it was come by, what it said and what followed.

use std::time::Duration;

use homing::AccountState;
use ratatui::text::{Line, Span};

use crate::messages::{HopStatus, HopText, countdown};
use crate::screen::accounts::Card;
use crate::text::{ScreenText, count, screen_text};
use crate::theme::{Role, Theme};
use crate::widget::wrap_words;

/// The lines of the panel, broken by words; where they are too many for `area`, prices and
/// certificate names go first.
pub(crate) fn panel(card: &Card, theme: &Theme, area: (u16, u16), now: Duration) -> Vec<Line<'static>> {
    let width = usize::from(area.0);
    let full = lines(card, (theme, width), true, now);
    if full.len() <= usize::from(area.1) { full } else { lines(card, (theme, width), false, now) }
}

fn lines(card: &Card, paper: Paper<'_>, full: bool, now: Duration) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if card.journey.is_empty() {
        let is_under_way = matches!(
            card.state,
            AccountState::Resolving | AccountState::Connecting | AccountState::Registering
        );
        let text = if is_under_way { "Looking for its server." } else { "No login yet. R signs in." };
        lines.push(Line::from(paper.0.say(text, Role::Dim)));
    }
    for (index, hop) in card.journey.iter().enumerate() {
        draw_hop(index + 1, hop, (paper, full), &mut lines);
    }
    draw_now(card, paper, now, &mut lines);
    draw_setback(card, paper, now, &mut lines);
    lines
}

/// `1 of max 5`: redirects followed.
pub(crate) fn totals(card: &Card) -> String {
    format!("[{} of max {}]", card.totals.redirects, card.totals.limit)
}

/// The theme, and the width there is.
type Paper<'a> = (&'a Theme, usize);

fn draw_hop(number: usize, hop: &HopText, paper: (Paper<'_>, bool), lines: &mut Vec<Line<'static>>) {
    let (paper, full) = paper;
    let (theme, width) = paper;
    let (word, sign, role) = match hop.status {
        HopStatus::Pending => ("", "", Role::Busy),
        HopStatus::Home => ("home", theme.glyphs.yes, Role::Good),
        // What it said ends with the 301: an arrow more would read as another answer.
        HopStatus::Redirected => ("redirected", "", Role::Accent),
        HopStatus::Failed => ("failed", theme.glyphs.no, Role::Bad),
    };
    let time = if hop.millis > 0 { format!("  {} ms", hop.millis) } else { String::new() };
    let mark = format!("{} {word}", sign.trim());
    let verdict = format!("{}  {}{time}", hop.said, mark.trim()).trim_end().to_owned();
    let head = format!("{number} REGISTER {} {}", theme.glyphs.arrow, hop.server);
    let used = Span::raw(head.as_str()).width() + Span::raw(verdict.as_str()).width();
    let head = Span::styled(head, theme.style(Role::Title));
    let verdict = Span::styled(verdict, theme.style(role));
    match width.checked_sub(used).filter(|gap| *gap >= 2) {
        Some(gap) => lines.push(Line::from(vec![head, Span::raw(" ".repeat(gap)), verdict])),
        None => lines.extend([Line::from(head), Line::from(vec![Span::raw(INDENT), verdict])]),
    }
    if full {
        wrap(&screen_text!("{}, {}", hop.how, hop.connection), Role::Dim, paper, lines);
    } else {
        wrap(&hop.how, Role::Dim, paper, lines);
    }
    if !hop.because.is_empty() {
        let role = if hop.status == HopStatus::Failed { Role::Bad } else { Role::Plain };
        wrap(&hop.because, role, paper, lines);
    }
    if full && !hop.price.is_empty() {
        wrap(&hop.price, Role::Dim, paper, lines);
    }
}

fn draw_now(card: &Card, paper: Paper<'_>, now: Duration, lines: &mut Vec<Line<'static>>) {
    let (theme, _) = paper;
    let dot = theme.glyphs.dot;
    if let Some(home) = &card.home {
        let left = card.left(now).map(countdown).unwrap_or_default();
        let new_call = if card.totals.redirects > 0 { format!(" {dot} new Call-ID") } else { String::new() };
        let round_trips = usize::try_from(card.totals.round_trips).unwrap_or(usize::MAX);
        let text = screen_text!(
            "now: home server = {} {dot} outbound proxy pinned until sign-out{new_call} {dot} expires in {left} \
             {dot} {}",
            home.server,
            count(round_trips, "round trip", "round trips")
        );
        wrap(&text, Role::Good, paper, lines);
    }
    if let Some(notice) = &card.notice {
        wrap(notice, Role::Warn, paper, lines);
    }
}

fn draw_setback(card: &Card, paper: Paper<'_>, now: Duration, lines: &mut Vec<Line<'static>>) {
    let Some(failed_login) = &card.failed_login else { return };
    let (arrow, dot) = (paper.0.glyphs.arrow, paper.0.glyphs.dot);
    let problem = &failed_login.problem;
    let said = card.journey.last().is_some_and(|hop| hop.because == problem.sentence);
    let sentence = if said { String::new() } else { format!(" {}", problem.sentence) };
    wrap(&screen_text!("{}{sentence} {arrow} login failed", problem.code), Role::Bad, paper, lines);
    wrap(&screen_text!("Hint: {}", problem.hint), Role::Plain, paper, lines);
    let next = match card.retry_in(now) {
        Some(left) => screen_text!("next attempt in {} {dot} R tries now", countdown(left)),
        None => ScreenText::of("no automatic retry; R tries now"),
    };
    wrap(&next, Role::Dim, paper, lines);
}

/// A sentence under its hop, broken at spaces.
fn wrap(text: &ScreenText, role: Role, paper: Paper<'_>, lines: &mut Vec<Line<'static>>) {
    let (theme, width) = paper;
    let room = width.saturating_sub(INDENT.len()).max(8);
    let broken = wrap_words(text.as_str(), room);
    lines.extend(broken.into_iter().map(|line| indented(line, role, theme)));
}

fn indented(text: String, role: Role, theme: &Theme) -> Line<'static> {
    Line::from(vec![Span::raw(INDENT), Span::styled(text, theme.style(role))])
}

const INDENT: &str = "  ";
