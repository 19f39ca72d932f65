//! Redirects that wait for the application's word.

use std::sync::Arc;

use homing::dns::Table;
use homing::redirect::{Consent, Decision, RedirectAttempt, UnsignedRule};
use homing::{AccountConfig, Error, Password, Registration, Resolver, Roots, StaticCredentials, UserAgent};
use homing_wire::{Builder, Message, Name};

use crate::registrar::{Registrar, alice, yes};

/// Two servers, the first of which sends everybody to the second; and an account that asks first.
async fn attempt(
    policy: Option<fn(&RedirectAttempt) -> Decision>,
) -> (Result<Registration, Error>, Registrar) {
    let second = Registrar::start("hs2.network.com", yes);
    let port = second.address.port();
    let send_on = move |request: &Message| {
        let reply = Builder::reply_to(request, 301, "Moved Permanently").to_tag("hs1");
        Some(reply.header(Name::Contact, format!("<sip:hs2.network.com:{port};transport=tls>")))
    };
    let first = Registrar::start("hs1.network.com", send_on);
    let table = Table::default()
        .srv("_sipinternaltls._tcp.network.com", "hs1.network.com", first.address.port())
        .address("hs1.network.com", [127, 0, 0, 1])
        .address("hs2.network.com", [127, 0, 0, 1]);
    let both = format!("{}{}", first.pem, second.pem);
    let ua = UserAgent::builder()
        .resolver(Resolver::custom(Arc::new(table)))
        .roots(Roots::pem(&both).unwrap())
        .build()
        .unwrap();
    if let Some(policy) = policy {
        ua.redirect_policy(Arc::new(policy));
    }
    let mut config: AccountConfig = alice();
    config.redirect.consent = Consent::Ask;
    config.redirect.unsigned = UnsignedRule::FollowOverTls;
    let credentials = StaticCredentials::new("alice", "", Password::new("secret"));
    let outcome = ua.account(config, credentials).unwrap().register().await;
    (outcome, second)
}

#[tokio::test]
async fn a_redirect_is_followed_only_with_consent() {
    let (outcome, _second) = attempt(Some(|attempt| {
        assert_eq!(attempt.from.host, "hs1.network.com");
        assert_eq!(attempt.targets[0].host, "hs2.network.com");
        Decision::Follow
    }))
    .await;
    let registration = outcome.unwrap();
    assert_eq!(registration.home().host, "hs2.network.com");
    assert_eq!(registration.journey().redirects(), 1);
}

#[tokio::test]
async fn without_consent_the_login_fails_and_the_target_hears_nothing() {
    let declines: fn(&RedirectAttempt) -> Decision = |_| Decision::Stop;
    let panics: fn(&RedirectAttempt) -> Decision = |_| panic!("on purpose");
    for policy in [None, Some(declines), Some(panics)] {
        let (outcome, mut second) = attempt(policy).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), "E0713", "{error}");
        assert!(error.is_redirect() && error.redirect().is_some());
        assert!(second.requests.try_recv().is_err());
    }
}
