//! The phone drawn without a terminal: at every size, in every theme, and nothing hostile reaches a cell.

use std::time::Duration;

use homing::account::Scheme;
use homing::error::{LoginError, LoginFailure, RedirectError};
use homing::event::{FoundBy, Hop, HopVerdict, Journey, Registered, RoundTrips};
use homing::{AccountEvent, AccountId, AccountState, Aor, ServerName, Transport};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::keys::{Chord, Key};
use crate::messages::{Notification, Severity};
use crate::model::{Clock, Model};
use crate::msg::{AccountMsg, Control, EstateMsg, Msg, Server};
use crate::screen::trace::{Captured, Entry};
use crate::screen::{default_keymap, settings};
use crate::text::ScreenText;
use crate::text::tests::{HOSTILE, is_harmless};
use crate::theme::{ColorMode, ColorTheme, Theme, ThemeName};
use crate::update::update;

mod pictures;

const ALICE: AccountId = AccountId(1);

fn now() -> Clock {
    Clock { since_start: Duration::from_secs(10), wall: Duration::from_secs(1_705_564_800) }
}

fn phone(columns: u16, rows: u16) -> Model {
    with_look(columns, rows, ColorMode::Sixteen, false)
}

fn with_look(columns: u16, rows: u16, mode: ColorMode, ascii: bool) -> Model {
    let theme = Theme::new(ColorTheme { name: ThemeName::Default, mode }, ascii);
    let mut model = Model::new(theme, default_keymap(), settings::State::default());
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
    tell(model, Msg::Account(AccountMsg::Happened { id: ALICE, what }));
}

fn enter(model: &mut Model, to: AccountState) {
    let from = model.pages.accounts.current().map_or(AccountState::Offline, |card| card.state);
    happen(model, AccountEvent::StateChanged { from, to });
}

fn hop(server: &str, how: FoundBy, verdict: HopVerdict) -> Hop {
    Hop {
        server: ServerName::new(server, 5061),
        address: "127.0.0.1:43211".parse().ok(),
        transport: Transport::Tls,
        how,
        price: RoundTrips { dns: 1, tcp: 1, tls: 1, register: 3, millis: 18 },
        scheme: Some(Scheme::Ntlm),
        verified_as: Some(server.to_owned()),
        pinned: false,
        verdict,
        remarks: Vec::new(),
    }
}

#[test]
fn a_login_that_is_given_up_waits_for_nothing_on_the_screen() {
    let mut model = phone(100, 30);
    let aor = Aor::parse("alice@network.com").unwrap();
    tell(&mut model, Msg::Account(AccountMsg::Added { id: ALICE, aor }));
    enter(&mut model, AccountState::Registering);
    let pending = hop("hs104.network.com", FoundBy::Remembered, HopVerdict::Pending);
    happen(&mut model, AccountEvent::JourneyChanged(Journey { hops: vec![pending], followed: 0, limit: 5 }));
    let said = |model: &Model| model.pages.accounts.current().unwrap().journey[0].said.to_string();
    assert_eq!(said(&model), "401 ×2 → waiting");
    enter(&mut model, AccountState::LoggedOff);
    assert_eq!(said(&model), "given up");
}

fn two_hops() -> Journey {
    let to = vec!["<sip:hs104.network.com:5061;transport=tls>".to_owned()];
    let first = hop(
        "lb.network.com",
        FoundBy::Discovered("SRV _sipinternaltls._tcp.network.com 10/60".to_owned()),
        HopVerdict::Redirected { status: 301, signed: true, to },
    );
    let second = hop(
        "hs104.network.com",
        FoundBy::Redirected { candidate: 0 },
        HopVerdict::Accepted { expires: 7_200, signed: true },
    );
    Journey { hops: vec![first, second], followed: 1, limit: 5 }
}

fn message(seq: u64, outgoing: bool, server: &str, text: &str) -> Entry {
    Entry::message(&Captured {
        seq,
        flow: 1,
        at: Duration::from_millis(seq * 7),
        outgoing,
        server: ScreenText::of(server),
        transport: "TLS",
        text,
    })
}

