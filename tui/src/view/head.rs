//! The head line: the screens with their keys, as many words as fit, and what is running.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::keys::Screen;
use crate::model::Model;
use crate::screen::{Scene, Target, tasks};
use crate::theme::Role;

/// Draws the line; each name is a tab that can be clicked.
pub(crate) fn draw(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let working = working(model, scene, area.width);
    let room = usize::from(area.width).saturating_sub(working.width());
    let (title, words) = if width_with(4) + TITLE.len() <= room {
        (TITLE, true)
    } else if width_with(3) <= room {
        ("", true)
    } else {
        ("", false)
    };
    let mut x = write(&model.theme.say(title, Role::Title), area.x, area, buf);
    for screen in Screen::ALL {
        let begin = x;
        let here = screen == model.navigation.screen();
        let mark = if here { model.theme.glyphs.focus } else { " " };
        let tab = screen.tab();
        let key = tab.digit.to_string();
        x = write(&model.theme.say(mark, Role::Key), x, area, buf);
        x = write(&Span::styled(key, model.theme.style(Role::Key)), x, area, buf);
        if words || here {
            x = write(&Span::raw(" "), x, area, buf);
            x = write(&model.theme.say(tab.title, if here { Role::Title } else { Role::Dim }), x, area, buf);
        }
        scene.hits.add(Rect { x: begin, y: area.y, width: x - begin, height: 1 }, Target::Screen(screen));
        if title.is_empty() {
            continue;
        }
        x = write(&Span::raw(" "), x, area, buf);
    }
    let wide = u16::try_from(working.width()).unwrap_or(u16::MAX);
    if wide < area.width {
        buf.set_span(area.right() - wide, area.y, &working, wide);
    }
}

/// How many tasks run; empty if none does.
fn working(model: &Model, scene: &Scene<'_>, width: u16) -> Span<'static> {
    match model.pages.tasks.running().count() {
        0 => Span::raw(""),
        // The names of the screens do not come and go with the tasks.
        running if usize::from(width) < width_with(4) + TITLE.len() + SPINNER => {
            Span::styled(format!("*{running}"), model.theme.style(Role::Busy))
        }
        running => {
            Span::styled(format!("{} {running} ", tasks::working(scene)), model.theme.style(Role::Busy))
        }
    }
}

/// Writes a span; where the next one begins comes back.
fn write(span: &Span<'_>, x: u16, area: Rect, buf: &mut Buffer) -> u16 {
    let room = area.right().saturating_sub(x);
    if room == 0 {
        return x;
    }
    buf.set_span(x, area.y, span, room).0
}

/// Cells of all tabs with their names, each with `around` cells for mark, digit and gaps.
fn width_with(around: usize) -> usize {
    Screen::ALL.into_iter().map(|screen| screen.tab().title.len() + around).sum()
}

const TITLE: &str = " Homing ";
/// Cells of the sign of running tasks, the longest one.
const SPINNER: usize = 14;
