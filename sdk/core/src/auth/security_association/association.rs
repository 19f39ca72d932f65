//! One security association: names, keys, counters, lifetime; it signs what its side sends.

use std::fmt;
use std::time::Duration;

use homing_wire::{Auth, AuthValue, Message, Name};
use thiserror::Error;

use super::buffer::{BufferError, Stamp, buffer};
use super::challenge::OPAQUE_LIMIT;
use super::name::{AssociationName, Style, Version};
use super::verdict::Verdict;
use super::window::{Place, Window};
use crate::auth::kerberos::MessageIntegrity;
use crate::auth::ntlm::{SessionKeys, Side};
use crate::auth::{hex, signed::Signed};
use crate::time::{Deadline, Moment, Now, Why};

/// What one endpoint and one server share after the handshake (MS-SIPAE 3.1.1).
///
/// A client keeps one per (mechanism, realm, targetname), a server finds it by `opaque` and checks
/// that it belongs to the endpoint. Counters of both directions start at 1.
pub struct Association {
    pub(super) name: AssociationName,
    pub(super) opaque: Box<str>,
    pub(super) keys: SigningKeys,
    pub(super) window: Window,
    style: Style,
    /// Counter of the last message signed; 0 before the first.
    pub(super) sent: u32,
    established: Moment,
    expires: Moment,
}

/// The keys an association signs with.
pub enum SigningKeys {
    /// NTLM session keys.
    Ntlm(SessionKeys),
    /// A Kerberos context.
    Kerberos(Box<dyn MessageIntegrity>),
}

/// Why a message was not signed. Not the peer's fault: the caller's, or the association is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignError {
    /// The message lacks what a signature covers.
    #[error(transparent)]
    Unsignable(#[from] BufferError),
    /// 2^31 messages were signed; a new association is needed.
    #[error("the security association has signed as many messages as it may")]
    UsedUp,
    /// The association ended with its connection; a new one is needed.
    #[error("the security association ended with its connection")]
    Lapsed,
}

impl Association {
    /// A fresh association.
    ///
    /// `opaque` is empty where the server has not named it yet (Kerberos). It lives for
    /// [`LIFETIME`]; see [`Self::limit_lifetime`].
    pub fn new(name: AssociationName, opaque: &str, style: Style, keys: SigningKeys, now: Now) -> Self {
        Self {
            name,
            opaque: opaque.into(),
            keys,
            window: Window::default(),
            style,
            sent: 0,
            established: now.since_start,
            expires: now.after(LIFETIME),
        }
    }

    /// Mechanism, realm, target and version; fixed for its life.
    pub fn name(&self) -> &AssociationName {
        &self.name
    }

    /// The server's name for it; changes when a signed message of the server says so.
    pub fn opaque(&self) -> &str {
        &self.opaque
    }

    /// Which header fields its messages use.
    pub fn style(&self) -> Style {
        self.style
    }

    /// When the handshake ended.
    pub fn established(&self) -> Moment {
        self.established
    }

    /// When it must be replaced.
    pub fn expires(&self) -> Moment {
        self.expires
    }

    /// Ends the lifetime at `end` if that is earlier: the end of a Kerberos ticket less its safety
    /// margin, or whatever a server's policy says.
    pub fn limit_lifetime(&mut self, end: Moment) {
        self.expires = self.expires.min(end);
    }

    /// Ends the lifetime at `end`, also if that is later: a server adds grace.
    pub fn set_lifetime(&mut self, end: Moment) {
        self.expires = end;
    }

    /// True once a new handshake is due: by time, or because a counter nears 2^31.
    pub fn renewal_due(&self, now: Now) -> bool {
        now.reached(self.expires) || self.sent.max(self.window.last()) >= COUNTERS_END - COUNTER_RESERVE
    }

    /// True once it signs nothing more: 2^31 messages were signed.
    pub fn is_used_up(&self) -> bool {
        self.sent >= COUNTERS_END
    }

    /// The same, with as many messages signed as it may.
    #[cfg(test)]
    pub(crate) fn used_up(self) -> Self {
        Self { sent: COUNTERS_END, ..self }
    }

    /// When [`Self::renewal_due`] turns true by time.
    pub fn deadline(&self) -> Deadline {
        Deadline::new(self.expires, Why::AssociationRenewal)
    }

    /// `request` with the client's credentials: counter, salt and signature.
    ///
    /// A signature depends on the message it goes into, so messages are built first and signed last. `crand` is a
    /// fresh random value. Call it once per request: a retransmission repeats the bytes.
    ///
    /// # Errors
    /// [`SignError`]; the counter does not move.
    pub fn sign_request(&mut self, request: &Message, crand: u32) -> Result<Signed, SignError> {
        let value = self.name.credentials(&self.opaque, None);
        let value = self.signed_credentials(value, request, crand)?;
        Ok(Signed::by_association(request.with_header(self.style.credentials(), value)))
    }

