//! The one place where the model changes: a message and the time in, effects out; no I/O, no clock.

mod look;
mod mouse;

pub(crate) use look::apply_look;
use look::resize;

use crate::effect::Effect;
use crate::keys::{Action, Chord, Held, Key};
use crate::model::{Clock, Model, Overlay, Toast};
use crate::msg::{Msg, Reloaded};
use crate::place::Screen;
use crate::screen::{palette, password, save, stage, wizard};
use crate::text::{ScreenText, screen_text};
use crate::words::{News, Weight};

/// Takes one message.
pub(crate) fn update(model: &mut Model, msg: Msg, now: Clock) -> Vec<Effect> {
    model.clock = now;
    let written = model.tasks.written();
    let mut effects = handle(model, msg);
    effects.extend(aloud(model, written));
    effects
}

fn handle(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let now = model.clock;
    if model.toast.as_ref().is_some_and(|toast| toast.until <= now.since_start) {
        model.toast = None;
    }
    match msg {
        Msg::Key(chord) => return handle_key(model, chord),
        Msg::Pasted(text) => handle_paste(model, &text),
        Msg::Resized { columns, rows } => resize(model, columns, rows),
        Msg::Tick => {}
        Msg::Account(msg) => {
            let told = model.accounts.handle(msg, now.since_start);
            tell_some(model, told);
        }
        Msg::Traced(entries) => model.trace.take(entries),
        Msg::Task(msg) => {
            let told = model.tasks.handle(msg, now.since_start);
            tell_some(model, told);
        }
        Msg::Stage(msg) => handle_stage(model, msg),
        Msg::Asked(mut request) => {
            let card = model.accounts.cards.iter().find(|card| card.id == request.account);
            request.aor = card.map(|card| card.aor.clone()).unwrap_or_default();
            model.overlays.push(Overlay::Consent(request));
        }
        Msg::PasswordWanted(request) => ask_password(model, request),
        Msg::PasswordWithdrawn(id) => model.overlays.retain(|overlay| !overlay.asks_password(id)),
        Msg::Wizard(report) => {
            for overlay in &mut model.overlays {
                if let Overlay::Wizard(state) = overlay {
                    state.report(report.clone());
                }
            }
        }
        Msg::Clicked { column, row } => return click(model, column, row),
        Msg::Scrolled { up } => return scroll(model, up),
        Msg::ReloadWanted => return act(model, Action::Reload),
        Msg::Reloaded(reloaded) => take_configuration(model, *reloaded),
        Msg::NotReloaded(trouble) => tell(model, News::from(&trouble)),
        Msg::Vacant(entry) => return vec![Effect::Admit(entry)],
        Msg::Setting(msg) => {
            let told = model.settings.handle(msg);
            apply_look(model);
            tell(model, told);
        }
        Msg::Ended => return leave(model),
    }
    Vec::new()
}

/// Writes into the log and, if it is loud enough, into the toast.
pub(crate) fn tell(model: &mut Model, news: News) {
    model.tasks.log(news.clone(), model.clock.wall);
    if news.weight >= Weight::Notice {
        let until = model.clock.since_start + if news.weight == Weight::Warning { LOUD } else { SOFT };
        // A refusal must be read before the sentence that follows it takes its place.
        let shown = model.toast.as_ref().map(|toast| toast.news.weight);
        if shown != Some(Weight::Warning) || news.weight >= Weight::Success {
            model.toast = Some(Toast { news, until });
        }
    }
}

/// A login that asks once more takes the place of the one before; what is typed already stays.
fn ask_password(model: &mut Model, request: password::Request) {
    for overlay in &mut model.overlays {
        if let Overlay::Password(state) = overlay
            && state.request.aor == request.aor
        {
            state.request = request;
            return;
        }
    }
    model.overlays.push(Overlay::Password(password::State::new(request)));
}

/// What was told since then, said beside the screen where that is wanted.
fn aloud(model: &Model, written: usize) -> Vec<Effect> {
    let config = &model.settings.config;
    let (announce, bell) = (config.flag("ui.announce"), config.flag("ui.bell"));
    let mut effects = Vec::new();
    for line in model.tasks.since(written).filter(|line| line.news.weight >= Weight::Notice) {
        if bell && line.news.weight == Weight::Warning {
            effects.push(Effect::Bell);
        }
        if announce {
            let code = line.news.code.map(|code| format!("{code} ")).unwrap_or_default();
            effects.push(Effect::Announce(screen_text!("{code}{}", line.news.text)));
        }
    }
    effects
}

fn tell_some(model: &mut Model, told: Option<News>) {
    if let Some(told) = told {
        tell(model, told);
    }
}

fn handle_stage(model: &mut Model, msg: stage::Msg) {
    match msg {
        stage::Msg::Raised(acts) => model.stage = Some(stage::State { acts, servers: Vec::new() }),
        stage::Msg::Servers(servers) => {
            if let Some(stage) = &mut model.stage {
                stage.servers = servers;
            }
        }
        stage::Msg::Noted(text) => tell(model, News::plain(Weight::Detail, text)),
        // What a key did is read before what follows from it.
        stage::Msg::Told(text) => tell(model, News::plain(Weight::Success, text)),
    }
}

