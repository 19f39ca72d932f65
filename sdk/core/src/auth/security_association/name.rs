//! What names an association: mechanism, realm, target, and the protocol version of its challenge.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_wire::{Auth, AuthValue, Name};

/// The security mechanism whose keys sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// NTLM, connectionless.
    Ntlm,
    /// GSS-API message integrity codes of an established context (RFC 4121, RFC 4757).
    Kerberos,
}

/// The version of the signing protocol; the server's challenge chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// No `version` parameter: MS-SIP, the protocol of the patent. Its buffer leaves out To URI and
    /// identities.
    V2,
    /// `version=3` (MS-SIPAE).
    V3,
    /// `version=4`: like 3, and the request that establishes the association is signed too.
    V4,
}

/// Which family of header fields carries challenge, credentials and signature (RFC 3261 22).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Style {
    /// 401, `WWW-Authenticate`, `Authorization`, `Authentication-Info`.
    Registrar,
    /// 407, `Proxy-Authenticate`, `Proxy-Authorization`, `Proxy-Authentication-Info`.
    Proxy,
}

/// The name of an association: on a client there is one association per name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssociationName {
    /// Scheme token of the header fields.
    pub mechanism: Mechanism,
    /// Realm, case-sensitive; real servers say `SIP Communications Service`.
    pub realm: Box<str>,
    /// NTLM: the server's FQDN; Kerberos: `sip/` and the FQDN.
    pub targetname: Box<str>,
    /// Version of the challenge.
    pub version: Version,
}

impl AssociationName {
    /// The credentials that open the handshake of NTLM: an empty token (MS-SIPAE 3.2.5.1).
    pub fn opening(&self) -> AuthValue {
        self.credentials("", Some(b""))
    }

    /// Credentials without a signature, in the order real clients write them.
    pub(super) fn credentials(&self, opaque: &str, token: Option<&[u8]>) -> AuthValue {
        let mut value = AuthValue::new(self.mechanism.scheme()).quoted("qop", "auth");
        if !opaque.is_empty() {
            value = value.quoted("opaque", opaque);
        }
        value = value.quoted("realm", &self.realm).quoted("targetname", &self.targetname);
        let Some(token) = token else { return value };
        value = value.quoted("gssapi-data", STANDARD.encode(token));
        match self.version.number() {
            Some(version) => value.bare("version", version),
            None => value,
        }
    }

    /// The host in `targetname`, without the service of Kerberos. A challenge that names another
    /// host than the one whose certificate was verified is not to be answered.
    pub fn host(&self) -> &str {
        match self.targetname.get(..4) {
            Some(service) if service.eq_ignore_ascii_case("sip/") => &self.targetname[4..],
            _ => &self.targetname,
        }
    }
}

impl Mechanism {
    /// The scheme token.
    pub fn scheme(self) -> &'static str {
        match self {
            Mechanism::Ntlm => "NTLM",
            Mechanism::Kerberos => "Kerberos",
        }
    }

    /// Reads a scheme token; letter case does not matter.
    pub fn parse(scheme: &str) -> Option<Self> {
        [Mechanism::Ntlm, Mechanism::Kerberos]
            .into_iter()
            .find(|known| known.scheme().eq_ignore_ascii_case(scheme))
    }

    /// The longest token of a handshake that is looked at, in bytes after decoding.
    pub fn token_limit(self) -> usize {
        match self {
            Mechanism::Ntlm => crate::auth::ntlm::message::TOKEN_LIMIT,
            Mechanism::Kerberos => 12 * 1024,
        }
    }
}

impl Version {
    /// Reads the `version` parameter of a challenge; `None` if it is one we do not speak.
    pub fn of(challenge: &Auth<'_>) -> Option<Self> {
        match challenge.param("version") {
            None => Some(Version::V2),
            Some("2") => Some(Version::V2),
            Some("3") => Some(Version::V3),
            Some("4") => Some(Version::V4),
            Some(_) => None,
        }
    }

    /// The number to echo, none for version 2.
    pub fn number(self) -> Option<u32> {
        match self {
            Version::V2 => None,
            Version::V3 => Some(3),
            Version::V4 => Some(4),
        }
    }
}

impl Style {
    /// Status of a challenge.
    pub fn status(self) -> u16 {
        match self {
            Style::Registrar => 401,
            Style::Proxy => 407,
        }
    }

    /// Header of a challenge.
    pub fn challenge(self) -> Name<'static> {
        match self {
            Style::Registrar => Name::WwwAuthenticate,
            Style::Proxy => Name::ProxyAuthenticate,
        }
    }

    /// Header of a client's credentials and signature.
    pub fn credentials(self) -> Name<'static> {
        match self {
            Style::Registrar => Name::Authorization,
            Style::Proxy => Name::ProxyAuthorization,
        }
    }

    /// Header of a server's signature.
    pub fn info(self) -> Name<'static> {
        match self {
            Style::Registrar => Name::AuthenticationInfo,
            Style::Proxy => Name::ProxyAuthenticationInfo,
        }
    }
}
