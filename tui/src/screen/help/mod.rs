//! Help: the keys in force, what the states mean, and the error codes of a login with their next steps.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use homing::AccountState;

use crate::keys::{Action, Chord, Mode, Screen};
use crate::messages::error_index;
use crate::screen::{FILTER_HINT, Hints, Outcome, Page, Scene};
use crate::text::{ScreenText, screen_text};
use crate::theme::{Role, Theme};
use crate::widget::{Filter, Pane, wrap_words, write_lines};

/// What is searched for and how far is scrolled.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) filter: Filter,
    pub(crate) scroll: usize,
    /// The screen from which help was asked: its keys come first.
    pub(crate) about: Option<Screen>,
}

impl Page for State {
    fn keys(&self) -> &'static [(Chord, Action)] {
        &[]
    }

    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        draw(scene, area, buf);
    }

    fn hints(&self) -> Hints {
        if self.filter.typing {
            return Hints::Typing(FILTER_HINT);
        }
        Hints::Keys(&[Action::Filter, Action::Back])
    }

    fn act(&mut self, action: Action, rows: usize) -> Outcome {
        match action {
            Action::Up => self.scroll = self.scroll.saturating_sub(1),
            Action::Down => self.scroll += 1,
            Action::PageUp => self.scroll = self.scroll.saturating_sub(rows),
            Action::PageDown => self.scroll += rows,
            Action::Top => self.scroll = 0,
            Action::Filter => self.filter.typing = true,
            _ => {}
        }
        Outcome::done()
    }

    fn handle_key(&mut self, chord: Chord) -> Option<Outcome> {
        self.filter.edit(chord).then(|| {
            self.scroll = 0;
            Outcome::done()
        })
    }

    fn field(&mut self) -> Option<&mut Filter> {
        Some(&mut self.filter).filter(|filter| filter.typing)
    }

    fn back(&mut self) -> bool {
        let open = !self.filter.value().is_empty();
        self.filter.clear();
        open
    }
}

/// One line of help before it is drawn.
struct Entry {
    term: ScreenText,
    text: ScreenText,
    role: Role,
}

/// Draws the screen.
fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let state = &scene.pages.help;
    let note = if state.filter.typing || !state.filter.value().is_empty() {
        format!("/{}", state.filter.shown())
    } else {
        "/ searches".to_owned()
    };
    let inner = Pane::new("Help").note(&note).focused(true).draw(area, scene.theme, buf);
    let mut lines = Vec::new();
    for (title, entries) in sections(scene) {
        let shown: Vec<_> = entries
            .iter()
            .filter(|entry| state.filter.admits(&screen_text!("{} {}", entry.term, entry.text)))
            .collect();
        if shown.is_empty() {
            continue;
        }
        lines.push(Line::from(Span::styled(title, scene.theme.style(Role::Title))));
        for entry in shown {
            draw_entry(entry, scene.theme, usize::from(inner.width), &mut lines);
        }
        lines.push(Line::from(""));
    }
    if lines.is_empty() {
        lines.push(Line::from(scene.theme.say("Nothing has that word.", Role::Dim)));
    }
    let hidden = lines.len().saturating_sub(usize::from(inner.height));
    write_lines(&lines, state.scroll.min(hidden), inner, buf);
}

fn sections(scene: &Scene<'_>) -> Vec<(String, Vec<Entry>)> {
    let mut sections = Vec::new();
    let about = Mode::On(scene.pages.help.about.unwrap_or(Screen::Accounts));
    let modes = std::iter::once(about).chain(Mode::all().filter(|mode| *mode != about));
    for mode in modes {
        let mut keys: Vec<Entry> = Vec::new();
        let mut told = Vec::new();
        for binding in scene.keys.of_mode(mode) {
            // Several keys of one action share a line.
            if told.contains(&binding.action) {
                continue;
            }
            told.push(binding.action);
            let same = scene.keys.of_mode(mode).filter(|other| other.action == binding.action);
            let chords: Vec<String> = same.map(|other| other.chord.to_string()).collect();
            keys.push(Entry {
                term: ScreenText::of(&chords.join("  ")),
                text: ScreenText::of(binding.action.meaning()),
                role: Role::Key,
            });
        }
        sections.push((format!("Keys: {}", mode.word()), keys));
    }
    if let Some(estate) = &scene.pages.accounts.estate {
        let controls = estate.controls.iter().map(|act| Entry {
            term: ScreenText::of(&act.key.to_string()),
            text: ScreenText::of(act.meaning),
            role: Role::Key,
        });
        sections.insert(1, ("Keys: demo estate, on the Accounts screen".to_owned(), controls.collect()));
    }
    sections.push(("States of an account".to_owned(), glossary(scene.theme)));
    let errors = error_index().into_iter().map(|problem| Entry {
        term: ScreenText::of(problem.code),
        text: screen_text!("{}. {}", problem.sentence, problem.hint),
        role: Role::Warn,
    });
    sections.push(("Error codes".to_owned(), errors.collect()));
    sections
}

fn glossary(theme: &Theme) -> Vec<Entry> {
    AccountState::ALL
        .into_iter()
        .map(|state| Entry {
            term: screen_text!("{} {}", theme.state_glyph(state), state.words().word),
            text: ScreenText::of(state.words().meaning),
            role: Theme::state_role(state),
        })
        .collect()
}

fn draw_entry(entry: &Entry, theme: &Theme, width: usize, lines: &mut Vec<Line<'static>>) {
    let wide = if width >= ROOMY { TERM } else { NARROW_TERM };
    let room = width.saturating_sub(wide + 2).max(16);
    let mut term = entry.term.fit(wide, theme.glyphs.cut);
    for text in wrap_words(entry.text.as_str(), room) {
        let pad = wide.saturating_sub(Span::raw(term.as_str()).width()) + 1;
        lines.push(Line::from(vec![
            Span::raw(" "),
            Span::styled(std::mem::take(&mut term), theme.style(entry.role)),
            Span::raw(" ".repeat(pad)),
            Span::raw(text),
        ]));
    }
}

/// Cells of the first column.
const TERM: usize = 18;
const NARROW_TERM: usize = 13;
const ROOMY: usize = 60;
