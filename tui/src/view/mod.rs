//! The whole picture: head, screen, what lies above it, toast, hints, status line.

mod status;

pub(crate) use status::{diagnostics, title};

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::keys::{Action, Mode};
use crate::look::{Role, Tier};
use crate::model::{Model, Overlay, Screen};
use crate::screen::{accounts, consent, help, palette, password, settings, tasks, trace, wizard};
use crate::words::Weight;

/// Draws the phone.
pub(crate) fn view(model: &Model, area: Rect, buf: &mut Buffer) {
    if model.look.tier == Tier::Mini {
        draw_mini(model, area, buf);
    } else {
        let [head, body, message, hints, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(5),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(area);
        draw_head(model, head, buf);
        draw_screen(model, body, buf);
        draw_message(model, message, buf);
        draw_hints(model, hints, buf);
        status::draw(model, foot, buf);
        if let Some(overlay) = model.overlays.last() {
            draw_overlay(model, overlay, body, buf);
        }
    }
    if model.look.glyphs.ascii {
        only_ascii(buf);
    }
}

fn draw_mini(model: &Model, area: Rect, buf: &mut Buffer) {
    let foot = u16::from(area.height > 3);
    let [top, body, prompt] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(foot)]).areas(area);
    status::draw(model, top, buf);
    match model.place.screen() {
        Screen::Accounts => accounts::draw_mini(&model.scene(), body, buf),
        Screen::Trace => trace::draw_mini(&model.scene(), body, buf),
        Screen::Tasks => tasks::draw(&model.scene(), body, buf),
        Screen::Settings => settings::draw(&model.scene(), body, buf),
        Screen::Help => help::draw(&model.scene(), body, buf),
    }
    match &model.toast {
        _ if prompt.is_empty() => {}
        Some(toast) => {
            let text = toast.news.text.fit(usize::from(prompt.width), model.look.glyphs.cut);
            buf.set_line(prompt.x, prompt.y, &Line::from(text), prompt.width);
        }
        None => draw_hints(model, prompt, buf),
    }
    if let Some(overlay) = model.overlays.last() {
        draw_overlay(model, overlay, area, buf);
    }
}

fn draw_head(model: &Model, area: Rect, buf: &mut Buffer) {
    let look = &model.look;
    let mut spans = vec![look.say(" Homing ", Role::Title)];
    for screen in Screen::ALL {
        let (key, name) = screen.label();
        let here = screen == model.place.screen();
        spans.push(Span::raw(" "));
        spans.push(look.say(if here { look.glyphs.focus } else { " " }, Role::Key));
        spans.push(look.say(key, Role::Key));
        if area.width >= 60 || here {
            spans.push(Span::raw(" "));
            spans.push(look.say(name, if here { Role::Title } else { Role::Dim }));
        }
    }
    buf.set_line(area.x, area.y, &Line::from(spans), area.width);
    let running = model.tasks.running().count();
    if running > 0 {
        let text = format!("{} {running} ", tasks::working(&model.scene()));
        let wide = u16::try_from(Span::raw(text.as_str()).width()).unwrap_or(0);
        if wide < area.width {
            let span = Span::styled(text, look.style(Role::Busy));
            buf.set_span(area.right() - wide, area.y, &span, wide);
        }
    }
}

fn draw_screen(model: &Model, area: Rect, buf: &mut Buffer) {
    match model.place.screen() {
        Screen::Accounts => accounts::draw(&model.scene(), area, buf),
        Screen::Trace => trace::draw(&model.scene(), area, buf),
        Screen::Tasks => tasks::draw(&model.scene(), area, buf),
        Screen::Settings => settings::draw(&model.scene(), area, buf),
        Screen::Help => help::draw(&model.scene(), area, buf),
    }
}

