//! A titled box around lines, with its focus written as a sign and not only drawn in colour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Widget};

use unicode_width::UnicodeWidthStr;

use crate::text::ScreenText;
use crate::theme::{Role, Theme, Tier};

/// A titled box; where the screen is mini, a title without a box.
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
    pub(crate) fn draw(&self, area: Rect, theme: &Theme, buf: &mut Buffer) -> Rect {
        if theme.tier == Tier::Mini {
            return self.draw_title(area, theme, buf);
        }
        let role = if self.focused { Role::Accent } else { Role::Dim };
        let mut title = vec![Span::raw(" ")];
        title.extend(self.title_spans(usize::from(area.width).saturating_sub(4), theme));
        title.push(Span::raw(" "));
        let wide: usize = title.iter().map(Span::width).sum();
        let mut block = Block::new()
            .borders(Borders::ALL)
            .border_set(theme.glyphs.border)
            .border_style(theme.style(role))
            .title_top(Line::from(title));
        // A note that has no room beside the title would be drawn over it.
        if !self.note.is_empty() && wide + self.note.chars().count() + 5 <= usize::from(area.width) {
            block = block.title_top(Line::from(format!(" {} ", self.note)).right_aligned());
        }
        let inner = block.inner(area);
        block.render(area, buf);
        inner
    }

    /// Without borders: a line for the title, the rest for what is inside.
    fn draw_title(&self, area: Rect, theme: &Theme, buf: &mut Buffer) -> Rect {
        if area.is_empty() {
            return area;
        }
        let title = Line::from(self.title_spans(usize::from(area.width), theme).to_vec());
        let wide = u16::try_from(title.width()).unwrap_or(u16::MAX);
        buf.set_line(area.x, area.y, &title, area.width);
        let note = Line::from(theme.dim(self.note));
        let room = u16::try_from(note.width()).unwrap_or(u16::MAX);
        if wide.saturating_add(room).saturating_add(2) <= area.width {
            buf.set_line(area.right() - room, area.y, &note, room);
        }
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    }

    fn title_spans(&self, room: usize, theme: &Theme) -> [Span<'static>; 2] {
        let mark = if self.focused { theme.glyphs.focus } else { "" };
        let title = ScreenText::of(self.title).fit(room.saturating_sub(mark.width()), theme.glyphs.cut);
        [Span::styled(mark, theme.style(Role::Key)), Span::styled(title, theme.style(Role::Title))]
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

/// A cleared box in the middle of `area`, at most this large; all of it where the screen is mini.
pub(crate) fn clear_box(area: Rect, size: (u16, u16), theme: &Theme, buf: &mut Buffer) -> Rect {
    let size = if theme.tier == Tier::Mini { (area.width, area.height) } else { size };
    let (width, height) = (size.0.min(area.width), size.1.min(area.height));
    let inner =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(inner, buf);
    inner
}
