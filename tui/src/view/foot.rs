//! The two lines above the status line: what was told last, and the most useful keys or the next step.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::keys::{Action, Mode, Screen};
use crate::messages::Severity;
use crate::model::Model;
use crate::screen::phone::CallCard;
use crate::screen::{Hints, Scene, Target};
use crate::text::screen_text;
use crate::theme::{Role, Tier};

/// What was told last, on a line of its own: nothing is covered and nothing jumps.
pub(crate) fn draw_message(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if let Some(call) = model.pages.phone.ringing().filter(|_| !area.is_empty()) {
        return draw_ringing(model, scene, call, area, buf);
    }
    let Some(toast) = model.toast.as_ref().filter(|_| !area.is_empty()) else { return };
    let (theme, notification) = (&model.theme, &toast.notification);
    let (sign, role) = match notification.severity {
        Severity::Warning => (theme.glyphs.warn, Role::Warn),
        Severity::Success => (theme.glyphs.yes.trim(), Role::Good),
        Severity::Info | Severity::Detail => (theme.glyphs.dot, Role::Accent),
    };
    let code = notification.code.map(|code| format!("{code} ")).unwrap_or_default();
    // Where there is no room to spare, the sentence has it all.
    let lead = if theme.tier == Tier::Mini { code } else { format!(" {sign} {code}") };
    let room = usize::from(area.width).saturating_sub(Span::raw(lead.as_str()).width());
    let line = Line::from(vec![
        Span::styled(lead, theme.style(role)),
        Span::styled(notification.text.fit(room, theme.glyphs.cut), theme.style(role)),
    ]);
    buf.set_line(area.x, area.y, &line, area.width);
}

/// A call that waits for an answer has the line to itself, on every screen and whatever lies above it.
fn draw_ringing(model: &Model, scene: &Scene<'_>, call: &CallCard, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let key = |action| model.keys.chord(Mode::Everywhere, action).map(|chord| chord.to_string());
    let keys = [(Action::Answer, "answers"), (Action::HangUp, "declines")];
    let keys: Vec<(Action, String)> = keys
        .into_iter()
        .filter_map(|(action, does)| Some((action, format!("{} {does}", key(action)?))))
        .collect();
    let wide: usize = keys.iter().map(|(_, words)| words.len() + 2).sum();
    let room = usize::from(area.width).saturating_sub(wide + 3);
    let name = if call.name.is_empty() {
        call.address()
    } else {
        screen_text!("{} ({})", call.name, call.address())
    };
    let who = screen_text!("{name} calls").fit(room, theme.glyphs.cut);
    let style = theme.style(Role::Accent).reversed().bold();
    buf.set_style(area, style);
    let (mut x, _) = buf.set_span(area.x, area.y, &Span::styled(format!(" {who}  "), style), area.width);
    for (action, words) in keys {
        let left = area.right().saturating_sub(x);
        let begin = x;
        x = buf.set_span(x, area.y, &Span::styled(format!("{words}  "), style), left).0;
        scene.hits.add(Rect { x: begin, y: area.y, width: x - begin, height: 1 }, Target::Action(action));
    }
}

/// The next step of what went wrong, else the most useful keys; what does not fit is left out whole.
pub(crate) fn draw_hints(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    // What lies above the screen has the keys and says them itself.
    if !model.overlays.is_empty() || area.is_empty() {
        return;
    }
    if let Some(toast) = model.toast.as_ref().filter(|toast| !toast.notification.hint.is_empty()) {
        let room = usize::from(area.width).saturating_sub(9);
        let hint = toast.notification.hint.fit(room, theme.glyphs.cut);
        let line = Line::from(vec![theme.say("   Hint: ", Role::Key), Span::raw(hint)]);
        buf.set_line(area.x, area.y, &line, area.width);
        return;
    }
    let own = match model.pages.page(model.navigation.screen()).hints() {
        Hints::Keys(actions) => actions,
        Hints::Typing(text) => {
            buf.set_line(area.x, area.y, &Line::from(theme.say(text, Role::Dim)), area.width);
            return;
        }
    };
    let mode = Mode::On(model.navigation.screen());
    let hint = |action: &Action| {
        let chord = model.keys.chord(mode, *action)?.to_string();
        let wide = chord.chars().count() + action.name().len() + 3;
        Some((*action, chord, wide))
    };
    // The general keys stay; of the screen's own as many as fit before them.
    let general: Vec<_> = GENERAL.iter().filter_map(hint).collect();
    let mut room = usize::from(area.width).saturating_sub(general.iter().map(|hint| hint.2).sum::<usize>());
    let own = own.iter().filter_map(hint).take_while(|hint| {
        let fits = hint.2 <= room;
        room = room.saturating_sub(hint.2);
        fits
    });
    let mut x = area.x + 1;
    for (action, chord, wide) in own.chain(general.clone()) {
        if x >= area.right() {
            break;
        }
        let line = Line::from(vec![
            Span::styled(chord, theme.style(Role::Key)),
            Span::styled(format!(" {}", action.name()), theme.style(Role::Dim)),
        ]);
        let width = u16::try_from(wide).unwrap_or(u16::MAX).min(area.right().saturating_sub(x));
        buf.set_line(x, area.y, &line, width);
        scene.hits.add(Rect { x, y: area.y, width, height: 1 }, Target::Action(action));
        x += width;
    }
}

const GENERAL: [Action; 3] = [Action::Palette, Action::Show(Screen::Help), Action::Quit];
