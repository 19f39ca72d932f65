//! Staying registered: refresh, renewal, what the server may end, what it may not, and leaving.

use std::time::Duration;

use homing_core::command::Command;
use homing_core::config::{AccountConfig, Aor, ExtendedProtection, Rspauth, ServerChoice, UnsignedRule};
use homing_core::connect::ConnectError;
use homing_core::counter::Counter;
use homing_core::error::Misuse;
use homing_core::event::{AccountEvent, LogoutReason, MoveCause, RequestOutcome, UnregisterOutcome};
use homing_core::outbox::Input;
use homing_core::server::ServerName;
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

use super::world::server::{Edit, Fault, Gate, Then, edited};
use super::world::{World, main_job};

const HOUR: Duration = Duration::from_secs(3_600);

fn logged_out(world: &World) -> Vec<LogoutReason> {
    let why = |event: &AccountEvent| match event {
        AccountEvent::LoggedOut { why } => Some(*why),
        _ => None,
    };
    world.events.iter().filter_map(why).collect()
}

fn signed_in(config: impl FnOnce(&mut AccountConfig)) -> World {
    let mut world = main_job(config);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world.events.clear();
    world
}

#[test]
fn the_binding_is_refreshed_before_it_ends_for_days() {
    let mut world = signed_in(|_| {});
    world.pass(HOUR * 48);
    assert_eq!(logged_out(&world), []);
    assert_eq!(world.state(), AccountState::Registered);
    let refreshes = world.agent.counters().of(Counter::Refreshes);
    assert!((24..=40).contains(&refreshes), "{refreshes}");
    assert_eq!(world.at("hs102.network.com").dials, 1, "the home server is the outbound proxy");
}

#[test]
fn the_association_is_renewed_within_eight_hours_without_leaving() {
    let mut world = signed_in(|_| {});
    world.pass(HOUR * 8 - Duration::from_secs(301));
    assert!(!world.events.contains(&AccountEvent::AssociationRenewed));
    world.pass(Duration::from_secs(10));
    assert!(world.events.contains(&AccountEvent::AssociationRenewed));
    assert_eq!(logged_out(&world), []);
    let registers = world.registers("hs104.network.com");
    let renewal = &registers[registers.len() - 3..];
    assert!(renewal[0].auth(Name::Authorization).next().is_none(), "an unsigned REGISTER begins it");
    assert_eq!(renewal[0].expires(), Ok(Some(7_200)), "and it keeps the binding");
    assert_eq!(renewal[0].call_id().unwrap(), registers[0].call_id().unwrap());
    world.pass(HOUR * 24);
    assert_eq!(logged_out(&world), []);
}

#[test]
fn the_old_association_verifies_while_the_new_one_is_young() {
    let mut world = signed_in(|_| {});
    let old = |world: &mut World| {
        let wall = world.wall;
        let server = world.at("hs104.network.com");
        server.request("OPTIONS sip:user@198.51.100.7:40000", &[], "", wall)
    };
    let in_flight = [old(&mut world), old(&mut world)];
    world.pass(HOUR * 8 - Duration::from_secs(299));
    assert!(world.events.contains(&AccountEvent::AssociationRenewed));
    let before = world.sent.len();
    world.say("hs104.network.com", in_flight[0].clone());
    assert_eq!(world.sent.len(), before + 1, "answered");
    world.pass(Duration::from_secs(32));
    world.say("hs104.network.com", in_flight[1].clone());
    assert_eq!(world.sent.len(), before + 1, "the overlap of 64·T1 is over");
    assert_eq!(world.agent.counters().of(Counter::BadSignature), 1);
}

#[test]
fn a_401_on_refresh_is_a_new_handshake_without_logout() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").amnesia = true;
    world.command(Command::Refresh);
    assert_eq!(logged_out(&world), []);
    assert!(world.events.contains(&AccountEvent::AssociationRenewed));
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn handshakes_by_unsigned_challenges_are_rationed() {
    let mut world = signed_in(|_| {});
    for _ in 0..3 {
        world.at("hs104.network.com").amnesia = true;
        world.command(Command::Refresh);
    }
    let before = world.registers("hs104.network.com").len();
    world.at("hs104.network.com").amnesia = true;
    world.command(Command::Refresh);
    assert_eq!(
        world.registers("hs104.network.com").len(),
        before + 1,
        "the fourth in a minute is not followed"
    );
    assert_eq!(world.agent.counters().of(Counter::ChallengeRate), 1);
    assert_eq!(logged_out(&world), [], "and it logs nobody out");
    world.pass(Duration::from_secs(120));
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn a_refresh_that_adds_or_fixes_the_binding_starts_over() {
    for action in ["added", "fixed"] {
        let mut world = signed_in(|_| {});
        let line = format!("register-action=\"{action}\"");
        world.at("hs104.network.com").extra.push(("presence-state".into(), line));
        world.command(Command::Refresh);
        assert_eq!(logged_out(&world), [LogoutReason::BindingLost]);
        world.at("hs104.network.com").extra.clear();
        world.pass(Duration::from_secs(3));
        assert_eq!(world.state(), AccountState::Registered);
    }
    let mut world = signed_in(|_| {});
    world
        .at("hs104.network.com")
        .extra
        .push(("presence-state".into(), "register-action=\"refreshed\"".into()));
    world.command(Command::Refresh);
    assert_eq!(logged_out(&world), []);
}

fn notify(world: &mut World, event: &str, headers: &[(&str, &str)]) {
    let wall = world.wall;
    let mut all = vec![("Event", "registration-notify"), ("Subscription-State", "terminated;expires=0")];
    all.extend(headers);
    let kind = if event.starts_with("preferred") { "registered" } else { "deregistered" };
    let body = format!("{kind};event={event}");
    let server = world.at("hs104.network.com");
    let request = server.request("NOTIFY sip:user@198.51.100.7:40000", &all, &body, wall);
    world.say("hs104.network.com", request);
}

fn last_answer(world: &World) -> &Message {
    &world.sent.iter().rev().find(|(_, message)| !message.is_request()).expect("an answer").1
}

#[test]
fn a_displaced_or_disabled_account_stops_and_says_why() {
    let rows = [
        (
            "unregistered",
            LogoutReason::Displaced,
            "another device signed in and took this one's place",
            "E0802",
        ),
        ("rejected", LogoutReason::Disabled, "the account was disabled", "E0803"),
    ];
    for (event, why, words, code) in rows {
        let mut world = signed_in(|_| {});
        notify(&mut world, event, &[]);
        assert_eq!(last_answer(&world).status(), Some(200));
        assert!(last_answer(&world).auth(Name::Authorization).next().is_some(), "the answer is signed");
        assert_eq!(logged_out(&world), [why]);
        let failure = world.last_failure();
        assert_eq!(failure.error.to_string(), format!("the server ended the registration: {words}"));
        assert_eq!(failure.error.code(), code);
        world.pass(HOUR * 2);
        assert_eq!(world.state(), AccountState::Rejected, "no attempt by itself");
        assert_eq!(world.agent.flows(), 0);
    }
}

#[test]
fn a_deactivated_account_signs_in_again_from_discovery() {
    let mut world = signed_in(|_| {});
    notify(&mut world, "deactivated", &[]);
    assert_eq!(logged_out(&world), [LogoutReason::Deactivated]);
    assert!(world.events.contains(&AccountEvent::Forgotten));
    world.pass(Duration::from_secs(3));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.registered().journey.hops[0].server.host, "hs102.network.com");
}

