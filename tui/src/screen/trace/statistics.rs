//! How many messages of each kind there were, and with which server.

use ratatui::text::{Line, Span};

use crate::screen::trace::{Entry, Kind};
use crate::text::ScreenText;
use crate::theme::{Role, Theme};

/// Requests, answers and signals, each with its count, then the same by server.
pub(crate) fn lines<'a>(entries: impl Iterator<Item = &'a Entry>, theme: &Theme) -> Vec<Line<'static>> {
    let (mut sent, mut said) = (Counts::default(), Counts::default());
    let (mut signals, mut servers) = (Counts::default(), Counts::default());
    for entry in entries {
        match entry.kind {
            Kind::Request => sent.add(&entry.label, entry.times()),
            Kind::Response(_) => said.add(&entry.label, entry.times()),
            Kind::Signal => signals.add(&entry.label, entry.times()),
        }
        if entry.kind != Kind::Signal {
            servers.add(&entry.server, entry.times());
        }
    }
    let mut lines = Vec::new();
    for (title, counts) in
        [("Requests", sent), ("Answers", said), ("Connections", signals), ("Messages by server", servers)]
    {
        if counts.0.is_empty() {
            continue;
        }
        lines.push(Line::from(theme.say(title, Role::Title)));
        lines.extend(counts.0.into_iter().map(|(name, count)| {
            Line::from(vec![Span::raw(format!("{count:>6}  ")), Span::raw(name.as_str().to_owned())])
        }));
        lines.push(Line::from(""));
    }
    if lines.is_empty() {
        lines.push(Line::from("No message yet."));
    }
    lines
}

/// Counts in the order in which their names were met.
#[derive(Default)]
struct Counts(Vec<(ScreenText, usize)>);

impl Counts {
    fn add(&mut self, name: &ScreenText, times: usize) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += times,
            None => self.0.push((name.clone(), times)),
        }
    }
}
