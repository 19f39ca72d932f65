//! Judging a received message: find its signature, prove it, and only then move the window.

use homing_wire::{Auth, Message, Name};

use super::association::Association;
use super::buffer::{Stamp, buffer};
use super::window::Place;
use crate::auth::hex;
use crate::auth::ntlm::Side;
use crate::error::SignatureFault;

/// What a message's signature is worth. Only `Good` changed the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Signed by the peer, not seen before.
    Good {
        /// The peer's counter.
        num: u32,
    },
    /// No signature of this mechanism.
    Unsigned,
    /// A signature that is wrong, contradicts itself or cannot be read.
    BadSignature,
    /// A good signature that was seen before.
    Replayed,
    /// A good signature, but 256 or more counters behind; it may or may not have been seen.
    BelowWindow,
    /// A signature for another realm, another server, or (from a client) another association.
    OtherAssociation,
}

impl Verdict {
    /// True for [`Verdict::Good`].
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Good { .. })
    }

    /// The reason to refuse the message, in the vocabulary of errors.
    pub fn fault(self) -> Option<SignatureFault> {
        match self {
            Verdict::Good { .. } => None,
            Verdict::Unsigned => Some(SignatureFault::Unsigned),
            Verdict::BadSignature => Some(SignatureFault::BadSignature),
            Verdict::Replayed | Verdict::BelowWindow => Some(SignatureFault::Replayed),
            Verdict::OtherAssociation => Some(SignatureFault::OtherAssociation),
        }
    }
}

impl Association {
    /// Judges `message`, which `from` is said to have sent (MS-SIPAE 3.2.5.2, 3.3.5.2).
    ///
    /// A server's signature is looked for in Authentication-Info and Proxy-Authentication-Info;
    /// with `accept_patent_headers` also in Proxy-Authenticate of a 3xx and in Proxy-Authorization
    /// and Authorization of a 2xx or 3xx, where the patent prints it. A client's stands in
    /// Authorization or Proxy-Authorization and must carry our `opaque`; a server's newest `opaque`
    /// is taken over once its signature is proved.
    ///
    /// Byte-identical retransmissions are for the transaction layer to absorb before this.
    pub fn verify(&mut self, message: &Message, from: Side, accept_patent_headers: bool) -> Verdict {
        let places = places(message, from, accept_patent_headers);
        let (mut signed, mut found) = (false, None);
        for auth in places.iter().flat_map(|name| message.auth(*name)) {
            if auth.scheme.eq_ignore_ascii_case(self.name.mechanism.scheme())
                && auth.param(mac_of(from)).is_some()
            {
                signed = true;
                if self.is_ours(&auth, from) {
                    found = Some(auth);
                    break;
                }
            }
        }
        let Some(auth) = found else {
            return if signed { Verdict::OtherAssociation } else { Verdict::Unsigned };
        };
        let Some(number) = self.proved_number(message, &auth, from) else { return Verdict::BadSignature };
        match self.window.admit(number) {
            Place::Fresh => {}
            Place::Replayed => return Verdict::Replayed,
            Place::Below => return Verdict::BelowWindow,
        }
        if let (Side::Server, Some(opaque)) = (from, auth.param("opaque")) {
            self.adopt_opaque(opaque);
        }
        Verdict::Good { num: number }
    }

    fn is_ours(&self, auth: &Auth<'_>, from: Side) -> bool {
        let same = |name: &str, value: &str| auth.param(name) == Some(value);
        let target =
            auth.param("targetname").is_some_and(|name| name.eq_ignore_ascii_case(&self.name.targetname));
        target && same("realm", &self.name.realm) && (from == Side::Server || same("opaque", &self.opaque))
    }

    /// The counter of a signature that holds; `None` if it does not.
    fn proved_number(&self, message: &Message, auth: &Auth<'_>, from: Side) -> Option<u32> {
        if auth.conflicting() {
            return None;
        }
        let (salt, number) = match from {
            Side::Client => (auth.param("crand")?, auth.param("cnum")?),
            Side::Server => (auth.param("srand")?, auth.param("snum")?),
        };
        let stamp = Stamp {
            scheme: self.name.mechanism.scheme(),
            salt,
            number,
            realm: auth.param("realm")?,
            targetname: auth.param("targetname")?,
        };
        let counter = number.parse().ok()?;
        let mac = hex::decode(auth.param(mac_of(from))?)?;
        let covered = buffer(message, &stamp, self.name.version).ok()?;
        self.keys.verify(from, &covered, &mac).then_some(counter)
    }
}

/// The parameter that holds the signature.
fn mac_of(from: Side) -> &'static str {
    match from {
        Side::Client => "response",
        Side::Server => "rspauth",
    }
}

/// The headers a signature may stand in, in the order they are searched.
fn places(message: &Message, from: Side, accept_patent_headers: bool) -> &'static [Name<'static>] {
    const STANDARD: usize = 2;
    let all: &[Name<'static>] = match (from, message.status()) {
        (Side::Client, _) => &[Name::Authorization, Name::ProxyAuthorization],
        (Side::Server, Some(300..=399)) => &[
            Name::AuthenticationInfo,
            Name::ProxyAuthenticationInfo,
            Name::ProxyAuthenticate,
            Name::ProxyAuthorization,
            Name::Authorization,
        ],
        (Side::Server, Some(200..=299)) => &[
            Name::AuthenticationInfo,
            Name::ProxyAuthenticationInfo,
            Name::ProxyAuthorization,
            Name::Authorization,
        ],
        (Side::Server, _) => &[Name::AuthenticationInfo, Name::ProxyAuthenticationInfo],
    };
    if accept_patent_headers { all } else { &all[..STANDARD] }
}
