//! What vouches for a server besides a chain, what a refusal tells, and whom the hello names.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use homing_core::certificate::CertificateRule;
use homing_core::connect::HandshakeFault;
use homing_core::fingerprint::Fingerprint;
use homing_core::identity::ServerNameRule;
use homing_net::{
    ConnectError, Dial, Expected, FlowEvent, FlowId, KeyLogFile, Roots, TlsClient, TlsProof, TlsServer,
    Transport,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, date_time_ymd};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::Digest;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::authority::{Authority, Life, Wish};
use crate::identity::{rule, verdict};
use crate::pair::End;

/// A certificate that is its own issuer, as `openssl req -x509` makes it: certificate and key in PEM.
fn self_signed(name: &str, is_ca: bool, years: (i32, i32)) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
    params.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::NoCa };
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn fingerprint(pem: &str) -> Fingerprint {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    Fingerprint(sha2::Sha256::digest(der).into())
}

fn server(pair: &(String, String)) -> TlsServer {
    TlsServer::from_pem(&pair.0, &pair.1).unwrap()
}

fn name_of(found: Result<TlsProof, ConnectError>) -> Result<String, CertificateRule> {
    found.map(|proof| proof.name).map_err(rule)
}

#[tokio::test]
async fn a_self_signed_certificate_in_the_ca_file_is_accepted_with_name_and_dates() {
    let host = || Expected::host("hs1.network.com");
    for is_ca in [true, false] {
        let own = self_signed("hs1.network.com", is_ca, (2000, 2900));
        let client = TlsClient::new(Roots::pem(&own.0).unwrap());
        assert_eq!(name_of(verdict(server(&own), &client, host()).await), Ok("hs1.network.com".to_owned()));
        let other = name_of(verdict(server(&own), &client, Expected::host("hs2.network.com")).await);
        assert!(matches!(other, Err(CertificateRule::Identity { .. })), "{other:?}");
        let same_name = self_signed("hs1.network.com", is_ca, (2000, 2900));
        assert!(verdict(server(&same_name), &client, host()).await.is_err(), "another key of that name");
        let over = self_signed("hs1.network.com", is_ca, (2000, 2001));
        let client = TlsClient::new(Roots::pem(&over.0).unwrap());
        let found = name_of(verdict(server(&over), &client, host()).await);
        assert_eq!(found, Err(CertificateRule::Expired));
    }
}

#[tokio::test]
async fn one_that_is_not_in_the_ca_file_is_told_by_the_rule_it_breaks() {
    let client = TlsClient::new(Authority::new().roots());
    let host = || Expected::host("hs1.network.com");
    let found =
        name_of(verdict(server(&self_signed("hs1.network.com", false, (2000, 2900))), &client, host()).await);
    assert_eq!(found, Err(CertificateRule::SelfSigned));
    let found =
        name_of(verdict(server(&self_signed("hs1.network.com", true, (2000, 2900))), &client, host()).await);
    assert_eq!(found, Err(CertificateRule::CaForServer));
}

#[tokio::test]
async fn a_refusal_says_what_the_certificate_says() {
    let authority = Authority::new();
    let wish = Wish {
        dns: &["hs9.other.test"],
        uris: &["sip:other.test"],
        common_name: Some("hs9"),
        life: Life::Over,
        ..Wish::default()
    };
    let pair = authority.issue(wish);
    let client = TlsClient::new(authority.roots());
    let why = verdict(server(&pair), &client, Expected::host("hs1.network.com")).await.unwrap_err();
    let text = why.to_string();
    let hash = fingerprint(&pair.0).to_string();
    for part in [
        "has expired",
        "CN=hs9",
        "sip:other.test",
        "hs9.other.test",
        "CN=Test authority",
        "2000-01-01",
        "2001-01-01",
        &hash,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_pin_replaces_chain_name_and_dates_and_nothing_else() {
    let (over, other) = (
        self_signed("elsewhere.test", true, (2000, 2001)),
        self_signed("hs1.network.com", false, (2000, 2900)),
    );
    let client = TlsClient::new(Authority::new().roots());
    let pins = [Fingerprint([9; 32]), fingerprint(&over.0)];
    let pinned = || {
        Expected::discovered("network.com", "hs1.network.com").under(
            ServerNameRule::Auto,
            "network.com",
            &pins,
        )
    };
    let proof = verdict(server(&over), &client, pinned()).await.unwrap();
    assert!(proof.pinned);
    assert_eq!(proof.name, "hs1.network.com");
    assert_eq!(proof.names, ["elsewhere.test"]);
    let found = name_of(verdict(server(&other), &client, pinned()).await);
    assert_eq!(found, Err(CertificateRule::NotPinned));
    let unpinned = Expected::discovered("network.com", "hs1.network.com");
    assert!(verdict(server(&over), &client, unpinned).await.is_err(), "an account without the pin");
}

/// Which certificate a server shows for which name, and which key it really has.
#[derive(Debug)]
struct Shop {
    shown: Vec<(Option<&'static str>, Arc<CertifiedKey>)>,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl ResolvesServerCert for Shop {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name();
        self.asked.lock().unwrap().push(name.map(str::to_owned));
        let fits = |(for_name, _): &&(Option<&'static str>, Arc<CertifiedKey>)| {
            for_name.is_none() || *for_name == name
        };
        self.shown.iter().find(fits).map(|(_, key)| Arc::clone(key))
    }

    fn only_raw_public_keys(&self) -> bool {
        false
    }
}

fn certified(certificate: &str, key: &str) -> Arc<CertifiedKey> {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    Arc::new(CertifiedKey::new(chain, ring::sign::any_supported_type(&key).unwrap()))
}

type Asked = Arc<Mutex<Vec<Option<String>>>>;

/// A server that chooses by the name in the hello; without a fitting name it sends an alert.
async fn shop(shown: Vec<(Option<&'static str>, Arc<CertifiedKey>)>) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Asked::default();
    let resolver = Arc::new(Shop { shown, asked: Arc::clone(&asked) });
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    // Kept open until the client leaves.
                    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                }
            });
        }
    });
    (address, asked)
}