#[test]
fn a_preferred_registrar_passes_the_rules_of_a_redirect() {
    let mut world = signed_in(|_| {});
    world.server("hs105.network.com");
    notify(
        &mut world,
        "preferred-registrar-change",
        &[("P-Preferred-Registrar", "<sip:hs105.network.com:5061;transport=tls>")],
    );
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.registered().home.host, "hs105.network.com");
    assert!(
        world.events.iter().any(|event| matches!(
            event,
            AccountEvent::HomeServerChanged { cause: MoveCause::Preferred, .. }
        ))
    );
    for bad in ["<sip:evil.test:5061;transport=tls>", "<sip:hs106.network.com;transport=tcp>", "<tel:+1>"] {
        let mut world = signed_in(|_| {});
        notify(&mut world, "preferred-registrar-change", &[("P-Preferred-Registrar", bad)]);
        assert_eq!(world.state(), AccountState::Registered);
        assert_eq!(logged_out(&world), [], "{bad}");
        assert_eq!(world.agent.counters().of(Counter::RedirectRefused), 1);
    }
}

#[test]
fn a_notify_that_is_not_signed_ends_nothing() {
    let spoil: [Edit; 2] = [
        |text| text.replace("Authentication-Info", "X-Nothing"),
        |text| text.replace("rspauth=\"0100", "rspauth=\"0177"),
    ];
    for edit in spoil {
        let mut world = signed_in(|_| {});
        let wall = world.wall;
        let headers = [("Event", "registration-notify")];
        let server = world.at("hs104.network.com");
        let good =
            server.request("NOTIFY sip:user@198.51.100.7", &headers, "deregistered;event=rejected", wall);
        let before = world.sent.len();
        world.say("hs104.network.com", edited(&good, edit));
        assert_eq!(world.sent.len(), before, "as if it had never come");
        assert_eq!(logged_out(&world), []);
        let counted =
            world.agent.counters().of(Counter::Unsigned) + world.agent.counters().of(Counter::BadSignature);
        assert_eq!(counted, 1);
    }
}

/// Only datagrams come twice: what a stream loses it repeats by itself. Every event that ends a
/// registration gives the flow back, and its last user closes it; a neighbour at the same server keeps it
/// open here, so that a copy of the NOTIFY, sent because the 200 was lost, can be answered at all
/// (RFC 3261 section 17.2.2).
#[test]
fn a_repeated_notify_is_answered_again_and_acts_once() {
    let by_udp = |config: &mut AccountConfig| {
        let host = "hs104.network.com".to_owned();
        config.server = ServerChoice::Fixed { host, port: Some(5061), transport: Transport::Udp };
        config.transports = vec![Transport::Udp];
        config.auth.udp_register = true;
        config.auth.extended_protection = ExtendedProtection::Off;
    };
    let mut world = World::new(by_udp);
    world.server("hs104.network.com");
    let mut neighbour = AccountConfig::new(Aor::parse("neighbour@network.com").unwrap(), "5566");
    by_udp(&mut neighbour);
    let now = world.now();
    let neighbour = world.agent.add_account(neighbour, now).unwrap();
    world.command(|_| Command::Register(neighbour));
    world.at("hs104.network.com").amnesia = true;
    world.login();
    let both = [world.account, neighbour].map(|account| world.agent.state(account));
    assert_eq!((both, world.agent.flows()), ([Some(AccountState::Registered); 2], 1));
    let headers = [("Event", "registration-notify"), ("Subscription-State", "terminated;expires=0")];
    let (wall, body) = (world.wall, "deregistered;event=unregistered");
    let server = world.at("hs104.network.com");
    let notify = server.request("NOTIFY sip:user@198.51.100.7:40000", &headers, body, wall);
    let before = world.sent.len();
    for copies in 1..=2 {
        world.say("hs104.network.com", notify.clone());
        assert_eq!(world.sent.len(), before + copies, "each copy is answered");
        assert_eq!(logged_out(&world), [LogoutReason::Displaced], "and one of them acts");
        world.pass(Duration::from_millis(500));
    }
    let [(_, first), (_, second)] = &world.sent[before..] else { panic!("two answers") };
    assert_eq!(first.status(), Some(200));
    assert_eq!(first.bytes(), second.bytes());
    assert_eq!(world.agent.state(neighbour), Some(AccountState::Registered));
    assert_eq!(world.agent.counters().of(Counter::Replayed), 0, "a copy is no replay");
}

