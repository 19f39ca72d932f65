//! The wizard: one address is typed, DNS is asked step by step, and the account is made of what was found.

use homing::Aor;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::effect::Search;
use crate::keys::{Chord, Key};
use crate::look::{Look, Role};
use crate::text::ScreenText;
use crate::widget::{Filter, Pane, clear_box, wrap_words, write_lines};
use crate::words::Trouble;

/// How far the wizard is.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) step: Step,
    pub(crate) found: Vec<ScreenText>,
    pub(crate) complaint: Option<ScreenText>,
}

/// The steps.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The address is typed.
    Address(Filter),
    /// DNS is asked.
    Looking(Aor),
    /// Servers were found; Enter signs in.
    Found(Aor),
    /// None was found; one may be typed.
    Server(Aor, Filter),
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// The servers in the order in which they will be tried, with the reason of each pick.
    Plan(Result<Vec<ScreenText>, Trouble>),
}

/// What a key did to the wizard.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Stay,
    Close,
    Ask(Search),
    /// Ask and close.
    Finish(Search),
}

impl State {
    /// An empty address.
    pub(crate) fn new() -> Self {
        Self { step: Step::Address(Filter::typing("")), found: Vec::new(), complaint: None }
    }

    /// The field that is typed into.
    pub(crate) fn field(&mut self) -> Option<&mut Filter> {
        match &mut self.step {
            Step::Address(field) | Step::Server(_, field) => Some(field),
            Step::Looking(_) | Step::Found(_) => None,
        }
    }

    /// Takes a key.
    pub(crate) fn handle(&mut self, chord: Chord) -> Verdict {
        if chord.key == Key::Esc {
            return Verdict::Close;
        }
        if chord.key != Key::Enter {
            if let Some(field) = self.field() {
                field.handle(chord);
                self.complaint = None;
            }
            return Verdict::Stay;
        }
        match &self.step {
            Step::Address(field) => match Aor::parse(field.value().trim()) {
                Ok(aor) => {
                    self.step = Step::Looking(aor.clone());
                    Verdict::Ask(Search::Discover(aor))
                }
                Err(error) => {
                    self.complaint = Some(ScreenText::from_display(&error));
                    Verdict::Stay
                }
            },
            Step::Looking(_) => Verdict::Stay,
            Step::Found(aor) => Verdict::Finish(Search::Create { aor: aor.clone(), server: String::new() }),
            Step::Server(aor, field) if !field.value().trim().is_empty() => {
                let server = field.value().trim().to_owned();
                Verdict::Finish(Search::Create { aor: aor.clone(), server })
            }
            Step::Server(..) => Verdict::Stay,
        }
    }

    /// Takes what DNS said.
    pub(crate) fn report(&mut self, report: Report) {
        let Step::Looking(aor) = &self.step else { return };
        let Report::Plan(plan) = report;
        match plan {
            Ok(found) if !found.is_empty() => {
                self.step = Step::Found(aor.clone());
                self.found = found;
                self.complaint = None;
            }
            Ok(_) => self.step = Step::Server(aor.clone(), Filter::typing("")),
            Err(trouble) => {
                self.complaint = Some(crate::text::screen_text!("{} {}", trouble.code, trouble.sentence));
                self.step = Step::Server(aor.clone(), Filter::typing(""));
            }
        }
    }
}

/// Draws the wizard.
pub(crate) fn draw(state: &State, look: &Look, area: Rect, buf: &mut Buffer) {
    let room = usize::from(WIDTH.min(area.width)).saturating_sub(2);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let say = |text: &str, role: Role| {
        let broken = wrap_words(text, room).into_iter();
        broken.map(|line| Line::from(Span::styled(line, look.style(role)))).collect::<Vec<_>>()
    };
    match &state.step {
        Step::Address(_) => {
            lines.extend(say("Your SIP address, for example alice@corp.example", Role::Plain))
        }
        Step::Looking(aor) => {
            lines.extend(say(&format!("Asking DNS for the servers of {}.", aor.domain), Role::Plain))
        }
        Step::Found(aor) => {
            let next = "Enter signs in. The password is asked for once a server is verified.";
            lines.extend(say(next, Role::Dim));
            lines.extend(say(
                &format!("Servers of {}, in the order they are tried:", aor.domain),
                Role::Plain,
            ));
            for found in &state.found {
                lines.extend(say(&format!("{} {found}", look.glyphs.dot), Role::Plain));
            }
        }
        Step::Server(aor, _) => {
            // A name server that is silent has not said that there is none.
            let silent = state.complaint.is_some();
            let verdict = if silent { "DNS could not be asked about" } else { "DNS names no server for" };
            lines.extend(say(&format!("{verdict} {}.", aor.domain), Role::Plain));
            lines.extend(say("Name one yourself, as host or host:port:", Role::Plain));
        }
    }
    if let Step::Address(field) | Step::Server(_, field) = &state.step {
        lines.extend([Line::from(""), typed(field, look), Line::from("")]);
    }
    if let Step::Address(_) = &state.step {
        lines.extend(say("Enter asks DNS where its server is; nothing else is needed yet.", Role::Dim));
        if !look.glyphs.ascii {
            lines.extend(say(
                "If ● → ▶ are not a dot, an arrow and a triangle, start with --ascii.",
                Role::Dim,
            ));
        }
    }
    if let Some(complaint) = &state.complaint {
        lines.extend(say(complaint.as_str(), Role::Warn));
    }
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = clear_box(area, (WIDTH, height), look, buf);
    let inner = Pane::new("Add an account").note("Esc cancels").focused(true).draw(area, look, buf);
    write_lines(&lines, 0, inner, buf);
}

fn typed(field: &Filter, look: &Look) -> Line<'static> {
    Line::from(vec![
        look.say("> ", Role::Key),
        Span::raw(field.shown().as_str().to_owned()),
        Span::styled(" ", look.style(Role::Focus)),
    ])
}

/// Columns of the box.
const WIDTH: u16 = 74;
