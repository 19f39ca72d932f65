//! Whose certificate is good enough: RFC 5922 identities plus strict naming, decided without I/O.

use std::fmt;

use thiserror::Error;

use crate::address::{ascii_name, literal};
use crate::fingerprint::Fingerprint;

/// Whom a connection must prove to reach (decision 24: discovery names the SIP domain, or the
/// dialled name under strict naming; a redirect hop names exactly the Contact's host).
///
/// It is part of the key under which connections and TLS sessions are reused: a connection that was
/// verified for one expectation never serves another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// Reached by discovery: the certificate names the SIP domain, or the host that was dialled if
    /// that host lies inside the domain.
    Domain {
        /// The SIP domain of the account, lower case.
        domain: String,
        /// The host name as dialled (an SRV target), lower case.
        dialled: String,
    },
    /// Reached by a redirect or by configuration: the certificate names exactly this host.
    Host(String),
    /// Reached by an address literal that the account allows (decision 5): the certificate names the SIP
    /// domain or a host inside it.
    Inside {
        /// The SIP domain of the account, lower case.
        domain: String,
        /// The address as dialled.
        dialled: String,
    },
    /// One of the others under terms of the account's own.
    Terms {
        /// What is expected without them.
        of: Box<Expected>,
        /// Whom the hello names, in order; without these, what `of` says.
        server_names: Vec<String>,
        /// Certificates that are accepted, in place of chain, name and dates; empty for none.
        pins: Vec<Fingerprint>,
    },
}

/// Whom the TLS hello names at discovery (RFC 6066 section 3, RFC 5922). What is verified is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerNameRule {
    /// At discovery the SIP domain, once more with the host dialled where the server does not take that; the
    /// host where a redirect or the account names it.
    #[default]
    Auto,
    /// The SIP domain.
    Domain,
    /// The host dialled.
    Host,
}

/// The names a peer's certificate carries, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertNames {
    /// Uniform resource identifiers of the subjectAltName.
    pub uris: Vec<String>,
    /// DNS names of the subjectAltName.
    pub dns: Vec<String>,
    /// IP addresses of the subjectAltName, in text form.
    pub ips: Vec<String>,
    /// Common names of the subject; they count only where no subjectAltName identity exists.
    pub common_names: Vec<String>,
}

/// Why a certificate does not identify the expected server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The certificate has no name that a SIP client could verify.
    #[error("the certificate names no SIP server")]
    NoNames,
    /// No name is equal to an expected one, and none is a wildcard over it.
    #[error("the certificate names other servers")]
    OtherNames,
    /// The name it matches by is a wildcard, which RFC 5922 section 7.2 does not allow.
    #[error("the certificate matches by a wildcard only")]
    Wildcard,
}

impl CertNames {
    /// Every name by which the holder may call itself: of the subjectAltName in whichever form and order,
    /// the common names only where that holds none.
    pub fn carried(&self) -> Vec<String> {
        let uris = self.uris.iter().filter_map(|uri| sip_domain(uri));
        let mut carried: Vec<String> = uris.chain(self.dns.iter().map(|name| plain(name))).collect();
        if carried.is_empty() {
            carried.extend(self.common_names.iter().map(|name| plain(name)));
        }
        carried
    }
}

impl Expected {
    /// The expectation for a server found by discovery for `domain` under the name `dialled`.
    pub fn discovered(domain: &str, dialled: &str) -> Self {
        Expected::Domain { domain: plain(domain), dialled: plain(dialled) }
    }

    /// The expectation for exactly `host`.
    pub fn host(host: &str) -> Self {
        Expected::Host(plain(host))
    }

    /// The expectation for the address literal `dialled`, which is to belong to `domain`.
    pub fn inside(domain: &str, dialled: &str) -> Self {
        Expected::Inside { domain: plain(domain), dialled: plain(dialled) }
    }

    /// The host as dialled.
    pub fn server_name(&self) -> &str {
        match self {
            Expected::Domain { dialled, .. } | Expected::Inside { dialled, .. } => dialled,
            Expected::Host(host) => host,
            Expected::Terms { of, .. } => of.server_name(),
        }
    }

    /// Whom the hello names, in the order of trying. An address is put into no hello; it stands here so that
    /// the list is never empty.
    pub fn server_names(&self) -> Vec<String> {
        let own = match self {
            Expected::Terms { server_names, .. } if !server_names.is_empty() => server_names.clone(),
            Expected::Terms { of, .. } => of.server_names(),
            Expected::Domain { domain, dialled } if domain != dialled => {
                vec![domain.clone(), dialled.clone()]
            }
            Expected::Domain { dialled, .. } | Expected::Inside { dialled, .. } => vec![dialled.clone()],
            Expected::Host(host) => vec![host.clone()],
        };
        let names: Vec<String> = own.iter().filter(|name| literal(name).is_none()).cloned().collect();
        if names.is_empty() { own.into_iter().take(1).collect() } else { names }
    }

