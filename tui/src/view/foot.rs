//! The two lines above the status line: what was told last, and the most useful keys or the next step.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::keys::Action;
use crate::look::{Role, Tier};
use crate::model::Model;
use crate::place::Screen;
use crate::screen::{Scene, Target, trace};
use crate::words::Weight;

/// What was told last, on a line of its own: nothing is covered and nothing jumps.
pub(crate) fn draw_message(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(toast) = model.toast.as_ref().filter(|_| !area.is_empty()) else { return };
    let (look, news) = (&model.look, &toast.news);
    let (sign, role) = match news.weight {
        Weight::Warning => (look.glyphs.warn, Role::Warn),
        Weight::Success => (look.glyphs.yes.trim(), Role::Good),
        Weight::Notice | Weight::Detail => (look.glyphs.dot, Role::Accent),
    };
    let code = news.code.map(|code| format!("{code} ")).unwrap_or_default();
    // Where there is no room to spare, the sentence has it all.
    let lead = if look.tier == Tier::Mini { code } else { format!(" {sign} {code}") };
    let room = usize::from(area.width).saturating_sub(Span::raw(lead.as_str()).width());
    let line = Line::from(vec![
        Span::styled(lead, look.style(role)),
        Span::styled(news.text.fit(room, look.glyphs.cut), look.style(role)),
    ]);
    buf.set_line(area.x, area.y, &line, area.width);
}

/// The next step of what went wrong, else the most useful keys; what does not fit is left out whole.
pub(crate) fn draw_hints(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let look = &model.look;
    // What lies above the screen has the keys and says them itself.
    if !model.overlays.is_empty() || area.is_empty() {
        return;
    }
    if let Some(toast) = model.toast.as_ref().filter(|toast| !toast.news.hint.is_empty()) {
        let room = usize::from(area.width).saturating_sub(9);
        let hint = toast.news.hint.fit(room, look.glyphs.cut);
        let line = Line::from(vec![look.say("   Hint: ", Role::Key), Span::raw(hint)]);
        buf.set_line(area.x, area.y, &line, area.width);
        return;
    }
    if let Some(typing) = typing(model) {
        buf.set_line(area.x, area.y, &Line::from(look.say(typing, Role::Dim)), area.width);
        return;
    }
    let hint = |action: &Action| {
        let chord = model.keys.chord(model.place.screen().mode(), *action)?.to_string();
        let wide = chord.chars().count() + action.name().len() + 3;
        Some((*action, chord, wide))
    };
    // The general keys stay; of the screen's own as many as fit before them.
    let general: Vec<_> = GENERAL.iter().filter_map(hint).collect();
    let mut room = usize::from(area.width).saturating_sub(general.iter().map(|hint| hint.2).sum::<usize>());
    let own = own(model).iter().filter_map(hint).take_while(|hint| {
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
            Span::styled(chord, look.style(Role::Key)),
            Span::styled(format!(" {}", action.name()), look.style(Role::Dim)),
        ]);
        let width = u16::try_from(wide).unwrap_or(u16::MAX).min(area.right().saturating_sub(x));
        buf.set_line(x, area.y, &line, width);
        scene.hits.add(Rect { x, y: area.y, width, height: 1 }, Target::Action(action));
        x += width;
    }
}

/// What Enter and Esc do while something is typed into a field of the screen.
fn typing(model: &Model) -> Option<&'static str> {
    match model.place.screen() {
        Screen::Trace if model.trace.filter.typing => Some(FILTER),
        Screen::Help if model.help.filter.typing => Some(FILTER),
        Screen::Settings if model.settings.edit.is_some() => Some(" Enter saves, Esc leaves it as it was"),
        _ => None,
    }
}

/// The keys a person most likely wants next.
fn own(model: &Model) -> &'static [Action] {
    use Action as A;
    match model.place.screen() {
        Screen::Accounts if model.accounts.cards.is_empty() => &[A::AddAccount],
        Screen::Accounts => &[A::SignIn, A::SignOut, A::Journey, A::Options, A::WhoAmI],
        Screen::Trace => match model.trace.level {
            trace::Level::Dialogs => &[A::Open, A::Back],
            trace::Level::Ladder => &[A::Open, A::AllDialogs, A::Mark, A::Filter, A::SaveTrace, A::Pause],
            trace::Level::Raw(_) | trace::Level::Diff(_) | trace::Level::Statistics => {
                &[A::Back, A::PageDown, A::PageUp]
            }
        },
        Screen::Tasks => &[A::CancelTask, A::LogLevel, A::PageUp],
        Screen::Settings => &[A::Open, A::Reload],
        Screen::Help => &[A::Filter, A::Back],
    }
}

const GENERAL: [Action; 3] = [Action::Palette, Action::Help, Action::Quit];
const FILTER: &str = " Enter keeps, Esc clears, !word excludes";
