//! Reviewed pictures of every screen at the four sizes, one file for each screen; and in other looks.

use homing::Aor;
use homing::call::{CallEnd, CallEvent, EndReason, EndedBy};
use homing::sound::SoundStats;

use super::*;
use crate::messages::Problem;
use crate::model::Overlay;
use crate::msg::{CallMsg, TaskEnd, TaskMsg};
use crate::screen::phone::{Began, Measured};
use crate::screen::{consent, password, wizard};

/// A picture's name and what is done to the phone before it.
type Prepared = (&'static str, fn(&mut Model));

const SIZES: [(u16, u16); 4] = [(120, 40), (80, 24), (50, 20), (40, 12)];

/// Compares what `prepare` makes of the phone with the reviewed pictures.
fn pictured(name: &str, prepare: impl Fn(&mut Model)) {
    insta::assert_snapshot!(name, pictures(phone, &prepare));
}

fn pictures(phone: impl Fn(u16, u16) -> Model, prepare: &impl Fn(&mut Model)) -> String {
    let mut text = String::new();
    for (columns, rows) in SIZES {
        let mut model = phone(columns, rows);
        prepare(&mut model);
        text.push_str(&format!("=== {columns} x {rows}\n{}", picture(&model)));
    }
    text
}

fn key(model: &mut Model, key: Key) {
    tell(model, Msg::Key(Chord::plain(key)));
}

fn spell(model: &mut Model, text: &str) {
    tell(model, Msg::Pasted(text.to_owned()));
}

#[test]
fn accounts() {
    pictured("accounts_empty", |_| {});
    pictured("accounts_signed_in", sign_in);
    pictured("accounts_refused", refuse);
    pictured("accounts_demo", |model| {
        raise_stage(model);
        sign_in(model);
    });
    pictured("accounts_journey_zoomed", |model| {
        sign_in(model);
        press(model, "J");
    });
}

/// A call in the phone's own numbering.
fn call(model: &mut Model, key: u64, incoming: bool, who: (&str, &str)) {
    let (name, party) = (ScreenText::of(who.0), ScreenText::of(who.1));
    let began = Began { key, account: ALICE, party, name, vouched: incoming, incoming };
    tell(model, Msg::Call(CallMsg::Began(began)));
}

fn call_event(model: &mut Model, key: u64, what: CallEvent) {
    tell(model, Msg::Call(CallMsg::Happened { key, what }));
}

fn call_ended(model: &mut Model, key: u64, by: EndedBy, why: EndReason) {
    let end = CallEnd { by, why, status: None, words: String::new() };
    call_event(model, key, CallEvent::Ended(Box::new(end)));
}

fn on_phone(model: &mut Model) {
    sign_in(model);
    press(model, "1");
}

/// One call connected, one on hold, one busy, one missed.
fn talk(model: &mut Model) {
    on_phone(model);
    call(model, 1, true, ("", "sip:dave@network.com"));
    call_ended(model, 1, EndedBy::Peer, EndReason::Cancelled);
    call(model, 2, false, ("", "carol@network.com"));
    call_ended(model, 2, EndedBy::Peer, EndReason::Busy);
    call(model, 3, false, ("", "eve@network.com"));
    call_event(model, 3, CallEvent::Answered { fork: 0 });
    call_event(model, 3, CallEvent::Held(true));
    call(model, 4, true, ("Bob Builder", "sip:bob@network.com"));
    call_event(model, 4, CallEvent::Answered { fork: 0 });
    for level in [-60.0, -40.0, -30.0, -20.0, -12.0, -3.0] {
        let mut stats = SoundStats::default();
        let session = &mut stats.session;
        (session.played.dbov, session.captured.dbov) = (Some(level), Some(-level - 50.0));
        session.lost_of_last_second = Some(0.02);
        session.jitter = Duration::from_millis(12);
        session.buffer = Duration::from_millis(40);
        session.silent_for = Some(Duration::ZERO);
        let measured = Box::new(Measured { terms: None, stats });
        tell(model, Msg::Call(CallMsg::Measured { key: 4, measured }));
    }
    press(model, "m");
}

#[test]
fn phone_screen() {
    pictured("phone_idle", on_phone);
    pictured("phone_dialling", |model| {
        on_phone(model);
        press(model, "dbob@network.com");
    });
    pictured("phone_ringing_elsewhere", |model| {
        sign_in(model);
        call(model, 1, true, ("Bob Builder", "sip:bob@network.com"));
    });
    pictured("phone_ringing", |model| {
        on_phone(model);
        call(model, 1, true, ("Bob Builder", "sip:bob@network.com"));
    });
    pictured("phone_calls", talk);
    pictured("phone_failed", |model| {
        talk(model);
        press(model, "jj");
    });
}

#[test]
fn trace() {
    let on_trace = |model: &mut Model| {
        sign_in(model);
        press(model, "6");
    };
    pictured("trace_ladder", on_trace);
    pictured("trace_dialogs", |model| {
        on_trace(model);
        key(model, Key::Esc);
    });
    pictured("trace_message", |model| {
        on_trace(model);
        key(model, Key::Home);
        key(model, Key::Down);
        key(model, Key::Enter);
    });
    pictured("trace_compared", |model| {
        on_trace(model);
        key(model, Key::Home);
        press(model, "j jjjjjj ");
    });
    pictured("trace_statistics", |model| {
        on_trace(model);
        press(model, "i");
    });
    pictured("trace_filtered", |model| {
        on_trace(model);
        press(model, "/301");
    });
    pictured("trace_saved_as", |model| {
        on_trace(model);
        key(model, Key::F(2));
    });
}

#[test]
fn tasks_and_log() {
    pictured("tasks", |model| {
        sign_in(model);
        let begun = |id, what: &str| Msg::Task(TaskMsg::Begun { id, what: ScreenText::of(what) });
        tell(model, begun(1, "sign in alice@network.com"));
        tell(model, Msg::Task(TaskMsg::Ended { id: 1, end: TaskEnd::Done(ScreenText::default()) }));
        tell(model, begun(2, "find the servers of corp.example"));
        let error = LoginError::Resolve {
            domain: "corp.example".to_owned(),
            why: homing::dns::DnsError::Timeout.into(),
        };
        let end = TaskEnd::Failed(Problem::from(&error));
        tell(model, Msg::Task(TaskMsg::Ended { id: 2, end }));
        tell(model, begun(3, "OPTIONS alice@network.com"));
        press(model, "8");
    });
}

#[test]
fn settings_help_and_palette() {
    pictured("settings", |model| {
        sign_in(model);
        press(model, "9jjj");
    });
    pictured("help", |model| {
        sign_in(model);
        press(model, "?");
    });
    pictured("help_on_one_code", |model| {
        sign_in(model);
        press(model, "?/E0702");
        key(model, Key::Enter);
    });
    pictured("palette", |model| {
        sign_in(model);
        press(model, ":");
    });
    pictured("palette_narrowed", |model| {
        sign_in(model);
        press(model, ":sign");
    });
}

#[test]
fn the_wizards_steps() {
    let aor = || Aor::parse("bob@corp.example").expect("an address");
    let typed = |model: &mut Model, text: &str| {
        press(model, "+");
        spell(model, text);
    };
    let asked = |model: &mut Model| {
        typed(model, "bob@corp.example");
        key(model, Key::Enter);
    };
    pictured("wizard_address", |model| typed(model, "bob@corp"));
    pictured("wizard_no_address", |model| {
        typed(model, "bob at home");
        key(model, Key::Enter);
    });
    pictured("wizard_looking", asked);
    pictured("wizard_found", |model| {
        asked(model);
        let found = [
            "TLS sip1.corp.example:5061 at 192.0.2.1:5061 (SRV _sips._tcp.corp.example 10/60)",
            "TLS sip2.corp.example:5061 at 192.0.2.2:5061 (SRV _sips._tcp.corp.example 20/10)",
        ];
        let found = found.map(ScreenText::of).to_vec();
        tell(model, Msg::Wizard(wizard::Report::Plan(Ok(found))));
    });
    pictured("wizard_nothing_found", |model| {
        asked(model);
        tell(model, Msg::Wizard(wizard::Report::Plan(Ok(Vec::new()))));
        spell(model, "sip.corp.example");
    });
    pictured("wizard_dns_silent", |model| {
        asked(model);
        let error = LoginError::Resolve { domain: aor().domain, why: homing::dns::DnsError::Timeout.into() };
        tell(model, Msg::Wizard(wizard::Report::Plan(Err(Problem::from(&error)))));
    });
}

#[test]
fn prompts() {
    pictured("password", |model| {
        add_alice(model);
        let (aor, server) = (ScreenText::of("alice@network.com"), ScreenText::of("lb.network.com:5061"));
        let request = password::Request { id: 1, aor, server, refused_before: true };
        tell(model, Msg::PasswordWanted(request));
        press(model, "secret");
    });
    pictured("consent", |model| {
        add_alice(model);
        tell(
            model,
            Msg::Asked(consent::Request {
                id: 1,
                account: ALICE,
                aor: ScreenText::default(),
                from: ScreenText::of("lb.network.com:5061"),
                to: ScreenText::of("hs104.network.com:5061"),
                signed: true,
                remaining: 4,
            }),
        );
    });
    pictured("leaving", |model| {
        sign_in(model);
        model.overlays.push(Overlay::Leaving);
    });
}

#[test]
fn ascii_says_the_same_with_other_signs() {
    let ascii = |columns, rows| with_look(columns, rows, ColorMode::Never, true);
    let screens: [Prepared; 4] = [
        ("ascii_phone", talk),
        ("ascii_accounts", |model| {
            raise_stage(model);
            sign_in(model);
        }),
        ("ascii_trace", |model| {
            sign_in(model);
            press(model, "6");
        }),
        ("ascii_help", |model| {
            sign_in(model);
            press(model, "?");
        }),
    ];
    for (name, prepare) in screens {
        let text = pictures(ascii, &prepare);
        assert!(text.is_ascii(), "{text}");
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn without_colour_no_cell_has_one_and_the_words_are_the_same() {
    for keys in ["1", "1d", "2", "6", "6c", "8", "9", "0", ":", "+"] {
        for (columns, rows) in SIZES {
            let mut plain = with_look(columns, rows, ColorMode::Never, false);
            let mut colored = phone(columns, rows);
            for model in [&mut plain, &mut colored] {
                sign_in(model);
                press(model, keys);
            }
            let reset = ratatui::style::Color::Reset;
            let bare = draw(&plain).content.iter().all(|cell| cell.fg == reset && cell.bg == reset);
            assert!(bare, "a colour at {columns}x{rows} after {keys}");
            assert_eq!(picture(&plain), picture(&colored));
        }
    }
}
