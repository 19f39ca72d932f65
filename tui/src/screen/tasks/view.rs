//! The Tasks screen: tasks above, log below.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::look::{Look, Role};
use crate::screen::Scene;
use crate::screen::tasks::{Logged, Task};
use crate::text::screen_text;
use crate::widget::{Pane, wrap_words, write_lines};
use crate::words::{Weight, timestamp};

/// Draws the screen.
pub(crate) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let [upper, lower] = Layout::vertical([Constraint::Percentage(30), Constraint::Min(5)]).areas(area);
    let inner = Pane::new("Tasks").focused(true).draw(upper, scene.look, buf);
    let mut lines: Vec<Line<'_>> = scene
        .tasks
        .tasks()
        .enumerate()
        .map(|(index, task)| {
            task_line(task, index == scene.tasks.selected(), scene, usize::from(inner.width))
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::from(scene.look.say("Nothing was asked for yet.", Role::Dim)));
    }
    let skip = crate::widget::scroll_to(scene.tasks.selected(), lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);
    scene.hits.add_rows(inner, skip, scene.tasks.tasks().count());
    let note = if scene.tasks.warnings_only { "warnings only, v shows all" } else { "v shows warnings only" };
    let inner = Pane::new("Log").note(note).draw(lower, scene.look, buf);
    let width = usize::from(inner.width);
    let lines: Vec<Line<'_>> =
        scene.tasks.lines().flat_map(|line| log_lines(line, scene.look, width)).collect();
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    write_lines(&lines, hidden.saturating_sub(scene.tasks.scroll), inner, buf);
}

/// The sign of a running task: a spinner, or a word where motion is unwanted.
pub(crate) fn working(scene: &Scene<'_>) -> &'static str {
    if scene.look.reduced_motion {
        return "[working]";
    }
    let frames = scene.look.glyphs.spinner;
    let step = scene.now.as_millis() / 120 % frames.len() as u128;
    frames[usize::try_from(step).unwrap_or(0)]
}

fn task_line(task: &Task, selected: bool, scene: &Scene<'_>, width: usize) -> Line<'static> {
    let look = scene.look;
    let mark = if selected { look.glyphs.focus } else { " " };
    let (sign, role, text) = match &task.outcome {
        None => {
            let running = scene.now.saturating_sub(task.begun).as_secs();
            (working(scene), Role::Busy, screen_text!("{running} s, X cancels"))
        }
        Some(outcome) => {
            let millis = outcome.after.as_millis();
            match &outcome.result {
                Ok(text) if text.is_empty() => (look.glyphs.yes, Role::Good, screen_text!("{millis} ms")),
                Ok(text) => (look.glyphs.yes, Role::Good, screen_text!("{text} ({millis} ms)")),
                Err(trouble) => {
                    (look.glyphs.no, Role::Bad, screen_text!("{} {}", trouble.code, trouble.sentence))
                }
            }
        }
    };
    let sign = format!("{} ", sign.trim());
    let what = format!("{}  ", task.what);
    let used: usize = [mark, &sign, &what].iter().map(|part| Span::raw(*part).width()).sum();
    Line::from(vec![
        Span::styled(mark, look.style(Role::Key)),
        Span::styled(sign, look.style(role)),
        Span::raw(what),
        Span::styled(text.fit(width.saturating_sub(used), look.glyphs.cut), look.style(Role::Dim)),
    ])
}

/// One entry of the log, its hint on lines of its own.
fn log_lines(line: &Logged, look: &Look, width: usize) -> Vec<Line<'static>> {
    let (role, level) = match line.news.weight {
        Weight::Detail => (Role::Dim, " "),
        Weight::Notice => (Role::Plain, "i"),
        Weight::Success => (Role::Good, "i"),
        Weight::Warning => (Role::Warn, "!"),
    };
    let stamp = timestamp(line.wall);
    // Milliseconds are worth their cells only where there are cells to spare.
    let end = if width >= ROOMY { 23 } else { 19 };
    let lead = format!("{} {level} ", stamp.get(11..end).unwrap_or_default());
    let room = width.saturating_sub(lead.len()).max(12);
    let code = line.news.code.map(|code| format!("{code} ")).unwrap_or_default();
    let text = wrap_words(&format!("{code}{}", line.news.text), room);
    let hint = match line.news.hint.is_empty() {
        true => Vec::new(),
        false => wrap_words(&format!("Hint: {}", line.news.hint), room),
    };
    let text = text.into_iter().map(|text| (text, role));
    let hint = hint.into_iter().map(|text| (text, Role::Dim));
    let leads = std::iter::once(lead.clone()).chain(std::iter::repeat(" ".repeat(lead.len())));
    let lines = text.chain(hint).zip(leads);
    lines
        .map(|((text, role), lead)| Line::from(vec![look.dim(&lead), Span::styled(text, look.style(role))]))
        .collect()
}

/// Columns from which times are told with milliseconds.
const ROOMY: usize = 70;
