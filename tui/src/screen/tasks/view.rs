//! The Tasks screen: tasks above, log below.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::look::{Look, Role};
use crate::screen::Scene;
use crate::screen::tasks::{Logged, Task};
use crate::widget::{Pane, write_lines};
use crate::words::{Weight, timestamp};

/// Draws the screen.
pub(crate) fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let [upper, lower] = Layout::vertical([Constraint::Percentage(30), Constraint::Min(5)]).areas(area);
    let inner = Pane::new("Tasks").focused(true).draw(upper, scene.look, buf);
    let mut lines: Vec<Line<'_>> = scene
        .tasks
        .tasks()
        .enumerate()
        .map(|(index, task)| task_line(task, index == scene.tasks.selected(), scene))
        .collect();
    if lines.is_empty() {
        lines.push(Line::from(scene.look.say("Nothing was asked for yet.", Role::Dim)));
    }
    let skip = crate::widget::scroll_to(scene.tasks.selected(), lines.len(), usize::from(inner.height));
    write_lines(&lines, skip, inner, buf);
    let note = if scene.tasks.warnings_only { "warnings only, v shows all" } else { "v shows warnings only" };
    let inner = Pane::new("Log").note(note).draw(lower, scene.look, buf);
    let lines: Vec<Line<'_>> = scene.tasks.lines().map(|line| log_line(line, scene.look)).collect();
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

fn task_line(task: &Task, selected: bool, scene: &Scene<'_>) -> Line<'static> {
    let look = scene.look;
    let mark = if selected { look.glyphs.focus } else { " " };
    let (sign, role, text) = match &task.outcome {
        None => (working(scene), Role::Busy, String::new()),
        Some(outcome) => match &outcome.result {
            Ok(text) => (look.glyphs.yes, Role::Good, format!("{text} ({} ms)", outcome.after.as_millis())),
            Err(trouble) => (look.glyphs.no, Role::Bad, format!("{} {}", trouble.code, trouble.sentence)),
        },
    };
    Line::from(vec![
        Span::styled(mark, look.style(Role::Key)),
        Span::styled(format!("{sign} "), look.style(role)),
        Span::raw(format!("{}  ", task.what)),
        Span::styled(text, look.style(Role::Dim)),
    ])
}

fn log_line(line: &Logged, look: &Look) -> Line<'static> {
    let role = match line.news.weight {
        Weight::Detail => Role::Dim,
        Weight::Notice => Role::Plain,
        Weight::Success => Role::Good,
        Weight::Warning => Role::Warn,
    };
    let stamp = timestamp(line.wall);
    let time = stamp.get(11..23).unwrap_or_default().to_owned();
    let level = match line.news.weight {
        Weight::Detail => "  ",
        Weight::Notice | Weight::Success => "i ",
        Weight::Warning => "! ",
    };
    let code = line.news.code.map(|code| format!("{code} ")).unwrap_or_default();
    let hint = if line.news.hint.is_empty() { String::new() } else { format!(" Hint: {}", line.news.hint) };
    Line::from(vec![
        Span::styled(format!("{time} "), look.style(Role::Dim)),
        Span::styled(format!("{level}{code}{}", line.news.text), look.style(role)),
        Span::styled(hint, look.style(Role::Dim)),
    ])
}