fn draw_overlay(model: &Model, overlay: &Overlay, area: Rect, buf: &mut Buffer) {
    match overlay {
        Overlay::Palette(state) => palette::draw(state, &model.keys, &model.look, area, buf),
        Overlay::Wizard(state) => wizard::draw(state, &model.look, area, buf),
        Overlay::Consent(request) => consent::draw(request, &model.look, area, buf),
        Overlay::Password(state) => password::draw(state, &model.look, area, buf),
        Overlay::Leaving => {
            let area = crate::widget::clear_box(area, 40, 3, buf);
            let inner = crate::widget::Pane::new("Leaving").draw(area, &model.look, buf);
            crate::widget::write_lines(&[Line::from("Signing out everywhere.")], 0, inner, buf);
        }
    }
}

/// The most useful keys of the screen in sight; what does not fit is left out whole.
fn draw_hints(model: &Model, area: Rect, buf: &mut Buffer) {
    let look = &model.look;
    // The next step of what went wrong is the most useful hint there is.
    if let Some(toast) = model.toast.as_ref().filter(|toast| !toast.news.hint.is_empty()) {
        let room = usize::from(area.width).saturating_sub(9);
        let hint = toast.news.hint.fit(room, look.glyphs.cut);
        let line = Line::from(vec![look.say("   Hint: ", Role::Key), Span::raw(hint)]);
        buf.set_line(area.x, area.y, &line, area.width);
        return;
    }
    let own: &[Action] = match model.place.screen().mode() {
        Mode::Accounts => {
            &[Action::SignIn, Action::SignOut, Action::Journey, Action::Options, Action::WhoAmI]
        }
        Mode::Trace => &[Action::Open, Action::AllDialogs, Action::Mark, Action::Filter, Action::SaveTrace],
        Mode::Tasks => &[Action::CancelTask, Action::LogLevel],
        Mode::Settings => &[Action::Open],
        Mode::Help => &[Action::Filter],
        Mode::Everywhere => &[],
    };
    let general = [Action::Palette, Action::Help, Action::Quit];
    let hint = |action: &Action| {
        let chord = model.keys.chord(*action)?.to_string();
        let wide = chord.len() + action.name().len() + 3;
        Some((chord, action.name(), wide))
    };
    let general: Vec<_> = general.iter().filter_map(hint).collect();
    // The general keys stay; of the screen's own as many as fit before them.
    let mut room =
        usize::from(area.width).saturating_sub(1 + general.iter().map(|hint| hint.2).sum::<usize>());
    let own = own.iter().filter_map(hint).take_while(|hint| {
        let fits = hint.2 <= room;
        room = room.saturating_sub(hint.2);
        fits
    });
    let mut spans = vec![Span::raw(" ")];
    for (chord, name, _) in own.chain(general.clone()) {
        spans.push(Span::styled(chord, look.style(Role::Key)));
        spans.push(Span::styled(format!(" {name}  "), look.style(Role::Dim)));
    }
    buf.set_line(area.x, area.y, &Line::from(spans), area.width);
}

/// What was told last, on a line of its own: nothing is covered and nothing jumps.
fn draw_message(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(toast) = &model.toast else { return };
    let (look, news) = (&model.look, &toast.news);
    let (sign, role) = match news.weight {
        Weight::Warning => (look.glyphs.warn, Role::Warn),
        Weight::Success => (look.glyphs.yes.trim(), Role::Good),
        Weight::Notice | Weight::Detail => (look.glyphs.dot, Role::Accent),
    };
    let code = news.code.map(|code| format!("{code} ")).unwrap_or_default();
    let lead = format!(" {sign} {code}");
    let room = usize::from(area.width).saturating_sub(Span::raw(lead.as_str()).width());
    let line = Line::from(vec![
        Span::styled(lead, look.style(role)),
        Span::styled(news.text.fit(room, look.glyphs.cut), look.style(role)),
    ]);
    buf.set_line(area.x, area.y, &line, area.width);
}

/// In ASCII mode nothing else reaches the terminal, whoever wrote it.
fn only_ascii(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let twin = match cell.symbol() {
                "→" | "▶" => ">",
                "←" | "◀" => "<",
                "×" => "x",
                "·" | "–" | "—" => "-",
                "…" => "~",
                "•" => "*",
                _ => "?",
            };
            cell.set_symbol(twin);
        }
    }
}

#[cfg(test)]
mod tests;
