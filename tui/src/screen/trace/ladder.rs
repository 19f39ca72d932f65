//! The ladder: the phone and each server it really talked to as columns, messages as arrows between.

use std::time::Duration;

use ratatui::text::{Line, Span};

use crate::screen::trace::{Entry, Kind, Paint, ViewFlags};
use crate::text::ScreenText;
use crate::theme::{Role, Theme};

/// The columns of a ladder and how wide they are.
pub(crate) struct Ladder<'a> {
    servers: Vec<ScreenText>,
    /// What has a colour of its own, in the order of its first message.
    painted: Vec<(&'a ScreenText, &'a ScreenText)>,
    width: usize,
    gap: usize,
    /// Cells for the CSeq after the last rail.
    tail: usize,
    theme: &'a Theme,
    view: ViewFlags,
}

/// How one row is drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowState {
    pub(crate) selected: bool,
    pub(crate) marked: bool,
}

impl<'a> Ladder<'a> {
    /// A ladder for these entries in this width.
    pub(crate) fn new(entries: &[&'a Entry], theme: &'a Theme, view: ViewFlags, width: usize) -> Self {
        let (mut servers, mut painted) = (Vec::new(), Vec::new());
        for entry in entries {
            let (server, paint) = (column_of(entry, view), painted_as(entry, view));
            if !servers.contains(&server) {
                servers.push(server);
            }
            if view.paint != Paint::Message && !painted.contains(&paint) {
                painted.push(paint);
            }
        }
        // Where there is no room for columns side by side, each message says its server itself.
        if width < LIST && servers.len() > 1 {
            servers.clear();
        }
        // The newest servers matter most where not all of them have room.
        let tail = if width >= ROOMY { TAIL } else { 1 };
        let most = (width.saturating_sub(TIME + tail) / NARROWEST).max(1);
        let skip = servers.len().saturating_sub(most);
        servers.drain(..skip);
        let gap = width.saturating_sub(TIME + tail) / servers.len().max(1);
        Self { servers, painted, width, gap: gap.clamp(12, WIDEST), tail, theme, view }
    }

    /// The names above the rails.
    pub(crate) fn heads(&self) -> Line<'static> {
        if self.servers.is_empty() {
            return Line::from(self.theme.say("      time   message  server", Role::Title));
        }
        let mut text = format!("{:>TIME$}{:<width$}", "", "phone", width = self.gap.min(8));
        let mut at = TIME + self.gap.min(8);
        for (index, server) in self.servers.iter().enumerate() {
            let rail = TIME + (index + 1) * self.gap;
            let last = index + 1 == self.servers.len();
            let end = rail + self.tail;
            // The last name may use the room of the CSeqs; the others stay clear of their neighbours.
            let room = if last { end.saturating_sub(at + 1) } else { self.gap.saturating_sub(2) };
            let name = if server.width() > room { host_of(server) } else { server.clone() };
            let name = name.fit(room, self.theme.glyphs.cut);
            let wide = Span::raw(name.as_str()).width();
            let centred = rail.saturating_sub(wide / 2);
            let start = centred.min(end.saturating_sub(wide)).max(at + 1);
            text.push_str(&" ".repeat(start - at));
            text.push_str(&name);
            at = start + wide;
        }
        Line::from(Span::styled(text, self.theme.style(Role::Title)))
    }

