//! The protocol generation in which a client is challenged and responses to it are signed.

use homing_core::auth::security_association::{Style, Version};

use crate::node::config::Dialect;

/// The dialect that was settled on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialectInUse {
    /// The signing protocol that is offered.
    pub version: Version,
    /// The header family.
    pub style: Style,
}

impl DialectInUse {
    /// Version 4 in WWW-Authenticate (MS-SIPAE).
    pub(super) const SIPAE_4: Self = Self { version: Version::V4, style: Style::Registrar };
    /// Without a version in Proxy-Authenticate (MS-SIP, the patent).
    pub(super) const SIP_2: Self = Self { version: Version::V2, style: Style::Proxy };

    /// What a configured dialect offers; none where the client chooses.
    pub(super) fn configured(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::Auto => None,
            Dialect::Sip2 => Some(Self::SIP_2),
            Dialect::Sip2By401 => Some(Self { version: Version::V2, style: Style::Registrar }),
            Dialect::Sipae3 => Some(Self { version: Version::V3, style: Style::Registrar }),
            Dialect::Sipae4 => Some(Self::SIPAE_4),
        }
    }
}
