//! The Phone screen at every size: the dial field, the calls, and what is known of the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::keys::Action;
use crate::messages::brief;
use crate::screen::phone::CallCard;
use crate::screen::{Scene, Target};
use crate::text::{ScreenText, screen_text};
use crate::theme::{Role, Tier};
use crate::widget::{Pane, scroll_to, wrap_words, write_lines};

/// Draws the screen.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    match scene.theme.tier {
        Tier::Mini => draw_mini(scene, area, buf),
        Tier::Narrow => {
            let phone = &scene.pages.phone;
            let rows = phone.calls().map(|call| if call.is_over() { 1 } else { 2 }).sum::<usize>() + 2;
            let most = usize::from(area.height.saturating_sub(3)) / 2;
            let list = u16::try_from(rows.clamp(3, most.max(3))).unwrap_or(u16::MAX);
            let [dial, list, facts] =
                Layout::vertical([Constraint::Length(3), Constraint::Length(list), Constraint::Min(0)])
                    .areas(area);
            draw_dial(scene, dial, buf);
            draw_list(scene, list, buf);
            draw_facts(scene, facts, buf);
        }
        Tier::Normal | Tier::Wide => {
            let [left, right] =
                Layout::horizontal([Constraint::Percentage(55), Constraint::Min(30)]).areas(area);
            let [dial, list] = Layout::vertical([Constraint::Length(3), Constraint::Min(3)]).areas(left);
            draw_dial(scene, dial, buf);
            draw_list(scene, list, buf);
            draw_facts(scene, right, buf);
        }
    }
}

/// Without borders: the dial field while it is typed into, else the calls.
fn draw_mini(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let phone = &scene.pages.phone;
    let width = usize::from(area.width);
    let mut lines = Vec::new();
    if phone.dialled().typing || phone.calls().next().is_none() {
        lines.push(dial_line(scene, width));
    }
    lines.extend(phone.calls().enumerate().map(|(at, call)| list_line(scene, at, call, width)));
    write_lines(&lines, 0, area, buf);
}

fn draw_dial(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let phone = &scene.pages.phone;
    let note = match phone.line() {
        Some(line) if !line.disturb => screen_text!("from {}, do not disturb", line.aor),
        Some(line) if phone.lines() > 1 => screen_text!("from {}, l takes another", line.aor),
        Some(line) => screen_text!("from {}", line.aor),
        None => ScreenText::of("no account; + adds one"),
    };
    let note = note.fit(usize::from(area.width).saturating_sub(12), scene.theme.glyphs.cut);
    let inner = Pane::new("Dial").note(&note).focused(phone.dialled().typing).draw(area, scene.theme, buf);
    write_lines(&[dial_line(scene, usize::from(inner.width))], 0, inner, buf);
    scene.hits.add(inner, Target::Action(Action::Dial));
}