#[test]
fn requests_are_answered_as_a_user_agent_must() {
    let rows = [
        ("OPTIONS", "", 200),
        ("INVITE", "", 405),
        ("MESSAGE", "", 405),
        ("FROBNICATE", "", 501),
        ("NOTIFY", "Event: presence", 481),
    ];
    for (method, header, status) in rows {
        let mut world = signed_in(|_| {});
        let wall = world.wall;
        let headers: Vec<(&str, &str)> = header.split_once(": ").into_iter().collect();
        let head = format!("{method} sip:user@198.51.100.7:40000");
        let request = world.at("hs104.network.com").request(&head, &headers, "", wall);
        world.say("hs104.network.com", request);
        let answer = last_answer(&world);
        assert_eq!(answer.status(), Some(status), "{method}");
        assert!(answer.to().unwrap().tag().is_some());
        assert_eq!(answer.text(Name::Allow).is_some(), matches!(status, 200 | 405), "{method}");
        world.pass(Duration::from_secs(33));
        assert_eq!(world.agent.transactions(), 0);
    }
}

const OBJECTIONABLE: [(Edit, u16); 2] = [
    (|text| text.replace("Max-Forwards: 70", "Max-Forwards: 70\r\nRequire: frobnicate"), 420),
    (|text| text.replace("sip:user@198.51.100.7 ", "nobodyknows:user@198.51.100.7 "), 416),
];

/// RFC 3261 section 8.2, inside an association: the refusal is signed. A stream brings no copies, so a second one
/// is a replay and gets nothing.
#[test]
fn what_a_user_agent_must_object_to_is_refused_with_a_signature() {
    for (edit, status) in OBJECTIONABLE {
        let mut world = signed_in(|_| {});
        let wall = world.wall;
        let server = world.at("hs104.network.com");
        let request = edited(&server.request("OPTIONS sip:user@198.51.100.7", &[], "", wall), edit);
        world.say("hs104.network.com", request.clone());
        assert_eq!(last_answer(&world).status(), Some(status));
        assert!(last_answer(&world).auth(Name::Authorization).next().is_some(), "{status} is signed");
        assert_eq!(world.agent.counters().of(Counter::RefusedRequest), 1);
        let before = world.sent.len();
        world.say("hs104.network.com", request);
        assert_eq!((world.sent.len(), world.agent.counters().of(Counter::Replayed)), (before, 1));
    }
}

/// Judged first: what the server did not sign is refused for nothing else, it is as if it had not come.
#[test]
fn an_unsigned_request_is_not_even_refused_inside_an_association() {
    let edits = OBJECTIONABLE.map(|(edit, _)| edit);
    let unreadable: Edit = |text| text.replace(" OPTIONS\r\n", " INVITE\r\n");
    let callless: Edit = |text| text.replace("Call-ID", "X-Call");
    for edit in [edits[0], edits[1], unreadable, callless] {
        let mut world = signed_in(|_| {});
        let wall = world.wall;
        let server = world.at("hs104.network.com");
        let request = edited(&server.request("OPTIONS sip:user@198.51.100.7", &[], "", wall), |text| {
            text.split("\r\n").filter(|line| !line.contains("NTLM")).collect::<Vec<_>>().join("\r\n")
        });
        let before = world.sent.len();
        world.say("hs104.network.com", edited(&request, edit));
        assert_eq!(world.sent.len(), before);
        let counters = world.agent.counters();
        assert_eq!(counters.of(Counter::RefusedRequest), 0);
        assert_eq!(counters.of(Counter::Unsigned) + counters.of(Counter::Malformed), 1);
    }
}

#[test]
fn without_an_association_a_request_is_refused_as_the_rfc_has_it() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs1.network.com")]);
    world.server("hs1.network.com").gate = Gate::Digest("SHA-256");
    world.login();
    let unreadable: Edit = |text| text.replace(" OPTIONS\r\n", " INVITE\r\n");
    let callless: Edit = |text| text.replace("Call-ID", "X-Call");
    for (edit, status) in OBJECTIONABLE.into_iter().chain([(unreadable, 400), (callless, 400)]) {
        let wall = world.wall;
        let request = world.at("hs1.network.com").request("OPTIONS sip:user@198.51.100.7", &[], "", wall);
        world.say("hs1.network.com", edited(&request, edit));
        assert_eq!(last_answer(&world).status(), Some(status));
    }
    let before = world.sent.len();
    let wall = world.wall;
    let request = world.at("hs1.network.com").request("OPTIONS sip:user@198.51.100.7", &[], "", wall);
    world.say("hs1.network.com", edited(&request, |text| text.replace("Via:", "X-Via:")));
    assert_eq!(world.sent.len(), before, "there is nobody to answer");
}

/// RFC 3261 section 9.2: a CANCEL of a known INVITE is answered with 200, and with a signature. The INVITE has its
/// final answer already, because this user agent makes no calls yet.
#[test]
fn a_cancel_of_a_known_invite_gets_a_200() {
    let mut world = signed_in(|_| {});
    let wall = world.wall;
    let server = world.at("hs104.network.com");
    let invite = server.request("INVITE sip:user@198.51.100.7", &[], "", wall);
    let cancel = edited(&invite, |text| {
        let unsigned =
            text.split("\r\n").filter(|line| !line.contains("NTLM")).collect::<Vec<_>>().join("\r\n");
        unsigned.replace("INVITE", "CANCEL")
    });
    let cancel = world.at("hs104.network.com").sign(cancel, wall);
    world.say("hs104.network.com", invite);
    assert_eq!(last_answer(&world).status(), Some(405));
    world.say("hs104.network.com", cancel);
    assert_eq!(last_answer(&world).status(), Some(200));
    assert!(last_answer(&world).auth(Name::Authorization).next().is_some(), "the 200 is signed");
}

