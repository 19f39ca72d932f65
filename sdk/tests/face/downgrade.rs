//! Security never falls: where TLS fails, nothing is said in the clear.

use std::sync::Arc;

use homing::dns::Table;
use homing::{Password, Resolver, Roots, StaticCredentials, Transport, UserAgent};

use crate::registrar::{Registrar, alice, yes};

/// A domain that offers TLS at `tls` and the clear at `clear`, to an account that allows everything.
async fn login_fails(tls: u16, clear: u16, roots: Roots) {
    let table = Table::default()
        .srv("_sipinternaltls._tcp.network.com", "hs1.network.com", tls)
        .srv("_sipinternal._tcp.network.com", "hs1.network.com", clear)
        .srv("_sip._tcp.network.com", "hs1.network.com", clear)
        .srv("_sip._udp.network.com", "hs1.network.com", clear)
        .address("hs1.network.com", [127, 0, 0, 1]);
    let resolver = Resolver::custom(Arc::new(table));
    let ua = UserAgent::builder().resolver(resolver).roots(roots).build().unwrap();
    let mut config = alice();
    config.transports = vec![Transport::Tls, Transport::Tcp, Transport::Udp];
    config.auth.udp_register = true;
    let credentials = StaticCredentials::new("alice", "NETWORK", Password::new("secret"));
    let error = ua.account(config, credentials).unwrap().register().await.unwrap_err();
    assert!(error.is_network(), "{error}");
    let hops = &error.journey().hops;
    assert!(!hops.is_empty() && hops.iter().all(|hop| hop.transport == Transport::Tls), "{hops:#?}");
}

#[tokio::test]
async fn not_a_byte_in_the_clear_after_tls_failed() {
    let clear = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = clear.local_addr().unwrap().port();
    let datagrams = std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let wrong_name = Registrar::start("hs9.network.com", yes);
    login_fails(refused, port, wrong_name.roots.clone()).await;
    login_fails(wrong_name.address.port(), port, wrong_name.roots.clone()).await;
    clear.set_nonblocking(true).unwrap();
    datagrams.set_nonblocking(true).unwrap();
    assert!(clear.accept().is_err(), "somebody tried TCP");
    assert!(datagrams.recv(&mut [0; 16]).is_err(), "somebody tried UDP");
}
