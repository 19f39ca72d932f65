//! The Tasks screen: tasks above, log below.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::messages::{Severity, timestamp};
use crate::msg::TaskEnd;
use crate::screen::Scene;
use crate::screen::tasks::{Logged, Task};
use crate::text::screen_text;
use crate::theme::{Role, Theme};
use crate::widget::{Pane, wrap_words, write_lines};

/// Draws the screen.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let [upper, lower] = Layout::vertical([Constraint::Percentage(30), Constraint::Min(5)]).areas(area);
    let inner = Pane::new("Tasks").focused(true).draw(upper, scene.theme, buf);
    let mut lines: Vec<Line<'_>> = scene
        .pages
        .tasks
        .tasks()
        .enumerate()
        .map(|(index, task)| {
            task_line(task, index == scene.pages.tasks.selected(), scene, usize::from(inner.width))
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::from(scene.theme.say("Nothing was asked for yet.", Role::Dim)));
    }
    let skip = crate::widget::scroll_to(scene.pages.tasks.selected(), lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);
    scene.hits.add_rows(inner, skip, scene.pages.tasks.tasks().count());
    let note =
        if scene.pages.tasks.warnings_only { "warnings only, v shows all" } else { "v shows warnings only" };
    let inner = Pane::new("Log").note(note).draw(lower, scene.theme, buf);
    let width = usize::from(inner.width);
    let lines: Vec<Line<'_>> =
        scene.pages.tasks.lines().flat_map(|line| log_lines(line, scene.theme, width)).collect();
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    write_lines(&lines, hidden.saturating_sub(scene.pages.tasks.scroll), inner, buf);
}

/// The sign of a running task: a spinner, or a word where motion is unwanted.
pub(crate) fn working(scene: &Scene<'_>) -> &'static str {
    if scene.theme.reduced_motion {
        return "[working]";
    }
    let frames = scene.theme.glyphs.spinner;
    let step = scene.now.as_millis() / 120 % frames.len() as u128;
    frames[usize::try_from(step).unwrap_or(0)]
}

fn task_line(task: &Task, selected: bool, scene: &Scene<'_>, width: usize) -> Line<'static> {
    let theme = scene.theme;
    let mark = if selected { theme.glyphs.focus } else { " " };
    let (sign, role, text) = match &task.outcome {
        None => {
            let running = scene.now.saturating_sub(task.begun).as_secs();
            (working(scene), Role::Busy, screen_text!("{running} s, X cancels"))
        }
        Some(outcome) => {
            let millis = outcome.after.as_millis();
            match &outcome.end {
                TaskEnd::Done(text) if text.is_empty() => {
                    (theme.glyphs.yes, Role::Good, screen_text!("{millis} ms"))
                }
                TaskEnd::Done(text) => (theme.glyphs.yes, Role::Good, screen_text!("{text} ({millis} ms)")),
                TaskEnd::Failed(problem) | TaskEnd::FailedAsTold(problem) => {
                    (theme.glyphs.no, Role::Bad, screen_text!("{} {}", problem.code, problem.sentence))
                }
            }
        }
    };
    let sign = format!("{} ", sign.trim());
    let what = format!("{}  ", task.what);
    let used: usize = [mark, &sign, &what].iter().map(|part| Span::raw(*part).width()).sum();
    Line::from(vec![
        Span::styled(mark, theme.style(Role::Key)),
        Span::styled(sign, theme.style(role)),
        Span::raw(what),
        Span::styled(text.fit(width.saturating_sub(used), theme.glyphs.cut), theme.style(Role::Dim)),
    ])
}

/// One entry of the log, its hint on lines of its own.
fn log_lines(line: &Logged, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let (role, level) = match line.notification.severity {
        Severity::Detail => (Role::Dim, " "),
        Severity::Info => (Role::Plain, "i"),
        Severity::Success => (Role::Good, "i"),
        Severity::Warning => (Role::Warn, "!"),
    };
    let stamp = timestamp(line.wall);
    // Milliseconds are worth their cells only where there are cells to spare.
    let end = if width >= ROOMY { 23 } else { 19 };
    let lead = format!("{} {level} ", stamp.get(11..end).unwrap_or_default());
    let room = width.saturating_sub(lead.len()).max(12);
    let code = line.notification.code.map(|code| format!("{code} ")).unwrap_or_default();
    let text = wrap_words(&format!("{code}{}", line.notification.text), room);
    let hint = match line.notification.hint.is_empty() {
        true => Vec::new(),
        false => wrap_words(&format!("Hint: {}", line.notification.hint), room),
    };
    let text = text.into_iter().map(|text| (text, role));
    let hint = hint.into_iter().map(|text| (text, Role::Dim));
    let leads = std::iter::once(lead.clone()).chain(std::iter::repeat(" ".repeat(lead.len())));
    let lines = text.chain(hint).zip(leads);
    lines
        .map(|((text, role), lead)| Line::from(vec![theme.dim(&lead), Span::styled(text, theme.style(role))]))
        .collect()
}

/// Columns from which times are told with milliseconds.
const ROOMY: usize = 70;