/// The scheme changes only in a new login: a challenge that lacks the association's is not listened to.
#[test]
fn a_challenge_of_another_scheme_does_not_displace_the_association() {
    let mut world = signed_in(|_| {});
    let digest = r#"Digest realm="network.com", nonce="n1", algorithm=SHA-256, qop="auth""#;
    world.at("hs104.network.com").gate = Gate::Raw(vec![digest.to_owned()]);
    let asked = world.asked.len();
    world.command(Command::Refresh);
    assert_eq!(world.agent.counters().of(Counter::RefusedChallenge), 1);
    assert_eq!(world.asked.len(), asked, "nobody is asked for a password");
    world.at("hs104.network.com").gate = Gate::Ntlm;
    world.pass(Duration::from_secs(120));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(logged_out(&world), []);
}

#[test]
fn a_server_that_is_busy_is_left_alone_and_the_binding_held() {
    let mut world = signed_in(|_| {});
    let headers = vec![("Retry-After", "120 (maintenance)".to_owned())];
    world.at("hs104.network.com").then = Then::Status { status: 503, reason: "Busy", headers };
    world.command(Command::Refresh);
    assert_eq!(world.state(), AccountState::Expiring);
    let due = world.agent.deadline().unwrap().at.0;
    assert!(due >= world.clock + Duration::from_secs(120));
    world.at("hs104.network.com").then = Then::Accept { expires: 7_200 };
    world.pass(Duration::from_secs(125));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(logged_out(&world), []);
}

#[test]
fn retry_after_is_capped_at_five_minutes() {
    let mut world = signed_in(|_| {});
    let headers = vec![("Retry-After", "99999999".to_owned())];
    world.at("hs104.network.com").then = Then::Status { status: 503, reason: "Busy", headers };
    world.at("hs104.network.com").faults = vec![Fault::Unsigned];
    world.command(Command::Refresh);
    let due = world.agent.deadline().unwrap().at.0 - world.clock;
    assert!(due <= Duration::from_secs(300), "{due:?}");
    assert_eq!(world.agent.counters().of(Counter::UnsignedTolerated), 1);
    assert_eq!(logged_out(&world), []);
}

#[test]
fn a_binding_that_cannot_be_refreshed_lapses_and_the_login_begins_anew() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").answer(500, "Server Error");
    world.pass(HOUR * 2 - Duration::from_secs(1));
    assert_eq!(world.state(), AccountState::Expiring);
    world.pass(Duration::from_secs(1));
    assert_eq!(logged_out(&world), [LogoutReason::Lapsed]);
    world.at("hs104.network.com").then = Then::Accept { expires: 7_200 };
    world.pass_until(AccountState::Registered, Duration::from_secs(120));
}

#[test]
fn a_forbidden_refresh_ends_the_registration() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").answer(403, "Forbidden");
    world.command(Command::Refresh);
    assert_eq!(logged_out(&world), [LogoutReason::Disabled]);
    assert_eq!(world.last_failure().error.to_string(), "hs104.network.com:5061 refused with 403 Forbidden");
    assert_eq!(world.agent.deadline(), None);
}

#[test]
fn an_unsigned_403_on_refresh_changes_nothing() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").answer(403, "Forbidden").spoil(Fault::Unsigned);
    world.command(Command::Refresh);
    world.pass(Duration::from_secs(3));
    assert_eq!(logged_out(&world), []);
    assert_eq!(world.state(), AccountState::Expiring);
}

#[test]
fn a_lost_connection_is_a_new_login_and_the_home_is_tried_first() {
    let mut world = signed_in(|_| {});
    world.cut("hs104.network.com");
    assert_eq!(logged_out(&world), [LogoutReason::ConnectionLost]);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.at("hs102.network.com").dials, 1);
    assert_eq!(world.registered().journey.hops.len(), 1);
}

#[test]
fn a_dead_home_leads_back_to_discovery() {
    let mut world = signed_in(|_| {});
    world.server("hs105.network.com");
    world.at("hs102.network.com").redirect_to("<sip:hs105.network.com:5061;transport=tls>");
    world.at("hs104.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    world.cut("hs104.network.com");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.registered().home.host, "hs105.network.com");
}

#[test]
fn a_home_that_falls_silent_is_noticed_at_the_refresh() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").silent = true;
    world.command(Command::Refresh);
    world.pass(Duration::from_secs(32));
    assert_eq!(logged_out(&world), [LogoutReason::ConnectionLost]);
}

#[test]
fn leaving_removes_the_binding_signed_and_closes_the_connection() {
    let mut world = signed_in(|_| {});
    world.command(Command::Unregister);
    let last = *world.registers("hs104.network.com").last().unwrap();
    assert_eq!(last.expires(), Ok(Some(0)));
    assert!(last.auth(Name::Authorization).next().unwrap().param("response").is_some());
    assert_eq!(logged_out(&world), [LogoutReason::Asked]);
    assert_eq!(world.state(), AccountState::LoggedOff);
    assert_eq!((world.agent.flows(), world.agent.transactions()), (0, 0));
    assert_eq!(world.agent.deadline(), None);
    let now = world.now();
    assert_eq!(world.agent.handle_command(Command::Unregister(world.account), now), Err(Misuse::WrongState));
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn a_silent_server_keeps_nobody_from_leaving() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").silent = true;
    world.command(Command::Unregister);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.state(), AccountState::LoggedOff);
    assert_eq!((world.agent.flows(), world.agent.transactions()), (0, 0));
    assert_eq!(world.agent.deadline(), None);
}

#[test]
fn leaving_works_from_every_state() {
    for silent in [true, false] {
        let mut world = main_job(|_| {});
        world.at("hs102.network.com").silent = silent;
        world.rules.hold_credentials = !silent;
        world.login();
        world.command(Command::Unregister);
        assert_eq!(world.state(), AccountState::LoggedOff);
        assert_eq!((world.agent.flows(), world.agent.transactions(), world.agent.questions()), (0, 0, 0));
        assert_eq!(world.agent.deadline(), None);
    }
    let mut world = main_job(|_| {});
    world.rules.dns_silent = true;
    world.login();
    world.command(Command::Unregister);
    assert_eq!((world.agent.questions(), world.agent.deadline()), (0, None));
}

