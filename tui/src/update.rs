//! The one place where the model changes: a message and the time in, effects out; no I/O, no clock.

mod mouse;
mod overlay;
mod theme;

use overlay::Next;
pub(crate) use theme::apply_theme;
use theme::resize;

use crate::effect::Effect;
use crate::keys::{Action, Chord, Key, Mode, Screen};
use crate::messages::{Notification, Severity};
use crate::model::{Clock, Model, Overlay, Toast};
use crate::msg::{AccountMsg, Msg, Reloaded};
use crate::screen::{Outcome, palette, password, save, wizard};
use crate::text::{ScreenText, screen_text};

/// Takes one message.
pub(crate) fn update(model: &mut Model, msg: Msg, now: Clock) -> Vec<Effect> {
    model.clock = now;
    let written = model.pages.tasks.written();
    let mut effects = handle(model, msg);
    effects.extend(announcements(model, written));
    effects.extend(ring(model));
    effects
}

/// A call that waits for an answer rings, and is told beside the screen once.
fn ring(model: &mut Model) -> Vec<Effect> {
    let now = model.clock.since_start;
    let (untold, bell) = (model.pages.phone.take_untold(), model.pages.phone.take_bell(now));
    let audible = model.pages.settings.config.flag("ui.ring");
    let attention = untold.map(Effect::Attention);
    attention.into_iter().chain((bell && audible).then_some(Effect::Bell)).collect()
}

