//! The Accounts screen at every size: list, journey, facts, stage and the last lines of the ladder.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::look::{Look, Role, Tier};
use crate::model::Model;
use crate::screen::accounts::journey::{panel, tally};
use crate::screen::accounts::{Card, facts};
use crate::screen::{stage, trace};
use crate::widget::{Pane, write_lines};

/// Draws the screen in every tier but the smallest.
pub(crate) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if model.accounts.zoomed {
        draw_journey(model, area, buf);
        return;
    }
    match model.look.tier {
        Tier::Wide => draw_wide(model, area, buf),
        Tier::Normal => draw_normal(model, area, buf),
        Tier::Narrow | Tier::Mini => draw_narrow(model, area, buf),
    }
}

/// Draws the screen without borders in a few lines: the journey's last word and the next step.
pub(crate) fn draw_mini(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(card) = model.accounts.current() else {
        write_lines(&[Line::from("no account; + adds one")], 0, area, buf);
        return;
    };
    let size = (area.width, area.height);
    let lines = panel(card, &model.look, size, model.clock.since_start);
    write_end(&lines, model, area, buf);
}

/// Writes the end of the journey, for what is true now stands there; scrolling goes up from it.
fn write_end(lines: &[Line<'_>], model: &Model, area: Rect, buf: &mut Buffer) {
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    write_lines(lines, hidden.saturating_sub(usize::from(model.accounts.scroll)), area, buf);
}

fn draw_wide(model: &Model, area: Rect, buf: &mut Buffer) {
    let below = (area.height / 3).clamp(9, 16);
    let [upper, lower] = Layout::vertical([Constraint::Min(12), Constraint::Length(below)]).areas(area);
    let facts = if area.width >= THREE_PANES { 36 } else { 0 };
    let [left, middle, right] =
        Layout::horizontal([Constraint::Length(34), Constraint::Min(40), Constraint::Length(facts)])
            .areas(upper);
    if facts > 0 || model.stage.is_some() {
        draw_left(model, left, buf);
        draw_facts(model, right, buf);
    } else {
        // Without a stage there is room for the facts under the list.
        let [list, facts] = Layout::vertical([Constraint::Min(5), Constraint::Length(13)]).areas(left);
        draw_left(model, list, buf);
        draw_facts(model, facts, buf);
    }
    draw_journey(model, middle, buf);
    trace::draw_tail(model, lower, buf);
}

fn draw_normal(model: &Model, area: Rect, buf: &mut Buffer) {
    let [left, right] = Layout::horizontal([Constraint::Length(28), Constraint::Min(40)]).areas(area);
    draw_left(model, left, buf);
    let journey = model.accounts.current().map_or(5, |card| lines_of(card, model, right.width));
    let most = area.height.saturating_sub(6).max(8);
    let [upper, lower] =
        Layout::vertical([Constraint::Length((journey + 2).clamp(8, most)), Constraint::Min(0)]).areas(right);
    draw_journey(model, upper, buf);
    trace::draw_tail(model, lower, buf);
}

fn draw_narrow(model: &Model, area: Rect, buf: &mut Buffer) {
    let stage = model.stage.as_ref().map_or(0, |stage| stage::strip_height(stage, area.width));
    let cards = u16::try_from(model.accounts.cards.len()).unwrap_or(u16::MAX).clamp(1, 4);
    let [list, journey, below] =
        Layout::vertical([Constraint::Length(cards), Constraint::Min(6), Constraint::Length(stage)])
            .areas(area);
    draw_list(model, 1, list, buf);
    draw_journey(model, journey, buf);
    if let Some(state) = &model.stage {
        stage::draw_strip(state, &model.look, below, buf);
    }
}

fn draw_left(model: &Model, area: Rect, buf: &mut Buffer) {
    let wanted = model.stage.as_ref().map_or(0, stage::height);
    let [upper, lower] =
        Layout::vertical([Constraint::Min(4), Constraint::Length(wanted.min(area.height.saturating_sub(4)))])
            .areas(area);
    let inner = Pane::new("Accounts").focused(true).draw(upper, &model.look, buf);
    draw_list(model, 3, inner, buf);
    if let Some(state) = &model.stage {
        stage::draw(state, &model.look, lower, buf);
    }
}

fn draw_list(model: &Model, per_card: usize, area: Rect, buf: &mut Buffer) {
    if model.accounts.cards.is_empty() {
        write_lines(&[Line::from("no account yet"), Line::from("+ adds one")], 0, area, buf);
        return;
    }
    let mut lines = Vec::new();
    for (index, card) in model.accounts.cards.iter().enumerate() {
        let chosen = index == model.accounts.selected();
        lines.extend(
            list_lines(card, chosen, &model.look, usize::from(area.width)).into_iter().take(per_card),
        );
    }
    let first = model.accounts.selected() * per_card;
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

fn draw_journey(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(card) = model.accounts.current() else {
        let inner = Pane::new("Journey").draw(area, &model.look, buf);
        let text = Line::from("The journey of a login stands here: each server, what it said, and why.");
        write_lines(&[text], 0, inner, buf);
        return;
    };
    let title = format!("Journey  {}", card.aor.fit(usize::from(area.width) / 2, model.look.glyphs.cut));
    let note = if card.journey.is_empty() { String::new() } else { tally(card) };
    let inner = Pane::new(&title).note(&note).focused(model.accounts.zoomed).draw(area, &model.look, buf);
    let size = (inner.width, inner.height);
    let lines = panel(card, &model.look, size, model.clock.since_start);
    write_end(&lines, model, inner, buf);
}

fn draw_facts(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let inner = Pane::new("Facts").draw(area, &model.look, buf);
    if let Some(card) = model.accounts.current() {
        let lines = facts::lines(card, &model.look, usize::from(inner.width), model.clock.since_start);
        write_lines(&lines, 0, inner, buf);
    }
}

fn lines_of(card: &Card, model: &Model, width: u16) -> u16 {
    let size = (width.saturating_sub(2), u16::MAX);
    let lines = panel(card, &model.look, size, model.clock.since_start);
    u16::try_from(lines.len()).unwrap_or(u16::MAX - 2)
}

/// Columns from which the facts have a pane of their own.
const THREE_PANES: u16 = 150;
