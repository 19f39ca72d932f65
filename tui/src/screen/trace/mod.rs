//! Trace: every message of the phone, as a list of dialogs, as a ladder and in full.

mod diff;
mod entry;
mod ladder;
mod statistics;
mod view;

pub(crate) use entry::{Captured, Entry, Kind};
pub(crate) use view::draw_tail;

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keys::{Action, Chord, Key};
use crate::messages::{Notification, Severity};
use crate::msg::Msg;
use crate::screen::{FILTER_HINT, Hints, Outcome, Page, Scene};
use crate::text::ScreenText;
use crate::widget::Filter;

/// What was traced and what of it is looked at.
#[derive(Clone, Debug)]
pub(crate) struct State {
    entries: VecDeque<Entry>,
    pub(crate) level: Level,
    /// The dialog in sight; none shows everything.
    pub(crate) dialog: Option<ScreenText>,
    pub(crate) cursor: usize,
    pub(crate) filter: Filter,
    marks: Vec<u64>,
    /// While held, entries after this one are not shown.
    held_at: Option<u64>,
    pub(crate) view: ViewFlags,
}

/// How the ladder is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ViewFlags {
    /// The newest line stays in sight.
    pub(crate) follow: bool,
    pub(crate) side: Side,
    pub(crate) paint: Paint,
    /// Ports of one host share a column.
    pub(crate) merged: bool,
}

/// What decides the colour of an arrow; its words are the same in every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Request, success, redirect, failure.
    Message,
    /// The dialog it belongs to.
    Dialog,
    /// The request it belongs to, and its answers.
    Request,
}

/// What stands beside the ladder, and how its times read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) preview: bool,
    pub(crate) relative: bool,
}

/// How deep one looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// One line for each Call-ID.
    Dialogs,
    /// One arrow for each message.
    Ladder,
    /// One message in full, from this line on.
    Raw(u16),
    /// Two messages compared, from this line on.
    Diff(u16),
    /// How many there were of each kind.
    Statistics,
}

impl State {
    /// Takes entries in order; a copy of the one before becomes its count.
    fn take(&mut self, entries: impl Iterator<Item = Entry>) {
        for entry in entries {
            if let Some(last) = self.entries.iter_mut().rev().take(8).find(|last| last.is_copy_of(&entry)) {
                last.seqs.push(entry.seq());
                continue;
            }
            if self.entries.len() == RING {
                self.entries.pop_front();
            }
            self.entries.push_back(entry);
        }
        if self.view.follow {
            self.cursor = self.shown().count().saturating_sub(1);
        }
    }

