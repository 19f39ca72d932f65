//! Calls whose connection is lost while they ring, are being answered, or have something to say: they go on over the next
//! one, or end in time (decisions 39, 41).

use homing_core::connect::ConnectError;

use super::*;

/// An INVITE of bob that asks for reliable responses, with or without an offer.
fn rings_reliably(world: &mut World, offers: bool) -> Message {
    let wall = world.wall;
    let invite = Builder::request(Method::Invite, "sip:user@198.51.100.7:40000;transport=tls")
        .header(Name::Via, format_args!("SIP/2.0/TLS {HOME};branch=z9hG4bKr1"))
        .header(Name::MaxForwards, 70)
        .header(Name::From, "<sip:bob@network.com>;tag=r1")
        .header(Name::To, "<sip:user@network.com>;epid=3344")
        .header(Name::CallId, "r1")
        .header(Name::CSeq, "1 INVITE")
        .header(Name::Contact, CONTACT)
        .header(Name::Require, "100rel")
        .header(Name::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK");
    let invite = if offers { invite.body("application/sdp", SDP.as_bytes()) } else { invite };
    let signed = world.at(HOME).sign(invite.finish(), wall);
    world.say(HOME, signed.clone());
    Message::parse(signed).unwrap()
}

fn alerts(world: &mut World, early: bool) {
    let (call, now) = (came(world), world.now());
    world.agent.ring(call, early, now).unwrap();
    world.settle();
}

fn answers(world: &mut World) {
    let (call, now) = (came(world), world.now());
    world.agent.answer(call, now).unwrap();
    world.settle();
}

fn why(world: &World) -> Option<EndReason> {
    end(world).map(|end| end.why.clone())
}

/// The last 2xx is acknowledged, and the caller hangs up.
fn is_answered_and_hung_up(world: &mut World, invite: &Message) {
    let success = responses(world, 200).last().unwrap().clone();
    assert!(is_signed(&success));
    let seq = invite.cseq().unwrap().seq;
    inside(world, HOME, &success, Method::Ack, seq);
    assert!(world.calls.contains(&CallEvent::Answered { fork: 0 }), "{:?}", world.calls);
    inside(world, HOME, &success, Method::Bye, seq + 9);
    rests(world);
}

/// A reliable response that nobody acknowledged goes with its connection: the 2xx says the same.
#[test]
fn an_answer_over_the_next_connection_describes_what_a_lost_response_did() {
    for (offers, answers_first) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut world = signed_in();
        let invite = rings_reliably(&mut world, offers);
        alerts(&mut world, true);
        assert_eq!(responses(&world, 183).len(), 1);
        if answers_first {
            answers(&mut world);
        }
        world.cut(HOME);
        world.pass_until(AccountState::Registered, Duration::from_secs(60));
        if !answers_first {
            answers(&mut world);
        }
        let success = responses(&world, 200).last().unwrap().clone();
        assert!(!success.body().is_empty(), "offer: {offers}");
        is_answered_and_hung_up(&mut world, &invite);
    }
}

/// The caller may have had it, and acknowledges it over the next connection.
#[test]
fn a_late_acknowledgement_of_a_lost_response_counts() {
    let mut world = signed_in();
    let invite = rings_reliably(&mut world, false);
    alerts(&mut world, true);
    let early = responses(&world, 183).last().unwrap().clone();
    world.cut(HOME);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    let rack = format!("{} 1 INVITE", early.get::<RSeq>().unwrap().unwrap().0);
    let prack = Builder::request(Method::Prack, "sip:user@198.51.100.7:40000;transport=tls")
        .header(Name::Via, format_args!("SIP/2.0/TLS {HOME};branch=z9hG4bKr2"))
        .header(Name::MaxForwards, 70)
        .header(Name::From, early.text(Name::From).unwrap())
        .header(Name::To, early.text(Name::To).unwrap())
        .header(Name::CallId, "r1")
        .header(Name::CSeq, "2 PRACK")
        .header(Name::RAck, rack)
        .body("application/sdp", SDP.as_bytes());
    let wall = world.wall;
    let signed = world.at(HOME).sign(prack.finish(), wall);
    world.say(HOME, signed);
    let described = |what: &CallEvent| matches!(what, CallEvent::Described { .. });
    assert!(responses(&world, 481).is_empty() && world.calls.iter().any(described), "{:?}", world.calls);
    answers(&mut world);
    let success = responses(&world, 200).last().unwrap().clone();
    assert!(success.body().is_empty(), "the two agreed before");
    is_answered_and_hung_up(&mut world, &invite);
}

