//! What a client is offered: the protocol generation its first request asks for, and the schemes.

use std::borrow::Cow;

use homing_core::auth::security_association::{Style, Version};
use homing_wire::{AuthValue, EventHeader, Message, Name};

use super::{Challenge, Gate, Visit};
use crate::node::config::Dialect;
use crate::node::draws::Draws;
use crate::node::endpoint::{epid, instance};

/// How a client is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The signing protocol that is offered.
    pub version: Version,
    /// The header family.
    pub style: Style,
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

impl Gate {
    /// The challenge for a request without credentials that count.
    pub(super) fn first_challenge(
        &mut self,
        visit: &Visit<'_>,
        why: Cow<'static, str>,
        draws: &mut dyn Draws,
    ) -> Challenge {
        let kind = Kind::of(visit.request);
        let schemes = self.config.schemes;
        let dialect = self.config.dialect;
        let spoken = pinned(dialect).or(visit.spoken).unwrap_or_else(|| kind.spoken(schemes.digest()));
        let plain = kind == Kind::Plain;
        let digest = schemes.digest() && (plain || !schemes.ntlm());
        let ntlm = schemes.ntlm() && !(plain && digest && dialect == Dialect::Auto);
        let mut values = Vec::new();
        if ntlm {
            values.push(self.named("NTLM", None, spoken.version).to_string());
        }
        if digest {
            values.extend(self.digest.challenges(false, draws, visit.now));
        }
        Challenge { style: spoken.style, values, spoken: Some(spoken), why, flaw: None }
    }

    /// The newest version a client may ask for: the configured one, else what its connection was offered.
    pub(super) fn offered(&self, visit: &Visit<'_>) -> Version {
        pinned(self.config.dialect).or(visit.spoken).map_or(Version::V4, |spoken| spoken.version)
    }

    /// The parameters every NTLM header of ours has; those of a half-open association come first.
    pub(super) fn named(&self, scheme: &str, half_open: Option<(&str, &str)>, version: Version) -> AuthValue {
        let value = AuthValue::new(scheme);
        let value = match half_open {
            Some((opaque, token)) => value
                .quoted("opaque", opaque)
                .quoted("gssapi-data", token)
                .quoted("targetname", &self.identity.fqdn)
                .quoted("realm", &self.config.realm),
            None => value.quoted("realm", &self.config.realm).quoted("targetname", &self.identity.fqdn),
        };
        let value = value.quoted("qop", "auth");
        match version.number() {
            Some(number) => value.bare("version", number),
            None => value,
        }
    }
}

/// What a configured dialect offers; none where the client chooses.
fn pinned(dialect: Dialect) -> Option<Spoken> {
    let (version, style) = match dialect {
        Dialect::Auto => return None,
        Dialect::Sip2 => (Version::V2, Style::Proxy),
        Dialect::Sipae3 => (Version::V3, Style::Registrar),
        Dialect::Sipae4 => (Version::V4, Style::Registrar),
    };
    Some(Spoken { version, style })
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

    fn spoken(self, digest: bool) -> Spoken {
        match self {
            Kind::Microsoft => Spoken { version: Version::V4, style: Style::Registrar },
            Kind::Plain if digest => Spoken { version: Version::V4, style: Style::Registrar },
            Kind::Patent | Kind::Plain => Spoken { version: Version::V2, style: Style::Proxy },
        }
    }
}
