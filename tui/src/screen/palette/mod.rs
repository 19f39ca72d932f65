//! The palette: every command by name, found by typing any part of it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::keys::{Action, Chord, Held, Key, Mode};
use crate::msg::Control;
use crate::screen::{Scene, Target};
use crate::text::{ScreenText, screen_text};
use crate::theme::Role;
use crate::widget::{Filter, Pane, clear_box, scroll_to, wrap_words, write_lines};

/// What is typed and what is selected.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) input: Filter,
    selected: usize,
    estate: Vec<Control>,
}

/// What the palette runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Action(Action),
    EstateKey(char),
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
    pub(crate) fn new(estate: Vec<Control>) -> Self {
        Self { input: Filter::typing(""), selected: 0, estate }
    }

    /// Takes a key.
    pub(crate) fn handle(&mut self, chord: Chord) -> Verdict {
        match (chord.held, chord.key) {
            (_, Key::Esc) | (Held::Ctrl, Key::Char('c')) => return Verdict::Close,
            (_, Key::Enter) => return self.run(self.selected),
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

    /// Runs the command in this row.
    pub(crate) fn run(&self, row: usize) -> Verdict {
        self.matches().get(row).map_or(Verdict::Close, |found| Verdict::Run(found.0))
    }

    /// Commands whose name or meaning has every word that is typed; names come first.
    fn matches(&self) -> Vec<Found> {
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

    fn commands(&self) -> impl Iterator<Item = Found> + '_ {
        let estate = self
            .estate
            .iter()
            .map(|act| (Command::EstateKey(act.key), screen_text!("demo {}", act.label), act.meaning));
        let actions = Action::all()
            .filter(|action| *action != Action::Palette)
            .map(|action| (Command::Action(action), ScreenText::of(action.name()), action.meaning()));
        actions.chain(estate)
    }
}

/// Draws the palette; where there is little room, only the selected command says what it does.
pub(crate) fn draw(state: &State, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let area = clear_box(area, (86, 18), theme, buf);
    let inner = Pane::new("Command").note("Enter runs, Esc closes").focused(true).draw(area, theme, buf);
    let matches = state.matches();
    let roomy = usize::from(inner.width) >= ROOMY;
    let below = if roomy { 0 } else { 3.min(inner.height / 2) };
    let [field, list, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(below)]).areas(inner);
    let typed = Line::from(vec![
        theme.say(": ", Role::Key),
        Span::raw(state.input.shown().as_str().to_owned()),
        Span::styled(" ", theme.style(Role::Focus)),
    ]);
    write_lines(&[typed], 0, field, buf);
    if matches.is_empty() {
        write_lines(&[Line::from(theme.say("No command has that word.", Role::Dim))], 0, list, buf);
    }
    let first = scroll_to(state.selected, matches.len(), usize::from(list.height));
    for (row, (index, found)) in list.rows().zip(matches.iter().enumerate().skip(first)) {
        let room = if roomy { usize::from(list.width).saturating_sub(NAME + KEY + 3) } else { 0 };
        let line = command_line(found, index == state.selected, scene, room);
        buf.set_line(row.x, row.y, &line, row.width);
        scene.hits.add(row, Target::Choice(index));
    }
    if let Some((_, _, meaning)) = matches.get(state.selected) {
        let lines = wrap_words(meaning, usize::from(foot.width));
        let lines: Vec<Line<'_>> = lines.iter().map(|line| Line::from(theme.dim(line))).collect();
        write_lines(&lines, 0, foot, buf);
    }
}

/// Name, key and, in `room` cells, what it does.
fn command_line(found: &Found, selected: bool, scene: &Scene<'_>, room: usize) -> Line<'static> {
    let (theme, (command, name, meaning)) = (scene.theme, found);
    let key = match command {
        Command::Action(action) => {
            scene.keys.chord(Mode::Everywhere, *action).map(|chord| chord.to_string()).unwrap_or_default()
        }
        Command::EstateKey(key) => key.to_string(),
    };
    Line::from(vec![
        Span::styled(if selected { theme.glyphs.focus } else { " " }, theme.style(Role::Key)),
        Span::styled(format!(" {:<NAME$} ", name.fit(NAME, theme.glyphs.cut)), theme.style(Role::Title)),
        Span::styled(format!("{key:<KEY$}"), theme.style(Role::Key)),
        theme.dim(&ScreenText::of(meaning).fit(room, theme.glyphs.cut)),
    ])
}

/// A command, its name and what it does.
type Found = (Command, ScreenText, &'static str);

const NAME: usize = 20;
const KEY: usize = 10;
/// Columns from which every command says what it does.
const ROOMY: usize = 66;
