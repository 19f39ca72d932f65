//! Keys in, effects out: the phone without terminal, clock or network.

use std::time::Duration;

use homing::redirect::Decision;
use homing::{AccountEvent, AccountId, AccountState, Aor};

use super::*;
use crate::effect::Search;
use crate::keys::Keymap;
use crate::look::{ColorMode, Look, Theme, ThemeName};
use crate::screen::{accounts, consent, settings};
use crate::text::ScreenText;

const ALICE: AccountId = AccountId(1);

fn at(seconds: u64) -> Clock {
    Clock { since_start: Duration::from_secs(seconds), wall: Duration::from_secs(1_700_000_000 + seconds) }
}

fn phone() -> Model {
    let look = Look::new(Theme { name: ThemeName::Default, mode: ColorMode::Never }, false);
    let mut model = Model::new(look, Keymap::default(), settings::State::default());
    let aor = Aor::parse("alice@network.com").expect("an address");
    update(&mut model, Msg::Account(accounts::Msg::Added { id: ALICE, aor }), at(0));
    model
}

fn become_registered(model: &mut Model) {
    let what = AccountEvent::StateChanged { from: AccountState::Offline, to: AccountState::Registered };
    update(model, Msg::Account(accounts::Msg::Happened { id: ALICE, what }), at(1));
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
    model.toast.as_ref().map(|toast| toast.news.text.to_string()).unwrap_or_default()
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
    assert_eq!(model.place.screen(), Screen::Trace);
    press(&mut model, "]");
    assert_eq!(model.place.screen(), Screen::Tasks);
    press(&mut model, "- -");
    assert_eq!(model.place.screen(), Screen::Tasks);
    press(&mut model, "? ?");
    assert_eq!(model.place.screen(), Screen::Tasks);
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
    assert!(matches!(&effects[..], [Effect::Wizard(Search::Create { server, .. })] if server.is_empty()));
    assert!(model.overlays.is_empty());
}

#[test]
fn a_warning_stays_in_sight_until_it_is_settled_or_old() {
    let mut model = phone();
    tell(&mut model, News::plain(Weight::Warning, ScreenText::of("refused")));
    tell(&mut model, News::plain(Weight::Notice, ScreenText::of("by the way")));
    assert_eq!(told(&model), "refused");
    tell(&mut model, News::plain(Weight::Success, ScreenText::of("signed in")));
    assert_eq!(told(&model), "signed in");
    update(&mut model, Msg::Tick, at(60));
    assert_eq!(told(&model), "");
    assert_eq!(model.tasks.written(), 3);
}

#[test]
fn a_setting_is_flipped_and_holds_at_once() {
    let mut model = phone();
    let effects = press(&mut model, "9 Down Down Enter");
    let [Effect::SaveSetting { path, value }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((path.as_str(), value.as_bool()), ("ui.ascii", Some(true)));
    let saved = settings::Msg::Saved { path: path.clone(), value: value.clone() };
    update(&mut model, Msg::Setting(saved), at(3));
    assert!(model.look.glyphs.ascii);
}