#[test]
fn the_network_goes_and_comes() {
    let mut world = signed_in(|_| {});
    world.input(Input::NetworkChanged { online: false });
    assert_eq!(world.state(), AccountState::NoNetwork);
    assert_eq!(logged_out(&world), [LogoutReason::ConnectionLost]);
    assert_eq!(world.agent.deadline(), None, "nothing is tried without a network");
    world.input(Input::NetworkChanged { online: true });
    assert_eq!(world.state(), AccountState::Registered);
    let before = world.registers("hs104.network.com").len();
    world.input(Input::NetworkChanged { online: true });
    world.pass(Duration::from_secs(3));
    assert_eq!(world.registers("hs104.network.com").len(), before + 1, "one REGISTER after a change");
}

#[test]
fn the_network_ends_a_pause() {
    let mut world = main_job(|_| {});
    world.at("hs102.network.com").unreachable = Some(ConnectError::Unreachable);
    world.login();
    assert_eq!(world.state(), AccountState::Unreachable);
    world.at("hs102.network.com").unreachable = None;
    world.input(Input::NetworkChanged { online: true });
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn after_a_long_sleep_one_register_goes_out() {
    let mut world = signed_in(|_| {});
    let before = world.registers("hs104.network.com").len();
    world.wall += HOUR * 12;
    world.input(Input::ClockJumped);
    world.input(Input::ClockJumped);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.registers("hs104.network.com").len(), before + 1);
    assert_eq!(logged_out(&world), []);
    assert_eq!(world.agent.counters().of(Counter::ClockJump), 2);
}

#[test]
fn a_clock_set_back_does_nothing() {
    let mut world = signed_in(|_| {});
    let before = world.sent.len();
    world.wall -= HOUR * 12;
    world.input(Input::ClockJumped);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.sent.len(), before);
}

#[test]
fn options_asks_whether_the_home_is_there() {
    let mut world = signed_in(|_| {});
    world.options();
    let answered = |world: &World| match world.events.last() {
        Some(AccountEvent::RequestEnded { outcome: RequestOutcome::Answered { answer, .. }, .. }) => {
            (answer.status, answer.millis)
        }
        other => panic!("no answer but {other:?}"),
    };
    assert_eq!(answered(&world), (200, 0));
    world.at("hs104.network.com").silent = true;
    world.options();
    world.pass(Duration::from_secs(2));
    world.at("hs104.network.com").silent = false;
    world.options();
    assert_eq!(answered(&world), (200, 0), "several may be under way");
    world.pass(Duration::from_secs(30));
    assert_eq!(answered(&world), (408, 32_000));
    assert_eq!(logged_out(&world), []);
}

/// The Call-IDs of the OPTIONS and of the REGISTERs at a server.
#[test]
fn an_options_has_a_call_id_of_its_own() {
    let mut world = signed_in(|_| {});
    world.options();
    world.options();
    let ids = |method| {
        let own = |(_, message): &&(_, Message)| message.method() == Some(method);
        let sent = world.sent.iter().filter(own);
        sent.map(|(_, message)| message.call_id().unwrap().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (options, registers) = (ids(Method::Options), ids(Method::Register));
    assert_eq!(options.len(), 2);
    assert!(options.is_disjoint(&registers));
}

/// A link lives while a request uses it: the home moves, the OPTIONS under way over the old link is still answered,
/// verified by the old association, and then the flow closes.
#[test]
fn an_options_under_way_outlives_a_move_on_a_draining_link() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").silent = true;
    world.options();
    let options =
        world.sent.iter().rev().find(|(_, one)| one.method() == Some(Method::Options)).unwrap().1.clone();
    notify(&mut world, "deactivated", &[]);
    assert_eq!(logged_out(&world), [LogoutReason::Deactivated]);
    assert!(probed(&world).is_empty(), "it is still under way");
    assert_eq!(world.agent.flows(), 1, "its flow drains");
    let reply = Builder::reply_to(&options, 200, "OK").to_tag("x").finish();
    let forged = world.agent.counters().of(Counter::Unsigned);
    world.say("hs104.network.com", reply.clone());
    assert_eq!(world.agent.counters().of(Counter::Unsigned), forged + 1, "its link still verifies");
    let wall = world.wall;
    let signed = world.at("hs104.network.com").sign(reply, wall);
    world.say("hs104.network.com", signed);
    assert_eq!(probed(&world), [200]);
    assert_eq!(world.agent.flows(), 0, "and ends with its last user");
}

/// The final statuses OPTIONS were answered with.
fn probed(world: &World) -> Vec<u16> {
    let status = |event: &AccountEvent| match event {
        AccountEvent::RequestEnded { outcome: RequestOutcome::Answered { answer, .. }, .. } => {
            Some(answer.status)
        }
        _ => None,
    };
    world.events.iter().filter_map(status).collect()
}

#[test]
fn a_challenged_options_is_sent_again_after_a_handshake() {
    let mut world = signed_in(|_| {});
    let before = world.registers("hs104.network.com").len();
    world.at("hs104.network.com").amnesia = true;
    world.options();
    assert_eq!(probed(&world), [200]);
    assert_eq!(world.registers("hs104.network.com").len() - before, 3, "one handshake");
    assert!(world.events.contains(&AccountEvent::AssociationRenewed));
    assert_eq!(logged_out(&world), []);
}

#[test]
fn handshakes_for_challenged_requests_are_rationed() {
    let mut world = signed_in(|_| {});
    for _ in 0..4 {
        world.at("hs104.network.com").amnesia = true;
        world.options();
    }
    assert_eq!(probed(&world), [200, 200, 200, 401], "the fourth in a minute is not followed");
    assert_eq!(world.agent.counters().of(Counter::ChallengeRate), 1);
    assert_eq!(logged_out(&world), []);
}

#[test]
fn a_stale_nonce_at_options_is_answered_without_asking() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs1.network.com")]);
    world.server("hs1.network.com").gate = Gate::Digest("SHA-256");
    world.login();
    world.at("hs1.network.com").expire_nonce();
    let asked = world.asked.len();
    world.options();
    assert_eq!(probed(&world), [200]);
    assert_eq!(world.asked.len(), asked);
}