/// The login brings another connection; until then the application knows why nothing happens.
#[test]
fn a_ring_that_is_answered_without_a_connection_is_answered_over_the_next() {
    let mut world = signed_in();
    let invite = rings(&mut world, true);
    world.cut(HOME);
    answers(&mut world);
    assert!(world.calls.contains(&CallEvent::ConnectionLost), "{:?}", world.calls);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    assert!(world.calls.contains(&CallEvent::ConnectionBack), "{:?}", world.calls);
    is_answered_and_hung_up(&mut world, &invite);
}

/// The account signed in elsewhere: the call opens a connection to its own server, and the handshake comes first.
#[test]
fn a_ring_over_a_draining_link_is_answered_after_a_handshake() {
    for status in [200, 481] {
        let mut world = signed_in();
        let invite = rings(&mut world, true);
        moves(&mut world);
        world.cut(HOME);
        assert_eq!(why(&world), None, "it rings on");
        answers(&mut world);
        assert_eq!(responses(&world, 200).len(), 0, "nothing unsigned");
        let probe = last(&world, HOME, Method::Update);
        reply(&mut world, HOME, &probe, status, false);
        assert!(world.calls.contains(&CallEvent::ConnectionBack) || status == 481, "{:?}", world.calls);
        is_answered_and_hung_up(&mut world, &invite);
    }
}

#[test]
fn a_ring_whose_account_signs_in_elsewhere_is_answered_at_its_own_server() {
    let mut world = signed_in();
    let invite = rings(&mut world, true);
    world.server(OTHER).manual = true;
    world.srv(&[(10, OTHER)]);
    world.at(HOME).redirect_to("<sip:hs2.network.com:5061;transport=tls>");
    world.cut(HOME);
    answers(&mut world);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    assert_eq!(world.registered().home.host, OTHER);
    let probe = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &probe, 200, false);
    is_answered_and_hung_up(&mut world, &invite);
}

#[test]
fn a_ring_that_is_answered_and_gets_no_connection_ends_in_time() {
    for moved in [false, true] {
        let mut world = signed_in();
        rings(&mut world, true);
        if moved {
            moves(&mut world);
        }
        world.at(HOME).unreachable = Some(ConnectError::ConnectionRefused);
        world.cut(HOME);
        answers(&mut world);
        world.pass(Duration::from_secs(33));
        assert_eq!(why(&world), Some(EndReason::ConnectionLost), "moved: {moved}");
        rests(&mut world);
    }
}

/// It waited for the world, or for a PRACK, when the connection was lost.
#[test]
fn a_ring_that_is_being_answered_ends_in_time_without_a_connection() {
    let mut world = signed_in();
    rings_reliably(&mut world, true);
    alerts(&mut world, true);
    answers(&mut world);
    world.at(HOME).unreachable = Some(ConnectError::ConnectionRefused);
    world.cut(HOME);
    world.pass(Duration::from_secs(33));
    assert_eq!(why(&world), Some(EndReason::ConnectionLost));
    rests(&mut world);
}

