//! The Journey panel: each server of a login, how it was come by, what it said and what followed.

use std::time::Duration;

use ratatui::text::{Line, Span};

use crate::look::{Look, Role};
use crate::screen::accounts::Card;
use crate::text::{ScreenText, screen_text};
use crate::widget::wrap_words;
use crate::words::{HopWords, Standing, countdown};

/// The lines of the panel, broken by words; where they are too many for `area`, prices and
/// certificate names go first.
pub(crate) fn panel(card: &Card, look: &Look, area: (u16, u16), now: Duration) -> Vec<Line<'static>> {
    let width = usize::from(area.0);
    let full = lines(card, (look, width), true, now);
    if full.len() <= usize::from(area.1) { full } else { lines(card, (look, width), false, now) }
}

fn lines(card: &Card, paper: Paper<'_>, full: bool, now: Duration) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if card.journey.is_empty() {
        lines.push(Line::from(paper.0.say("No login yet. R signs in.", Role::Dim)));
    }
    for (index, hop) in card.journey.iter().enumerate() {
        draw_hop(index + 1, hop, (paper, full), &mut lines);
    }
    draw_now(card, paper, now, &mut lines);
    draw_setback(card, paper, now, &mut lines);
    lines
}

/// `1 of max 5`: redirects followed.
pub(crate) fn tally(card: &Card) -> String {
    format!("[{} of max {}]", card.tally.redirects, card.tally.limit)
}

/// A look and the width there is.
type Paper<'a> = (&'a Look, usize);

fn draw_hop(number: usize, hop: &HopWords, paper: (Paper<'_>, bool), lines: &mut Vec<Line<'static>>) {
    let (paper, full) = paper;
    let (look, width) = paper;
    let (word, sign, role) = match hop.standing {
        Standing::Pending => ("", "", Role::Busy),
        Standing::Home => ("home", look.glyphs.yes, Role::Good),
        Standing::SentOn => ("sent on", look.glyphs.arrow, Role::Accent),
        Standing::Failed => ("failed", look.glyphs.no, Role::Bad),
    };
    let time = if hop.millis > 0 { format!("  {} ms", hop.millis) } else { String::new() };
    let verdict = format!("{}  {} {word}{time}", hop.said, sign.trim()).trim_end().to_owned();
    let head = format!("{number} REGISTER {} {}", look.glyphs.arrow, hop.server);
    let used = Span::raw(head.as_str()).width() + Span::raw(verdict.as_str()).width();
    let head = Span::styled(head, look.style(Role::Title));
    let verdict = Span::styled(verdict, look.style(role));
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
        let role = if hop.standing == Standing::Failed { Role::Bad } else { Role::Plain };
        wrap(&hop.because, role, paper, lines);
    }
    if full && !hop.price.is_empty() {
        wrap(&hop.price, Role::Dim, paper, lines);
    }
}

fn draw_now(card: &Card, paper: Paper<'_>, now: Duration, lines: &mut Vec<Line<'static>>) {
    let (look, _) = paper;
    let dot = look.glyphs.dot;
    if let Some(home) = &card.home {
        let left = card.left(now).map(countdown).unwrap_or_default();
        let new_call = if card.tally.redirects > 0 { format!(" {dot} new Call-ID") } else { String::new() };
        let text = screen_text!(
            "now: home server = {} {dot} outbound proxy pinned until sign-out{new_call} {dot} expires in {left} \
             {dot} {} round trips",
            home.server,
            card.tally.round_trips
        );
        wrap(&text, Role::Good, paper, lines);
    }
    if let Some(notice) = &card.notice {
        wrap(notice, Role::Warn, paper, lines);
    }
}

fn draw_setback(card: &Card, paper: Paper<'_>, now: Duration, lines: &mut Vec<Line<'static>>) {
    let Some(setback) = &card.setback else { return };
    let (arrow, dot) = (paper.0.glyphs.arrow, paper.0.glyphs.dot);
    let trouble = &setback.trouble;
    let said = card.journey.last().is_some_and(|hop| hop.because == trouble.sentence);
    let sentence = if said { String::new() } else { format!(" {}", trouble.sentence) };
    wrap(&screen_text!("{}{sentence} {arrow} login failed", trouble.code), Role::Bad, paper, lines);
    wrap(&screen_text!("Hint: {}", trouble.hint), Role::Plain, paper, lines);
    let next = match card.retry_in(now) {
        Some(left) => screen_text!("next attempt in {} {dot} R tries now", countdown(left)),
        None => ScreenText::of("not tried again by itself; R tries now"),
    };
    wrap(&next, Role::Dim, paper, lines);
}

/// A sentence under its hop, broken at spaces.
fn wrap(text: &ScreenText, role: Role, paper: Paper<'_>, lines: &mut Vec<Line<'static>>) {
    let (look, width) = paper;
    let room = width.saturating_sub(INDENT.len()).max(8);
    let broken = wrap_words(text.as_str(), room);
    lines.extend(broken.into_iter().map(|line| indented(line, role, look)));
}

fn indented(text: String, role: Role, look: &Look) -> Line<'static> {
    Line::from(vec![Span::raw(INDENT), Span::styled(text, look.style(role))])
}

const INDENT: &str = "  ";