#[test]
fn an_options_that_is_always_challenged_is_told_so() {
    let mut world = signed_in(|_| {});
    world.rules.credentials = None;
    for _ in 0..5 {
        world.at("hs104.network.com").amnesia = true;
        world.options();
    }
    assert_eq!(probed(&world), [401; 5]);
    assert_eq!(logged_out(&world), [], "it costs nobody the registration");
    assert_eq!((world.agent.transactions(), world.agent.questions()), (0, 0));
}

#[test]
fn a_server_that_does_not_know_the_password_is_told() {
    let mut world = World::new(|config| config.redirect.unsigned = UnsignedRule::FollowOverTls);
    world.srv(&[(10, "hs1.network.com")]);
    let server = world.server("hs1.network.com");
    server.gate = Gate::Digest("SHA-256");
    server.extra.push(("Authentication-Info".into(), "qop=auth, rspauth=\"00ff\"".into()));
    world.login();
    let told = AccountEvent::ProofWrong { server: ServerName::new("hs1.network.com", 5061) };
    assert!(world.events.contains(&told));
    assert_eq!(world.agent.counters().of(Counter::WrongProof), 2, "of the binding, and of its end");
    assert_eq!(world.last_failure().error.code(), "E0611");
    let registers = world.registers("hs1.network.com");
    assert_eq!(registers.last().unwrap().expires(), Ok(Some(0)), "the binding is removed");
    assert!(world.events.contains(&AccountEvent::Unregistered { outcome: UnregisterOutcome::Removed }));
    world.command(Command::Unregister);
    world.at("hs1.network.com").redirect_to("<sip:hs2.network.com:5061;transport=tls>");
    world.server("hs2.network.com");
    world.login();
    assert_eq!(world.last_failure().error.code(), "E0704", "and leads nobody anywhere");
    assert_eq!(world.at("hs2.network.com").dials, 0);
}

#[test]
fn an_interval_too_brief_is_lengthened() {
    let mut world = World::new(|config| config.expires = 60);
    world.srv(&[(10, "hs1.network.com")]);
    let headers = vec![("Min-Expires", "900".to_owned())];
    let server = world.server("hs1.network.com").gate(Gate::Open);
    server.then = Then::Status { status: 423, reason: "Interval Too Brief", headers };
    world.login();
    let registers = world.registers("hs1.network.com");
    assert_eq!(registers.len(), 2);
    assert!(registers[1].text(Name::Contact).unwrap().contains(";expires=900"));
    let sentence = "hs1.network.com:5061 finds 900 s too brief, and demands 900 s";
    assert_eq!(
        (world.last_failure().error.to_string(), world.last_failure().error.code()),
        (sentence.into(), "E0804")
    );
}

#[test]
fn an_interval_that_grows_with_every_answer_is_not_followed_for_ever() {
    let mut world = World::new(|config| config.expires = 60);
    world.srv(&[(10, "hs1.network.com")]);
    let headers = vec![("Min-Expires", "900".to_owned())];
    let server = world.server("hs1.network.com").gate(Gate::Open);
    server.then = Then::Status { status: 423, reason: "Interval Too Brief", headers };
    let mut least = 900;
    world.rules.mangle = Some(Box::new(move |answer| {
        least += 1_000;
        vec![edited(&answer, |text| text.replace("Min-Expires: 900", &format!("Min-Expires: {least}")))]
    }));
    world.login();
    assert_eq!(world.registers("hs1.network.com").len(), 2);
    let sentence = "hs1.network.com:5061 finds 1900 s too brief, and demands 2900 s";
    assert_eq!(world.last_failure().error.to_string(), sentence);
}

#[test]
fn an_interval_that_nobody_can_ask_for_is_named() {
    for (demand, words) in [
        ("900;jitter=3", "finds 900 s too brief, and demands 900 s"),
        ("0", "finds 60 s too brief, and demands 0 s"),
        ("604801", "finds 60 s too brief, and demands 604801 s"),
        ("soon", "finds 60 s too brief, and does not say what it demands"),
    ] {
        let mut world = World::new(|config| config.expires = 60);
        world.srv(&[(10, "hs1.network.com")]);
        let headers = vec![("Min-Expires", demand.to_owned())];
        let server = world.server("hs1.network.com").gate(Gate::Open);
        server.then = Then::Status { status: 423, reason: "Interval Too Brief", headers };
        world.login();
        assert_eq!(world.last_failure().error.to_string(), format!("hs1.network.com:5061 {words}"));
    }
}

#[test]
fn a_wrong_proof_changes_nothing_where_the_account_ignores_it() {
    let mut world = World::new(|config| config.auth.rspauth = Rspauth::Ignore);
    world.srv(&[(10, "hs1.network.com")]);
    let server = world.server("hs1.network.com");
    server.gate = Gate::Digest("SHA-256");
    server.extra.push(("Authentication-Info".into(), "qop=auth, rspauth=\"00ff\"".into()));
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.agent.counters().of(Counter::WrongProof), 1);
}

/// What became of the binding, of each sign-out.
fn outcomes(world: &World) -> Vec<UnregisterOutcome> {
    let outcome = |event: &AccountEvent| match event {
        AccountEvent::Unregistered { outcome } => Some(*outcome),
        _ => None,
    };
    world.events.iter().filter_map(outcome).collect()
}

