//! A client's Digest credentials as a server reads and checks them (RFC 7616 section 3.4.6).

use homing_wire::Auth;

use super::algorithm::{Algorithm, Qop};
use super::challenge::{DigestError, unescape};
use super::response::{DigestInput, Secret, userhash, verify};

/// Credentials of one request, borrowing its header.
///
/// [`Self::check`] proves knowledge of the secret. That the nonce is ours and fresh, that its count
/// was not used before, that the URI means this request, and whose secret to take is the server's
/// to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestCredentials<'m> {
    /// User name as written, or its hash; see [`Self::is_from`].
    pub username: &'m str,
    /// Realm as written.
    pub realm: &'m str,
    /// The nonce answered.
    pub nonce: &'m str,
    /// The URI that was signed.
    pub uri: &'m str,
    /// Hash function and form.
    pub algorithm: Algorithm,
    /// What is covered; `None` is the old form without a count.
    pub qop: Option<Qop>,
    /// Nonce count: eight hexadecimal digits, empty in the old form.
    pub nc: &'m str,
    /// The client's nonce.
    pub cnonce: &'m str,
    /// What the challenge gave to be returned.
    pub opaque: Option<&'m str>,
    /// Whether `username` is a hash.
    pub userhash: bool,
    response: &'m str,
}

impl<'m> DigestCredentials<'m> {
    /// Reads one Authorization or Proxy-Authorization value.
    ///
    /// # Errors
    /// [`DigestError`]: answer 400, or challenge.
    pub fn parse(credentials: &Auth<'m>) -> Result<Self, DigestError> {
        if !credentials.scheme.eq_ignore_ascii_case("Digest") {
            return Err(DigestError::OtherScheme);
        }
        if credentials.conflicting() {
            return Err(DigestError::Conflicting);
        }
        let param = |name| credentials.param(name);
        let must = |name| param(name).ok_or(DigestError::Incomplete);
        let algorithm = param("algorithm")
            .map_or(Some(Algorithm::MD5), Algorithm::parse)
            .ok_or(DigestError::UnknownAlgorithm)?;
        let qop = match param("qop") {
            None => None,
            Some(qop) => Some(Qop::choose(qop).ok_or(DigestError::UnknownQop)?),
        };
        let counted = |name| if qop.is_some() { must(name) } else { Ok("") };
        let nc = counted("nc")?;
        if qop.is_some() && (nc.len() != 8 || !nc.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            return Err(DigestError::Incomplete);
        }
        Ok(Self {
            username: must("username")?,
            realm: must("realm")?,
            nonce: must("nonce")?,
            uri: must("uri")?,
            algorithm,
            qop,
            nc,
            cnonce: counted("cnonce")?,
            opaque: param("opaque"),
            userhash: param("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            response: must("response")?,
        })
    }

    /// The nonce count as a number, 0 in the old form.
    pub fn count(&self) -> u32 {
        u32::from_str_radix(self.nc, 16).unwrap_or_default()
    }

    /// True if these are credentials of `user`, whose name may be hashed.
    pub fn is_from(&self, user: &str) -> bool {
        if self.userhash {
            userhash(self.algorithm, user, &unescape(self.realm)).eq_ignore_ascii_case(self.username)
        } else {
            unescape(self.username) == user
        }
    }

    /// True if `user` made them for this method and body, knowing `secret`. Constant time.
    pub fn check(&self, method: &str, body: &[u8], user: &str, secret: Secret<'_>) -> bool {
        let input = DigestInput {
            algorithm: self.algorithm,
            user,
            realm: &unescape(self.realm),
            secret,
            method,
            uri: self.uri,
            nonce: self.nonce,
            nc: self.nc,
            cnonce: self.cnonce,
            qop: self.qop,
            body,
        };
        verify(&input, self.response)
    }
}