    /// The entries that filter, dialog and pause let through.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| self.held_at.is_none_or(|seq| entry.seq() <= seq))
            .filter(|entry| self.dialog.as_ref().is_none_or(|call| *call == entry.call))
            .filter(|entry| self.filter.admits(&entry.summary))
    }

    /// The entry under the cursor.
    pub(crate) fn current(&self) -> Option<&Entry> {
        self.shown().nth(self.cursor)
    }

    /// The numbers of everything in sight, copies included.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.shown().flat_map(|entry| entry.seqs.iter().copied()).collect()
    }

    /// True while the picture is held.
    pub(crate) fn is_held(&self) -> bool {
        self.held_at.is_some()
    }

    /// The dialogs in order of their first message: Call-ID, messages, servers, last words.
    pub(crate) fn dialogs(&self) -> Vec<Dialog<'_>> {
        let mut dialogs: Vec<Dialog<'_>> = Vec::new();
        for entry in self.entries.iter().filter(|entry| !entry.call.is_empty()) {
            match dialogs.iter_mut().find(|dialog| *dialog.call == entry.call) {
                Some(dialog) => {
                    dialog.messages += 1;
                    dialog.last = &entry.label;
                }
                None => dialogs.push(Dialog {
                    call: &entry.call,
                    first: &entry.label,
                    server: &entry.server,
                    messages: 1,
                    last: &entry.label,
                }),
            }
        }
        dialogs
    }

    /// The two marked messages.
    pub(crate) fn marked(&self) -> Option<(&Entry, &Entry)> {
        let find = |seq: u64| self.entries.iter().find(|entry| entry.seq() == seq);
        match self.marks.as_slice() {
            &[a, b] => Some((find(a)?, find(b)?)),
            _ => None,
        }
    }

    /// True if the entry is marked.
    pub(crate) fn is_marked(&self, seq: u64) -> bool {
        self.marks.contains(&seq)
    }

    fn step(&mut self, by: i64) {
        match &mut self.level {
            Level::Raw(line) | Level::Diff(line) => {
                let most = i64::from(u16::MAX);
                *line = u16::try_from((i64::from(*line) + by).clamp(0, most)).unwrap_or(0);
            }
            Level::Statistics => {}
            Level::Dialogs | Level::Ladder => {
                let count = match self.level {
                    Level::Dialogs => self.dialogs().len(),
                    _ => self.shown().count(),
                };
                let last = i64::try_from(count).unwrap_or(i64::MAX) - 1;
                let to = i64::try_from(self.cursor).unwrap_or(0).saturating_add(by).clamp(0, last.max(0));
                self.cursor = usize::try_from(to).unwrap_or(0);
                self.view.follow = self.level == Level::Ladder && to == last;
            }
        }
    }

    fn open(&mut self) {
        match self.level {
            Level::Dialogs => {
                self.dialog = self.dialogs().get(self.cursor).map(|dialog| dialog.call.clone());
                self.level = Level::Ladder;
                self.cursor = 0;
            }
            Level::Ladder if self.current().is_some() => self.level = Level::Raw(0),
            Level::Ladder | Level::Raw(_) | Level::Diff(_) | Level::Statistics => {}
        }
    }

    fn toggle_dialog(&mut self) {
        self.level = Level::Ladder;
        let seq = self.current().map(Entry::seq);
        self.dialog = match self.dialog {
            Some(_) => None,
            None => self.current().map(|entry| entry.call.clone()),
        };
        let cursor = self.shown().position(|entry| Some(entry.seq()) == seq);
        self.cursor = cursor.unwrap_or(0);
    }

    fn mark(&mut self) -> Outcome {
        let Some(seq) = self.current().map(Entry::seq) else { return Outcome::done() };
        if self.is_marked(seq) {
            self.marks.retain(|&mark| mark != seq);
            return Outcome::done();
        }
        if self.marks.len() == 2 {
            self.marks.clear();
        }
        self.marks.push(seq);
        if self.marked().is_some() {
            self.level = Level::Diff(0);
            return Outcome { settles: true, ..Outcome::done() };
        }
        let text = ScreenText::of("marked; mark another message to compare the two");
        Notification::plain(Severity::Info, text).into()
    }
}

