//! The Accounts screen at every size: list, journey, facts, the demo's estate and the last lines of the ladder.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::screen::accounts::journey::{panel, totals};
use crate::screen::accounts::{Card, facts};
use crate::screen::{Scene, Target};
use crate::screen::{estate, trace};
use crate::text::screen_text;
use crate::theme::{Role, Theme, Tier};
use crate::widget::{Pane, wrap_words, write_lines};

/// Draws the screen.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if scene.theme.tier == Tier::Mini {
        draw_mini(scene, area, buf);
        return;
    }
    if scene.pages.accounts.zoomed {
        draw_journey(scene, area, buf);
        return;
    }
    match scene.theme.tier {
        Tier::Wide => draw_wide(scene, area, buf),
        Tier::Normal => draw_normal(scene, area, buf),
        Tier::Narrow | Tier::Mini => draw_narrow(scene, area, buf),
    }
}

/// Draws the screen without borders in a few lines: the journey's last word and the next step.
fn draw_mini(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(card) = scene.pages.accounts.current() else {
        write_lines(&empty(area.width), 0, area, buf);
        return;
    };
    let size = (area.width, area.height);
    let lines = panel(card, scene.theme, size, scene.now);
    write_end(&lines, scene, area, buf);
}

/// Writes the end of the journey, for what is true now stands there; scrolling goes up from it.
fn write_end(lines: &[Line<'_>], scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    write_lines(lines, hidden.saturating_sub(usize::from(scene.pages.accounts.scroll)), area, buf);
}

fn draw_wide(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let below = (area.height / 3).clamp(9, 16);
    let [upper, lower] = Layout::vertical([Constraint::Min(12), Constraint::Length(below)]).areas(area);
    let [left, middle, right] =
        Layout::horizontal([Constraint::Length(28), Constraint::Min(54), Constraint::Length(36)])
            .areas(upper);
    draw_left(scene, left, buf);
    draw_journey(scene, middle, buf);
    draw_facts(scene, right, buf);
    trace::draw_tail(scene, lower, buf);
}

fn draw_normal(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let [left, right] = Layout::horizontal([Constraint::Length(28), Constraint::Min(40)]).areas(area);
    draw_left(scene, left, buf);
    let journey = scene.pages.accounts.current().map_or(5, |card| lines_of(card, scene, right.width));
    let most = area.height.saturating_sub(6).max(8);
    let [upper, lower] =
        Layout::vertical([Constraint::Length((journey + 2).clamp(8, most)), Constraint::Min(0)]).areas(right);
    draw_journey(scene, upper, buf);
    trace::draw_tail(scene, lower, buf);
}

fn draw_narrow(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let estate =
        scene.pages.accounts.estate.as_ref().map_or(0, |estate| estate::strip_height(estate, area.width));
    let cards = u16::try_from(scene.pages.accounts.cards.len()).unwrap_or(u16::MAX).clamp(1, 4);
    let [list, journey, below] =
        Layout::vertical([Constraint::Length(cards), Constraint::Min(6), Constraint::Length(estate)])
            .areas(area);
    draw_list(scene, 1, list, buf);
    draw_journey(scene, journey, buf);
    if let Some(state) = &scene.pages.accounts.estate {
        estate::draw_strip(state, scene, below, buf);
    }
}

fn draw_left(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let wanted = scene.pages.accounts.estate.as_ref().map_or(0, estate::height);
    let [upper, lower] =
        Layout::vertical([Constraint::Min(4), Constraint::Length(wanted.min(area.height.saturating_sub(4)))])
            .areas(area);
    let inner = Pane::new("Accounts").focused(true).draw(upper, scene.theme, buf);
    draw_list(scene, 3, inner, buf);
    if let Some(state) = &scene.pages.accounts.estate {
        estate::draw(state, scene, lower, buf);
    }
}

fn draw_list(scene: &Scene<'_>, per_card: usize, area: Rect, buf: &mut Buffer) {
    if scene.pages.accounts.cards.is_empty() {
        write_lines(&[Line::from("no account yet"), Line::from("+ adds one")], 0, area, buf);
        return;
    }
    let (mut lines, mut owners) = (Vec::new(), Vec::new());
    for (index, card) in scene.pages.accounts.cards.iter().enumerate() {
        let chosen = index == scene.pages.accounts.selected();
        let width = usize::from(area.width);
        match per_card {
            1 => lines.push(list_line(card, chosen, scene.theme, width)),
            _ => lines.extend(list_lines(card, chosen, scene.theme, width).into_iter().take(per_card)),
        }
        owners.resize(lines.len(), index);
    }
    let last = owners.iter().rposition(|owner| *owner == scene.pages.accounts.selected()).unwrap_or(0);
    let skip = crate::widget::scroll_to(last, lines.len(), usize::from(area.height));
    write_lines(&lines, skip, area, buf);
    for (row, owner) in area.rows().zip(&owners[skip..]) {
        scene.hits.add(row, Target::Row(*owner));
    }
}

/// An account in one line.
fn list_line(card: &Card, chosen: bool, theme: &Theme, width: usize) -> Line<'static> {
    let mark = if chosen { theme.glyphs.focus } else { " " };
    let role = Theme::state_role(card.state);
    let state = screen_text!("{} {}", theme.state_glyph(card.state), card.aor);
    let room = width.saturating_sub(1);
    let words = card.state_words().fit(room.saturating_sub(state.width() + 2), theme.glyphs.cut);
    Line::from(vec![
        Span::styled(mark, theme.style(Role::Key)),
        Span::styled(state.fit(room, theme.glyphs.cut), theme.style(Role::Title)),
        Span::raw("  "),
        Span::styled(words, theme.style(role)),
    ])
}

