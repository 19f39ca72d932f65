//! Requests outside a dialog: redirects change their Request-URI only (decision 3), and the registrar's Service-Route
//! stands in them (decision 51).

use std::time::Duration;

use homing_core::command::Command;
use homing_core::config::{AccountConfig, ServerChoice};
use homing_core::connect::ConnectError;
use homing_core::counter::Counter;
use homing_core::dns::{DnsQuestion, DnsRecords, RecordKind, Srv};
use homing_core::event::{AccountEvent, RequestOutcome};
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::header::Route;
use homing_wire::{Message, Method, Name};

use super::world::server::{Gate, edited};
use super::world::{World, answer, main_job};

const HOME: &str = "hs104.network.com";
const BOB: &str = "sip:bob@network.com";
const ROBERT: &str = "sip:robert@network.com";

fn signed_in(config: impl FnOnce(&mut AccountConfig)) -> World {
    let mut world = main_job(config);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world
}

/// The server redirects an OPTIONS to `uri` to these Contacts.
fn redirect(world: &mut World, server: &str, uri: &str, contacts: &[&str]) {
    let contacts = contacts.iter().map(|contact| (*contact).to_owned()).collect();
    world.at(server).onward.insert(uri.to_owned(), contacts);
}

fn ask(world: &mut World, uri: &str) {
    let now = world.now();
    world.agent.options(world.account, Some(uri), now).unwrap();
    world.settle();
}

/// The final status of the last request that ended.
fn status(world: &World) -> Option<u16> {
    world.events.iter().rev().find_map(|event| match event {
        AccountEvent::RequestEnded { outcome: RequestOutcome::Answered { answer, .. }, .. } => {
            Some(answer.status)
        }
        _ => None,
    })
}

/// Each OPTIONS with the server it went to.
fn options(world: &World) -> Vec<(&str, &Message)> {
    let is_options = |(_, message): &&(String, Message)| message.method() == Some(Method::Options);
    world.sent.iter().filter(is_options).map(|(to, message)| (to.as_str(), message)).collect()
}

fn uris(world: &World) -> Vec<&str> {
    options(world).iter().filter_map(|(_, message)| message.request_uri()).collect()
}

#[test]
fn a_redirect_changes_the_request_uri_and_leaves_by_the_home_server() {
    let mut world = signed_in(|_| {});
    redirect(&mut world, HOME, BOB, &["<sip:robert@hs9.network.com>"]);
    let (questions, dials) = (world.asked.len(), world.at(HOME).dials);
    ask(&mut world, BOB);
    assert_eq!(status(&world), Some(200));
    let [(first_to, first), (to, second)] = options(&world)[..] else { panic!() };
    assert_eq!((first_to, to), (HOME, HOME));
    assert_eq!(second.request_uri(), Some("sip:robert@hs9.network.com"));
    assert_eq!(second.to().unwrap().uri_str(), BOB, "whom it is for stays");
    assert_eq!(first.text(Name::CallId), second.text(Name::CallId));
    assert_eq!(second.text(Name::CSeq).as_deref(), Some("2 OPTIONS"));
    assert!(second.auth(Name::Authorization).next().is_some(), "it is signed");
    assert_eq!((world.asked.len(), world.at(HOME).dials), (questions, dials), "nothing is looked for");
    assert_eq!(world.registered().home.host, HOME);
    assert_eq!(world.agent.counters().of(Counter::RedirectRefused), 0);
}

#[test]
fn the_best_contact_that_was_not_asked_is_taken() {
    let mut world = signed_in(|_| {});
    redirect(&mut world, HOME, BOB, &["<sip:low@network.com>;q=0.1", "<sip:BOB@network.com>;q=0.2", ROBERT]);
    redirect(&mut world, HOME, ROBERT, &["<sip:%62ob@network.com>;q=0.9", "<sip:next@network.com>;q=0.5"]);
    ask(&mut world, BOB);
    assert_eq!(uris(&world), [BOB, ROBERT, "sip:next@network.com"]);
}

#[test]
fn loops_and_chains_end_with_the_redirect_as_answer() {
    let mut world = signed_in(|_| {});
    redirect(&mut world, HOME, BOB, &[&format!("<{ROBERT}>")]);
    redirect(&mut world, HOME, ROBERT, &[&format!("<{BOB}>")]);
    ask(&mut world, BOB);
    assert_eq!((status(&world), options(&world).len()), (Some(301), 2));
    assert_eq!(world.agent.counters().of(Counter::RedirectRefused), 1);

    let mut world = signed_in(|_| {});
    for n in 0..9 {
        let next = format!("<sip:u{}@network.com>", n + 1);
        redirect(&mut world, HOME, &format!("sip:u{n}@network.com"), &[&next]);
    }
    ask(&mut world, "sip:u0@network.com");
    assert_eq!((status(&world), options(&world).len()), (Some(301), 6), "five are followed");
}