impl Page for State {
    fn keys(&self) -> &'static [(Chord, Action)] {
        KEYS
    }

    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        view::draw(scene, area, buf);
    }

    fn hints(&self) -> Hints {
        use Action as A;
        if self.filter.typing {
            return Hints::Typing(FILTER_HINT);
        }
        Hints::Keys(match self.level {
            Level::Dialogs => &[A::Open, A::Back],
            Level::Ladder => &[A::Open, A::AllDialogs, A::Mark, A::Filter, A::SaveTrace, A::Pause],
            Level::Raw(_) | Level::Diff(_) | Level::Statistics => &[A::Back, A::PageDown, A::PageUp],
        })
    }

    fn act(&mut self, action: Action, rows: usize) -> Outcome {
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-steps(rows)),
            Action::PageDown => self.step(steps(rows)),
            Action::Top => self.step(i64::MIN / 2),
            Action::Bottom => self.step(i64::MAX / 2),
            Action::Open => self.open(),
            Action::Filter => self.filter.typing = true,
            Action::AllDialogs => self.toggle_dialog(),
            Action::RawPreview => self.view.side.preview = !self.view.side.preview,
            Action::ColourMode => self.view.paint = self.view.paint.next(),
            Action::Compress => self.view.merged = !self.view.merged,
            Action::Statistics => {
                self.level = if self.level == Level::Statistics { Level::Ladder } else { Level::Statistics };
            }
            Action::RelativeTimes => self.view.side.relative = !self.view.side.relative,
            Action::Mark => return self.mark(),
            Action::Pause => {
                self.held_at = match self.held_at {
                    Some(_) => None,
                    None => self.entries.back().map(Entry::seq),
                };
            }
            Action::Follow => {
                self.view.follow = !self.view.follow;
                self.cursor =
                    if self.view.follow { self.shown().count().saturating_sub(1) } else { self.cursor };
            }
            _ => {}
        }
        Outcome::done()
    }

    fn handle_key(&mut self, chord: Chord) -> Option<Outcome> {
        self.filter.edit(chord).then(|| {
            self.cursor = 0;
            Outcome::done()
        })
    }

    fn field(&mut self) -> Option<&mut Filter> {
        Some(&mut self.filter).filter(|filter| filter.typing)
    }

    fn handle(&mut self, msg: &Msg, _now: Duration) -> Option<Notification> {
        if let Msg::Traced(entries) = msg {
            self.take(entries.iter().cloned());
        }
        None
    }

    /// True if the cursor stood there already.
    fn select(&mut self, row: usize) -> bool {
        let again = self.cursor == row;
        self.cursor = row;
        self.view.follow &= again;
        again
    }

    /// One level up.
    fn back(&mut self) -> bool {
        match self.level {
            Level::Raw(_) | Level::Diff(_) | Level::Statistics => self.level = Level::Ladder,
            Level::Ladder if !self.filter.value().is_empty() => self.filter.clear(),
            Level::Ladder if self.dialog.is_some() => self.dialog = None,
            Level::Ladder => {
                self.level = Level::Dialogs;
                self.cursor = 0;
                self.view.follow = false;
            }
            Level::Dialogs => return false,
        }
        true
    }
}

const KEYS: &[(Chord, Action)] = &[
    (Chord::char('x'), Action::AllDialogs),
    (Chord::char('r'), Action::RawPreview),
    (Chord::char('w'), Action::RelativeTimes),
    (Chord::char('c'), Action::ColourMode),
    (Chord::char('s'), Action::Compress),
    (Chord::char('i'), Action::Statistics),
    (Chord::char(' '), Action::Mark),
    (Chord::char('p'), Action::Pause),
    (Chord::char('A'), Action::Follow),
    (Chord::plain(Key::F(2)), Action::SaveTrace),
];

/// One dialog of the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialog<'a> {
    pub(crate) call: &'a ScreenText,
    pub(crate) first: &'a ScreenText,
    pub(crate) server: &'a ScreenText,
    pub(crate) messages: usize,
    pub(crate) last: &'a ScreenText,
}

impl Default for State {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            level: Level::Ladder,
            dialog: None,
            cursor: 0,
            filter: Filter::default(),
            marks: Vec::new(),
            held_at: None,
            view: ViewFlags::default(),
        }
    }
}

impl Default for ViewFlags {
    fn default() -> Self {
        let side = Side { preview: true, relative: false };
        Self { follow: true, side, paint: Paint::Message, merged: false }
    }
}

impl Paint {
    /// The words of the pane's note; none for the usual one.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Paint::Message => "",
            Paint::Dialog => "coloured by dialog",
            Paint::Request => "coloured by request",
        }
    }

    fn next(self) -> Self {
        match self {
            Paint::Message => Paint::Dialog,
            Paint::Dialog => Paint::Request,
            Paint::Request => Paint::Message,
        }
    }
}

fn steps(page: usize) -> i64 {
    i64::try_from(page).unwrap_or(10).max(1)
}

/// Entries kept for the screen; the agent's own ring keeps more bytes.
const RING: usize = 4_000;