async fn dial(address: SocketAddr, client: &TlsClient, identity: Expected) -> Result<TlsProof, ConnectError> {
    let mut near = End::new();
    near.0.connect(Dial { flow: FlowId(1), address, transport: Transport::Tls, identity }, client);
    match near.event().await {
        FlowEvent::Connected { proof, .. } => Ok(proof.unwrap()),
        FlowEvent::ConnectFailed { why, .. } => Err(why),
        other => panic!("{other:?}"),
    }
}

fn names(asked: &Asked) -> Vec<Option<String>> {
    std::mem::take(&mut asked.lock().unwrap())
}

fn some(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[tokio::test]
async fn a_virtual_server_is_asked_for_the_domain_first() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue(Wish { dns: &["example.test"], ..Wish::default() });
    let (address, asked) = shop(vec![(Some("example.test"), certified(&certificate, &key))]).await;
    let client = TlsClient::new(authority.roots());
    let found = Expected::discovered("example.test", "edge7.hoster.example");
    assert_eq!(dial(address, &client, found).await.unwrap().round_trips, 1);
    assert_eq!(names(&asked), [some("example.test")]);
}

#[tokio::test]
async fn a_server_that_does_not_know_the_domain_is_asked_for_the_host_and_that_is_remembered() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue(Wish { dns: &["hs1.example.test"], ..Wish::default() });
    let stranger = self_signed("default.hoster.example", false, (2000, 2900));
    let own = || (Some("hs1.example.test"), certified(&certificate, &key));
    for shown in [vec![own()], vec![own(), (None, certified(&stranger.0, &stranger.1))]] {
        let (address, asked) = shop(shown).await;
        let client = TlsClient::new(authority.roots());
        let found = || Expected::discovered("example.test", "hs1.example.test");
        assert_eq!(dial(address, &client, found()).await.unwrap().round_trips, 3, "the lost attempt is paid");
        assert_eq!(names(&asked), [some("example.test"), some("hs1.example.test")]);
        assert_eq!(dial(address, &client, found()).await.unwrap().round_trips, 1);
        assert_eq!(names(&asked), [some("hs1.example.test")], "what worked comes first");
    }
}

#[tokio::test]
async fn a_rule_of_the_account_is_kept_and_a_host_is_asked_for_once() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue(Wish { dns: &["hs1.example.test"], ..Wish::default() });
    let (address, asked) = shop(vec![(Some("hs1.example.test"), certified(&certificate, &key))]).await;
    let client = TlsClient::new(authority.roots());
    let found =
        |rule| Expected::discovered("example.test", "hs1.example.test").under(rule, "example.test", &[]);
    let refused = dial(address, &client, found(ServerNameRule::Domain)).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Handshake(HandshakeFault::Alert(_))), "{refused}");
    assert!(refused.to_string().contains("alert"), "{refused}");
    assert_eq!(names(&asked), [some("example.test")]);
    assert!(dial(address, &client, found(ServerNameRule::Host)).await.is_ok());
    assert_eq!(names(&asked), [some("hs1.example.test")]);
    assert!(dial(address, &client, Expected::host("hs2.example.test")).await.is_err());
    assert_eq!(names(&asked), [some("hs2.example.test")], "a redirect's host has no second name");
    assert!(dial(address, &client, Expected::host("127.0.0.1")).await.is_err());
    assert_eq!(names(&asked), [None], "an address stands in no hello");
}

#[tokio::test]
async fn who_does_not_hold_the_key_is_refused_even_if_pinned() {
    let authority = Authority::new();
    let (certificate, _) = authority.issue(Wish { dns: &["hs1.example.test"], ..Wish::default() });
    let (_, other_key) = authority.issue(Wish { dns: &["hs1.example.test"], ..Wish::default() });
    let (address, _) = shop(vec![(None, certified(&certificate, &other_key))]).await;
    let client = TlsClient::new(authority.roots());
    let host = || Expected::host("hs1.example.test");
    let pinned = host().under(ServerNameRule::Auto, "example.test", &[fingerprint(&certificate)]);
    for expected in [host(), pinned] {
        let why = dial(address, &client, expected).await.unwrap_err();
        assert_eq!(rule(why), CertificateRule::NoKey);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_log_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = std::env::temp_dir().join(format!("homing-key-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("keys");
    let _ = std::fs::remove_file(&path);
    let authority = Authority::new();
    let client = TlsClient::new(authority.roots()).with_key_log(KeyLogFile::open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    verdict(authority.named("hs1.network.com"), &client, Expected::host("hs1.network.com")).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.lines().any(|line| line.starts_with("CLIENT_TRAFFIC_SECRET_0 ")),
        "{} lines",
        text.lines().count()
    );
    assert!(text.lines().all(|line| line.split(' ').count() == 3));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(KeyLogFile::open(&path).is_err(), "others may read it");
    std::fs::remove_dir_all(&folder).unwrap();
}