#[test]
fn the_rules_of_a_redirected_register_hold() {
    for contact in [
        "<sip:bob@elsewhere.test>",
        "<sip:bob@192.0.2.77>",
        "<sip:robert@network.com;transport=tcp>",
        "<sip:robert@network.com;maddr=192.0.2.9>",
        "<sip:robert@network.com?Subject=x>",
        "<tel:+15551234>",
        "*",
    ] {
        let mut world = signed_in(|_| {});
        redirect(&mut world, HOME, BOB, &[contact]);
        ask(&mut world, BOB);
        assert_eq!((status(&world), options(&world).len()), (Some(301), 1), "{contact}");
        assert_eq!(world.agent.counters().of(Counter::RedirectRefused), 1, "{contact}");
    }
}

/// Inside an association what nobody signed is as if it had never come.
#[test]
fn an_unsigned_redirect_inside_an_association_is_not_followed() {
    let mut world = signed_in(|_| {});
    redirect(&mut world, HOME, BOB, &[&format!("<{ROBERT}>")]);
    world.rules.mangle = Some(Box::new(|answer| {
        let strip = |text: String| {
            text.split("\r\n").filter(|line| !line.contains("NTLM")).collect::<Vec<_>>().join("\r\n")
        };
        vec![if answer.starts_with(b"SIP/2.0 301") { edited(&answer, strip) } else { answer }]
    }));
    ask(&mut world, BOB);
    assert_eq!((status(&world), options(&world).len()), (None, 1));
    assert_eq!(world.agent.counters().of(Counter::Unsigned), 1);
    world.pass(Duration::from_secs(33));
    assert_eq!(status(&world), Some(408));
}

#[test]
fn credentials_do_not_travel_along() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, HOME)]);
    world.server(HOME).gate(Gate::Digest("SHA-256"));
    world.login();
    redirect(&mut world, HOME, BOB, &[&format!("<{ROBERT}>")]);
    ask(&mut world, BOB);
    let [(_, first), (_, second)] = options(&world)[..] else { panic!() };
    assert!(first.auth(Name::Authorization).next().is_some(), "for the home server itself");
    assert!(second.auth(Name::Authorization).next().is_none());
    assert_eq!(status(&world), Some(401), "and a challenge to it is not answered");
}

#[test]
fn an_account_without_registrar_goes_to_the_server_of_the_new_uri() {
    let mut world = World::new(|config| {
        config.server = ServerChoice::NoRegistrar;
        config.transports = vec![Transport::Tls];
    });
    world.server("hs1.network.com").gate = Gate::Open;
    world.server("hs2.network.com").gate = Gate::Digest("SHA-256");
    let (first, next) = ("sip:bob@hs1.network.com:5061", "sip:bob@hs2.network.com:5061");
    redirect(&mut world, "hs1.network.com", first, &[&format!("<{next}>")]);
    ask(&mut world, first);
    let [(_, _), (to, second)] = options(&world)[..] else { panic!() };
    assert_eq!((to, second.request_uri()), ("hs2.network.com", Some(next)));
    assert_eq!(second.to().unwrap().uri_str(), first);
    assert_eq!(status(&world), Some(401), "whoever it leads to gets no credentials");
    let agent = &world.agent;
    assert_eq!((agent.transactions(), agent.flows(), agent.questions()), (0, 0, 0));
}

#[test]
fn the_service_route_stands_in_requests_outside_dialogs_and_nothing_is_dialled_from_it() {
    let mut world = main_job(|_| {});
    let hops = ["<sip:p1.elsewhere.test;lr>", "<sip:orig@p2.network.com:5061;lr>"];
    world.at(HOME).extra.push(("Service-Route".into(), hops.join(", ")));
    world.login();
    let questions = world.asked.len();
    ask(&mut world, BOB);
    let [(to, request)] = options(&world)[..] else { panic!() };
    assert_eq!((to, request.request_uri()), (HOME, Some(BOB)));
    let routes: Vec<String> =
        request.all::<Route<'_>>().map(|route| format!("<{}>", route.unwrap().uri_str())).collect();
    assert_eq!(routes, hops);
    assert_eq!(world.asked.len(), questions);
    world.command(Command::Refresh);
    assert!(world.registers(HOME).iter().all(|register| register.text(Name::Route).is_none()));
    world.at(HOME).extra.clear();
    world.command(Command::Refresh);
    ask(&mut world, BOB);
    assert!(options(&world)[1].1.text(Name::Route).is_none(), "the last 2xx has none");
}