fn list_lines(card: &Card, chosen: bool, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mark = if chosen { theme.glyphs.focus } else { " " };
    let role = Theme::state_role(card.state);
    let room = width.saturating_sub(6);
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, theme.style(Role::Key)),
        Span::styled(theme.state_glyph(card.state), theme.style(role)),
        Span::raw(" "),
        Span::styled(card.aor.fit(room, theme.glyphs.cut), theme.style(Role::Title)),
    ])];
    lines.push(Line::from(vec![
        Span::raw("   "),
        Span::styled(card.state_words().fit(room, theme.glyphs.cut), theme.style(role)),
    ]));
    let third = card.home.as_ref().map(|home| home.server.clone());
    let third = third
        .or_else(|| card.failed_login.as_ref().map(|failed_login| failed_login.problem.sentence.clone()));
    if let Some(third) = third {
        lines.push(Line::from(vec![
            Span::raw("   "),
            Span::styled(third.fit(room + 3, theme.glyphs.cut), theme.style(Role::Dim)),
        ]));
    }
    lines
}

fn draw_journey(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(card) = scene.pages.accounts.current() else {
        let inner = Pane::new("Journey").draw(area, scene.theme, buf);
        write_lines(&empty(inner.width), 0, inner, buf);
        return;
    };
    let title = format!("Journey  {}", card.aor.fit(usize::from(area.width) / 2, scene.theme.glyphs.cut));
    let note = if card.journey.is_empty() { String::new() } else { totals(card) };
    let inner =
        Pane::new(&title).note(&note).focused(scene.pages.accounts.zoomed).draw(area, scene.theme, buf);
    let size = (inner.width, inner.height);
    let lines = panel(card, scene.theme, size, scene.now);
    write_end(&lines, scene, inner, buf);
}

/// What stands where there is no journey to show.
fn empty(width: u16) -> Vec<Line<'static>> {
    let text =
        "The journey of a login appears here: each server, what it answered, and why. + adds an account.";
    wrap_words(text, usize::from(width)).into_iter().map(Line::from).collect()
}

fn draw_facts(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let inner = Pane::new("Facts").draw(area, scene.theme, buf);
    if let Some(card) = scene.pages.accounts.current() {
        let lines = facts::lines(card, scene.theme, usize::from(inner.width), scene.now);
        write_lines(&lines, 0, inner, buf);
    }
}

fn lines_of(card: &Card, scene: &Scene<'_>, width: u16) -> u16 {
    let size = (width.saturating_sub(2), u16::MAX);
    let lines = panel(card, scene.theme, size, scene.now);
    u16::try_from(lines.len()).unwrap_or(u16::MAX - 2)
}
