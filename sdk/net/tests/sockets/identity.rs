//! The identity table, live: what the handshake accepts, and that nothing is said before its verdict.

use homing_core::certificate::CertificateRule;
use homing_core::connect::HandshakeFault;
use homing_core::identity::IdentityError::{self, NoNames, OtherNames, Wildcard};
use homing_net::{
    ConnectError, Dial, Expected, FlowEvent, FlowId, Roots, TlsClient, TlsProof, TlsServer, Transport,
};

use crate::authority::{Authority, Life, Wish};
use crate::pair::{End, request};

/// Dials a server and gives its verdict. A refused server must never see a byte of SIP.
pub(crate) async fn verdict(
    server: TlsServer,
    client: &TlsClient,
    expected: Expected,
) -> Result<TlsProof, ConnectError> {
    let (mut near, mut far) = (End::new(), End::new());
    let listener = far.listen(Transport::Tls, Some(server));
    let (address, transport) = (listener.local_addr(), Transport::Tls);
    near.0.connect(Dial { flow: FlowId(1), address, transport, identity: expected }, client);
    near.0.send(FlowId(1), request(0).into());
    match near.event().await {
        FlowEvent::Connected { proof, .. } => {
            far.accepted().await;
            assert_eq!(far.message().await, request(0));
            Ok(proof.expect("TLS proves something"))
        }
        FlowEvent::ConnectFailed { why, .. } => {
            // A second server name may have been tried before.
            while far.0.counters().handshake_failed == 0 {
                tokio::task::yield_now().await;
            }
            assert_eq!(far.0.flows(), 0);
            Err(why)
        }
        other => panic!("{other:?}"),
    }
}

type Row = (&'static str, Expected, Wish<'static>, Result<&'static str, CertificateRule>);

/// The rule a certificate was refused by; what it says must come along.
pub(crate) fn rule(why: ConnectError) -> CertificateRule {
    let ConnectError::Certificate(error) = why else { panic!("not the certificate: {why}") };
    assert!(error.certificate.is_some(), "{error}");
    error.rule
}

async fn hold(rows: Vec<Row>) {
    let authority = Authority::new();
    let client = TlsClient::new(authority.roots());
    for (row, expected, wish, result) in rows {
        let found = verdict(authority.server(wish), &client, expected).await;
        assert_eq!(found.map(|proof| proof.name).map_err(rule), result.map(str::to_owned), "{row}");
    }
}

fn domain() -> Expected {
    Expected::discovered("network.com", "hs1.network.com")
}

fn dns(names: &'static [&'static str]) -> Wish<'static> {
    Wish { dns: names, ..Wish::default() }
}

fn no<T>(why: IdentityError) -> Result<T, CertificateRule> {
    Err(CertificateRule::Identity { expected: domain().to_string(), why })
}

/// What a server of another name breaks.
fn misnamed(expected: &Expected) -> Result<String, CertificateRule> {
    Err(CertificateRule::Identity { expected: expected.to_string(), why: OtherNames })
}

#[tokio::test]
async fn dns_names_are_compared_whole_inside_the_handshake() {
    let host = || Expected::host("hs2.network.com");
    hold(vec![
        ("host as dialled", domain(), dns(&["hs1.network.com"]), Ok("hs1.network.com")),
        ("the SIP domain", domain(), dns(&["network.com"]), Ok("network.com")),
        ("another host", domain(), dns(&["hs2.network.com"]), no(OtherNames)),
        ("exactly the host", host(), dns(&["hs2.network.com"]), Ok("hs2.network.com")),
        (
            "the domain is not the host",
            host(),
            dns(&["network.com"]),
            Err(CertificateRule::Identity { expected: "hs2.network.com".to_owned(), why: OtherNames }),
        ),
        ("a wildcard", domain(), dns(&["*.network.com"]), no(Wildcard)),
        ("a longer name", domain(), dns(&["hs1.network.com.evil.test"]), no(OtherNames)),
        ("no name", domain(), Wish::default(), no(NoNames)),
    ])
    .await;
}

#[tokio::test]
async fn uris_come_first_and_common_names_last() {
    let uris = |uris| Wish { uris, ..Wish::default() };
    let named = |common_name, dns| Wish { common_name: Some(common_name), dns, ..Wish::default() };
    let both = Wish { dns: &["network.com"], ..uris(&["sip:other.test"]) };
    hold(vec![
        ("a URI", domain(), uris(&["sip:network.com"]), Ok("network.com")),
        ("a URI comes before DNS names", domain(), both, no(OtherNames)),
        ("a sips URI is nobody's", domain(), uris(&["sips:network.com"]), no(NoNames)),
        ("a common name alone", domain(), named("hs1.network.com", &[]), Ok("hs1.network.com")),
        ("beside a SAN", domain(), named("hs1.network.com", &["x.network.com"]), no(OtherNames)),
    ])
    .await;
}

