//! The head line: the screens with their keys, as many words as fit, and what is running.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::look::Role;
use crate::model::Model;
use crate::place::Screen;
use crate::screen::{Scene, Target, tasks};

/// Draws the line; each name is a tab that can be clicked.
pub(crate) fn draw(model: &Model, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let working = working(model, scene, area.width);
    let room = usize::from(area.width).saturating_sub(working.width());
    let (title, words) = if LONG <= room {
        (" Homing ", true)
    } else if SHORT <= room {
        ("", true)
    } else {
        ("", false)
    };
    let mut x = write(&model.look.say(title, Role::Title), area.x, area, buf);
    for screen in Screen::ALL {
        let begin = x;
        let here = screen == model.place.screen();
        let mark = if here { model.look.glyphs.focus } else { " " };
        let (key, name) = screen.label();
        x = write(&model.look.say(mark, Role::Key), x, area, buf);
        x = write(&model.look.say(key, Role::Key), x, area, buf);
        if words || here {
            x = write(&Span::raw(" "), x, area, buf);
            x = write(&model.look.say(name, if here { Role::Title } else { Role::Dim }), x, area, buf);
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
    match model.tasks.running().count() {
        0 => Span::raw(""),
        // The names of the screens do not come and go with the tasks.
        running if usize::from(width) < LONG + 14 => {
            Span::styled(format!("*{running}"), model.look.style(Role::Busy))
        }
        running => {
            Span::styled(format!("{} {running} ", tasks::working(scene)), model.look.style(Role::Busy))
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

/// Cells of the line with the program's name and all words, and without its name.
const LONG: usize = 58;
const SHORT: usize = 45;
