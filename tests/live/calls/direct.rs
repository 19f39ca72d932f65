//! Accounts without registrar: where they are heard, by UDP, TCP and TLS, and where they are not.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use homing::call::{CallRules, EndReason, EndedBy};
use homing::dns::Table;
use homing::error::Misuse;
use homing::tls::TlsServer;
use homing::{
    Account, AccountConfig, Aor, Error, Password, Resolver, Roots, ServerChoice, StaticCredentials,
    Transport, UserAgent, UserAgentBuilder,
};
use tokio::time::timeout;

use super::phones::agrees;
use crate::client::run;

fn builder() -> UserAgentBuilder {
    UserAgent::builder().session_describer(agrees)
}

fn direct(ua: &UserAgent, user: &str, transports: &[Transport], listen: Option<SocketAddr>) -> Account {
    let mut config = AccountConfig::new(Aor::parse(&format!("{user}@network.com")).unwrap(), "01010101");
    config.server = ServerChoice::NoRegistrar;
    config.transports = transports.to_vec();
    let mut rules = CallRules::default();
    rules.listen = listen;
    config.calls = Some(Box::new(rules));
    ua.account(config, StaticCredentials::new(user, "", Password::new("none"))).unwrap()
}

fn anywhere() -> Option<SocketAddr> {
    Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

/// Calls, is answered, and hears the other side hang up.
async fn talk(caller: &Account, called: &Account, uri: String) {
    let mut calls = called.incoming();
    let talk = async {
        let hers = caller.call(uri).place().await.unwrap();
        let his = calls.next().await.unwrap().answer().await.unwrap();
        hers.answered().await.unwrap();
        his.hang_up().await.unwrap();
        let end = hers.ended().await;
        assert_eq!((end.by, end.why), (EndedBy::Peer, EndReason::HungUp));
    };
    timeout(Duration::from_secs(20), talk).await.expect("within twenty seconds");
}

#[test]
fn accounts_without_registrar_call_each_other_by_udp_and_tcp() {
    run(async {
        let (hers, his) = (builder().build().unwrap(), builder().build().unwrap());
        let both = [Transport::Udp, Transport::Tcp];
        let alice = direct(&hers, "alice", &both, None);
        assert_eq!(alice.listen_address().await, Err(Error::Misuse(Misuse::WrongState)));
        let bob = direct(&his, "bob", &both, anywhere());
        let at = bob.listen_address().await.unwrap();
        // A second account of the same address is heard by the same sockets.
        let carol = direct(&his, "carol", &both, Some(at));
        assert_eq!(carol.listen_address().await, Ok(at));
        for transport in both {
            for (user, called) in [("bob", &bob), ("carol", &carol)] {
                talk(&alice, called, format!("sip:{user}@{at};transport={}", transport.uri_token())).await;
            }
        }
        bob.remove().await.unwrap();
        talk(&alice, &carol, format!("sip:carol@{at};transport=udp")).await;
    });
}

#[test]
fn who_listens_at_every_address_names_the_one_that_the_caller_sees() {
    run(async {
        let (hers, his) = (builder().build().unwrap(), builder().build().unwrap());
        let alice = direct(&hers, "alice", &[Transport::Tcp], None);
        let bob = direct(&his, "bob", &[Transport::Tcp], Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))));
        let port = bob.listen_address().await.unwrap().port();
        talk(&alice, &bob, format!("sip:bob@127.0.0.1:{port};transport=tcp")).await;
        let contact = format!("Contact: <sip:bob@127.0.0.1:{port};transport=tcp>");
        let trace: Vec<String> = his.trace().entries(0).iter().map(|entry| entry.text()).collect();
        assert!(trace.iter().any(|text| text.starts_with("INVITE ")), "what came in is in the trace, too");
        assert!(trace.iter().any(|text| text.contains(&contact)), "{}", trace.join("\n"));
    });
}

#[test]
fn an_account_without_registrar_is_called_over_tls_with_a_certificate() {
    run(async {
        let signed = rcgen::generate_simple_self_signed(["bob.network.com".to_owned()]).unwrap();
        let (pem, key) = (signed.cert.pem(), signed.signing_key.serialize_pem());
        let his = builder().server_certificate(TlsServer::from_pem(&pem, &key).unwrap()).build().unwrap();
        let table = Table::default().address("bob.network.com", Ipv4Addr::LOCALHOST);
        let hers = builder().resolver(Resolver::custom(Arc::new(table))).roots(Roots::pem(&pem).unwrap());
        let hers = hers.build().unwrap();
        let alice = direct(&hers, "alice", &[Transport::Tls], None);
        let bob = direct(&his, "bob", &[Transport::Tls], anywhere());
        let port = bob.listen_address().await.unwrap().port();
        talk(&alice, &bob, format!("sips:bob@bob.network.com:{port}")).await;
    });
}

#[test]
fn an_account_that_cannot_listen_says_why_and_still_calls() {
    run(async {
        let (hers, his) = (builder().build().unwrap(), builder().build().unwrap());
        let bob = direct(&his, "bob", &[Transport::Tcp], anywhere());
        let at = bob.listen_address().await.unwrap();
        let alice = direct(&hers, "alice", &[Transport::Tcp], Some(at));
        let error = alice.listen_address().await.unwrap_err();
        let Error::Listen(why) = &error else { panic!("{error}") };
        assert_eq!((why.address, why.transport, why.kind), (at, Transport::Tcp, ErrorKind::AddrInUse));
        assert_eq!(error.code(), "E0206");
        talk(&alice, &bob, format!("sip:bob@{at};transport=tcp")).await;
        let carol = direct(&hers, "carol", &[Transport::Tls], anywhere());
        let Err(Error::Listen(why)) = carol.listen_address().await else { panic!("without certificate") };
        assert_eq!(why.kind, ErrorKind::InvalidInput);
    });
}
