//! Behind a proxy the home server asks for itself: credentials go there untouched, refusals are counted here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_core::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, authenticate};
use homing_core::secret::Password;
use homing_wire::{Message, Name};

use super::super::config::{BehindProxy, Dialect, ExtendedProtection, Mode, NodeConfig};
use super::super::io::{Deregistration, NodeCommand};
use super::authenticator::{again, as_device, unsigned, with};
use super::bench::{Golden, at, auth_param};
use super::relay::{FIRST, Figure, HOME};
use super::renewal::{options, signed};
use crate::journal::Verdict;

fn rechallenging(config: &mut NodeConfig) {
    config.routing.mode = Mode::AlwaysProxy;
    config.routing.behind_proxy = BehindProxy::Rechallenge;
}

fn v4() -> Golden {
    Golden::read("sipae_v4", Dialect::Sipae4)
}

fn status(answers: &[Message]) -> Option<u16> {
    assert_eq!(answers.len(), 1);
    answers[0].status()
}

#[test]
fn para_32_para_41_the_home_server_asks_for_itself_behind_a_proxy() {
    for golden in Golden::all() {
        let mut figure = Figure::with(&golden, rechallenging, |_| ());
        let forged = "P-Asserted-Identity: <sip:user@network.com>\r\nMax-Forwards";
        let challenge = figure.say(&golden.text(6).replace("Max-Forwards", forged)).remove(0);
        assert!(matches!(challenge.status(), Some(401 | 407)), "{}", figure.ladders());
        figure.say(&golden.text(8));
        for step in [10, 12] {
            let welcome = figure.say(&golden.text(step)).remove(0);
            assert_eq!(welcome.status(), Some(200), "{}", figure.ladders());
            let signed = [Name::AuthenticationInfo, Name::ProxyAuthenticationInfo];
            let by = signed.iter().find_map(|name| auth_param(&welcome, *name, "rspauth"));
            let recorded =
                signed.iter().find_map(|name| auth_param(&golden.message(step + 1), *name, "rspauth"));
            assert_eq!(by, recorded, "signed by the home server, and untouched on the way");
        }
        assert!(figure.home.node.bindings("user@network.com")[0].route.behind_server());
        let event = Deregistration::Rejected;
        let order = NodeCommand::Deregister { user: "user@network.com".into(), event };
        let sent = figure.home.command(order, at(1));
        let notify = figure.carry(sent).remove(0);
        let by = auth_param(&notify, Name::AuthenticationInfo, "targetname")
            .or_else(|| auth_param(&notify, Name::ProxyAuthenticationInfo, "targetname"));
        assert_eq!(by.as_deref(), Some(HOME));
    }
}

#[test]
fn para_32_para_41_every_request_goes_to_the_server_that_owns_the_association() {
    let golden = v4();
    let mut figure = Figure::with(&golden, rechallenging, |_| ());
    for step in [8, 10] {
        figure.say(&golden.text(step));
    }
    let id = figure.home.node.cx.sessions.on_flow(super::relay::BACK).unwrap();
    let text = signed(&figure.home, id, &options(1), 2);
    let answer = figure.say(&text).remove(0);
    assert_eq!(answer.status(), Some(200), "{}", figure.ladders());
    assert_eq!(auth_param(&answer, Name::AuthenticationInfo, "targetname").as_deref(), Some(HOME));
    // The user belongs to the first server by now: this association is still the home server's.
    figure.first.assign("user@network.com", FIRST);
    let text = signed(&figure.home, id, &options(2), 3);
    assert_eq!(status(&figure.say(&text)), Some(200), "{}", figure.ladders());
    // Without credentials the directory says who asks.
    let stranger = figure.say(&options(3)).remove(0);
    assert_eq!(stranger.status(), Some(401));
    assert_eq!(auth_param(&stranger, Name::WwwAuthenticate, "targetname").as_deref(), Some(FIRST));
}

