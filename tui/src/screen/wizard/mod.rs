//! The wizard: one address is typed, DNS is asked, the account signs in, and is kept once a server accepted it.

use homing::{AccountEvent, AccountId, AccountState, Aor};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::effect::Search;
use crate::keys::{Chord, Key};
use crate::messages::Problem;
use crate::text::{ScreenText, screen_text};
use crate::theme::{Role, Theme};
use crate::widget::{Filter, Pane, clear_box, wrap_words, write_lines};

/// How far the wizard is.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) step: Step,
    /// The address as it was typed, transport and port included.
    written: String,
    pub(crate) found: Vec<ScreenText>,
    pub(crate) complaint: Option<ScreenText>,
    /// The account that was made.
    account: Option<AccountId>,
    /// It is kept even if it cannot sign in.
    keep: Keep,
}

/// Whether an account is kept that never signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    No,
    Yes,
    /// It is written already.
    Done,
}

/// What is typed or waited for now.
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
    /// The account signs in.
    SigningIn,
    /// It could not; the complaint says why.
    Failed,
    /// It is signed in at this server.
    SignedIn(ScreenText),
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// The servers in the order in which they will be tried, with the reason of each pick.
    Plan(Result<Vec<ScreenText>, Problem>),
    /// The account is there and signs in, or there can be none like this.
    Created(Result<AccountId, Problem>),
}

/// What a key did to the wizard.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Stay,
    Close,
    Ask(Search),
    /// Ask and close.
    Finish(Search),
    /// Sign this account in once more.
    Again(AccountId),
}

impl State {
    /// An empty address.
    pub(crate) fn new() -> Self {
        Self {
            step: Step::Address(Filter::typing("")),
            written: String::new(),
            found: Vec::new(),
            complaint: None,
            account: None,
            keep: Keep::No,
        }
    }

    /// The field that is typed into.
    pub(crate) fn field(&mut self) -> Option<&mut Filter> {
        match &mut self.step {
            Step::Address(field) | Step::Server(_, field) => Some(field),
            Step::Looking(_) | Step::Found(_) | Step::SigningIn | Step::Failed | Step::SignedIn(_) => None,
        }
    }

    /// Takes a key.
    pub(crate) fn handle_key(&mut self, chord: Chord) -> Verdict {
        if chord.key == Key::Esc {
            return self.close();
        }
        if chord.key == Key::Tab {
            self.keep = match self.keep {
                Keep::No => Keep::Yes,
                Keep::Yes => Keep::No,
                Keep::Done => Keep::Done,
            };
            return Verdict::Stay;
        }
        // Whatever else is typed, it does nothing here and is no command of the phone.
        if chord.key != Key::Enter {
            if let Some(field) = self.field() {
                field.handle(chord);
                self.complaint = None;
            }
            return Verdict::Stay;
        }
        match &self.step {
            Step::Address(field) => match Aor::read(field.value().trim()).map(Aor::from) {
                Ok(aor) => {
                    field.value().trim().clone_into(&mut self.written);
                    self.step = Step::Looking(aor.clone());
                    Verdict::Ask(Search::Discover(aor))
                }
                Err(error) => {
                    self.complaint = Some(ScreenText::from_display(&error));
                    Verdict::Stay
                }
            },
            Step::Looking(_) | Step::SigningIn => Verdict::Stay,
            Step::Found(_) => self.create(String::new()),
            Step::Server(_, field) if !field.value().trim().is_empty() => {
                let server = field.value().trim().to_owned();
                self.create(server)
            }
            Step::Server(..) => Verdict::Stay,
            Step::Failed => match self.account {
                Some(account) => {
                    self.step = Step::SigningIn;
                    Verdict::Again(account)
                }
                None => Verdict::Close,
            },
            Step::SignedIn(_) => Verdict::Close,
        }
    }

    /// Has the account made and signs in.
    fn create(&mut self, server: String) -> Verdict {
        let keep = self.keep != Keep::No;
        if keep {
            self.keep = Keep::Done;
        }
        self.step = Step::SigningIn;
        self.complaint = None;
        Verdict::Ask(Search::Create { address: self.written.clone(), server, keep })
    }

    /// An account that did not sign in is forgotten, unless it is to be kept.
    fn close(&self) -> Verdict {
        match (&self.step, self.account, self.keep) {
            (Step::SigningIn | Step::Failed, Some(account), Keep::No) => {
                Verdict::Finish(Search::Discard(account))
            }
            (Step::SigningIn | Step::Failed, Some(account), Keep::Yes) => {
                Verdict::Finish(Search::Keep(account))
            }
            _ => Verdict::Close,
        }
    }

    /// Takes what was found or made.
    pub(crate) fn report(&mut self, report: Report) {
        match report {
            Report::Plan(plan) => self.take_plan(plan),
            Report::Created(Ok(account)) => self.account = Some(account),
            Report::Created(Err(problem)) => self.fail(&problem),
        }
    }

    /// Takes what happened to the account that was made.
    pub(crate) fn handle(&mut self, id: AccountId, event: &AccountEvent) {
        if self.account != Some(id) {
            return;
        }
        match event {
            AccountEvent::Registered(registered) => {
                self.complaint = None;
                self.step = Step::SignedIn(ScreenText::from_display(&registered.home));
            }
            AccountEvent::LoginFailed { failure, .. } => self.fail(&Problem::from(&failure.error)),
            // It tries again by itself.
            AccountEvent::StateChanged {
                to: AccountState::Resolving | AccountState::Connecting | AccountState::Registering,
                ..
            } if matches!(self.step, Step::Failed) => {
                self.complaint = None;
                self.step = Step::SigningIn;
            }
            _ => {}
        }
    }

