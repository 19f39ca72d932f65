//! Several requests of calls that wait for the association of a draining link: one makes the handshake, the others go on or
//! fail with it (decision 39).

use homing_core::outbox::Answer;

use super::*;
use crate::world::server::Then;

/// The server challenges a request that it could not verify.
fn challenges(world: &mut World, request: &Message) {
    let names = format!("targetname=\"{HOME}\", realm=\"SIP Communications Service\", version=4");
    let challenge = Builder::reply_to(request, 401, "Unauthorized")
        .to_tag("ch")
        .header(Name::WwwAuthenticate, format_args!("NTLM {names}, qop=\"auth\""));
    world.say(HOME, challenge.finish());
}

/// How many tokens that end a handshake went to the home server in requests of calls.
fn tokens(world: &World) -> usize {
    let of_calls = world.sent.iter().filter(|(to, message)| to == HOME && !is_register(message));
    of_calls
        .filter(|(_, message)| {
            let token =
                |auth: homing_wire::Auth<'_>| auth.param("gssapi-data").is_some_and(|data| !data.is_empty());
            message.auth(Name::Authorization).any(token)
        })
        .count()
}

/// Two calls over a link that drains.
fn two_over_a_draining_link(world: &mut World) -> [CallId; 2] {
    let calls = [talking(world), talking(world)];
    moves(world);
    calls
}

fn hang_up_both(world: &mut World, calls: [CallId; 2]) {
    for call in calls {
        hang_up(world, call);
        let bye = last(world, HOME, Method::Bye);
        assert!(is_signed(&bye));
        reply(world, HOME, &bye, 200, false);
    }
    rests(world);
}

#[test]
fn two_calls_that_lost_their_draining_link_go_on_after_one_handshake() {
    let mut world = signed_in();
    let calls = two_over_a_draining_link(&mut world);
    world.cut(HOME);
    assert_eq!((count(&world, HOME, Method::Update), tokens(&world)), (4, 1), "one for both");
    let first = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &first, 200, false);
    let second = last(&world, HOME, Method::Update);
    assert!(is_signed(&second) && second.call_id() != first.call_id());
    reply(&mut world, HOME, &second, 200, false);
    let back = world.calls.iter().filter(|what| **what == CallEvent::ConnectionBack).count();
    assert_eq!((back, tokens(&world)), (2, 1), "{:?}", world.calls);
    hang_up_both(&mut world, calls);
}

#[test]
fn a_handshake_that_is_refused_ends_both_calls() {
    let mut world = signed_in();
    two_over_a_draining_link(&mut world);
    world.at(HOME).gate = Gate::NtlmRefusing;
    world.cut(HOME);
    let ends: Vec<_> = world.calls.iter().filter(|what| matches!(what, CallEvent::Ended(_))).collect();
    assert_eq!((ends.len(), tokens(&world)), (2, 1), "{ends:?}");
    rests(&mut world);
}

#[test]
fn a_handshake_without_an_answer_ends_both_calls() {
    let mut world = signed_in();
    two_over_a_draining_link(&mut world);
    world.cut(HOME);
    world.pass(Duration::from_secs(33));
    let ends = world.calls.iter().filter(|what| matches!(what, CallEvent::Ended(_))).count();
    assert_eq!((ends, count(&world, HOME, Method::Update)), (2, 4), "{:?}", world.calls);
    rests(&mut world);
}

#[test]
fn two_requests_of_one_call_make_one_handshake() {
    let mut world = signed_in();
    let call = talking(&mut world);
    moves(&mut world);
    hold(&mut world, call);
    informs(&mut world, call);
    let (reinvite, info) = (last(&world, HOME, Method::Invite), last(&world, HOME, Method::Info));
    world.at(HOME).association = None;
    challenges(&mut world, &reinvite);
    challenges(&mut world, &info);
    assert_eq!((tokens(&world), count(&world, HOME, Method::Info)), (1, 1), "it waits");
    let reinvite = last(&world, HOME, Method::Invite);
    reply(&mut world, HOME, &reinvite, 200, true);
    let again = last(&world, HOME, Method::Info);
    assert!(is_signed(&again));
    reply(&mut world, HOME, &again, 200, false);
    let told = [CallEvent::Held(true), CallEvent::InfoAnswered { status: 200 }];
    assert!(told.iter().all(|one| world.calls.contains(one)), "{:?}", world.calls);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

/// Who made it is over before it came to anything.
#[test]
fn a_handshake_that_is_given_up_is_made_by_the_next() {
    let mut world = signed_in();
    let talking = talking(&mut world);
    let placed = place(&mut world);
    moves(&mut world);
    world.rules.hold_credentials = true;
    informs(&mut world, talking);
    let (invite, info) = (last(&world, HOME, Method::Invite), last(&world, HOME, Method::Info));
    challenges(&mut world, &invite);
    challenges(&mut world, &info);
    world.at(HOME).association = None;
    let asked = world.held.first().map(|(id, _)| *id);
    assert_eq!(world.held.len(), 1, "one asks for the password");
    hang_up(&mut world, placed);
    let next = world.held.first().map(|(id, _)| *id).unwrap();
    assert!(world.held.len() == 1 && Some(next) != asked, "the other asks");
    world.rules.hold_credentials = false;
    world.held.clear();
    world.answer(next, Answer::Credentials(Some(crate::world::credentials())));
    let info = last(&world, HOME, Method::Info);
    reply(&mut world, HOME, &info, 200, false);
    assert!(world.calls.contains(&CallEvent::InfoAnswered { status: 200 }), "{:?}", world.calls);
    hang_up(&mut world, talking);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

/// What the login brings takes the place of what the request of a call was about to bring.
#[test]
fn a_login_at_the_server_of_a_handshake_takes_its_place() {
    let mut world = signed_in();
    let call = talking(&mut world);
    moves(&mut world);
    hold(&mut world, call);
    let reinvite = last(&world, HOME, Method::Invite);
    world.at(HOME).association = None;
    challenges(&mut world, &reinvite);
    let invites = count(&world, HOME, Method::Invite);
    assert_eq!(tokens(&world), 1);
    world.at(HOME).then = Then::Accept { expires: 7_200 };
    world.at(OTHER).redirect_to("<sip:hs1.network.com:5061;transport=tls>");
    world.srv(&[(10, HOME)]);
    world.command(Command::Refresh);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.registered().home.host, HOME);
    let again = last(&world, HOME, Method::Invite);
    assert_eq!(count(&world, HOME, Method::Invite), invites + 1, "the login proved both already");
    assert!(is_signed(&again));
    reply(&mut world, HOME, &again, 200, true);
    assert!(world.calls.contains(&CallEvent::Held(true)), "{:?}", world.calls);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}
