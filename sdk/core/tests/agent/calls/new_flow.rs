//! A login at the same server by another address, while the connection of before still stands: what is under way in a
//! call goes out again over the new one (decision 39).

use super::*;

/// The name of the server at its address of before.
const BEFORE: &str = "before.network.com";

/// The account signs in at its home server by another address. The old connection stands as long as a call uses it.
fn signs_in_by_another_address(world: &mut World) {
    world.at(HOME).name = BEFORE.into();
    world.server(HOME).manual = true;
    world.command(Command::Unregister);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn a_bye_under_way_goes_again() {
    let mut world = signed_in();
    let call = talking(&mut world);
    hang_up(&mut world, call);
    let first = last(&world, HOME, Method::Bye);
    signs_in_by_another_address(&mut world);
    let again = last(&world, HOME, Method::Bye);
    assert!(is_signed(&again) && again.bytes() != first.bytes());
    reply(&mut world, HOME, &again, 200, false);
    rests(&mut world);
    assert_eq!(world.agent.flows(), 1, "the old connection is let go");
}

#[test]
fn an_invite_under_way_is_cancelled_and_goes_once_more() {
    let mut world = signed_in();
    let call = place(&mut world);
    let first = last(&world, HOME, Method::Invite);
    reply(&mut world, HOME, &first, 180, false);
    signs_in_by_another_address(&mut world);
    assert_eq!(last(&world, BEFORE, Method::Cancel).call_id(), first.call_id());
    let again = last(&world, HOME, Method::Invite);
    assert_ne!(again.call_id(), first.call_id());
    reply(&mut world, HOME, &again, 200, true);
    assert!(world.calls.contains(&CallEvent::Answered { fork: 0 }), "{:?}", world.calls);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
    assert_eq!(world.agent.flows(), 1);
}

/// What was given up is over where it was sent.
#[test]
fn an_invite_that_was_given_up_ends_over_its_own_connection() {
    for answer in [487, 200] {
        let mut world = signed_in();
        let call = place(&mut world);
        let invite = last(&world, HOME, Method::Invite);
        reply(&mut world, HOME, &invite, 180, false);
        hang_up(&mut world, call);
        signs_in_by_another_address(&mut world);
        reply(&mut world, BEFORE, &invite, answer, answer == 200);
        let sender = if answer == 200 { HOME } else { BEFORE };
        assert_eq!(count(&world, sender, Method::Ack), 1, "{answer}");
        if answer == 200 {
            let bye = last(&world, HOME, Method::Bye);
            reply(&mut world, HOME, &bye, 200, false);
        }
        rests(&mut world);
        assert_eq!(world.agent.flows(), 1, "{answer}");
    }
}

#[test]
fn a_change_under_way_is_asked_for_again() {
    let mut world = signed_in();
    let call = talking(&mut world);
    hold(&mut world, call);
    signs_in_by_another_address(&mut world);
    let probe = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &probe, 200, false);
    let again = last(&world, HOME, Method::Invite);
    assert!(is_signed(&again));
    reply(&mut world, HOME, &again, 200, true);
    assert!(world.calls.contains(&CallEvent::Held(true)), "{:?}", world.calls);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}

#[test]
fn an_info_under_way_is_told_as_unanswered_and_the_dialog_is_asked_for() {
    let mut world = signed_in();
    let call = talking(&mut world);
    informs(&mut world, call);
    signs_in_by_another_address(&mut world);
    assert!(world.calls.contains(&CallEvent::InfoAnswered { status: 408 }), "{:?}", world.calls);
    let probe = last(&world, HOME, Method::Update);
    reply(&mut world, HOME, &probe, 481, false);
    assert_eq!(end(&world).map(|end| end.why.clone()), Some(EndReason::Forgotten));
    rests(&mut world);
}

/// A reliable response awaits its PRACK's answer: the whole INVITE goes again.
#[test]
fn a_prack_under_way_goes_with_its_invite() {
    let mut world = signed_in();
    let call = place(&mut world);
    let invite = last(&world, HOME, Method::Invite);
    let wall = world.wall;
    let early = built(&invite, 183, true).header(Name::Require, "100rel").header(Name::RSeq, RSeq(7));
    let early = world.at(HOME).sign(early.finish(), wall);
    world.say(HOME, early);
    assert_eq!(count(&world, HOME, Method::Prack), 1);
    signs_in_by_another_address(&mut world);
    let again = last(&world, HOME, Method::Invite);
    assert_ne!(again.call_id(), invite.call_id());
    hang_up(&mut world, call);
    reply(&mut world, HOME, &again, 487, false);
    rests(&mut world);
    assert_eq!(world.agent.flows(), 1);
}

/// Decision 41: the answer goes out over the new connection.
#[test]
fn a_ring_is_answered_over_the_new_connection() {
    let mut world = signed_in();
    let invite = rings(&mut world, true);
    signs_in_by_another_address(&mut world);
    let success = answer(&mut world);
    assert_eq!(world.sent.last().map(|(to, _)| &**to), Some(HOME));
    let seq = invite.cseq().unwrap().seq;
    inside(&mut world, HOME, &success, Method::Ack, seq);
    assert!(world.calls.contains(&CallEvent::Answered { fork: 0 }), "{:?}", world.calls);
    inside(&mut world, HOME, &success, Method::Bye, seq + 1);
    rests(&mut world);
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn a_fork_that_answers_late_over_the_old_connection_is_hung_up_over_the_new_one() {
    let mut world = signed_in();
    let call = talking(&mut world);
    let invite = last(&world, HOME, Method::Invite);
    hang_up(&mut world, call);
    let bye = last(&world, HOME, Method::Bye);
    reply(&mut world, HOME, &bye, 200, false);
    signs_in_by_another_address(&mut world);
    let (late, wall) =
        (built(&invite, 200, true).replace(Name::To, "<sip:bob@network.com>;tag=b2"), world.wall);
    let late = world.at(BEFORE).sign(late.finish(), wall);
    world.say(BEFORE, late);
    let bye = last(&world, HOME, Method::Bye);
    assert_eq!((count(&world, BEFORE, Method::Ack), bye.to().unwrap().tag()), (0, Some("b2")));
    reply(&mut world, HOME, &bye, 200, false);
    rests(&mut world);
}
