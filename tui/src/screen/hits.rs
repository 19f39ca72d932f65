//! What a click on a cell means: views say it while they draw, so that picture and mouse never disagree.

use std::cell::RefCell;

use ratatui::layout::{Position, Rect};

use crate::keys::{Action, Screen};

/// Where on the picture something can be clicked; the last one drawn lies on top.
#[derive(Debug, Default)]
pub(crate) struct Hits(RefCell<Vec<(Rect, Target)>>);

/// What is clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A tab.
    Screen(Screen),
    /// A key hint.
    Action(Action),
    /// A key of the demo's estate.
    EstateKey(char),
    /// A row of the list of the screen in sight.
    Row(usize),
    /// A row of the overlay.
    Choice(usize),
    /// Something that covers what lies below and does nothing.
    Nothing,
}

impl Hits {
    /// `area` stands for `target`.
    pub(crate) fn add(&self, area: Rect, target: Target) {
        self.0.borrow_mut().push((area, target));
    }

    /// One row of `area` for each entry from `first` up to `count`.
    pub(crate) fn add_rows(&self, area: Rect, first: usize, count: usize) {
        for (row, index) in area.rows().zip(first..count) {
            self.add(row, Target::Row(index));
        }
    }

    /// What lies there.
    pub(crate) fn at(&self, column: u16, row: u16) -> Option<Target> {
        let place = Position { x: column, y: row };
        self.0.borrow().iter().rev().find(|(area, _)| area.contains(place)).map(|(_, target)| *target)
    }
}
