//! Pictures of the phone at every size, and the proof that nothing hostile reaches a cell.

use std::time::Duration;

use homing::{
    AccountEvent, AccountId, AccountState, Aor, Arrival, Hop, HopVerdict, Journey, LoginError, LoginFailure,
    Price, RedirectError, Registered, Scheme, ServerName, Transport,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keys::{Chord, Key, Keymap};
use crate::look::{ColorMode, Look, Theme, ThemeName};
use crate::model::{Clock, Model};
use crate::msg::Msg;
use crate::screen::trace::{Entry, Tapped};
use crate::screen::{accounts, settings, stage};
use crate::text::ScreenText;
use crate::text::tests::{HOSTILE, is_harmless};
use crate::update::update;

const ALICE: AccountId = AccountId(1);

fn now() -> Clock {
    Clock { since_start: Duration::from_secs(10), wall: Duration::from_secs(1_705_564_800) }
}

fn phone(columns: u16, rows: u16) -> Model {
    with_look(columns, rows, ColorMode::Sixteen, false)
}

fn with_look(columns: u16, rows: u16, mode: ColorMode, ascii: bool) -> Model {
    let look = Look::new(Theme { name: ThemeName::Default, mode }, ascii);
    let mut model = Model::new(look, Keymap::default(), settings::State::default());
    tell(&mut model, Msg::Resized { columns, rows });
    model
}

fn tell(model: &mut Model, msg: Msg) {
    update(model, msg, now());
}

fn press(model: &mut Model, keys: &str) {
    for c in keys.chars() {
        tell(model, Msg::Key(Chord::char(c)));
    }
}

fn happen(model: &mut Model, what: AccountEvent) {
    tell(model, Msg::Account(accounts::Msg::Happened { id: ALICE, what }));
}

fn enter(model: &mut Model, to: AccountState) {
    let from = model.accounts.current().map_or(AccountState::Offline, |card| card.state);
    happen(model, AccountEvent::StateChanged { from, to });
}

fn hop(server: &str, how: Arrival, verdict: HopVerdict) -> Hop {
    Hop {
        server: ServerName::new(server, 5061),
        address: "127.0.0.1:43211".parse().ok(),
        transport: Transport::Tls,
        how,
        price: Price { dns: 1, tcp: 1, tls: 1, register: 3, millis: 18 },
        scheme: Some(Scheme::Ntlm),
        verified_as: Some(server.to_owned()),
        verdict,
    }
}

fn two_hops() -> Journey {
    let to = vec!["<sip:hs104.network.com:5061;transport=tls>".to_owned()];
    let first = hop(
        "lb.network.com",
        Arrival::Discovered("SRV _sipinternaltls._tcp.network.com 10/60".to_owned()),
        HopVerdict::Redirected { status: 301, signed: true, to },
    );
    let second = hop(
        "hs104.network.com",
        Arrival::Redirected { candidate: 0 },
        HopVerdict::Accepted { expires: 7_200, signed: true },
    );
    Journey { hops: vec![first, second], followed: 1, limit: 5 }
}

fn message(seq: u64, outgoing: bool, server: &str, text: &str) -> Entry {
    Entry::message(&Tapped {
        seq,
        at: Duration::from_millis(seq * 7),
        outgoing,
        server: ScreenText::of(server),
        transport: "TLS",
        text,
    })
}

fn add_alice(model: &mut Model) {
    let aor = Aor::parse("alice@network.com").expect("an address");
    tell(model, Msg::Account(accounts::Msg::Added { id: ALICE, aor }));
}

fn sign_in(model: &mut Model) {
    add_alice(model);
    let (lb, home) = ("lb.network.com:5061", "hs104.network.com:5061");
    let register = "REGISTER sip:network.com SIP/2.0\r\nCall-ID: a1@phone\r\nCSeq: 1 REGISTER\r\n\r\n";
    let again = "REGISTER sip:network.com SIP/2.0\r\nCall-ID: b2@phone\r\nCSeq: 1 REGISTER\r\n\r\n";
    let moved = "SIP/2.0 301 Moved Permanently\r\nCall-ID: a1@phone\r\nCSeq: 1 REGISTER\r\n\
                 Contact: <sip:hs104.network.com:5061;transport=tls>\r\n\r\n";
    let fine = "SIP/2.0 200 OK\r\nCall-ID: b2@phone\r\nCSeq: 1 REGISTER\r\n\r\n";
    let entries = vec![
        message(1, true, lb, register),
        message(2, false, lb, moved),
        message(3, true, home, again),
        message(4, true, home, again),
        message(5, false, home, fine),
    ];
    tell(model, Msg::Traced(entries));
    happen(
        model,
        AccountEvent::Registered(Registered {
            home: ServerName::new("hs104.network.com", 5061),
            expires: 7_200,
            gruu: None,
            journey: two_hops(),
        }),
    );
    enter(model, AccountState::Registered);
    model.toast = None;
}

fn refuse(model: &mut Model) {
    add_alice(model);
    let mut journey = two_hops();
    let error = RedirectError::Loop { server: ServerName::new("lb.network.com", 5061), first_seen: 1 };
    journey.hops[1].verdict = HopVerdict::RedirectRefused(error.clone());
    let failure = LoginFailure { error: LoginError::Redirect(error), journey };
    happen(model, AccountEvent::LoginFailed { failure, retry_in: Some(Duration::from_secs(30)) });
    enter(model, AccountState::Refused);
}

fn raise_stage(model: &mut Model) {
    let acts = vec![
        stage::Act { key: 'm', label: "move alice", meaning: "assign alice to another home server" },
        stage::Act { key: 's', label: "stop the home server", meaning: "stop the server alice is at" },
        stage::Act {
            key: 'u',
            label: "unsigned 301",
            meaning: "answer the next REGISTER with an unsigned 301",
        },
    ];
    tell(model, Msg::Stage(stage::Msg::Raised(acts)));
    let server = |name: &str, role, note: &str| stage::Server {
        name: ScreenText::of(name),
        role,
        up: name != "hs102",
        note: ScreenText::of(note),
    };
    let servers =
        vec![server("lb", "distributor", ""), server("hs102", "home", ""), server("hs104", "home", "alice")];
    tell(model, Msg::Stage(stage::Msg::Servers(servers)));
}

fn draw(model: &Model) -> Buffer {
    let area = Rect::new(0, 0, model.place.columns, model.place.rows);
    let mut buf = Buffer::empty(area);
    super::view(model, area, &mut buf);
    buf
}

fn picture(model: &Model) -> String {
    let buf = draw(model);
    let mut text = String::new();
    for y in 0..buf.area.height {
        let row: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

#[test]
fn signed_in_at_every_size() {
    for (columns, rows) in [(120, 40), (80, 24), (50, 20), (40, 12)] {
        let mut model = phone(columns, rows);
        sign_in(&mut model);
        insta::assert_snapshot!(format!("signed_in_{columns}x{rows}"), picture(&model));
    }
}

#[test]
fn the_demo_at_every_size() {
    for (columns, rows) in [(120, 40), (80, 24), (50, 20)] {
        let mut model = phone(columns, rows);
        raise_stage(&mut model);
        sign_in(&mut model);
        insta::assert_snapshot!(format!("demo_{columns}x{rows}"), picture(&model));
    }
}

#[test]
fn a_refused_redirect_says_why_at_every_size() {
    for (columns, rows) in [(120, 40), (80, 24), (50, 20), (40, 12)] {
        let mut model = phone(columns, rows);
        refuse(&mut model);
        insta::assert_snapshot!(format!("refused_{columns}x{rows}"), picture(&model));
    }
}

#[test]
fn ascii_has_no_other_character() {
    let mut model = with_look(80, 24, ColorMode::Never, true);
    sign_in(&mut model);
    let text = picture(&model);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("ascii_80x24", text);
}

#[test]
fn without_colour_no_cell_has_one_and_the_words_are_the_same() {
    let mut plain = with_look(80, 24, ColorMode::Never, false);
    let mut colored = phone(80, 24);
    for model in [&mut plain, &mut colored] {
        sign_in(model);
    }
    let buf = draw(&plain);
    let reset = ratatui::style::Color::Reset;
    assert!(buf.content.iter().all(|cell| cell.fg == reset && cell.bg == reset));
    assert_eq!(picture(&plain), picture(&colored));
}

#[test]
fn the_other_screens() {
    let mut model = phone(80, 24);
    sign_in(&mut model);
    for (key, name) in [("6", "trace"), ("8", "tasks"), ("9", "settings"), ("0", "help"), (":", "palette")] {
        press(&mut model, key);
        insta::assert_snapshot!(format!("screen_{name}"), picture(&model));
    }
}

#[test]
fn a_message_opens_in_full() {
    let mut model = phone(80, 24);
    sign_in(&mut model);
    press(&mut model, "6");
    tell(&mut model, Msg::Key(Chord::plain(Key::Home)));
    tell(&mut model, Msg::Key(Chord::plain(Key::Down)));
    tell(&mut model, Msg::Key(Chord::plain(Key::Enter)));
    insta::assert_snapshot!("raw_message", picture(&model));
}

#[test]
fn every_size_draws_without_panic() {
    let mut model = phone(80, 24);
    raise_stage(&mut model);
    sign_in(&mut model);
    for columns in [1, 2, 3, 7, 19, 40, 49, 50, 51, 79, 80, 119, 120, 149, 150, 200] {
        for rows in [1, 2, 3, 4, 5, 6, 9, 13, 14, 20, 29, 30, 60] {
            tell(&mut model, Msg::Resized { columns, rows });
            for keys in ["2", "6", "8", "9", "0", ":", "\u{1}"] {
                press(&mut model, keys);
                draw(&model);
            }
            tell(&mut model, Msg::Key(Chord::plain(Key::Esc)));
        }
    }
}

#[test]
fn nothing_hostile_reaches_a_cell() {
    for text in HOSTILE {
        let mut model = phone(120, 40);
        sign_in(&mut model);
        let mut journey = two_hops();
        journey.hops[0].how = Arrival::Discovered((*text).to_owned());
        journey.hops[0].verified_as = Some((*text).to_owned());
        journey.hops[0].server = ServerName::new(text, 5061);
        journey.hops[0].verdict =
            HopVerdict::Redirected { status: 301, signed: false, to: vec![(*text).to_owned()] };
        let error = LoginError::Refused {
            server: ServerName::new(text, 5061),
            status: 403,
            reason: (*text).to_owned(),
        };
        let failure = LoginFailure { error, journey: journey.clone() };
        happen(&mut model, AccountEvent::JourneyChanged(journey));
        happen(&mut model, AccountEvent::LoginFailed { failure, retry_in: None });
        let raw = format!("SIP/2.0 200 {text}\r\nCall-ID: {text}\r\nCSeq: {text}\r\nX: {text}\r\n\r\n{text}");
        tell(&mut model, Msg::Traced(vec![message(9, false, text, &raw)]));
        tell(&mut model, Msg::Stage(stage::Msg::Told(ScreenText::of(text))));
        for key in ["2", "6", "8", "0"] {
            press(&mut model, key);
            let buf = draw(&model);
            assert!(buf.content.iter().all(|cell| is_harmless(cell.symbol())), "{text:?} on screen {key}");
        }
        assert!(is_harmless(super::title(&model).as_str()));
        assert!(is_harmless(super::diagnostics(&model).as_str()));
    }
}
