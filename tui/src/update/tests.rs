//! Keys in, effects out: the phone without terminal, clock or network.

use std::time::Duration;

use homing::redirect::Decision;
use homing::{AccountEvent, AccountId, AccountState, Aor};

mod calls;

use super::*;
use crate::effect::Search;
use crate::messages::Problem;
use crate::msg::{AccountMsg, TaskEnd, TaskMsg};
use crate::screen::{consent, default_keymap, settings};
use crate::text::ScreenText;
use crate::theme::{ColorMode, ColorTheme, Theme, ThemeName};

const ALICE: AccountId = AccountId(1);

fn at(seconds: u64) -> Clock {
    Clock { since_start: Duration::from_secs(seconds), wall: Duration::from_secs(1_700_000_000 + seconds) }
}

fn phone() -> Model {
    let theme = Theme::new(ColorTheme { name: ThemeName::Default, mode: ColorMode::Never }, false);
    let mut model = Model::new(theme, default_keymap(), settings::State::default());
    let aor = Aor::parse("alice@network.com").expect("an address");
    update(&mut model, Msg::Account(AccountMsg::Added { id: ALICE, aor }), at(0));
    model
}

fn become_registered(model: &mut Model) {
    let what = AccountEvent::StateChanged { from: AccountState::Offline, to: AccountState::Registered };
    update(model, Msg::Account(AccountMsg::Happened { id: ALICE, what }), at(1));
}

/// Presses keys as they are written in the key file, separated by spaces; the last effects count.
fn press(model: &mut Model, keys: &str) -> Vec<Effect> {
    let chords = keys.split(' ').map(|key| Chord::parse(key).expect("a key"));
    chords.fold(Vec::new(), |_, chord| update(model, Msg::Key(chord), at(2)))
}

fn spell(model: &mut Model, text: &str) {
    for c in text.chars() {
        update(model, Msg::Key(Chord::char(c)), at(2));
    }
}

fn told(model: &Model) -> String {
    model.toast.as_ref().map(|toast| toast.notification.text.to_string()).unwrap_or_default()
}

#[test]
fn keys_ask_for_what_they_say() {
    let mut model = phone();
    assert!(matches!(press(&mut model, "R")[..], [Effect::SignIn(ALICE)]));
    assert!(press(&mut model, "U").is_empty());
    assert!(told(&model).contains("not signed in"), "a key that makes no sense says why");
    become_registered(&mut model);
    assert!(matches!(press(&mut model, "U")[..], [Effect::SignOut(ALICE)]));
    assert!(matches!(press(&mut model, "O")[..], [Effect::Options(ALICE)]));
    assert!(matches!(press(&mut model, "Ctrl-L")[..], [Effect::Redraw]));
    assert!(matches!(press(&mut model, "F12")[..], [Effect::Copy(_)]));
    assert!(matches!(press(&mut model, "q")[..], [Effect::Leave]));
}

#[test]
fn the_palette_finds_a_command_from_anywhere() {
    let mut model = phone();
    press(&mut model, "6 :");
    spell(&mut model, "sign-in");
    assert!(matches!(press(&mut model, "Enter")[..], [Effect::SignIn(ALICE)]));
    press(&mut model, ": q Esc");
    assert!(model.overlays.is_empty(), "typing in the palette runs nothing");
}

#[test]
fn views_are_walked_to_and_fro() {
    let mut model = phone();
    press(&mut model, "6 8 [");
    assert_eq!(model.navigation.screen(), Screen::Trace);
    press(&mut model, "]");
    assert_eq!(model.navigation.screen(), Screen::Tasks);
    press(&mut model, "- -");
    assert_eq!(model.navigation.screen(), Screen::Tasks);
    press(&mut model, "? ?");
    assert_eq!(model.navigation.screen(), Screen::Tasks);
}

#[test]
fn a_typed_password_answers_its_question_and_prints_nowhere() {
    let mut model = phone();
    let request = password::Request {
        id: 7,
        aor: ScreenText::of("alice"),
        server: ScreenText::of("lb"),
        refused_before: false,
    };
    update(&mut model, Msg::PasswordWanted(request), at(1));
    spell(&mut model, "canary-q9?");
    assert!(!format!("{model:?}").contains("canary"));
    let effects = press(&mut model, "Tab Enter");
    assert!(!format!("{effects:?}").contains("canary"));
    let [Effect::Password { id: 7, password: Some(password), keep: true }] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(password.reveal(), "canary-q9?");
    assert!(model.overlays.is_empty());
}

