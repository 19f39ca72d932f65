//! What a client is offered: the schemes and the dialect that its first request asks for.

use homing_core::auth::security_association::Version;
use homing_wire::{EventHeader, Message, Name};

use super::dialect::DialectInUse;
use super::outcome::AuthRequest;
use crate::node::config::{AuthenticationConfig, Dialect};
use crate::node::endpoint::{epid, instance};

/// The schemes of one challenge.
pub(super) struct Offer {
    pub(super) dialect: DialectInUse,
    pub(super) ntlm: bool,
    pub(super) digest: bool,
}

/// What kind of client a request comes from, by its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Speaks MS-SIPAE.
    Microsoft,
    /// Has an epid and nothing newer: the patent's own product.
    Patent,
    /// Speaks the RFCs.
    Plain,
}

impl Offer {
    /// The offer for a request without credentials that count.
    pub(super) fn of(config: &AuthenticationConfig, auth_request: &AuthRequest<'_>) -> Self {
        let kind = Kind::of(auth_request.request);
        let schemes = config.schemes;
        let dialect = DialectInUse::configured(config.dialect).or(auth_request.dialect_in_use);
        let plain = kind == Kind::Plain;
        let digest = schemes.digest() && (plain || !schemes.ntlm());
        let ntlm = schemes.ntlm() && !(plain && digest && config.dialect == Dialect::Auto);
        Self { dialect: dialect.unwrap_or_else(|| kind.dialect(schemes.digest())), ntlm, digest }
    }
}

/// The newest version a client may ask for: the configured one, else what its connection was offered.
pub(super) fn newest_version(config: &AuthenticationConfig, auth_request: &AuthRequest<'_>) -> Version {
    let dialect = DialectInUse::configured(config.dialect).or(auth_request.dialect_in_use);
    dialect.map_or(Version::V4, |dialect| dialect.version)
}

impl Kind {
    fn of(request: &Message) -> Self {
        let agent = request.text(Name::UserAgent).unwrap_or_default();
        let known = ["UCCAPI/", "UCCP/", "CPE/", "RTCC/"].iter().any(|prefix| agent.starts_with(prefix))
            || (agent.starts_with("Purple/") && agent.contains("Sipe"));
        let event = request.get::<EventHeader<'_>>().ok().flatten();
        let event = event.is_some_and(|event| event.is("registration"));
        let announced = ["gruu-10", "msrtc-event-categories"]
            .iter()
            .any(|token| request.has_token(Name::Supported, token));
        let named = request.from().ok().is_some_and(|from| epid(&from).is_some());
        // RFC 5626 clients have an instance too; only together with an epid it tells a Microsoft one.
        let has_instance = named && instance(request).is_some();
        if known || event || announced || has_instance || request.text(Name::MsKeepAlive).is_some() {
            Kind::Microsoft
        } else if named {
            Kind::Patent
        } else {
            Kind::Plain
        }
    }

    fn dialect(self, digest: bool) -> DialectInUse {
        match self {
            Kind::Microsoft => DialectInUse::SIPAE_4,
            Kind::Plain if digest => DialectInUse::SIPAE_4,
            Kind::Patent | Kind::Plain => DialectInUse::SIP_2,
        }
    }
}
