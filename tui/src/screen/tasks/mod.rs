//! Tasks and log: what is running, how it ended, and what was told.

mod view;

pub(crate) use view::working;

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::effect::Effect;
use crate::keys::{Action, Chord};
use crate::messages::{Notification, Severity};
use crate::msg::{Msg, TaskEnd, TaskMsg};
use crate::screen::{Hints, Outcome, Page, Scene};
use crate::text::ScreenText;

/// Running and ended tasks, and the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    tasks: VecDeque<Task>,
    log: VecDeque<Logged>,
    selected: usize,
    /// The log leaves out everything below a warning.
    pub(crate) warnings_only: bool,
    /// Lines scrolled up from the end of the log.
    pub(crate) scroll: usize,
    /// Lines written so far, those that are gone included.
    written: usize,
}

/// Something asynchronous that a person asked for.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) id: u64,
    pub(crate) what: ScreenText,
    pub(crate) begun: Duration,
    pub(crate) outcome: Option<Ended>,
}

/// How long a task took, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) after: Duration,
    pub(crate) end: TaskEnd,
}

/// One line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) wall: Duration,
    pub(crate) notification: Notification,
}

impl State {
    /// Takes what becomes of a task; an outcome comes back once, and only if no event tells it.
    fn take(&mut self, msg: &TaskMsg, now: Duration) -> Option<Notification> {
        match msg {
            TaskMsg::Begun { id, what } => {
                if self.tasks.len() == TASKS {
                    self.tasks.pop_back();
                }
                self.tasks.push_front(Task { id: *id, what: what.clone(), begun: now, outcome: None });
                None
            }
            TaskMsg::Ended { id, end } => {
                // A task that was cancelled as it ended has both outcomes on the way; the first one stands.
                let task = self.tasks.iter_mut().find(|task| task.id == *id && task.outcome.is_none())?;
                task.outcome = Some(Ended { after: now.saturating_sub(task.begun), end: end.clone() });
                match end {
                    TaskEnd::Done(text) if text.is_empty() => None,
                    TaskEnd::Done(text) => Some(Notification::plain(Severity::Info, text.clone())),
                    TaskEnd::Failed(problem) => Some(Notification::from(problem)),
                    TaskEnd::FailedAsTold(_) => None,
                }
            }
        }
    }

    /// Writes a line into the log.
    pub(crate) fn log(&mut self, notification: Notification, wall: Duration) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(Logged { wall, notification });
        self.written += 1;
    }

    /// How many lines were written so far.
    pub(crate) fn written(&self) -> usize {
        self.written
    }

    /// The log lines after the first `seen` ones.
    pub(crate) fn since(&self, seen: usize) -> impl Iterator<Item = &Logged> {
        let fresh = self.written.saturating_sub(seen).min(self.log.len());
        self.log.iter().skip(self.log.len() - fresh)
    }

    /// True while a task runs.
    pub(crate) fn is_busy(&self) -> bool {
        self.running().next().is_some()
    }

    /// The tasks that run.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|task| task.outcome.is_none())
    }

    /// Every task, the newest first.
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }

    /// The log lines that the level lets through, the oldest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Logged> {
        let least = if self.warnings_only { Severity::Warning } else { Severity::Detail };
        self.log.iter().filter(move |line| line.notification.severity >= least)
    }

    /// The task under the cursor.
    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    fn cancel(&self) -> Outcome {
        match self.tasks.get(self.selected).filter(|task| task.outcome.is_none()) {
            Some(task) => Effect::CancelTask(task.id).into(),
            None => Outcome::refused(ScreenText::of("that task has ended already")),
        }
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
        Hints::Keys(&[Action::CancelTask, Action::LogLevel, Action::PageUp])
    }

    fn act(&mut self, action: Action, rows: usize) -> Outcome {
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(self.tasks.len().saturating_sub(1)),
            Action::PageUp => self.scroll = (self.scroll + rows).min(self.lines().count()),
            Action::PageDown => self.scroll = self.scroll.saturating_sub(rows),
            Action::Bottom => self.scroll = 0,
            Action::LogLevel => self.warnings_only = !self.warnings_only,
            Action::CancelTask => return self.cancel(),
            _ => {}
        }
        Outcome::done()
    }

    fn handle(&mut self, msg: &Msg, now: Duration) -> Option<Notification> {
        match msg {
            Msg::Task(msg) => self.take(msg, now),
            _ => None,
        }
    }

    fn select(&mut self, row: usize) -> bool {
        self.selected = row.min(self.tasks.len().saturating_sub(1));
        false
    }
}

const KEYS: &[(Chord, Action)] =
    &[(Chord::char('X'), Action::CancelTask), (Chord::char('v'), Action::LogLevel)];
const TASKS: usize = 50;
const LOG: usize = 2_000;