#[test]
fn a_question_that_is_taken_back_leaves_the_screen_while_it_is_typed() {
    let asked = |id, aor| password::Request {
        id,
        aor: ScreenText::of(aor),
        server: ScreenText::of("lb"),
        refused_before: false,
    };
    let mut model = phone();
    update(&mut model, Msg::PasswordWanted(asked(6, "bob")), at(1));
    update(&mut model, Msg::PasswordWanted(asked(7, "alice")), at(1));
    spell(&mut model, "canary-q9?");
    assert!(update(&mut model, Msg::PasswordWithdrawn(7), at(2)).is_empty(), "nothing is answered");
    let [Overlay::Password(left)] = &model.overlays[..] else { panic!("{:?}", model.overlays) };
    assert_eq!(left.request.id, 6, "another account's question stays");
    let effects = press(&mut model, "Enter");
    assert!(effects.is_empty(), "what was typed for one is not sent for the other: {effects:?}");
}

#[test]
fn a_redirect_waits_for_a_yes_or_no() {
    let request = consent::Request {
        id: 3,
        account: ALICE,
        aor: ScreenText::default(),
        from: ScreenText::of("lb"),
        to: ScreenText::of("hs104"),
        signed: true,
        remaining: 4,
    };
    let answers = [
        ("f", Decision::Follow, false),
        ("a", Decision::Follow, true),
        ("s", Decision::Stop, false),
        ("Esc", Decision::Stop, false),
    ];
    for (key, expected, for_good) in answers {
        let mut model = phone();
        update(&mut model, Msg::Asked(request.clone()), at(1));
        assert!(press(&mut model, "q").is_empty(), "other keys decide nothing");
        let effects = press(&mut model, key);
        let [Effect::Consent { id: 3, decision, always }] = effects[..] else { panic!("{effects:?}") };
        assert_eq!((decision, always), (expected, for_good));
    }
}

#[test]
fn the_wizard_asks_dns_and_then_signs_in() {
    let mut model = phone();
    press(&mut model, "+");
    spell(&mut model, "nobody");
    assert!(press(&mut model, "Enter").is_empty(), "no address, no question");
    spell(&mut model, "@corp.example");
    let effects = press(&mut model, "Enter");
    assert!(matches!(&effects[..], [Effect::Wizard(Search::Discover(aor))] if aor.domain == "corp.example"));
    let plan = Ok(vec![ScreenText::of("TLS sip.corp.example:5061")]);
    update(&mut model, Msg::Wizard(wizard::Report::Plan(plan)), at(3));
    let effects = press(&mut model, "Enter");
    assert!(matches!(&effects[..], [Effect::Wizard(Search::Create { address, server, keep: false })]
        if server.is_empty() && address == "nobody@corp.example"));
}

/// A wizard that has made account 1 and waits for it to sign in.
fn signing_in() -> Model {
    let mut model = phone();
    press(&mut model, "+");
    spell(&mut model, "nobody@corp.example");
    press(&mut model, "Enter");
    let plan = Ok(vec![ScreenText::of("TLS sip.corp.example:5061")]);
    update(&mut model, Msg::Wizard(wizard::Report::Plan(plan)), at(3));
    press(&mut model, "Enter");
    update(&mut model, Msg::Wizard(wizard::Report::Created(Ok(MADE))), at(3));
    model
}

fn happened(model: &mut Model, what: AccountEvent) {
    update(model, Msg::Account(AccountMsg::Happened { id: MADE, what }), at(4));
}

fn refused() -> AccountEvent {
    let server = homing::ServerName::new("sip.corp.example", 5061);
    let error = homing::error::LoginError::NoAnswer { server };
    let journey = homing::event::Journey::default();
    let failure = homing::error::LoginFailure { error, journey };
    AccountEvent::LoginFailed { failure, retry_in: None }
}

const MADE: AccountId = AccountId(1);

#[test]
fn keys_typed_while_the_wizard_signs_in_are_no_commands() {
    let mut model = signing_in();
    for keys in ["q", "U", "2", "R", "Ctrl-R", "+"] {
        assert!(press(&mut model, keys).is_empty(), "{keys}");
    }
    assert_eq!(model.overlays.len(), 1);
    happened(&mut model, refused());
    assert!(press(&mut model, "q").is_empty(), "nor after it failed");
    let effects = press(&mut model, "Enter");
    assert!(matches!(effects[..], [Effect::SignIn(MADE)]), "{effects:?}");
    let journey = homing::event::Journey::default();
    let home = homing::ServerName::new("sip.corp.example", 5061);
    let registered = homing::event::Registered { home, expires: 600, gruu: None, journey };
    happened(&mut model, AccountEvent::Registered(registered));
    assert!(press(&mut model, "q").is_empty());
    assert_eq!(model.overlays.len(), 1, "nor after it signed in, until it is closed");
    assert!(press(&mut model, "Enter").is_empty() && model.overlays.is_empty());
}

