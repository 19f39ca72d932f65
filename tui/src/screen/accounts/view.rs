//! The Accounts screen at every size: list, journey, facts, stage and the last lines of the ladder.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::look::{Look, Role, Tier};
use crate::screen::Scene;
use crate::screen::accounts::journey::{panel, tally};
use crate::screen::accounts::{Card, facts};
use crate::screen::{stage, trace};
use crate::widget::{Pane, write_lines};

/// Draws the screen in every tier but the smallest.
pub(crate) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if scene.accounts.zoomed {
        draw_journey(scene, area, buf);
        return;
    }
    match scene.look.tier {
        Tier::Wide => draw_wide(scene, area, buf),
        Tier::Normal => draw_normal(scene, area, buf),
        Tier::Narrow | Tier::Mini => draw_narrow(scene, area, buf),
    }
}

/// Draws the screen without borders in a few lines: the journey's last word and the next step.
pub(crate) fn draw_mini(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(card) = scene.accounts.current() else {
        write_lines(&[Line::from("no account; + adds one")], 0, area, buf);
        return;
    };
    let size = (area.width, area.height);
    let lines = panel(card, scene.look, size, scene.now);
    write_end(&lines, scene, area, buf);
}

/// Writes the end of the journey, for what is true now stands there; scrolling goes up from it.
fn write_end(lines: &[Line<'_>], scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    write_lines(lines, hidden.saturating_sub(usize::from(scene.accounts.scroll)), area, buf);
}

fn draw_wide(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let below = (area.height / 3).clamp(9, 16);
    let [upper, lower] = Layout::vertical([Constraint::Min(12), Constraint::Length(below)]).areas(area);
    let facts = if area.width >= THREE_PANES { 36 } else { 0 };
    let [left, middle, right] =
        Layout::horizontal([Constraint::Length(34), Constraint::Min(40), Constraint::Length(facts)])
            .areas(upper);
    if facts > 0 || scene.stage.is_some() {
        draw_left(scene, left, buf);
        draw_facts(scene, right, buf);
    } else {
        // Without a stage there is room for the facts under the list.
        let [list, facts] = Layout::vertical([Constraint::Min(5), Constraint::Length(13)]).areas(left);
        draw_left(scene, list, buf);
        draw_facts(scene, facts, buf);
    }
    draw_journey(scene, middle, buf);
    trace::draw_tail(scene, lower, buf);
}

fn draw_normal(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let [left, right] = Layout::horizontal([Constraint::Length(28), Constraint::Min(40)]).areas(area);
    draw_left(scene, left, buf);
    let journey = scene.accounts.current().map_or(5, |card| lines_of(card, scene, right.width));
    let most = area.height.saturating_sub(6).max(8);
    let [upper, lower] =
        Layout::vertical([Constraint::Length((journey + 2).clamp(8, most)), Constraint::Min(0)]).areas(right);
    draw_journey(scene, upper, buf);
    trace::draw_tail(scene, lower, buf);
}

fn draw_narrow(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let stage = scene.stage.map_or(0, |stage| stage::strip_height(stage, area.width));
    let cards = u16::try_from(scene.accounts.cards.len()).unwrap_or(u16::MAX).clamp(1, 4);
    let [list, journey, below] =
        Layout::vertical([Constraint::Length(cards), Constraint::Min(6), Constraint::Length(stage)])
            .areas(area);
    draw_list(scene, 1, list, buf);
    draw_journey(scene, journey, buf);
    if let Some(state) = scene.stage {
        stage::draw_strip(state, scene.look, below, buf);
    }
}

fn draw_left(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let wanted = scene.stage.map_or(0, stage::height);
    let [upper, lower] =
        Layout::vertical([Constraint::Min(4), Constraint::Length(wanted.min(area.height.saturating_sub(4)))])
            .areas(area);
    let inner = Pane::new("Accounts").focused(true).draw(upper, scene.look, buf);
    draw_list(scene, 3, inner, buf);
    if let Some(state) = scene.stage {
        stage::draw(state, scene.look, lower, buf);
    }
}

fn draw_list(scene: &Scene<'_>, per_card: usize, area: Rect, buf: &mut Buffer) {
    if scene.accounts.cards.is_empty() {
        write_lines(&[Line::from("no account yet"), Line::from("+ adds one")], 0, area, buf);
        return;
    }
    let mut lines = Vec::new();
    for (index, card) in scene.accounts.cards.iter().enumerate() {
        let chosen = index == scene.accounts.selected();
        lines
            .extend(list_lines(card, chosen, scene.look, usize::from(area.width)).into_iter().take(per_card));
    }
    let first = scene.accounts.selected() * per_card;
    let skip = crate::widget::scroll_to(first + per_card - 1, lines.len(), usize::from(area.height));
    write_lines(&lines, skip, area, buf);
}

fn list_lines(card: &Card, chosen: bool, look: &Look, width: usize) -> Vec<Line<'static>> {
    let mark = if chosen { look.glyphs.focus } else { " " };
    let role = Look::state_role(card.state);
    let room = width.saturating_sub(6);
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, look.style(Role::Key)),
        Span::styled(look.state_glyph(card.state), look.style(role)),
        Span::raw(" "),
        Span::styled(card.aor.fit(room, look.glyphs.cut), look.style(Role::Title)),
    ])];
    lines.push(Line::from(vec![
        Span::raw("   "),
        Span::styled(card.state_words().fit(room, look.glyphs.cut), look.style(role)),
    ]));
    let third = card.home.as_ref().map(|home| home.server.clone());
    let third = third.or_else(|| card.setback.as_ref().map(|setback| setback.trouble.sentence.clone()));
    if let Some(third) = third {
        lines.push(Line::from(vec![
            Span::raw("   "),
            Span::styled(third.fit(room + 3, look.glyphs.cut), look.style(Role::Dim)),
        ]));
    }
    lines
}

fn draw_journey(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(card) = scene.accounts.current() else {
        let inner = Pane::new("Journey").draw(area, scene.look, buf);
        let text = Line::from("The journey of a login stands here: each server, what it said, and why.");
        write_lines(&[text], 0, inner, buf);
        return;
    };
    let title = format!("Journey  {}", card.aor.fit(usize::from(area.width) / 2, scene.look.glyphs.cut));
    let note = if card.journey.is_empty() { String::new() } else { tally(card) };
    let inner = Pane::new(&title).note(&note).focused(scene.accounts.zoomed).draw(area, scene.look, buf);
    let size = (inner.width, inner.height);
    let lines = panel(card, scene.look, size, scene.now);
    write_end(&lines, scene, inner, buf);
}

fn draw_facts(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let inner = Pane::new("Facts").draw(area, scene.look, buf);
    if let Some(card) = scene.accounts.current() {
        let lines = facts::lines(card, scene.look, usize::from(inner.width), scene.now);
        write_lines(&lines, 0, inner, buf);
    }
}

fn lines_of(card: &Card, scene: &Scene<'_>, width: u16) -> u16 {
    let size = (width.saturating_sub(2), u16::MAX);
    let lines = panel(card, scene.look, size, scene.now);
    u16::try_from(lines.len()).unwrap_or(u16::MAX - 2)
}

/// Columns from which the facts have a pane of their own.
const THREE_PANES: u16 = 150;
