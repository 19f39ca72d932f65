//! A titled box around lines, with its focus written as a sign and not only drawn in colour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Widget};

use crate::look::{Look, Role};

/// A titled box.
pub(crate) struct Pane<'a> {
    pub(crate) title: &'a str,
    /// Right end of the upper edge.
    pub(crate) note: &'a str,
    pub(crate) focused: bool,
}

impl<'a> Pane<'a> {
    /// A box with a title.
    pub(crate) fn new(title: &'a str) -> Self {
        Self { title, note: "", focused: false }
    }

    /// The same with a note at the right.
    pub(crate) fn note(mut self, note: &'a str) -> Self {
        self.note = note;
        self
    }

    /// The same as the one that has the keys.
    pub(crate) fn focused(mut self, focused: bool) -> Self {
        self.focused = focused;
        self
    }

    /// Draws the box; what is inside comes back.
    pub(crate) fn draw(&self, area: Rect, look: &Look, buf: &mut Buffer) -> Rect {
        let (mark, role) = if self.focused { (look.glyphs.focus, Role::Accent) } else { ("", Role::Dim) };
        let title = Line::from(vec![
            Span::raw(" "),
            Span::styled(mark, look.style(Role::Key)),
            Span::styled(self.title.to_owned(), look.style(Role::Title)),
            Span::raw(" "),
        ]);
        let mut block = Block::new()
            .borders(Borders::ALL)
            .border_set(look.glyphs.border)
            .border_style(look.style(role))
            .title_top(title);
        if !self.note.is_empty() {
            block = block.title_top(Line::from(format!(" {} ", self.note)).right_aligned());
        }
        let inner = block.inner(area);
        block.render(area, buf);
        inner
    }
}

/// Writes lines from the top, the first `skip` left out; what does not fit is not written.
pub(crate) fn write_lines(lines: &[Line<'_>], skip: usize, area: Rect, buf: &mut Buffer) {
    for (row, line) in area.rows().zip(lines.iter().skip(skip)) {
        buf.set_line(row.x, row.y, line, row.width);
    }
}

/// The first line to show so that `selected` is in sight of `height` lines.
pub(crate) fn scroll_to(selected: usize, total: usize, height: usize) -> usize {
    if total <= height { 0 } else { (selected + 1).saturating_sub(height).min(total - height) }
}

/// A cleared box in the middle of `area`, at most this large.
pub(crate) fn clear_box(area: Rect, width: u16, height: u16, buf: &mut Buffer) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let inner =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(inner, buf);
    inner
}