/// Its answer says that the call goes on.
#[test]
fn the_connection_is_told_as_back_where_an_info_waited_for_it() {
    let mut world = signed_in();
    let call = talking(&mut world);
    world.cut(HOME);
    informs(&mut world, call);
    world.pass_until(AccountState::Registered, Duration::from_secs(60));
    assert!(!world.calls.contains(&CallEvent::ConnectionBack));
    let info = last(&world, HOME, Method::Info);
    reply(&mut world, HOME, &info, 200, false);
    let back = world.calls.iter().filter(|what| **what == CallEvent::ConnectionBack).count();
    assert_eq!(back, 1, "{:?}", world.calls);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

/// Signed in over UDP at a server that says from where it sees this side.
fn signed_in_over_udp() -> World {
    let mut world = World::new(|account| {
        account.calls = Some(Box::default());
        account.transports = vec![Transport::Udp];
        account.auth.udp_register = true;
        account.server =
            ServerChoice::Fixed { host: HOME.into(), port: Some(5061), transport: Transport::Udp };
    });
    world.mapped = Some(([203, 0, 113, 1], 4_000));
    let server = world.server(HOME);
    server.manual = true;
    server.extra.push(("Flow-Timer".into(), "30".into()));
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    world
}

/// RFC 5626 section 4.4.2: the account signs in from there, and then the dialog is refreshed from there.
#[test]
fn a_dialog_is_refreshed_from_another_address_once_the_registration_is() {
    for (allow, method) in [("UPDATE", Method::Update), ("INVITE", Method::Invite)] {
        let mut world = signed_in_over_udp();
        let call = place(&mut world);
        let invite = last(&world, HOME, Method::Invite);
        let success = built(&invite, 200, true).replace(Name::Allow, allow).finish();
        let wall = world.wall;
        let success = world.at(HOME).sign(success, wall);
        world.say(HOME, success);
        let before = count(&world, HOME, method);
        world.pass(Duration::from_secs(40));
        assert_eq!(count(&world, HOME, method), before, "it is seen where it was");
        let registers = count(&world, HOME, Method::Register);
        world.mapped = Some(([203, 0, 113, 1], 4_001));
        for _ in 0..60 {
            if count(&world, HOME, method) == before {
                world.pass(Duration::from_secs(1));
            }
        }
        assert!(count(&world, HOME, method) > before, "{allow}");
        let sent = world.sent.iter().map(|(_, message)| message);
        let first = sent.take_while(|one| one.method() != Some(method) || one.cseq() == invite.cseq());
        assert!(first.filter(|one| is_register(one)).count() > registers, "{allow}");
        let refresh = last(&world, HOME, method);
        assert!(refresh.text(Name::Contact).is_some() && is_signed(&refresh));
        reply(&mut world, HOME, &refresh, 200, method == Method::Invite);
        assert!(!world.calls.contains(&CallEvent::ConnectionBack), "it was not lost");
        hang_up(&mut world, call);
        let bye = last(&world, HOME, Method::Bye);
        reply(&mut world, HOME, &bye, 200, false);
        rests(&mut world);
    }
}

/// What waits for a connection, or for what signs there, does not keep a call that is over.
#[test]
fn an_info_that_waits_does_not_outlive_its_call() {
    let mut world = signed_in();
    let call = talking(&mut world);
    moves(&mut world);
    world.cut(HOME);
    informs(&mut world, call);
    world.pass(Duration::from_secs(33));
    assert!(why(&world).is_some(), "nobody answered the handshake");
    rests(&mut world);
}

/// Nobody calls an account over a connection on which it only signs in: what is there is not its home server yet.
#[test]
fn an_invite_before_the_login_is_refused() {
    let mut world = World::new(|account| account.calls = Some(Box::default()));
    world.srv(&[(10, HOME)]);
    let server = world.server(HOME);
    (server.manual, server.silent) = (true, true);
    world.login();
    assert_eq!(world.state(), AccountState::Registering);
    rings(&mut world, true);
    assert!(world.calls.is_empty(), "{:?}", world.calls);
    assert_eq!(responses(&world, 480).len(), 1);
}

/// Decision 39: before the handshake is through nothing can be signed. The request is as if it had never come, and its
/// server asks again.
#[test]
fn a_request_that_cannot_be_answered_yet_leaves_nothing() {
    let mut world = signed_in();
    let call = talking(&mut world);
    let ack = last(&world, HOME, Method::Ack);
    let known = Builder::from_message(&ack)
        .replace(Name::From, ack.text(Name::To).unwrap())
        .replace(Name::To, ack.text(Name::From).unwrap())
        .message();
    moves(&mut world);
    world.cut(HOME);
    let (before, answered) = (world.agent.transactions(), world.sent.len());
    inside(&mut world, HOME, &known, Method::Info, 7);
    assert_eq!((world.agent.transactions(), world.sent.len()), (before, answered));
    let probe = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &probe, 200, false);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}