    /// The certificates that are accepted in place of every other rule; none where nothing is pinned.
    pub fn pins(&self) -> Option<&[Fingerprint]> {
        match self {
            Expected::Terms { pins, .. } if !pins.is_empty() => Some(pins),
            _ => None,
        }
    }

    /// True where the certificate must name exactly one host.
    pub fn is_exact(&self) -> bool {
        matches!(self.without_terms(), Expected::Host(_))
    }

    /// The same under an account's own terms: whom the hello names, and which certificates are pinned.
    #[must_use]
    pub fn under(self, rule: ServerNameRule, domain: &str, pins: &[Fingerprint]) -> Self {
        let server_names = match rule {
            ServerNameRule::Auto => Vec::new(),
            ServerNameRule::Domain => vec![plain(domain)],
            ServerNameRule::Host => vec![self.server_name().to_owned()],
        };
        if server_names.is_empty() && pins.is_empty() {
            return self;
        }
        Expected::Terms { of: Box::new(self), server_names, pins: pins.to_vec() }
    }

    fn without_terms(&self) -> &Expected {
        match self {
            Expected::Terms { of, .. } => of.without_terms(),
            other => other,
        }
    }

    fn admits(&self, name: &str) -> bool {
        match self {
            Expected::Domain { domain, dialled } => {
                name == domain || (name == dialled && lies_within(dialled, domain))
            }
            Expected::Host(host) => name == host,
            Expected::Inside { domain, .. } => !name.starts_with("*.") && lies_within(name, domain),
            Expected::Terms { of, .. } => of.admits(name),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Domain { domain, dialled } => write!(f, "{domain} or {dialled}"),
            Expected::Host(host) => f.write_str(host),
            Expected::Inside { domain, .. } => write!(f, "{domain} or a host inside it"),
            Expected::Terms { of, .. } => of.fmt(f),
        }
    }
}

/// Decides whether a verified chain with these names identifies the expected server, and by which name.
///
/// RFC 5922 section 7.1: `sip:` URIs without a user part come first; DNS names count only where no
/// such URI exists; a common name counts only where the subjectAltName holds neither. Section 7.2:
/// names are compared whole and without regard to letter case, and a wildcard never matches.
///
/// # Errors
/// [`IdentityError`] says whether there was nothing to compare, nothing equal, or only a wildcard.
///
/// ```
/// use homing_core::identity::{accepts, CertNames, Expected};
/// let names = CertNames { dns: vec!["hs1.network.com".into()], ..CertNames::default() };
/// assert!(accepts(&Expected::discovered("network.com", "hs1.network.com"), &names).is_ok());
/// assert!(accepts(&Expected::discovered("network.com", "hs2.network.com"), &names).is_err());
/// ```
pub fn accepts(expected: &Expected, names: &CertNames) -> Result<String, IdentityError> {
    let expected = expected.without_terms();
    let candidates = candidates(expected, names);
    if candidates.is_empty() {
        return Err(IdentityError::NoNames);
    }
    if let Some(name) = candidates.iter().find(|name| expected.admits(name)) {
        return Ok(name.clone());
    }
    let wild = candidates.iter().any(|name| wildcard_covers(name, expected));
    Err(if wild { IdentityError::Wildcard } else { IdentityError::OtherNames })
}

/// True if `host` is `domain` or lies below it, label by label.
pub fn lies_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (plain(host), plain(domain));
    host == domain
        || host.strip_suffix(domain.as_str()).is_some_and(|head| head.len() > 1 && head.ends_with('.'))
}

fn candidates(expected: &Expected, names: &CertNames) -> Vec<String> {
    let uris: Vec<String> = names.uris.iter().filter_map(|uri| sip_domain(uri)).collect();
    if !uris.is_empty() {
        return uris;
    }
    let mut listed: Vec<String> = names.dns.iter().map(|name| plain(name)).collect();
    if let Expected::Host(host) = expected
        && host.parse::<std::net::IpAddr>().is_ok()
    {
        listed.extend(names.ips.iter().map(|ip| plain(ip)));
    }
    if listed.is_empty() && names.uris.is_empty() {
        listed.extend(names.common_names.iter().map(|name| plain(name)));
    }
    listed
}

/// The domain of a `sip:` URI that identifies a server: without user part (RFC 5922 section 7.1).
fn sip_domain(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") || rest.contains('@') {
        return None;
    }
    let host = rest.split([';', '?', ':']).next().unwrap_or_default();
    (!host.is_empty()).then(|| plain(host))
}

fn wildcard_covers(name: &str, expected: &Expected) -> bool {
    let Some(parent) = name.strip_prefix("*.") else { return false };
    if let Expected::Inside { domain, .. } = expected {
        return lies_within(parent, domain);
    }
    expected.server_name().split_once('.').is_some_and(|(_, rest)| rest == parent)
}