    fn fail(&mut self, problem: &Problem) {
        self.step = Step::Failed;
        self.complaint = Some(screen_text!("{} {}. {}", problem.code, problem.sentence, problem.hint));
    }

    fn take_plan(&mut self, plan: Result<Vec<ScreenText>, Problem>) {
        let Step::Looking(aor) = &self.step else { return };
        match plan {
            Ok(found) if !found.is_empty() => {
                self.step = Step::Found(aor.clone());
                self.found = found;
                self.complaint = None;
            }
            Ok(_) => self.step = Step::Server(aor.clone(), Filter::typing("")),
            Err(problem) => {
                self.complaint = Some(screen_text!("{} {}", problem.code, problem.sentence));
                self.step = Step::Server(aor.clone(), Filter::typing(""));
            }
        }
    }
}

/// Draws the wizard.
pub(crate) fn draw(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let room = usize::from(WIDTH.min(area.width)).saturating_sub(2);
    let mut lines: Vec<Line<'_>> = Vec::new();
    for (text, role) in said(state, theme) {
        let broken = wrap_words(&text, room).into_iter();
        lines.extend(broken.map(|line| Line::from(Span::styled(line, theme.style(role)))));
        // What is typed stands below the question.
        if let (Role::Key, Step::Address(field) | Step::Server(_, field)) = (role, &state.step) {
            lines.pop();
            lines.extend([Line::from(""), typed(field, theme), Line::from("")]);
        }
    }
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = clear_box(area, (WIDTH, height), theme, buf);
    let note = if matches!(state.step, Step::SignedIn(_)) { "Enter closes" } else { "Esc cancels" };
    let inner = Pane::new("Add an account").note(note).focused(true).draw(area, theme, buf);
    write_lines(&lines, 0, inner, buf);
}

/// The sentences of a step; [`Role::Key`] stands where something is typed.
fn said(state: &State, theme: &Theme) -> Vec<(String, Role)> {
    let mut said = match &state.step {
        Step::Address(_) => {
            let mut said = vec![
                ("Your SIP address, for example alice@corp.example".to_owned(), Role::Plain),
                (FIELD.to_owned(), Role::Key),
                ("Enter asks DNS where its server is; nothing else is needed yet.".to_owned(), Role::Dim),
            ];
            if !theme.glyphs.ascii {
                let test = "If ● → ▶ are not a dot, an arrow and a triangle, start with --ascii.";
                said.push((test.to_owned(), Role::Dim));
            }
            said
        }
        Step::Looking(aor) => vec![(format!("Asking DNS for the servers of {}.", aor.domain), Role::Plain)],
        Step::Found(aor) => found(state, theme, aor),
        Step::Server(aor, _) => {
            // A name server that is silent has not said that there is none.
            let silent = state.complaint.is_some();
            let verdict = if silent { "DNS could not be asked about" } else { "DNS names no server for" };
            vec![
                (format!("{verdict} {}.", aor.domain), Role::Plain),
                ("Name one yourself, as host or host:port:".to_owned(), Role::Plain),
                (FIELD.to_owned(), Role::Key),
                (kept(state), Role::Dim),
            ]
        }
        Step::SigningIn => {
            vec![(format!("Signing in as {}.", state.written), Role::Plain), (kept(state), Role::Dim)]
        }
        Step::Failed => {
            let why = state.complaint.as_ref().map(ToString::to_string).unwrap_or_default();
            return vec![
                (format!("{} is not signed in.", state.written), Role::Plain),
                (why, Role::Warn),
                ("Enter tries again; Esc gives up.".to_owned(), Role::Dim),
                (kept(state), Role::Dim),
            ];
        }
        Step::SignedIn(home) => {
            let signed_in = format!("{} is signed in at {home}.", state.written);
            vec![(signed_in, Role::Plain), ("The account is kept.".to_owned(), Role::Plain)]
        }
    };
    said.extend(state.complaint.iter().map(|complaint| (complaint.to_string(), Role::Warn)));
    said
}

fn found(state: &State, theme: &Theme, aor: &Aor) -> Vec<(String, Role)> {
    let next = "Enter signs in. The password is asked for once a server is verified.";
    let servers = format!("Servers of {}, in the order they are tried:", aor.domain);
    let mut said = vec![(next.to_owned(), Role::Dim), (kept(state), Role::Dim), (servers, Role::Plain)];
    said.extend(state.found.iter().map(|found| (format!("{} {found}", theme.glyphs.dot), Role::Plain)));
    said
}

/// Whether an account that cannot sign in is kept.
fn kept(state: &State) -> String {
    match state.keep {
        Keep::No => "Tab: [ ] keep the account even if it cannot sign in".to_owned(),
        Keep::Yes => "Tab: [x] keep the account even if it cannot sign in".to_owned(),
        Keep::Done => "The account is kept.".to_owned(),
    }
}

fn typed(field: &Filter, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        theme.say("> ", Role::Key),
        Span::raw(field.shown().as_str().to_owned()),
        Span::styled(" ", theme.style(Role::Focus)),
    ])
}

/// Columns of the box.
const WIDTH: u16 = 74;
/// Stands for the field in [`said`].
const FIELD: &str = ">";
