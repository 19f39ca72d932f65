//! The whole picture: head, screen, what lies above it, what was told last, hints, status line.

mod foot;
mod head;
mod status;

pub(crate) use status::{diagnostics, title};

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;

use crate::model::{Model, Overlay};
use crate::screen::{Hits, Scene, Target, consent, palette, password, save, wizard};
use crate::text::ascii_twin;
use crate::theme::Tier;
use crate::widget::{Pane, clear_box, write_lines};

/// Draws the phone.
pub(crate) fn view(model: &Model, area: Rect, buf: &mut Buffer) {
    draw(model, &Hits::default(), area, buf);
}

/// What a click there stands for: the picture is drawn once more, aside, and asked.
pub(crate) fn target_at(model: &Model, column: u16, row: u16) -> Option<Target> {
    let area = Rect::new(0, 0, model.window.columns, model.window.rows);
    let hits = Hits::default();
    draw(model, &hits, area, &mut Buffer::empty(area));
    hits.at(column, row)
}

fn draw(model: &Model, hits: &Hits, area: Rect, buf: &mut Buffer) {
    let scene = model.scene(hits);
    if model.theme.tier == Tier::Mini {
        draw_mini(model, &scene, area, buf);
    } else {
        let [head, body, message, hints, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(5),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(area);
        head::draw(model, &scene, head, buf);
        draw_page(model, &scene, body, buf);
        foot::draw_hints(model, &scene, hints, buf);
        status::draw(model, foot, buf);
        draw_overlay(model, &scene, body, buf);
        foot::draw_message(model, &scene, message, buf);
    }
    if model.theme.glyphs.ascii {
        only_ascii(buf);
    }
}

/// One line says how the account stands, the last one what was told or can be done; no borders.
fn draw_mini(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let foot = u16::from(area.height > 3);
    let [top, body, prompt] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(foot)]).areas(area);
    status::draw(model, top, buf);
    draw_page(model, scene, body, buf);
    if model.toast.is_some() || model.pages.phone.ringing().is_some() {
        foot::draw_message(model, scene, prompt, buf);
    } else {
        foot::draw_hints(model, scene, prompt, buf);
    }
    draw_overlay(model, scene, body, buf);
}

fn draw_page(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    model.pages.page(model.navigation.screen()).draw(scene, area, buf);
}

fn draw_overlay(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(overlay) = model.overlays.last() else { return };
    scene.hits.add(area, Target::Nothing);
    match overlay {
        Overlay::Palette(state) => palette::draw(state, scene, area, buf),
        Overlay::Wizard(state) => wizard::draw(state, &model.theme, area, buf),
        Overlay::Consent(request) => consent::draw(request, &model.theme, area, buf),
        Overlay::Password(state) => password::draw(state, &model.theme, area, buf),
        Overlay::Save(state) => save::draw(state, &model.theme, area, buf),
        Overlay::Leaving => {
            let area = clear_box(area, (40, 3), &model.theme, buf);
            let inner = Pane::new("Leaving").draw(area, &model.theme, buf);
            write_lines(&[Line::from("Signing out everywhere.")], 0, inner, buf);
        }
    }
}

/// In ASCII mode nothing else reaches the terminal, whichever view wrote it.
fn only_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let twin = ascii_twin(cell.symbol());
            cell.set_symbol(twin);
        }
    }
}

#[cfg(test)]
mod tests;
