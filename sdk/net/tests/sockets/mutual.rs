//! Mutual TLS: servers that know their clients.

use homing_net::{
    ClientCertificates, Dial, Expected, FlowEvent, FlowId, PemError, TlsClient, TlsServer, Transport,
};

use crate::authority::{Authority, Wish};
use crate::pair::{End, request};

#[tokio::test]
async fn a_required_certificate_names_the_client() {
    let authority = Authority::new();
    let (chain, key) = authority.issue(Wish { dns: &["hs1.network.com"], ..Wish::default() });
    let required = ClientCertificates::Required(authority.roots());
    let server = TlsServer::with_clients(&chain, &key, required).unwrap();
    let (mut near, mut far) = (End::new(), End::new());
    let listener = far.listen(Transport::Tls, Some(server));
    let dial = |flow| Dial {
        flow: FlowId(flow),
        address: listener.local_addr(),
        transport: Transport::Tls,
        identity: Expected::host("hs1.network.com"),
    };
    let (chain, key) = authority.issue(Wish { dns: &["edge.network.com"], ..Wish::default() });
    let edge = TlsClient::with_certificate(authority.roots(), &chain, &key).unwrap();
    near.0.connect(dial(1), &edge);
    near.connected().await;
    let FlowEvent::Accepted { client_names: Some(names), .. } = far.event().await else { panic!() };
    assert_eq!(names.dns, ["edge.network.com"]);

    near.0.connect(dial(2), &TlsClient::new(authority.roots()));
    near.0.send(FlowId(2), request(0).into());
    // In TLS 1.3 the client learns of its refusal only after its own handshake is done.
    loop {
        match near.event().await {
            FlowEvent::Connected { flow: FlowId(2), .. } => {}
            FlowEvent::ConnectFailed { flow: FlowId(2), .. } | FlowEvent::Closed { flow: FlowId(2), .. } => {
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(far.0.counters().handshake_failed, 1);
    assert_eq!(far.0.flows(), 1, "the nameless client was never told of");
}

#[test]
fn a_key_that_does_not_fit_is_refused_at_once() {
    let authority = Authority::new();
    let (chain, _) = authority.issue(Wish { dns: &["a.test"], ..Wish::default() });
    let (_, key) = authority.issue(Wish { dns: &["b.test"], ..Wish::default() });
    assert_eq!(TlsServer::from_pem(&chain, &key).err(), Some(PemError::KeyMismatch));
    let client = TlsClient::with_certificate(authority.roots(), &chain, &key);
    assert_eq!(client.err(), Some(PemError::KeyMismatch));
    assert_eq!(TlsServer::from_pem(&chain, "").err(), Some(PemError::NoKey));
}
