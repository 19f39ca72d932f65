//! The palette: every command by name, found by typing any part of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::keys::{Action, Chord, Held, Key, Keymap};
use crate::look::{Look, Role};
use crate::screen::stage;
use crate::text::{ScreenText, screen_text};
use crate::widget::{Filter, Pane, clear_box, scroll_to, write_lines};

/// What is typed and what is selected.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) input: Filter,
    selected: usize,
    stage: Vec<stage::Act>,
}

/// What the palette runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Action(Action),
    Stage(char),
}

/// What a key did to the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Stay,
    Close,
    Run(Command),
}

impl State {
    /// An empty palette.
    pub(crate) fn new(stage: Vec<stage::Act>) -> Self {
        Self { input: Filter::typing(""), selected: 0, stage }
    }

    /// Takes a key.
    pub(crate) fn handle(&mut self, chord: Chord) -> Verdict {
        match (chord.held, chord.key) {
            (_, Key::Esc) | (Held::Ctrl, Key::Char('c')) => return Verdict::Close,
            (_, Key::Enter) => {
                return self
                    .matches()
                    .get(self.selected)
                    .map_or(Verdict::Close, |found| Verdict::Run(found.0));
            }
            (_, Key::Up | Key::BackTab) => self.selected = self.selected.saturating_sub(1),
            (_, Key::Down | Key::Tab) => {
                self.selected = (self.selected + 1).min(self.matches().len().saturating_sub(1));
            }
            _ => {
                self.input.handle(chord);
                self.selected = 0;
            }
        }
        Verdict::Stay
    }

    /// Commands whose name or meaning has every word that is typed; names come first.
    fn matches(&self) -> Vec<(Command, ScreenText, &'static str)> {
        let typed = self.input.value().trim().to_lowercase();
        let mut found: Vec<_> = self
            .commands()
            .filter(|(_, name, meaning)| {
                let whole = screen_text!("{name} {meaning}");
                typed.split_whitespace().all(|word| whole.matches(word))
            })
            .collect();
        found.sort_by_key(|(_, name, _)| !name.as_str().starts_with(&typed));
        found
    }

    fn commands(&self) -> impl Iterator<Item = (Command, ScreenText, &'static str)> + '_ {
        let stage = self
            .stage
            .iter()
            .map(|act| (Command::Stage(act.key), screen_text!("demo {}", act.label), act.meaning));
        let actions = Action::ALL
            .into_iter()
            .filter(|action| *action != Action::Palette)
            .map(|action| (Command::Action(action), ScreenText::of(action.name()), action.meaning()));
        actions.chain(stage)
    }
}

/// Draws the palette.
pub(crate) fn draw(state: &State, keys: &Keymap, look: &Look, area: Rect, buf: &mut Buffer) {
    let area = clear_box(area, 76, 18, buf);
    let inner = Pane::new("Command").note("Enter runs, Esc closes").focused(true).draw(area, look, buf);
    let matches = state.matches();
    let mut lines = vec![Line::from(vec![
        look.say(": ", Role::Key),
        Span::raw(state.input.shown().as_str().to_owned()),
        Span::styled(" ", look.style(Role::Focus)),
    ])];
    let height = usize::from(inner.height.saturating_sub(1));
    let first = scroll_to(state.selected, matches.len(), height);
    for (index, (command, name, meaning)) in matches.iter().enumerate().skip(first).take(height) {
        let mark = if index == state.selected { look.glyphs.focus } else { " " };
        let key = match command {
            Command::Action(action) => keys.chord(*action).map(|chord| chord.to_string()).unwrap_or_default(),
            Command::Stage(key) => key.to_string(),
        };
        lines.push(Line::from(vec![
            Span::styled(mark, look.style(Role::Key)),
            Span::styled(format!(" {:<18} ", name.fit(18, look.glyphs.cut)), look.style(Role::Title)),
            Span::styled(format!("{key:<8}"), look.style(Role::Key)),
            Span::styled(*meaning, look.style(Role::Dim)),
        ]));
    }
    if matches.is_empty() {
        lines.push(Line::from(look.say("No command has that word.", Role::Dim)));
    }
    write_lines(&lines, 0, inner, buf);
}