fn plain(name: &str) -> String {
    ascii_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(uris: &[&str], dns: &[&str], cn: &[&str]) -> CertNames {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        CertNames { uris: own(uris), dns: own(dns), ips: Vec::new(), common_names: own(cn) }
    }

    #[test]
    fn rfc_5922_and_strict_naming_table() {
        use IdentityError::{NoNames, OtherNames, Wildcard};
        let domain = || Expected::discovered("example.test", "hs1.example.test");
        let host = || Expected::host("hs2.example.test");
        let rows: Vec<(Expected, CertNames, Result<&str, IdentityError>)> = vec![
            (domain(), names(&["sip:example.test"], &[], &[]), Ok("example.test")),
            (domain(), names(&["sip:example.test"], &["www.example.test"], &[]), Ok("example.test")),
            (domain(), names(&["sip:other.test"], &["example.test"], &[]), Err(OtherNames)),
            (domain(), names(&["sips:example.test"], &[], &[]), Err(NoNames)),
            (domain(), names(&["sip:alice@example.test"], &[], &[]), Err(NoNames)),
            (domain(), names(&[], &["EXAMPLE.test."], &[]), Ok("example.test")),
            (domain(), names(&[], &["hs1.example.test"], &[]), Ok("hs1.example.test")),
            (domain(), names(&[], &["*.example.test"], &[]), Err(Wildcard)),
            (domain(), names(&[], &["hs1.example.test.evil.test"], &[]), Err(OtherNames)),
            (domain(), names(&[], &[], &["example.test"]), Ok("example.test")),
            (domain(), names(&[], &["other.test"], &["example.test"]), Err(OtherNames)),
            (domain(), names(&[], &[], &[]), Err(NoNames)),
            (host(), names(&[], &["hs2.example.test"], &[]), Ok("hs2.example.test")),
            (host(), names(&[], &["example.test"], &[]), Err(OtherNames)),
        ];
        for (row, (expected, names, verdict)) in rows.into_iter().enumerate() {
            assert_eq!(accepts(&expected, &names), verdict.map(str::to_owned), "row {row}");
        }
    }

    #[test]
    fn the_hello_names_the_domain_at_discovery_and_the_host_elsewhere() {
        use ServerNameRule::{Auto, Domain, Host};
        let found = || Expected::discovered("example.test", "edge7.hoster.example");
        let named = || Expected::host("hs1.example.test");
        for (expected, rule, names) in [
            (found(), Auto, &["example.test", "edge7.hoster.example"][..]),
            (found(), Domain, &["example.test"]),
            (found(), Host, &["edge7.hoster.example"]),
            (named(), Auto, &["hs1.example.test"]),
            (named(), Domain, &["example.test"]),
            (Expected::discovered("example.test", "example.test"), Auto, &["example.test"]),
            (Expected::discovered("example.test", "192.0.2.1"), Auto, &["example.test"]),
            (Expected::host("192.0.2.1"), Auto, &["192.0.2.1"]),
        ] {
            let expected = expected.under(rule, "example.test", &[]);
            assert_eq!(expected.server_names(), names, "{expected:?}");
        }
        assert_eq!(found().under(Auto, "example.test", &[]), found(), "the default makes no other key");
        let pinned = found().under(Auto, "example.test", &[Fingerprint([1; 32])]);
        assert_eq!(pinned.server_names(), found().server_names());
        assert_ne!(pinned, found(), "nothing verified by a pin serves an account without it");
        assert!(accepts(&pinned, &names(&[], &["example.test"], &[])).is_ok());
        assert!(named().under(Host, "", &[]).is_exact() && !pinned.is_exact());
    }

    #[test]
    fn a_dialled_name_outside_the_domain_is_not_enough() {
        let expected = Expected::discovered("example.test", "hs1.other.test");
        assert_eq!(accepts(&expected, &names(&[], &["hs1.other.test"], &[])), Err(IdentityError::OtherNames));
    }

    #[test]
    fn an_address_needs_a_name_inside_the_domain() {
        let expected = Expected::inside("example.test", "10.0.0.1");
        let verdict = |dns: &[&str]| accepts(&expected, &names(&[], dns, &[]));
        assert_eq!(verdict(&["hs1.example.test"]), Ok("hs1.example.test".to_owned()));
        assert_eq!(verdict(&["example.test"]), Ok("example.test".to_owned()));
        assert_eq!(verdict(&["*.example.test"]), Err(IdentityError::Wildcard));
        assert_eq!(verdict(&["hs1.other.test"]), Err(IdentityError::OtherNames));
        let numbered = CertNames { ips: vec!["10.0.0.1".to_owned()], ..CertNames::default() };
        assert_eq!(accepts(&expected, &numbered), Err(IdentityError::NoNames));
    }

    #[test]
    fn labels_are_compared_whole() {
        assert!(lies_within("hs1.network.com", "network.com"));
        assert!(lies_within("Network.com.", "network.com"));
        assert!(!lies_within("evilnetwork.com", "network.com"));
        assert!(!lies_within(".network.com", "network.com"));
    }
}