/// The recording's token, made again by a client that is bound to another certificate than the home server's.
fn bound_elsewhere(challenge: &Message) -> String {
    let token =
        STANDARD.decode(auth_param(challenge, Name::WwwAuthenticate, "gssapi-data").unwrap()).unwrap();
    let password = Password::new("Secret-Pass1");
    let who = NtlmIdentity { user: "user", domain: "NETWORKCO", workstation: "", password: &password };
    let spn = format!("sip/{HOME}");
    let binding = Binding { spn: Some(&spn), channel: Some([2; 16]), ..Binding::default() };
    let rng = ClientRandom { client_challenge: [1; 8], exported_session_key: [2; 16] };
    let (token, _) = authenticate(&token, &who, &binding, &rng, at(0).wall.filetime()).unwrap();
    let opaque = auth_param(challenge, Name::WwwAuthenticate, "opaque").unwrap();
    with(&with(&unsigned(&v4().text(10)), "gssapi-data", &STANDARD.encode(token)), "opaque", &opaque)
}

#[test]
fn a_binding_to_the_proxys_certificate_counts_for_nothing_unless_bindings_are_required() {
    for (protection, expected) in [
        (ExtendedProtection::Off, 200),
        (ExtendedProtection::Accept, 200),
        (ExtendedProtection::Require, 401),
    ] {
        let change = |config: &mut NodeConfig| {
            config.authentication.extended_protection = protection;
            config.authentication.end_point_hash = Some([4; 32]);
        };
        let mut figure = Figure::with(&v4(), rechallenging, change);
        let challenge = figure.say(&v4().text(8)).remove(0);
        let token = bound_elsewhere(&challenge);
        assert_eq!(status(&figure.say(&token)), Some(expected), "{protection:?}\n{}", figure.ladders());
        if protection == ExtendedProtection::Accept {
            let said = figure.home.reason(Verdict::Authenticated);
            assert!(said.contains("channel binding cannot be checked"), "{said}");
        }
    }
}

#[test]
fn ten_wrong_tokens_of_one_client_behind_a_proxy_are_a_403_from_the_third_on() {
    let golden = v4();
    let mut figure = Figure::with(&golden, rechallenging, |_| ());
    let mut heard = Vec::new();
    for round in 0..10 {
        assert_eq!(status(&figure.say(&again(&golden.text(8), round))), Some(401));
        let token = again(&unsigned(&golden.text(10)), round);
        let wrong = with(&token, "gssapi-data", "TlRMTVNTUAADAAAA");
        heard.push(status(&figure.say(&wrong)).unwrap());
    }
    assert_eq!(heard, [401, 401, 403, 403, 403, 403, 403, 403, 403, 403], "{}", figure.ladders());
    assert!(figure.first.reason(Verdict::Refused).contains("too many wrong credentials"));
}

#[test]
fn a_device_pushed_out_behind_a_proxy_is_told_under_its_own_association() {
    let golden = v4();
    let home = |config: &mut NodeConfig| config.registrar.endpoints = 1;
    let mut figure = Figure::with(&golden, |config| config.routing.mode = Mode::AlwaysProxy, home);
    for step in [2, 4] {
        figure.say(&golden.text(step));
    }
    let other = |text: &str| as_device(text, "5566").replace("123@client", "125@client");
    let challenge = figure.say(&again(&other(&golden.text(2)), 1)).remove(0);
    let opaque = auth_param(&challenge, Name::WwwAuthenticate, "opaque").unwrap();
    let token = with(&again(&unsigned(&other(&golden.text(4))), 1), "opaque", &opaque);
    let heard = figure.say(&token);
    let notify = heard.iter().find(|message| message.is_request()).expect("a NOTIFY");
    assert_eq!(notify.body(), b"deregistered;event=unregistered", "{}", figure.ladders());
    assert_eq!(notify.to().unwrap().param("epid"), Some(Some("3344")));
    let by = auth_param(notify, Name::AuthenticationInfo, "opaque");
    assert_eq!(by.as_deref(), Some("ACDC1230"), "signed for the device it is for");
    let left = figure.home.node.bindings("user@network.com");
    assert_eq!(left.iter().map(|binding| binding.epid.as_str()).collect::<Vec<_>>(), ["5566"]);
}