#[tokio::test]
async fn dates_and_purposes_hold() {
    let life = |life| Wish { life, ..dns(&["hs1.network.com"]) };
    let client = Wish { for_clients_only: true, ..dns(&["hs1.network.com"]) };
    hold(vec![
        ("expired", domain(), life(Life::Over), Err(CertificateRule::Expired)),
        ("not valid yet", domain(), life(Life::NotBegun), Err(CertificateRule::NotYetValid)),
        ("for clients only", domain(), client, Err(CertificateRule::Purpose)),
    ])
    .await;
}

#[tokio::test]
async fn an_unknown_authority_is_not_trusted() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let client = TlsClient::new(ours.roots());
    let found = verdict(theirs.named("hs1.network.com"), &client, Expected::host("hs1.network.com")).await;
    // Both authorities bear one name.
    assert_eq!(found.map_err(rule), Err(CertificateRule::BadSignature));
}

#[tokio::test]
async fn the_proof_tells_version_price_and_hash() {
    let authority = Authority::new();
    let (chain, key) = authority.issue(Wish { dns: &["hs1.network.com"], ..Wish::default() });
    let client = TlsClient::new(authority.roots());
    let server = TlsServer::from_pem(&chain, &key).unwrap();
    let proof = verdict(server, &client, Expected::host("hs1.network.com")).await.unwrap();
    assert_eq!((proof.version, proof.round_trips), ("TLSv1.3", 1));
    let der = <rustls_pki_types::CertificateDer<'_> as rustls_pki_types::pem::PemObject>::from_pem_slice(
        chain.as_bytes(),
    );
    use sha2::Digest;
    assert_eq!(proof.end_point_hash[..], sha2::Sha256::digest(der.unwrap())[..]);
}

#[tokio::test]
async fn a_session_never_serves_another_expectation() {
    let authority = Authority::new();
    let client = TlsClient::new(authority.roots());
    let server = authority.named("hs1.network.com");
    for _ in 0..3 {
        let good = Expected::discovered("network.com", "hs1.network.com");
        assert!(verdict(server.clone(), &client, good).await.is_ok());
        // The same name in the hello, so a shared cache would resume past the verifier.
        let other = Expected::Domain { domain: "other.test".into(), dialled: "hs1.network.com".into() };
        let refused = misnamed(&other);
        let found = verdict(server.clone(), &client, other).await;
        assert_eq!(found.map(|proof| proof.name).map_err(rule), refused);
    }
}

#[tokio::test]
async fn a_replaced_certificate_serves_the_next_connection() {
    let authority = Authority::new();
    let client = TlsClient::new(authority.roots());
    let server = authority.named("hs1.network.com");
    let expected = || Expected::host("hs2.network.com");
    let found = verdict(server.clone(), &client, expected()).await;
    assert_eq!(found.map(|proof| proof.name).map_err(rule), misnamed(&expected()));
    let (chain, key) = authority.issue(Wish { dns: &["hs2.network.com"], ..Wish::default() });
    server.replace(&chain, &key).unwrap();
    assert!(verdict(server, &client, expected()).await.is_ok());
}

#[tokio::test]
async fn a_peer_without_tls_fails_the_handshake_and_hears_no_sip() {
    let (mut near, mut far) = (End::new(), End::new());
    let listener = far.listen(Transport::Tcp, None);
    let identity = Expected::host("hs1.network.com");
    let (address, transport) = (listener.local_addr(), Transport::Tls);
    let client = TlsClient::new(Roots::pem(Authority::new().pem()).unwrap());
    near.0.connect(Dial { flow: FlowId(1), address, transport, identity }, &client);
    near.0.send(FlowId(1), request(0).into());
    far.accepted().await;
    // The hello is no SIP: the framer stops at it, and its sender learns that TLS is not spoken here.
    assert!(matches!(far.event().await, FlowEvent::Malformed { .. }));
    assert!(matches!(far.event().await, FlowEvent::Closed { .. }));
    assert!(matches!(
        near.event().await,
        FlowEvent::ConnectFailed {
            why: ConnectError::Handshake(HandshakeFault::NotTls | HandshakeFault::Closed),
            ..
        }
    ));
}