fn handle_key(model: &mut Model, chord: Chord) -> Vec<Effect> {
    if let Some(overlay) = model.overlays.pop() {
        return handle_overlay(model, overlay, chord);
    }
    // Whoever types must not run commands.
    let typed = match model.place.screen() {
        Screen::Trace if model.trace.filter.typing => {
            model.trace.handle_typing(chord);
            Some(Ok(Vec::new()))
        }
        Screen::Help if model.help.filter.typing => {
            model.help.handle_typing(chord);
            Some(Ok(Vec::new()))
        }
        Screen::Settings if model.settings.edit.is_some() => Some(model.settings.handle_typing(chord)),
        _ => None,
    };
    if let Some(outcome) = typed {
        return settle(model, outcome);
    }
    if let (Key::Char(key), Held::Nothing) = (chord.key, chord.held)
        && model.place.screen() == Screen::Accounts
        && model.stage.as_ref().is_some_and(|stage| stage.knows(key))
    {
        return vec![Effect::Stage(key)];
    }
    match model.keys.action(model.place.screen().mode(), chord) {
        Some(action) => act(model, action),
        None => {
            let mode = model.place.screen().mode();
            let help =
                model.keys.chord(mode, Action::Help).map(|chord| chord.to_string()).unwrap_or_default();
            tell(
                model,
                News::plain(Weight::Notice, screen_text!("{chord} does nothing here; {help} lists the keys")),
            );
            Vec::new()
        }
    }
}

fn handle_overlay(model: &mut Model, overlay: Overlay, chord: Chord) -> Vec<Effect> {
    match overlay {
        Overlay::Leaving => model.overlays.push(Overlay::Leaving),
        Overlay::Palette(mut state) => match state.handle(chord) {
            palette::Verdict::Stay => model.overlays.push(Overlay::Palette(state)),
            chosen => return run(model, chosen),
        },
        Overlay::Save(state) => match state.handle(chord) {
            save::Verdict::Stay => model.overlays.push(Overlay::Save(state)),
            save::Verdict::Close => {}
            save::Verdict::Save(effect) => return vec![effect],
        },
        Overlay::Consent(request) => match request.handle(chord) {
            Some(effect) => return vec![effect],
            None => model.overlays.push(Overlay::Consent(request)),
        },
        Overlay::Password(mut state) => match state.handle(chord) {
            Some(effect) => return vec![effect],
            None => model.overlays.push(Overlay::Password(state)),
        },
        Overlay::Wizard(mut state) => match state.handle(chord) {
            wizard::Verdict::Close => {}
            wizard::Verdict::Finish(request) => return vec![Effect::Wizard(request)],
            wizard::Verdict::Stay => model.overlays.push(Overlay::Wizard(state)),
            wizard::Verdict::Ask(request) => {
                model.overlays.push(Overlay::Wizard(state));
                return vec![Effect::Wizard(request)];
            }
        },
    }
    Vec::new()
}

/// Runs what was chosen in the palette.
fn run(model: &mut Model, chosen: palette::Verdict) -> Vec<Effect> {
    match chosen {
        palette::Verdict::Stay | palette::Verdict::Close => Vec::new(),
        palette::Verdict::Run(palette::Command::Action(action)) => act(model, action),
        palette::Verdict::Run(palette::Command::Stage(key)) => vec![Effect::Stage(key)],
    }
}

fn click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    match mouse::click(model, column, row) {
        mouse::Click::Taken => Vec::new(),
        mouse::Click::Act(action) => act(model, action),
        mouse::Click::Chosen(chosen) => run(model, chosen),
        mouse::Click::Effect(effect) => vec![effect],
    }
}

/// A notch of the wheel is as if the arrow key was pressed a few times.
fn scroll(model: &mut Model, up: bool) -> Vec<Effect> {
    let (key, action) = if up { (Key::Up, Action::Up) } else { (Key::Down, Action::Down) };
    let over = !model.overlays.is_empty();
    let once = |_| if over { handle_key(model, Chord::plain(key)) } else { act(model, action) };
    (0..NOTCH).flat_map(once).collect()
}

fn handle_paste(model: &mut Model, text: &str) {
    match model.overlays.last_mut() {
        Some(Overlay::Password(state)) => state.paste(text),
        Some(Overlay::Palette(state)) => state.input.paste(text),
        Some(Overlay::Wizard(state)) => {
            if let Some(field) = state.field() {
                field.paste(text);
            }
        }
        Some(Overlay::Consent(_) | Overlay::Save(_) | Overlay::Leaving) => {}
        None => match model.place.screen() {
            Screen::Trace if model.trace.filter.typing => model.trace.filter.paste(text),
            Screen::Help if model.help.filter.typing => model.help.filter.paste(text),
            Screen::Settings => {
                if let Some(edit) = &mut model.settings.edit {
                    edit.paste(text);
                }
            }
            Screen::Accounts | Screen::Trace | Screen::Tasks | Screen::Help => {}
        },
    }
}