#[test]
fn a_sign_out_tells_what_became_of_the_binding() {
    type Row = (fn(&mut World), UnregisterOutcome);
    let rows: [Row; 4] = [
        (|_| {}, UnregisterOutcome::Removed),
        (
            |world| {
                world.at("hs104.network.com").answer(500, "Server Error");
            },
            UnregisterOutcome::Refused { status: 500 },
        ),
        (|world| world.at("hs104.network.com").silent = true, UnregisterOutcome::Unanswered),
        (
            |world| {
                world.at("hs104.network.com").gate(Gate::NtlmRefusing).amnesia = true;
            },
            UnregisterOutcome::Refused { status: 401 },
        ),
    ];
    for (spoil, outcome) in rows {
        let mut world = signed_in(|_| {});
        spoil(&mut world);
        world.command(Command::Unregister);
        world.pass(Duration::from_secs(5));
        assert_eq!(outcomes(&world), [outcome]);
        assert_eq!(logged_out(&world), [LogoutReason::Asked]);
        assert_eq!(world.state(), AccountState::LoggedOff);
    }
    let mut world = World::new(|_| {});
    world.login();
    world.command(Command::Unregister);
    assert_eq!(outcomes(&world), [UnregisterOutcome::NotRegistered]);
}

#[test]
fn a_sign_out_waits_as_long_as_it_is_told_to() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").silent = true;
    world.command(|account| Command::UnregisterWithin(account, Duration::from_secs(20)));
    world.pass(Duration::from_secs(19));
    assert_eq!(outcomes(&world), []);
    world.command(|account| Command::UnregisterWithin(account, Duration::from_secs(10)));
    world.pass(Duration::from_secs(9));
    assert_eq!(outcomes(&world), [], "asked once more, it waits on");
    world.pass(Duration::from_secs(1));
    assert_eq!(outcomes(&world), [UnregisterOutcome::Unanswered]);
}

/// Neither over TLS nor else: what nothing signs ends no registration.
#[test]
fn a_registration_notify_without_an_association_is_refused() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs1.network.com")]);
    world.server("hs1.network.com").gate = Gate::Digest("SHA-256");
    world.login();
    let (wall, body) = (world.wall, "deregistered;event=rejected");
    let headers = [("Event", "registration-notify")];
    let request = world.at("hs1.network.com").request("NOTIFY sip:user@198.51.100.7", &headers, body, wall);
    world.say("hs1.network.com", request);
    let answer = &world.sent.last().unwrap().1;
    assert_eq!(answer.status(), Some(403));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.agent.counters().of(Counter::RefusedRequest), 1);
}

/// RFC 3261 sections 8.1.3.3 and 18.1.2. The last true answer is taken.
#[test]
fn an_answer_that_is_not_for_this_phone_is_dropped_and_is_the_reason_of_the_timeout() {
    let rows: [(Edit, &str); 5] = [
        (
            |text| text.replacen("198.51.100.7:40000", "203.0.113.9:40000", 1),
            "an answer names 203.0.113.9:40000 in its Via and not this phone, as a router's SIP helper leaves it",
        ),
        (
            |text| text.replacen("\r\nFrom", "\r\nVia: SIP/2.0/TLS x;branch=z9hG4bKx\r\nFrom", 1),
            "an answer has 2 Via values, as if it were for somebody else",
        ),
        (|text| text.replace(";tag=from", ";tag=other"), "an answer has another From tag than the request"),
        (|text| text.replacen("SIP/2.0 ", "SIP/3.0 ", 1), "an answer is of another version than SIP/2.0"),
        (
            |text| text.replace("Content-Length: 0", "Content-Length: 5"),
            "the Content-Length of an answer is wrong",
        ),
    ];
    for (edit, why) in rows {
        let mut world = World::new(|_| {});
        world.srv(&[(10, "hs1.network.com")]);
        world.server("hs1.network.com").gate = Gate::Open;
        world.rules.mangle = Some(Box::new(move |answer| vec![edited(&answer, edit)]));
        world.login();
        assert_eq!(world.agent.counters().of(Counter::UnusableResponse), 1, "{why}");
        let dropped = |event: &AccountEvent| matches!(event, AccountEvent::ResponseDropped { why: said, .. } if said.to_string() == why);
        assert!(world.events.iter().any(dropped), "{why}");
        world.pass(Duration::from_secs(33));
        let error = &world.last_failure().error;
        let sentence = format!("hs1.network.com:5061 gave no answer that could be used: {why}");
        assert_eq!((error.to_string(), error.code()), (sentence, "E0903"));
        world.rules.mangle = Some(Box::new(move |answer| vec![edited(&answer, edit), answer]));
        world.pass(Duration::from_secs(70));
        assert_eq!(world.state(), AccountState::Registered, "{why}");
    }
}

#[test]
fn a_registrar_that_knows_the_user_no_more_ends_the_registration() {
    for status in [404, 410] {
        let mut world = signed_in(|_| {});
        world.at("hs104.network.com").answer(status, "Gone");
        world.command(Command::Refresh);
        assert_eq!(logged_out(&world), [LogoutReason::BindingLost], "{status}");
    }
}

#[test]
fn a_password_that_never_was_right_is_not_tried_again() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs1.network.com")]);
    world.server("hs1.network.com").gate = Gate::NtlmRefusing;
    world.login();
    assert_eq!(world.last_failure().error.code(), "E0601");
    assert_eq!(world.agent.deadline(), None);
    world.rules.credentials = None;
    world.login();
    assert_eq!(
        world.last_failure().error.code(),
        "E0601",
        "whoever gave one is not told that none was given"
    );
    assert_eq!(world.agent.deadline(), None);
}

#[test]
fn a_changed_source_of_the_password_is_tried_at_once() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").gate(Gate::NtlmRefusing).amnesia = true;
    world.command(Command::Refresh);
    assert_eq!(world.state(), AccountState::Expiring);
    world.at("hs104.network.com").gate(Gate::Ntlm);
    world.command(Command::CredentialsChanged);
    assert_eq!(world.state(), AccountState::Registered);
}