    /// One message.
    pub(crate) fn row(&self, entry: &Entry, before: Option<Duration>, state: RowState) -> Line<'static> {
        let signs = &self.theme.glyphs.ladder;
        let name = column_of(entry, self.view);
        let column = self.servers.iter().position(|server| *server == name);
        let mark = match (state.selected, state.marked) {
            (true, _) => self.theme.glyphs.focus,
            (false, true) => "*",
            (false, false) => " ",
        };
        let mut spans = vec![
            Span::styled(mark, self.theme.style(Role::Key)),
            Span::styled(self.time(entry, before), self.theme.style(Role::Dim)),
        ];
        let Some(column) = column else {
            let way = match (entry.kind, entry.outgoing) {
                (Kind::Signal, _) => " ",
                (_, true) => signs.right,
                (_, false) => signs.left,
            };
            spans.push(Span::styled(format!("{way} {}  ", label(entry)), self.style(entry, state)));
            let used: usize = spans.iter().map(Span::width).sum();
            let host = host_of(&entry.server).fit(self.width.saturating_sub(used), self.theme.glyphs.cut);
            spans.push(self.theme.dim(&host));
            return Line::from(spans);
        };
        spans.push(Span::styled(signs.rail, self.theme.style(Role::Dim)));
        spans.push(Span::styled(self.arrow(entry, column), self.style(entry, state)));
        spans.push(Span::styled(signs.rail, self.theme.style(Role::Dim)));
        for _ in column + 1..self.servers.len() {
            spans.push(Span::raw(" ".repeat(self.gap - 1)));
            spans.push(Span::styled(signs.rail, self.theme.style(Role::Dim)));
        }
        if !entry.cseq.is_empty() && self.tail == TAIL {
            spans.push(Span::styled(format!(" {}", entry.cseq.fit(14, "")), self.theme.style(Role::Dim)));
        }
        Line::from(spans)
    }

    fn time(&self, entry: &Entry, before: Option<Duration>) -> String {
        let at = match (self.view.side.relative, before) {
            (true, Some(before)) => entry.at.saturating_sub(before),
            (true, None) => Duration::ZERO,
            (false, _) => entry.at,
        };
        let sign = if self.view.side.relative { "+" } else { "" };
        let text = format!("{sign}{}.{:03}", at.as_secs(), at.subsec_millis());
        format!("{text:>width$} ", width = TIME - 2)
    }

    fn arrow(&self, entry: &Entry, column: usize) -> String {
        let signs = &self.theme.glyphs.ladder;
        let inner = (column + 1) * self.gap - 1;
        let room = inner.saturating_sub(4);
        let text = ScreenText::of(&label(entry)).fit(room, self.theme.glyphs.cut);
        let wide = Span::raw(text.as_str()).width();
        let line = inner.saturating_sub(wide + 3);
        let (before, after) = (line / 2, line - line / 2);
        let rule = |n: usize| signs.line.repeat(n);
        match (entry.kind, entry.outgoing) {
            (Kind::Signal, _) => format!("{} {text} {} ", " ".repeat(before), " ".repeat(after)),
            (_, true) => format!("{} {text} {}{}", rule(before), rule(after), signs.right),
            (_, false) => format!("{}{} {text} {}", signs.left, rule(before), rule(after)),
        }
    }

    fn style(&self, entry: &Entry, state: RowState) -> ratatui::style::Style {
        let role = match entry.kind {
            Kind::Request | Kind::Response(_) if self.view.paint != Paint::Message => {
                let paint = painted_as(entry, self.view);
                let place = self.painted.iter().position(|painted| *painted == paint).unwrap_or(0);
                PAINTS[place % PAINTS.len()]
            }
            Kind::Request => Role::Accent,
            Kind::Response(100..=299) => Role::Good,
            Kind::Response(300..=399) => Role::Warn,
            Kind::Response(401 | 407) => Role::Plain,
            Kind::Response(_) => Role::Bad,
            Kind::Signal => Role::Dim,
        };
        let style = self.theme.style(role);
        if state.selected { style.add_modifier(ratatui::style::Modifier::REVERSED) } else { style }
    }
}

/// The column of a message: its server, or the server's host where ports share a column.
fn column_of(entry: &Entry, view: ViewFlags) -> ScreenText {
    if view.merged { host_of(&entry.server) } else { entry.server.clone() }
}

/// What shares a colour with it: its dialog, or its request in that dialog.
fn painted_as(entry: &Entry, view: ViewFlags) -> (&ScreenText, &ScreenText) {
    match view.paint {
        Paint::Message | Paint::Dialog => (&entry.call, &entry.call),
        Paint::Request => (&entry.call, &entry.cseq),
    }
}

fn host_of(server: &ScreenText) -> ScreenText {
    ScreenText::of(server.as_str().rsplit_once(':').map_or(server.as_str(), |(host, _)| host))
}

fn label(entry: &Entry) -> String {
    if entry.times() > 1 {
        format!("{} ×{}", entry.label, entry.times())
    } else {
        entry.label.as_str().to_owned()
    }
}

/// Cells of mark and time before the first rail.
const TIME: usize = 11;
/// Cells of the CSeq after the last rail, where there is room for it.
const TAIL: usize = 14;
const ROOMY: usize = 72;
/// Cells from which two columns have room beside each other.
const LIST: usize = 46;
const NARROWEST: usize = 18;
const WIDEST: usize = 44;
const PAINTS: [Role; 5] = [Role::Accent, Role::Good, Role::Warn, Role::Busy, Role::Title];