/// A login with one redirect, one message repeated.
fn conversation() -> Vec<Entry> {
    let (lb, home) = ("lb.network.com:5061", "hs104.network.com:5061");
    let request = |call: &str, cseq: u8| {
        format!(
            "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:40000;branch=z9hG4bK{call}{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:alice@network.com>;tag=7f;epid=0123456789\r\n\
             To: <sip:alice@network.com>\r\nCall-ID: {call}@phone\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: <sip:127.0.0.1:40000;transport=tls>;+sip.instance=\"<urn:uuid:2f1d>\"\r\n\
             Authorization: NTLM qop=\"auth\", realm=\"SIP Communications Service\", \
             targetname=\"lb.network.com\", gssapi-data=\"•••\"\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let answer = |call: &str, cseq: u8, status: &str, more: &str| {
        format!(
            "SIP/2.0 {status}\r\nFrom: <sip:alice@network.com>;tag=7f\r\nTo: <sip:alice@network.com>;tag=3\r\n\
             Call-ID: {call}@phone\r\nCSeq: {cseq} REGISTER\r\n{more}Content-Length: 0\r\n\r\n"
        )
    };
    let moved = "Contact: <sip:hs104.network.com:5061;transport=tls>\r\n";
    vec![
        signal(1, lb, "TLS open, cert lb.network.com"),
        message(2, true, lb, &request("a1", 1)),
        message(3, false, lb, &answer("a1", 1, "401 Unauthorized", "")),
        message(4, true, lb, &request("a1", 2)),
        message(5, false, lb, &answer("a1", 2, "301 Moved Permanently", moved)),
        signal(6, lb, "closed by us"),
        signal(7, home, "TLS open, cert hs104.network.com"),
        message(8, true, home, &request("b2", 1)),
        message(9, true, home, &request("b2", 1)),
        message(10, false, home, &answer("b2", 1, "200 OK", "Expires: 7200\r\n")),
    ]
}

fn signal(seq: u64, server: &str, text: &str) -> Entry {
    Entry::signal(&Captured {
        seq,
        flow: 1,
        at: Duration::from_millis(seq * 7),
        outgoing: true,
        server: ScreenText::of(server),
        transport: "TLS",
        text,
    })
}

fn add_alice(model: &mut Model) {
    let aor = Aor::parse("alice@network.com").expect("an address");
    tell(model, Msg::Account(AccountMsg::Added { id: ALICE, aor }));
}

fn sign_in(model: &mut Model) {
    add_alice(model);
    tell(model, Msg::Traced(conversation()));
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
    enter(model, AccountState::Rejected);
}

fn raise_stage(model: &mut Model) {
    let controls = vec![
        Control { key: 'm', label: "move alice", meaning: "assign alice to another home server" },
        Control { key: 's', label: "stop the home server", meaning: "stop the server alice is at" },
        Control { key: 'u', label: "unsigned 301", meaning: "answer the next REGISTER with an unsigned 301" },
    ];
    tell(model, Msg::Estate(EstateMsg::Started(controls)));
    let server = |name: &str, role, note: &str| Server {
        name: ScreenText::of(name),
        role,
        up: name != "hs102",
        note: ScreenText::of(note),
    };
    let servers =
        vec![server("lb", "distributor", ""), server("hs102", "home", ""), server("hs104", "home", "alice")];
    tell(model, Msg::Estate(EstateMsg::Servers(servers)));
}

fn draw(model: &Model) -> Buffer {
    let area = Rect::new(0, 0, model.window.columns, model.window.rows);
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
fn every_size_draws_without_panic() {
    let mut model = phone(80, 24);
    raise_stage(&mut model);
    sign_in(&mut model);
    for columns in [1, 2, 3, 7, 19, 40, 49, 50, 51, 79, 80, 119, 120, 149, 150, 200] {
        for rows in [1, 2, 3, 4, 5, 6, 9, 13, 14, 20, 29, 30, 60] {
            tell(&mut model, Msg::Resized { columns, rows });
            for keys in ["2", "6", "i", "9", "8", "0", ":", "\u{1}"] {
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
        journey.hops[0].how = FoundBy::Discovered((*text).to_owned());
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
        tell(&mut model, Msg::Notify(Notification::plain(Severity::Success, ScreenText::of(text))));
        for key in ["2", "6", "8", "0"] {
            press(&mut model, key);
            let buf = draw(&model);
            assert!(buf.content.iter().all(|cell| is_harmless(cell.symbol())), "{text:?} on screen {key}");
        }
        assert!(is_harmless(super::title(&model).as_str()));
        assert!(is_harmless(super::diagnostics(&model).as_str()));
    }
}