fn handle(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let now = model.clock.since_start;
    if model.toast.as_ref().is_some_and(|toast| toast.until <= now) {
        model.toast = None;
    }
    for screen in Screen::ALL {
        if let Some(notification) = model.pages.page_mut(screen).handle(&msg, now) {
            notify(model, notification);
        }
    }
    match msg {
        Msg::Key(chord) => return handle_key(model, chord),
        Msg::Pasted(text) => paste(model, &text),
        Msg::Resized { columns, rows } => resize(model, columns, rows),
        Msg::Notify(notification) => notify(model, notification),
        Msg::Asked(mut request) => {
            let card = model.pages.accounts.cards.iter().find(|card| card.id == request.account);
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
        Msg::Clicked { column, row } => {
            let next = mouse::click(model, column, row);
            return follow(model, next);
        }
        Msg::Scrolled { up } => return scroll(model, up),
        Msg::ReloadWanted => return act(model, Action::Reload),
        Msg::Reloaded(reloaded) => take_configuration(model, *reloaded),
        Msg::Vacant(entry) => return vec![Effect::Admit(entry)],
        Msg::Saved { .. } => apply_theme(model),
        Msg::Ended => return leave(model),
        // The pages have taken what they keep of these.
        Msg::Account(AccountMsg::Happened { id, what }) => {
            for overlay in &mut model.overlays {
                if let Overlay::Wizard(state) = overlay {
                    state.handle(id, &what);
                }
            }
        }
        Msg::Tick | Msg::Account(_) | Msg::Call(_) | Msg::Traced(_) | Msg::Task(_) | Msg::Estate(_) => {}
    }
    Vec::new()
}

/// Writes into the log and, if it is severe enough, into the toast.
pub(crate) fn notify(model: &mut Model, notification: Notification) {
    model.pages.tasks.log(notification.clone(), model.clock.wall);
    if notification.severity >= Severity::Info {
        let shown_for = if notification.severity == Severity::Warning { LONG } else { SHORT };
        let until = model.clock.since_start + shown_for;
        // A refusal must be read before the sentence that follows it takes its place.
        let shown = model.toast.as_ref().map(|toast| toast.notification.severity);
        if shown != Some(Severity::Warning) || notification.severity >= Severity::Success {
            model.toast = Some(Toast { notification, until });
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

/// What was written into the log since then, for bell and screen reader where they are wanted.
fn announcements(model: &Model, written: usize) -> Vec<Effect> {
    let config = &model.pages.settings.config;
    let (announce, bell) = (config.flag("ui.announce"), config.flag("ui.bell"));
    let mut effects = Vec::new();
    let lines = model.pages.tasks.since(written);
    for line in lines.filter(|line| line.notification.severity >= Severity::Info) {
        if bell && line.notification.severity == Severity::Warning {
            effects.push(Effect::Bell);
        }
        if announce {
            let code = line.notification.code.map(|code| format!("{code} ")).unwrap_or_default();
            effects.push(Effect::Announce(screen_text!("{code}{}", line.notification.text)));
        }
    }
    effects
}

fn handle_key(model: &mut Model, chord: Chord) -> Vec<Effect> {
    if let Some(action) = for_ringing(model, chord) {
        return act(model, action);
    }
    if let Some(overlay) = model.overlays.pop() {
        let next = overlay::handle_key(model, overlay, chord);
        return follow(model, next);
    }
    let screen = model.navigation.screen();
    if let Some(outcome) = model.pages.page_mut(screen).handle_key(chord) {
        return settle(model, outcome);
    }
    let mode = Mode::On(screen);
    if let Some(action) = model.keys.action(mode, chord) {
        return act(model, action);
    }
    let help = model.keys.chord(mode, Action::Show(Screen::Help)).map(|chord| chord.to_string());
    let text = screen_text!("{chord} does nothing here; {} lists the keys", help.unwrap_or_default());
    notify(model, Notification::plain(Severity::Info, text));
    Vec::new()
}

/// A call that rings is answered or declined whatever else is open; by no key that types a character there.
fn for_ringing(model: &Model, chord: Chord) -> Option<Action> {
    model.pages.phone.ringing()?;
    let action = model.keys.action(Mode::Everywhere, chord).filter(|_| matches!(chord.key, Key::F(_)))?;
    matches!(action, Action::Answer | Action::HangUp).then_some(action)
}

fn follow(model: &mut Model, next: Next) -> Vec<Effect> {
    match next {
        Next::Effects(effects) => effects,
        Next::Act(action) => act(model, action),
    }
}

/// A notch of the wheel is as if the arrow key was pressed a few times.
fn scroll(model: &mut Model, up: bool) -> Vec<Effect> {
    let (key, action) = if up { (Key::Up, Action::Up) } else { (Key::Down, Action::Down) };
    let over = !model.overlays.is_empty();
    let once = |_| if over { handle_key(model, Chord::plain(key)) } else { act(model, action) };
    (0..NOTCH).flat_map(once).collect()
}

fn paste(model: &mut Model, text: &str) {
    match model.overlays.last_mut() {
        Some(overlay) => overlay.paste(text),
        None => {
            if let Some(field) = model.pages.page_mut(model.navigation.screen()).field() {
                field.paste(text);
            }
        }
    }
}

/// Runs an action: those of the whole phone here, the others on their page.
fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return quit(model),
        Action::Show(screen) => show(model, screen),
        Action::Palette => {
            let estate = model.pages.accounts.estate.as_ref();
            let controls = estate.map(|estate| estate.controls.clone()).unwrap_or_default();
            model.overlays.push(Overlay::Palette(palette::State::new(controls)));
        }
        Action::AddAccount => model.overlays.push(Overlay::Wizard(Box::new(wizard::State::new()))),
        Action::NextPane => step_screen(model, 1),
        Action::PreviousPane => step_screen(model, Screen::ALL.len() - 1),
        Action::HistoryBack => {
            model.navigation.back();
        }
        Action::HistoryForward => {
            model.navigation.forward();
        }
        Action::LastView => model.navigation.swap(),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::CopyDiagnostics => {
            let told = ScreenText::of("a report without secrets is in the terminal's clipboard");
            notify(model, Notification::plain(Severity::Info, told));
            return vec![Effect::Copy(crate::view::diagnostics(model))];
        }
        Action::Reload => return vec![Effect::Reload(Box::new(model.pages.settings.config.clone()))],
        Action::SaveTrace => save_trace(model),
        Action::Back => back(model),
        other => return act_on_page(model, other),
    }
    Vec::new()
}

/// Shows a screen; the help is left again by the key that showed it.
fn show(model: &mut Model, screen: Screen) {
    let before = model.navigation.screen();
    match (screen, before) {
        (Screen::Help, Screen::Help) => model.navigation.swap(),
        (Screen::Help, _) => {
            model.pages.help.about = Some(before);
            model.navigation.go(Screen::Help);
        }
        _ => model.navigation.go(screen),
    }
}

fn save_trace(model: &mut Model) {
    let entries = model.pages.trace.numbers();
    if entries.is_empty() {
        let nothing = ScreenText::of("there is no message to save yet");
        notify(model, Notification::plain(Severity::Warning, nothing));
    } else {
        model.overlays.push(Overlay::Save(save::State { entries }));
    }
}

/// On the page that is shown, or on the one that carries the action out from anywhere.
fn act_on_page(model: &mut Model, action: Action) -> Vec<Effect> {
    let rows = usize::from(model.window.rows.saturating_sub(CHROME)).max(1);
    let carries_out = |screen: &Screen| model.pages.page(*screen).carries_out(action);
    let screen = Screen::ALL.into_iter().find(carries_out).unwrap_or(model.navigation.screen());
    if matches!(action, Action::Journey | Action::Dial | Action::Answer) {
        model.navigation.go(screen);
    }
    let outcome = model.pages.page_mut(screen).act(action, rows);
    settle(model, outcome)
}

fn settle(model: &mut Model, outcome: Outcome) -> Vec<Effect> {
    if outcome.settles {
        model.toast = None;
    }
    if let Some(notification) = outcome.notification {
        notify(model, notification);
    }
    outcome.effects
}

fn back(model: &mut Model) {
    if model.toast.take().is_none() && !model.pages.page_mut(model.navigation.screen()).back() {
        model.navigation.back();
    }
}

fn step_screen(model: &mut Model, by: usize) {
    let at = Screen::ALL.iter().position(|screen| *screen == model.navigation.screen()).unwrap_or(0);
    model.navigation.go(Screen::ALL[(at + by) % Screen::ALL.len()]);
}

/// While a call is under way it takes the key twice: one that was meant for something else ends no call.
fn quit(model: &mut Model) -> Vec<Effect> {
    if model.pages.phone.is_to_be_left(model.clock.since_start) {
        return leave(model);
    }
    let text = ScreenText::of("a call is under way; the same key once more hangs up and leaves");
    notify(model, Notification::plain(Severity::Warning, text));
    Vec::new()
}

fn leave(model: &mut Model) -> Vec<Effect> {
    model.overlays = vec![Overlay::Leaving];
    vec![Effect::Leave]
}

/// The configuration as it is written now; what is odd about it is told.
fn take_configuration(model: &mut Model, reloaded: Reloaded) {
    model.pages.settings.config = reloaded.config;
    model.keys = reloaded.keys;
    apply_theme(model);
    notify(model, Notification::plain(Severity::Success, reloaded.told));
    for remark in reloaded.remarks {
        notify(model, Notification::plain(Severity::Warning, remark));
    }
}

/// Lines of one notch.
const NOTCH: usize = 3;
/// Rows around the lines of a page.
const CHROME: u16 = 6;
const SHORT: std::time::Duration = std::time::Duration::from_secs(6);
const LONG: std::time::Duration = std::time::Duration::from_secs(12);

#[cfg(test)]
mod tests;
