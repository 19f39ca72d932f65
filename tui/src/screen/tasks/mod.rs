//! Tasks and log: what is running, how it ended, and what was told.

mod view;

pub(crate) use view::{draw, working};

use std::collections::VecDeque;
use std::time::Duration;

use crate::effect::Effect;
use crate::keys::Action;
use crate::text::ScreenText;
use crate::words::{News, Trouble, Weight};

/// Running and ended tasks, and the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    tasks: VecDeque<Task>,
    log: VecDeque<Logged>,
    selected: usize,
    /// Warnings only.
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
    pub(crate) outcome: Option<Outcome>,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) after: Duration,
    pub(crate) result: Result<ScreenText, Trouble>,
}

/// One line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) wall: Duration,
    pub(crate) news: News,
}

/// What is told of tasks.
#[derive(Clone, Debug)]
pub(crate) enum Msg {
    Begun {
        id: u64,
        what: ScreenText,
    },
    /// `told` where an event tells the outcome already.
    Ended {
        id: u64,
        result: Result<ScreenText, Trouble>,
        told: bool,
    },
}

impl State {
    /// Takes what is told.
    pub(crate) fn handle(&mut self, msg: Msg, now: Duration) -> Option<News> {
        match msg {
            Msg::Begun { id, what } => {
                if self.tasks.len() == TASKS {
                    self.tasks.pop_back();
                }
                self.tasks.push_front(Task { id, what, begun: now, outcome: None });
                None
            }
            Msg::Ended { id, result, told } => {
                let task = self.tasks.iter_mut().find(|task| task.id == id)?;
                let news = match &result {
                    Ok(text) if text.is_empty() => None,
                    Ok(text) => Some(News::plain(Weight::Notice, text.clone())),
                    Err(trouble) => Some(News::from(trouble)),
                };
                task.outcome = Some(Outcome { after: now.saturating_sub(task.begun), result });
                news.filter(|_| !told)
            }
        }
    }

    /// Writes a line into the log.
    pub(crate) fn log(&mut self, news: News, wall: Duration) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(Logged { wall, news });
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
        let least = if self.warnings_only { Weight::Warning } else { Weight::Detail };
        self.log.iter().filter(move |line| line.news.weight >= least)
    }

    /// The task under the cursor.
    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// Puts the cursor on a task.
    pub(crate) fn select(&mut self, row: usize) {
        self.selected = row.min(self.tasks.len().saturating_sub(1));
    }

    /// Does what a key asked for.
    pub(crate) fn act(&mut self, action: Action, page: usize) -> Result<Vec<Effect>, News> {
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(self.tasks.len().saturating_sub(1)),
            Action::PageUp => self.scroll = (self.scroll + page).min(self.lines().count()),
            Action::PageDown => self.scroll = self.scroll.saturating_sub(page),
            Action::Bottom => self.scroll = 0,
            Action::LogLevel => self.warnings_only = !self.warnings_only,
            Action::CancelTask => {
                let task = self.tasks.get(self.selected).filter(|task| task.outcome.is_none());
                let why_not = || News::plain(Weight::Warning, ScreenText::of("that task has ended already"));
                return Ok(vec![Effect::CancelTask(task.ok_or_else(why_not)?.id)]);
            }
            _ => {}
        }
        Ok(Vec::new())
    }
}

const TASKS: usize = 50;
const LOG: usize = 2_000;