    /// `request` with the token that establishes this association; signed too in version 4.
    ///
    /// # Errors
    /// [`SignError`]; the counter does not move.
    pub fn establish(&mut self, request: &Message, token: &[u8], crand: u32) -> Result<Signed, SignError> {
        let mut value = self.name.credentials(&self.opaque, Some(token));
        if self.name.version >= Version::V4 {
            value = self.signed_credentials(value, request, crand)?;
        }
        Ok(Signed::by_association(request.with_header(self.style.credentials(), value)))
    }

    /// `message` of the server, a response or a request, with its signature in the header of the
    /// association's [`Style`].
    ///
    /// # Errors
    /// [`SignError`]; the counter does not move.
    pub fn sign_response(&mut self, message: &Message, srand: u32) -> Result<Message, SignError> {
        let value = self.server_signature(message, srand)?;
        Ok(message.with_header(self.style.info(), value))
    }

    /// The server's signature of `message` as a header value, for a server that writes it into more
    /// than one header. Moves the counter.
    ///
    /// # Errors
    /// [`SignError`]; the counter does not move.
    pub fn server_signature(&mut self, message: &Message, srand: u32) -> Result<AuthValue, SignError> {
        let salt = format!("{srand:08X}");
        let (number, mac) = self.signature(Side::Server, message, &salt)?;
        let value = AuthValue::new(self.name.mechanism.scheme())
            .quoted("rspauth", &mac)
            .quoted("srand", &salt)
            .quoted("snum", &number)
            .quoted("opaque", &self.opaque)
            .quoted("qop", "auth")
            .quoted("targetname", &self.name.targetname)
            .quoted("realm", &self.name.realm);
        // Version 3 servers leave the number out here, version 4 ones repeat it; readers ignore it.
        Ok(if self.name.version == Version::V4 { value.bare("version", 4) } else { value })
    }

    fn signed_credentials(
        &mut self,
        value: AuthValue,
        request: &Message,
        crand: u32,
    ) -> Result<AuthValue, SignError> {
        let salt = format!("{crand:08x}");
        let (number, mac) = self.signature(Side::Client, request, &salt)?;
        Ok(value.quoted("crand", &salt).quoted("cnum", &number).quoted("response", &mac))
    }

    /// Takes the next counter and signs with it; both come back as text.
    fn signature(
        &mut self,
        side: Side,
        message: &Message,
        salt: &str,
    ) -> Result<(String, String), SignError> {
        if self.is_used_up() {
            return Err(SignError::UsedUp);
        }
        let number = (self.sent + 1).to_string();
        let stamp = stamp(&self.name, salt, &number);
        let covered = buffer(message, &stamp, self.name.version)?;
        self.sent += 1;
        Ok((number, hex::encode(&self.keys.sign(side, &covered))))
    }

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

    /// Takes over the server's newest name for this association, if it is one we would echo.
    fn adopt_opaque(&mut self, opaque: &str) {
        if !opaque.is_empty() && opaque.len() <= OPAQUE_LIMIT && *opaque != *self.opaque {
            self.opaque = opaque.into();
        }
    }
}

impl SigningKeys {
    pub(super) fn sign(&self, side: Side, message: &[u8]) -> Vec<u8> {
        match self {
            SigningKeys::Ntlm(keys) => keys.sign(side, message).to_vec(),
            SigningKeys::Kerberos(context) => context.sign(side, message),
        }
    }

    pub(super) fn verify(&self, side: Side, message: &[u8], mac: &[u8]) -> bool {
        match self {
            SigningKeys::Ntlm(keys) => mac.try_into().is_ok_and(|mac| keys.verify(side, message, mac)),
            SigningKeys::Kerberos(context) => context.verify(side, message, mac),
        }
    }
}

impl From<SessionKeys> for SigningKeys {
    fn from(keys: SessionKeys) -> Self {
        SigningKeys::Ntlm(keys)
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(…)")
    }
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association")
            .field("name", &self.name)
            .field("opaque", &self.opaque)
            .field("sent", &self.sent)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// Life of an association: 8 h less 5 min of safety (MS-SIPAE 3.2.2).
pub const LIFETIME: Duration = Duration::from_secs(8 * 3600 - 5 * 60);
/// Counters stay below this: past it some implementations would see negative numbers.
const COUNTERS_END: u32 = 1 << 31;
/// How many messages before [`COUNTERS_END`] a renewal becomes due.
const COUNTER_RESERVE: u32 = 1 << 16;

/// The values of a signature under a name.
fn stamp<'a>(name: &'a AssociationName, salt: &'a str, number: &'a str) -> Stamp<'a> {
    Stamp { scheme: name.mechanism.scheme(), salt, number, realm: &name.realm, targetname: &name.targetname }
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