/// Neither a login that was refused for good nor one that waits for a later attempt is left to itself.
#[test]
fn a_changed_source_of_the_password_ends_the_rest_after_a_failed_login() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "hs1.network.com")]);
    world.server("hs1.network.com").gate = Gate::NtlmRefusing;
    world.login();
    assert_eq!((world.state(), world.agent.deadline()), (AccountState::NeedsPassword, None));
    world.at("hs1.network.com").gate = Gate::Ntlm;
    world.command(Command::CredentialsChanged);
    assert_eq!(world.state(), AccountState::Registered);
    let mut world = signed_in(|_| {});
    for _ in 0..6 {
        world.cut("hs104.network.com");
        world.pass(Duration::from_secs(2));
    }
    assert_eq!(world.state(), AccountState::Connecting, "the sixth in a minute waits");
    world.command(Command::CredentialsChanged);
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn a_server_that_takes_and_drops_is_not_run_after() {
    let mut world = signed_in(|_| {});
    for _ in 0..5 {
        world.cut("hs104.network.com");
        world.pass(Duration::from_secs(2));
        assert_eq!(world.state(), AccountState::Registered);
    }
    world.cut("hs104.network.com");
    world.pass(Duration::from_secs(29));
    assert_eq!(world.state(), AccountState::Connecting, "the sixth in a minute waits");
    world.pass(Duration::from_secs(31));
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn servers_that_prefer_each_other_do_not_move_an_account_for_ever() {
    let mut world = signed_in(|_| {});
    world.server("hs105.network.com");
    let mut here = "hs104.network.com";
    for _ in 0..10 {
        let there = if here == "hs104.network.com" { "hs105.network.com" } else { "hs104.network.com" };
        let registrar = format!("<sip:{there}:5061;transport=tls>");
        let headers = [("Event", "registration-notify"), ("P-Preferred-Registrar", registrar.as_str())];
        let (wall, body) = (world.wall, "registered;event=preferred-registrar-change");
        let request = world.at(here).request("NOTIFY sip:user@198.51.100.7", &headers, body, wall);
        world.say(here, request);
        here = if world.registered().home.host == there { there } else { here };
    }
    assert_eq!(logged_out(&world).len(), 5);
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn a_password_that_was_right_before_is_tried_ever_more_rarely() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").gate(Gate::NtlmRefusing).amnesia = true;
    world.command(Command::Refresh);
    let tokens = |world: &World| {
        let given = |message: &&Message| {
            let auth = message.auth(Name::Authorization).next();
            auth.is_some_and(|auth| auth.param("gssapi-data").is_some_and(|token| !token.is_empty()))
        };
        world.registers("hs104.network.com").into_iter().filter(given).count()
    };
    assert_eq!(tokens(&world), 2);
    world.pass(Duration::from_secs(9 * 60));
    assert_eq!(tokens(&world), 2, "nobody's account is locked");
    world.pass(HOUR * 2 - Duration::from_secs(9 * 60 + 1));
    assert_eq!(tokens(&world), 5, "after 10, 20 and 40 minutes");
    assert_eq!(world.state(), AccountState::Expiring);
    world.pass(Duration::from_secs(10));
    assert_eq!(logged_out(&world), [LogoutReason::Lapsed]);
    assert_eq!(world.last_failure().error.code(), "E0601");
    assert_eq!(world.state(), AccountState::NeedsPassword);
    world.pass(HOUR);
    assert_eq!(tokens(&world), 6, "and every hour");
    world.at("hs104.network.com").gate(Gate::Ntlm);
    world.pass(HOUR + Duration::from_secs(600));
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn a_connection_that_died_with_the_network_is_left_within_seconds() {
    let mut world = signed_in(|_| {});
    world.at("hs104.network.com").silent = true;
    world.input(Input::NetworkChanged { online: true });
    world.pass(Duration::from_secs(7));
    assert_eq!(logged_out(&world), [LogoutReason::ConnectionLost]);
    let mut world = signed_in(|_| {});
    world.input(Input::NetworkChanged { online: true });
    world.pass(Duration::from_secs(60));
    assert_eq!(logged_out(&world), []);
}

/// The association a REGISTER was signed with.
fn signed_with(register: &Message) -> Option<String> {
    register.auth(Name::Authorization).next()?.param("opaque").map(str::to_owned)
}

#[test]
fn a_renewal_that_only_the_old_association_signs_changes_no_keys() {
    let headers = vec![("Min-Expires", "10000".to_owned())];
    let brief = Then::Status { status: 423, reason: "Interval Too Brief", headers };
    for then in [Then::Accept { expires: 7_200 }, brief] {
        let mut world = signed_in(|_| {});
        world.at("hs104.network.com").stubborn = true;
        let first = signed_with(world.registers("hs104.network.com").last().unwrap());
        world.pass(HOUR * 8 - Duration::from_secs(301));
        world.at("hs104.network.com").then = then.clone();
        world.pass(Duration::from_secs(2));
        let token = signed_with(
            world
                .registers("hs104.network.com")
                .iter()
                .rev()
                .find(|register| {
                    let auth = register.auth(Name::Authorization).next();
                    auth.is_some_and(|auth| auth.param("gssapi-data").is_some_and(|token| !token.is_empty()))
                })
                .unwrap(),
        );
        assert_ne!(token, first, "a handshake was tried");
        world.command(Command::Refresh);
        let last = signed_with(world.registers("hs104.network.com").last().unwrap());
        assert_eq!(last, first, "after {then:?}");
        assert!(!world.events.contains(&AccountEvent::AssociationRenewed));
        assert_eq!(logged_out(&world), []);
    }
}

#[test]
fn a_server_that_grants_without_a_new_handshake_is_asked_once_a_minute() {
    let mut world = signed_in(|_| {});
    world.pass(HOUR * 8 - Duration::from_secs(301));
    world.at("hs104.network.com").gate(Gate::Open);
    let before = world.registers("hs104.network.com").len();
    world.pass(Duration::from_secs(182));
    let asked = world.registers("hs104.network.com").len() - before;
    assert!((3..=5).contains(&asked), "{asked}");
    world.at("hs104.network.com").gate(Gate::Ntlm);
    world.pass(Duration::from_secs(61));
    assert!(world.events.contains(&AccountEvent::AssociationRenewed));
    assert_eq!(logged_out(&world), []);
}