/// Runs an action: those of the whole phone here, the others on the screen in sight.
fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return leave(model),
        Action::Help => {
            let screen = model.place.screen();
            if screen == Screen::Help {
                model.place.swap();
            } else {
                model.help.about = Some(screen.mode());
                model.place.go(Screen::Help);
            }
        }
        Action::Palette => {
            let acts = model.stage.as_ref().map(|stage| stage.acts.clone()).unwrap_or_default();
            model.overlays.push(Overlay::Palette(palette::State::new(acts)));
        }
        Action::AddAccount => model.overlays.push(Overlay::Wizard(Box::new(wizard::State::new()))),
        Action::ShowAccounts => model.place.go(Screen::Accounts),
        Action::ShowTrace => model.place.go(Screen::Trace),
        Action::ShowTasks => model.place.go(Screen::Tasks),
        Action::ShowSettings => model.place.go(Screen::Settings),
        Action::NextPane => step_screen(model, 1),
        Action::PreviousPane => step_screen(model, Screen::ALL.len() - 1),
        Action::HistoryBack => {
            model.place.back();
        }
        Action::HistoryForward => {
            model.place.forward();
        }
        Action::LastView => model.place.swap(),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::CopyDiagnostics => {
            let told = screen_text!("a report without secrets is in the terminal's clipboard");
            tell(model, News::plain(Weight::Notice, told));
            return vec![Effect::Copy(crate::view::diagnostics(model))];
        }
        Action::Reload => return vec![Effect::Reload(Box::new(model.settings.config.clone()))],
        Action::SaveTrace => {
            let entries = model.trace.numbers();
            if entries.is_empty() {
                tell(model, News::plain(Weight::Warning, ScreenText::of("nothing is traced yet")));
            } else {
                model.overlays.push(Overlay::Save(save::State { entries }));
            }
        }
        Action::Back => back(model),
        other => return act_on_screen(model, other),
    }
    Vec::new()
}

fn act_on_screen(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = usize::from(model.place.rows.saturating_sub(6)).max(1);
    // Account commands of the palette work from anywhere.
    let on_accounts = matches!(
        action,
        Action::SignIn
            | Action::SignOut
            | Action::Options
            | Action::WhoAmI
            | Action::Journey
            | Action::TestCredentials
    );
    if action == Action::Journey {
        model.place.go(Screen::Accounts);
    }
    let outcome = match model.place.screen() {
        _ if on_accounts => model.accounts.act(action),
        Screen::Accounts => model.accounts.act(action),
        Screen::Trace => model.trace.act(action, page),
        Screen::Tasks => model.tasks.act(action, page),
        Screen::Settings => model.settings.act(action),
        Screen::Help => model.help.act(action, page),
    };
    // What was said about the first mark is settled by the second.
    if action == Action::Mark && model.trace.marked().is_some() {
        model.toast = None;
    }
    settle(model, outcome)
}

fn settle(model: &mut Model, outcome: Result<Vec<Effect>, News>) -> Vec<Effect> {
    outcome.unwrap_or_else(|news| {
        tell(model, news);
        Vec::new()
    })
}

fn back(model: &mut Model) {
    if model.toast.take().is_some() {
        return;
    }
    match model.place.screen() {
        Screen::Accounts => model.accounts.zoomed = false,
        Screen::Trace => {
            if !model.trace.back() {
                model.place.go(Screen::Accounts);
            }
        }
        Screen::Help if !model.help.filter.value().is_empty() => model.help.filter.clear(),
        Screen::Tasks | Screen::Settings | Screen::Help => {
            model.place.back();
        }
    }
}

fn step_screen(model: &mut Model, by: usize) {
    let at = Screen::ALL.iter().position(|screen| *screen == model.place.screen()).unwrap_or(0);
    model.place.go(Screen::ALL[(at + by) % Screen::ALL.len()]);
}

fn leave(model: &mut Model) -> Vec<Effect> {
    model.overlays = vec![Overlay::Leaving];
    vec![Effect::Leave]
}

/// The configuration as it is written now; what is odd about it is told.
fn take_configuration(model: &mut Model, reloaded: Reloaded) {
    model.settings.config = reloaded.config;
    model.keys = reloaded.keys;
    apply_look(model);
    tell(model, News::plain(Weight::Success, reloaded.told));
    for remark in reloaded.remarks {
        tell(model, News::plain(Weight::Warning, remark));
    }
}

/// Lines of one notch.
const NOTCH: usize = 3;
const SOFT: std::time::Duration = std::time::Duration::from_secs(6);
const LOUD: std::time::Duration = std::time::Duration::from_secs(12);

#[cfg(test)]
mod tests;