fn dial_line(scene: &Scene<'_>, width: usize) -> Line<'static> {
    let (phone, theme) = (&scene.pages.phone, scene.theme);
    if !phone.dialled().typing {
        return Line::from(theme.say("d, then a name or an address", Role::Dim));
    }
    let typed = phone.dialled().shown();
    // The end of a long address is where one types.
    let room = width.saturating_sub(3);
    let shown: String = {
        let chars: Vec<char> = typed.as_str().chars().collect();
        chars[chars.len().saturating_sub(room)..].iter().collect()
    };
    Line::from(vec![
        Span::styled(format!("{} ", theme.glyphs.focus), theme.style(Role::Key)),
        Span::raw(shown),
        Span::styled("_", theme.style(Role::Key)),
    ])
}

fn draw_list(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let phone = &scene.pages.phone;
    let note = match phone.under_way() {
        _ if phone.is_pressing() => "keys are digits, Esc ends".to_owned(),
        0 => String::new(),
        1 => "1 under way".to_owned(),
        more => format!("{more} under way"),
    };
    let inner = Pane::new("Calls").note(&note).focused(!phone.dialled().typing).draw(area, scene.theme, buf);
    let width = usize::from(inner.width);
    if phone.calls().next().is_none() {
        let text = "No call yet. A call that comes in rings on every screen.";
        let lines: Vec<Line<'_>> = wrap_words(text, width).into_iter().map(Line::from).collect();
        return write_lines(&lines, 0, inner, buf);
    }
    let (mut lines, mut owners) = (Vec::new(), Vec::new());
    for (at, call) in phone.calls().enumerate() {
        lines.push(list_line(scene, at, call, width));
        if !call.is_over() {
            lines.push(second_line(scene, call, width));
        }
        owners.resize(lines.len(), at);
    }
    let last = owners.iter().rposition(|owner| *owner == phone.selected()).unwrap_or(0);
    let skip = scroll_to(last, lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);
    for (row, owner) in inner.rows().zip(&owners[skip..]) {
        scene.hits.add(row, Target::Row(*owner));
    }
}

/// Who, and how far.
fn list_line(scene: &Scene<'_>, at: usize, call: &CallCard, width: usize) -> Line<'static> {
    let theme = scene.theme;
    let chosen = at == scene.pages.phone.selected();
    let mark = if chosen { theme.glyphs.focus } else { " " };
    let way = if call.incoming { theme.glyphs.ladder.left } else { theme.glyphs.ladder.right };
    let time = match (call.talked(scene.now), call.over_since(scene.now)) {
        (Some(talked), _) => clock(talked),
        (None, Some(_)) => String::new(),
        (None, None) => clock(scene.now.saturating_sub(call.begun)),
    };
    let title = if call.is_over() { Role::Plain } else { Role::Title };
    let room = width.saturating_sub(4 + time.len());
    let who = call.who().fit(room * 3 / 5, theme.glyphs.cut);
    let words = call.words().fit(room.saturating_sub(Span::raw(who.as_str()).width() + 2), theme.glyphs.cut);
    let used = Span::raw(who.as_str()).width() + Span::raw(words.as_str()).width() + 2;
    Line::from(vec![
        Span::styled(mark, theme.style(Role::Key)),
        Span::styled(format!("{way} "), theme.style(call.role())),
        Span::styled(who, theme.style(title)),
        Span::styled(format!("  {words}"), theme.style(call.role())),
        Span::raw(" ".repeat(room.saturating_sub(used) + 1)),
        Span::styled(time, theme.style(Role::Dim)),
    ])
}

/// The address below the name, and the account.
fn second_line(scene: &Scene<'_>, call: &CallCard, width: usize) -> Line<'static> {
    let phone = &scene.pages.phone;
    let account = phone.address_of(call.account);
    let text = match (call.name.is_empty(), phone.lines() > 1) {
        (true, false) => {
            if call.incoming {
                ScreenText::of("to you")
            } else {
                ScreenText::of("from you")
            }
        }
        (true, true) => screen_text!("{} {account}", if call.incoming { "to" } else { "from" }),
        (false, false) => call.address(),
        (false, true) => screen_text!("{}, {account}", call.address()),
    };
    Line::from(scene.theme.dim(&format!("   {}", text.fit(width.saturating_sub(3), scene.theme.glyphs.cut))))
}

fn draw_facts(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    if area.height < 3 {
        return;
    }
    let inner = Pane::new("Call").draw(area, scene.theme, buf);
    let width = usize::from(inner.width);
    let Some(call) = scene.pages.phone.current() else {
        let text = "What is known of a call appears here.";
        let lines: Vec<Line<'_>> = wrap_words(text, width).into_iter().map(Line::from).collect();
        return write_lines(&lines, 0, inner, buf);
    };
    let mut lines = vec![fact(scene, "state", &call.words(), call.role(), width)];
    let mut add = |name: &'static str, text: &ScreenText| {
        lines.push(fact(scene, name, text, Role::Plain, width));
    };
    if !call.name.is_empty() {
        add("name", &screen_text!("{} (their own word)", call.name));
    }
    add("address", &call.address());
    if call.incoming {
        let words = if call.vouched { "your server vouches for it" } else { "nobody vouches for it" };
        add("caller", &ScreenText::of(words));
    }
    add("account", &scene.pages.phone.address_of(call.account));
    for (name, digits) in [("pressed", &call.pressed), ("they sent", &call.heard_digits)] {
        if !digits.is_empty() {
            add(name, &ScreenText::of(digits));
        }
    }
    if let Some(talked) = call.talked(scene.now) {
        add("talked", &ScreenText::of(&clock(talked)));
    }
    if let Some(over) = call.over_since(scene.now) {
        add("ended", &screen_text!("{} ago", brief(over)));
    }
    let cells = width.saturating_sub(NAMES);
    for row in call.sound.rows(scene.theme.glyphs.bars, cells) {
        let role = if row.is_poor { Role::Warn } else { Role::Plain };
        lines.push(fact(scene, row.name, &row.text, role, width));
    }
    let mut lines: Vec<Line<'_>> = lines.into_iter().flatten().collect();
    if !call.hint().is_empty() {
        lines.push(Line::default());
        let hint = wrap_words(&format!("Hint: {}", call.hint()), width);
        lines.extend(hint.into_iter().map(|text| Line::from(scene.theme.dim(&text))));
    }
    lines.push(Line::default());
    let keys = next_keys(call);
    lines.extend(wrap_words(keys, width).into_iter().map(|text| Line::from(scene.theme.dim(&text))));
    write_lines(&lines, 0, inner, buf);
}

/// What a person may do with it.
fn next_keys(call: &CallCard) -> &'static str {
    if call.rings_here() {
        "a answers (F5 on every screen), x declines (F6)."
    } else if call.is_over() {
        "Enter dials it again."
    } else if call.is_held() {
        "h takes it up again, x hangs up."
    } else if call.is_connected() {
        "h holds, m mutes, k sends digits, x hangs up."
    } else {
        "x gives it up."
    }
}

/// A name and what it is, over as many lines as that takes.
fn fact(
    scene: &Scene<'_>,
    name: &'static str,
    text: &ScreenText,
    role: Role,
    width: usize,
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let parts = wrap_words(text.as_str(), width.saturating_sub(NAMES).max(8));
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    let line = |(name, part): (&str, String)| {
        let name = Span::styled(format!("{name:<NAMES$}"), theme.style(Role::Dim));
        Line::from(vec![name, Span::styled(part, theme.style(role))])
    };
    names.zip(parts).map(line).collect()
}

/// `03:12`, or `1:03:12`.
fn clock(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("{minutes:02}:{seconds:02}")
    } else {
        format!("{hours}:{minutes:02}:{seconds:02}")
    }
}

/// Cells of the names of facts.
const NAMES: usize = 10;