#[test]
fn an_account_that_never_signed_in_is_forgotten_unless_it_is_to_be_kept() {
    for (keys, kept) in [("Esc", false), ("Tab Esc", true), ("Tab Tab Esc", false)] {
        let mut model = signing_in();
        happened(&mut model, refused());
        let effects = press(&mut model, keys);
        match (&effects[..], kept) {
            ([Effect::Wizard(Search::Keep(MADE))], true) => {}
            ([Effect::Wizard(Search::Discard(MADE))], false) => {}
            other => panic!("{keys}: {other:?}"),
        }
        assert!(model.overlays.is_empty());
    }
}

#[test]
fn a_warning_stays_in_sight_until_it_is_settled_or_old() {
    let mut model = phone();
    notify(&mut model, Notification::plain(Severity::Warning, ScreenText::of("refused")));
    notify(&mut model, Notification::plain(Severity::Info, ScreenText::of("by the way")));
    assert_eq!(told(&model), "refused");
    notify(&mut model, Notification::plain(Severity::Success, ScreenText::of("signed in")));
    assert_eq!(told(&model), "signed in");
    update(&mut model, Msg::Tick, at(60));
    assert_eq!(told(&model), "");
    assert_eq!(model.pages.tasks.written(), 3);
}

#[test]
fn a_setting_is_flipped_and_takes_effect_immediately() {
    let mut model = phone();
    let effects = press(&mut model, "9 Down Down Enter");
    let [Effect::SaveSetting { path, value }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((path.as_str(), value.as_bool()), ("ui.ascii", Some(true)));
    update(&mut model, Msg::Saved { path: path.clone(), value: value.clone() }, at(3));
    assert!(model.theme.glyphs.ascii);
}

#[test]
fn missed_events_do_not_leave_an_old_state_on_the_screen() {
    let mut model = phone();
    become_registered(&mut model);
    let what = ScreenText::of("3 events missed");
    let missed = AccountMsg::Missed { id: ALICE, state: AccountState::LoggedOff, what };
    update(&mut model, Msg::Account(missed), at(2));
    assert_eq!(model.pages.accounts.current().map(|card| card.state), Some(AccountState::LoggedOff));
    assert!(told(&model).contains("missed"), "and that is said: {}", told(&model));
}

#[test]
fn an_outcome_is_told_once() {
    let mut model = phone();
    let ended = |end| Msg::Task(TaskMsg::Ended { id: 1, end });
    let begun = TaskMsg::Begun { id: 1, what: ScreenText::of("OPTIONS") };
    update(&mut model, Msg::Task(begun), at(1));
    update(&mut model, ended(TaskEnd::Done(ScreenText::of("answered"))), at(2));
    // The task was cancelled as it ended.
    update(&mut model, ended(TaskEnd::Done(ScreenText::of("no longer waited for"))), at(3));
    assert_eq!((told(&model).as_str(), model.pages.tasks.written()), ("answered", 1));
    let problem = Problem::new("E0102", &"no", "");
    update(&mut model, Msg::Task(TaskMsg::Begun { id: 2, what: ScreenText::of("sign in") }), at(4));
    update(&mut model, Msg::Task(TaskMsg::Ended { id: 2, end: TaskEnd::FailedAsTold(problem) }), at(5));
    assert_eq!(model.pages.tasks.written(), 1, "the account's event tells it");
}

#[test]
fn every_screen_has_a_digit_and_answers_to_its_name() {
    for screen in Screen::ALL {
        let mut model = phone();
        let before = if screen == Screen::Accounts { "6" } else { "2" };
        press(&mut model, &format!("{before} {}", screen.tab().digit));
        assert_eq!(model.navigation.screen(), screen);
        assert_eq!(Action::parse(screen.tab().word), Some(Action::Show(screen)));
        press(&mut model, "2 6");
        model.navigation.go(screen);
        assert!(
            press(&mut model, "R").is_empty() || screen == Screen::Accounts,
            "R is a key of Accounts only"
        );
    }
}
