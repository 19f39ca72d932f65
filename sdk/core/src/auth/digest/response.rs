//! The computation both sides make: secret, request and nonces in, `response` out (RFC 7616 3.4).

use std::borrow::Cow;
use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, Qop};
use crate::secret::Password;

/// What the shared secret is known as.
#[derive(Clone, Copy, Debug)]
pub enum Secret<'a> {
    /// The password itself.
    Password(&'a Password),
    /// `H(user:realm:password)`, as a server stores it.
    Hashed(&'a HashedSecret),
    /// `H(A1)` of a `-sess` session that began with other nonces, see [`HashedSecret::bound`].
    Bound(&'a HashedSecret),
}

/// A hashed secret in lower-case hexadecimal digits. It opens the account like the password does:
/// it does not print and is wiped on drop.
#[derive(Clone)]
pub struct HashedSecret(Zeroizing<String>);

/// Everything a `response` is computed from. Texts are the values without their quotes.
#[derive(Clone, Copy, Debug)]
pub struct DigestInput<'a> {
    /// Hash function and form.
    pub algorithm: Algorithm,
    /// User name (never its hash, also where `userhash` is in use).
    pub user: &'a str,
    /// Realm of the challenge.
    pub realm: &'a str,
    /// The password, or a hash made with the hash function of `algorithm`.
    pub secret: Secret<'a>,
    /// Method of the request; empty for the `rspauth` of a response.
    pub method: &'a str,
    /// The `uri` parameter.
    pub uri: &'a str,
    /// Nonce of the challenge.
    pub nonce: &'a str,
    /// Nonce count as it stands in the message: eight hexadecimal digits.
    pub nc: &'a str,
    /// The client's nonce.
    pub cnonce: &'a str,
    /// What is covered; `None` is the old form of RFC 2069, without `nc` and `cnonce`.
    pub qop: Option<Qop>,
    /// The body, read for `auth-int` only.
    pub body: &'a [u8],
}

/// The `response` (or `rspauth`) value in lower-case hexadecimal digits.
///
/// ```
/// use homing_core::auth::digest::{response, Algorithm, DigestInput, Qop, Secret};
/// use homing_core::secret::Password;
///
/// let password = Password::new("Circle Of Life");
/// let input = DigestInput {
///     algorithm: Algorithm::MD5,
///     user: "Mufasa",
///     realm: "testrealm@host.com",
///     secret: Secret::Password(&password),
///     method: "GET",
///     uri: "/dir/index.html",
///     nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
///     nc: "00000001",
///     cnonce: "0a4f113b",
///     qop: Some(Qop::Auth),
///     body: b"",
/// };
/// assert_eq!(response(&input), "6629fae49393a05397450978507c4ef1");
/// ```
pub fn response(input: &DigestInput<'_>) -> String {
    let hash = input.algorithm.hash;
    let secret = input.hashed_secret();
    let request = match input.qop {
        Some(Qop::AuthInt) => {
            let body = hash.hex(&[input.body]);
            hash.hex(&[input.method, ":", input.uri, ":", &body])
        }
        Some(Qop::Auth) | None => hash.hex(&[input.method, ":", input.uri]),
    };
    let covered: &[&str] = match input.qop {
        Some(qop) => {
            &[&secret.0, ":", input.nonce, ":", input.nc, ":", input.cnonce, ":", qop.name(), ":", &request]
        }
        None => &[&secret.0, ":", input.nonce, ":", &request],
    };
    hash.hex(covered)
}

/// True if `given` is the response that `input` calls for, in either letter case. Takes the same
/// time for any wrong value of the right length.
pub fn verify(input: &DigestInput<'_>, given: &str) -> bool {
    let expected = response(input);
    given.to_ascii_lowercase().as_bytes().ct_eq(expected.as_bytes()).into()
}

/// What stands in `username` where `userhash` is in use: `H(user:realm)` (RFC 7616 3.4.4).
pub fn userhash(algorithm: Algorithm, user: &str, realm: &str) -> String {
    algorithm.hash.hex(&[user, ":", realm])
}

impl HashedSecret {
    /// `H(user:realm:password)`.
    pub fn new(algorithm: Algorithm, user: &str, realm: &str, password: &Password) -> Self {
        let parts = [user, ":", realm, ":", password.reveal()];
        Self(Zeroizing::new(algorithm.hash.hex(&parts)))
    }

    /// Takes over a stored value in hexadecimal digits of either case.
    pub fn from_hex(digits: &str) -> Self {
        Self(Zeroizing::new(digits.to_ascii_lowercase()))
    }

    /// `H(A1)` of the `-sess` form, bound to the nonces a session began with.
    pub fn bound(&self, algorithm: Algorithm, nonce: &str, cnonce: &str) -> Self {
        let parts = [&*self.0, ":", nonce, ":", cnonce];
        Self(Zeroizing::new(algorithm.hash.hex(&parts)))
    }
}

impl DigestInput<'_> {
    /// `H(A1)`.
    fn hashed_secret(&self) -> Cow<'_, HashedSecret> {
        let base = match self.secret {
            Secret::Password(password) => {
                Cow::Owned(HashedSecret::new(self.algorithm, self.user, self.realm, password))
            }
            Secret::Hashed(secret) => Cow::Borrowed(secret),
            Secret::Bound(secret) => return Cow::Borrowed(secret),
        };
        if self.algorithm.session {
            Cow::Owned(base.bound(self.algorithm, self.nonce, self.cnonce))
        } else {
            base
        }
    }
}

impl fmt::Debug for HashedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedSecret(•••)")
    }
}