/// The answers to OPTIONS, as the network changes them.
fn mangle_options(world: &mut World, edit: impl Fn(String) -> String + 'static) {
    world.rules.mangle = Some(Box::new(move |answer| {
        let is_for_options = std::str::from_utf8(&answer).unwrap().contains("OPTIONS");
        vec![if is_for_options { edited(&answer, &edit) } else { answer }]
    }));
}

/// A handshake is the registration's, over the link to the home server: it may not be drawn by whoever a redirect
/// leads to where that link knows no association.
#[test]
fn a_redirect_draws_no_handshake_either() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, HOME)]);
    world.server(HOME).gate(Gate::Digest("SHA-256"));
    world.login();
    redirect(&mut world, HOME, BOB, &[&format!("<{ROBERT}>")]);
    mangle_options(&mut world, |text| {
        let lines = text.split("\r\n").map(|line| match line.starts_with("WWW-Authenticate") {
            true => "WWW-Authenticate: NTLM realm=\"r\", targetname=\"hs104.network.com\", version=4",
            false => line,
        });
        lines.collect::<Vec<_>>().join("\r\n")
    });
    let registers = world.registers(HOME).len();
    ask(&mut world, BOB);
    assert_eq!((status(&world), options(&world).len()), (Some(401), 2));
    assert_eq!(world.registers(HOME).len(), registers, "no REGISTER renews what there is not");
}

/// Decision 3: what came over TLS goes on over TLS.
#[test]
fn a_redirect_by_tls_is_not_followed_over_tcp() {
    let mut world = World::new(|config| {
        config.server = ServerChoice::NoRegistrar;
        config.transports = vec![Transport::Tls, Transport::Tcp];
    });
    world.server("hs1.network.com").gate = Gate::Open;
    let next = world.server("hs2.network.com");
    next.gate = Gate::Open;
    // Its certificate is another's, and its domain has a record for TCP alone.
    next.certificate = vec!["other.network.com".into()];
    let question = DnsQuestion { name: "_sip._tcp.hs2.network.com".into(), kind: RecordKind::Srv };
    let record = Srv { priority: 10, weight: 10, port: 5061, target: "hs2.network.com".into() };
    world.dns.insert(question, answer(DnsRecords::Srv(vec![record])));
    let first = "sip:bob@hs1.network.com:5061;transport=tls";
    redirect(&mut world, "hs1.network.com", first, &["<sip:bob@hs2.network.com>"]);
    ask(&mut world, first);
    assert_eq!(world.agent.counters().of(Counter::RedirectFollowed), 1);
    assert_eq!(options(&world).len(), 1, "nothing goes out over less");
}

#[test]
fn a_server_whose_proof_is_wrong_leads_nowhere() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, HOME)]);
    world.server(HOME).gate(Gate::Digest("SHA-256"));
    world.login();
    redirect(&mut world, HOME, BOB, &[&format!("<{ROBERT}>")]);
    let proof = "Authentication-Info: rspauth=\"0011223344556677\", qop=auth\r\n\r\n";
    mangle_options(&mut world, move |text| text.replace("\r\n\r\n", &format!("\r\n{proof}")));
    ask(&mut world, BOB);
    assert_eq!((status(&world), options(&world).len()), (Some(301), 1));
    assert!(world.events.iter().any(|event| matches!(event, AccountEvent::ProofWrong { .. })));
}

/// The next candidate's connection is there already, so that it goes out while the loss of the first is told.
#[test]
fn a_connection_that_fails_takes_nothing_from_a_request_that_went_on_over_another() {
    let mut world = World::new(|config| {
        config.server = ServerChoice::NoRegistrar;
        config.transports = vec![Transport::Tls];
    });
    let pool = "pool.network.com";
    world.server("hs1.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    let server = world.server("hs2.network.com");
    server.certificate = vec![pool.into()];
    server.gate = Gate::Open;
    server.silent = true;
    let addresses: Vec<_> = world.servers.keys().map(std::net::SocketAddr::ip).collect();
    let question = DnsQuestion { name: pool.into(), kind: RecordKind::Address };
    world.dns.insert(question.clone(), answer(DnsRecords::Addresses(addresses[1..].to_vec())));
    let [bob, robert] = ["bob", "robert"].map(|user| format!("sip:{user}@{pool}:5061;transport=tls"));
    ask(&mut world, &bob);
    world.dns.insert(question, answer(DnsRecords::Addresses(addresses)));
    world.at("hs2.network.com").silent = false;
    ask(&mut world, &robert);
    assert_eq!(uris(&world), [&bob, &robert]);
    assert_eq!(world.at("hs1.network.com").dials, 1);
    assert_eq!((status(&world), world.at("hs2.network.com").dials), (Some(200), 1));
}
