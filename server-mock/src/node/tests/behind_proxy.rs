//! Calls of clients that are connected to another server than their home: that one vouches for them, or passes their
//! credentials on untouched (decision 15).

use homing_wire::{Message, Name};

use super::super::config::{BehindProxy, Mode};
use super::two_servers::{Dialog, TwoServers, Who};

/// Alice is at home at the second server and connected to the first, which proxies; bob is at the second.
fn estate(behind_proxy: BehindProxy) -> (TwoServers, Who, Who) {
    let mut estate = TwoServers::new(&[("alice", 1), ("bob", 1)], |config| {
        config.routing.mode = Mode::AlwaysProxy;
        config.routing.behind_proxy = behind_proxy;
    });
    let owner = if behind_proxy == BehindProxy::Trust { 0 } else { 1 };
    let alice = estate.sign_in_behind("alice", "aa", 0, owner);
    let bob = estate.sign_in("bob", "bb", 1);
    assert!(estate.servers[1].node.bindings("alice@network.com")[0].route.behind_server());
    (estate, alice, bob)
}

fn method(message: &Message) -> String {
    message.method().map(|method| method.as_str().to_owned()).unwrap_or_default()
}

#[test]
fn calls_pass_both_ways_and_end_from_both_sides() {
    for behind_proxy in [BehindProxy::Trust, BehindProxy::Rechallenge] {
        for (outgoing, first_hangs_up) in [(true, true), (true, false), (false, true), (false, false)] {
            let (mut estate, alice, bob) = estate(behind_proxy);
            let (from, to) = if outgoing { (alice, bob) } else { (bob, alice) };
            let [mut caller, mut callee] = estate.call(from, to);
            estate.exchange(&mut caller, to, "INFO");
            estate.exchange(&mut callee, from, "UPDATE");
            if first_hangs_up {
                estate.exchange(&mut caller, to, "BYE");
            } else {
                estate.exchange(&mut callee, from, "BYE");
            }
            for server in &estate.servers {
                assert_eq!(server.node.cx.dialogs.len(), 0, "{behind_proxy:?}\n{}", estate.ladders());
            }
            estate.assert_at_rest();
        }
    }
}

#[test]
fn a_call_is_taken_back_through_the_proxy_by_who_made_it_and_nobody_else() {
    for behind_proxy in [BehindProxy::Trust, BehindProxy::Rechallenge] {
        let (mut estate, alice, bob) = estate(behind_proxy);
        let invite = estate.invite(alice, "bob");
        estate.say(alice, &invite);
        let ring = estate.hears(bob);
        estate.answer(bob, &ring, 180, "");
        assert_eq!(estate.statuses(alice), [180]);
        let cancel = TwoServers::cancel_of(&invite);
        if behind_proxy == BehindProxy::Trust {
            estate.say_plain(alice, &cancel);
            assert!(estate.heard(bob).is_empty() && estate.heard(alice).is_empty());
        }
        estate.say(alice, &cancel);
        let heard = estate.hears(bob);
        assert_eq!(method(&heard), "CANCEL", "{behind_proxy:?}\n{}", estate.ladders());
        assert_eq!(heard.lines(Name::Authorization).count(), 0);
        estate.answer(bob, &heard, 200, "");
        estate.answer(bob, &ring, 487, "");
        assert_eq!(estate.statuses(alice), [200, 487], "{behind_proxy:?}\n{}", estate.ladders());
        estate.assert_at_rest();
    }
}

#[test]
fn an_unsigned_cancel_that_a_proxy_passes_on_untouched_ends_nothing_at_the_home_server() {
    let (mut estate, alice, bob) = estate(BehindProxy::Rechallenge);
    let invite = estate.invite(alice, "bob");
    estate.say(alice, &invite);
    let ring = estate.hears(bob);
    estate.answer(bob, &ring, 180, "");
    estate.say_plain(alice, &TwoServers::cancel_of(&invite));
    assert!(estate.heard(bob).is_empty(), "{}", estate.ladders());
}

#[test]
fn neither_does_it_while_the_directory_is_asked() {
    for signed in [false, true] {
        let (mut estate, alice, bob) = estate(BehindProxy::Rechallenge);
        estate.servers[1].slow = true;
        let invite = estate.invite(alice, "bob");
        estate.say(alice, &invite);
        let cancel = TwoServers::cancel_of(&invite);
        if signed {
            estate.say(alice, &cancel);
        } else {
            estate.say_plain(alice, &cancel);
        }
        // The first server takes back what it knows to have arrived.
        estate.wait(1);
        estate.answer_late(1);
        assert_eq!(estate.heard(bob).len(), usize::from(!signed), "{}", estate.ladders());
    }
}

#[test]
fn a_call_to_a_client_behind_a_proxy_is_cancelled_along_its_path() {
    for behind_proxy in [BehindProxy::Trust, BehindProxy::Rechallenge] {
        let (mut estate, alice, bob) = estate(behind_proxy);
        let invite = estate.invite(bob, "alice");
        estate.say(bob, &invite);
        let ring = estate.hears(alice);
        estate.answer(alice, &ring, 180, "");
        assert_eq!(estate.statuses(bob), [180]);
        estate.say(bob, &TwoServers::cancel_of(&invite));
        let cancel = estate.hears(alice);
        assert_eq!(method(&cancel), "CANCEL", "{}", estate.ladders());
        estate.answer(alice, &cancel, 200, "");
        estate.answer(alice, &ring, 487, "");
        let ack = estate.heard(alice).remove(0);
        assert_eq!(method(&ack), "ACK", "{}", estate.ladders());
        assert_eq!(estate.is_signed_for(alice, &ack), behind_proxy == BehindProxy::Trust);
        assert_eq!(estate.statuses(bob), [200, 487]);
        estate.assert_at_rest();
    }
}

#[test]
fn what_a_client_behind_a_proxy_did_not_sign_is_not_believed() {
    for behind_proxy in [BehindProxy::Trust, BehindProxy::Rechallenge] {
        let (mut estate, alice, bob) = estate(behind_proxy);
        let invite = estate.invite(bob, "alice");
        estate.say(bob, &invite);
        let ring = estate.hears(alice);
        let forged = homing_wire::Builder::reply_to(&ring, 200, "OK").to_tag("x").message();
        estate.say_plain(alice, &super::two_servers::text(&forged));
        assert!(estate.heard(bob).is_empty(), "{behind_proxy:?}");
        estate.answer(alice, &ring, 200, "");
        let ok = estate.hears(bob);
        assert_eq!(ok.lines(Name::Authorization).count(), 0);
        let mut side = Dialog::of_caller(bob, &ok);
        let ack = side.ack();
        estate.say_plain(bob, &ack);
        assert!(estate.heard(alice).is_empty());
        estate.say(bob, &ack);
        assert_eq!(method(&estate.hears(alice)), "ACK");
    }
}

#[test]
fn inside_a_dialog_a_request_without_credentials_is_challenged_by_the_dialogs_server() {
    let (mut estate, alice, bob) = estate(BehindProxy::Rechallenge);
    let [mut caller, _] = estate.call(alice, bob);
    // Her home is the proxy itself by now; the dialog stays where it is.
    estate.servers[0].assign("alice@network.com", super::two_servers::SERVERS[0]);
    let update = caller.request("UPDATE");
    let challenge = estate.ask(alice, &update);
    let asks = super::bench::auth_param(&challenge, Name::WwwAuthenticate, "targetname");
    assert_eq!((challenge.status(), asks.as_deref()), (Some(401), Some(super::two_servers::SERVERS[1])));
}
