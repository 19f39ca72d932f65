//! The names in a Digest challenge that choose how the answer is computed.

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use crate::auth::hex;

/// A hash function of RFC 7616 section 3.3, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// MD5: broken for signatures, answered only where an account allows it.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256 (FIPS 180-4), *not* SHA-512 cut to 256 bits as the RFC's own example has it.
    Sha512Slash256,
}

/// The `algorithm` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// The `-sess` form: the secret is bound to the first nonces of a session.
    pub session: bool,
}

/// Quality of protection: what an answer covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Qop {
    /// Method and URI.
    Auth,
    /// Method, URI and body.
    AuthInt,
}

impl Hash {
    /// The hash of the concatenated `parts` in lower-case hexadecimal digits.
    pub fn hex(self, parts: &[impl AsRef<[u8]>]) -> String {
        match self {
            Hash::Md5 => digest::<Md5>(parts),
            Hash::Sha256 => digest::<Sha256>(parts),
            Hash::Sha512Slash256 => digest::<Sha512_256>(parts),
        }
    }
}

impl Algorithm {
    /// MD5 without session, what a challenge means that names no algorithm.
    pub const MD5: Self = Self { hash: Hash::Md5, session: false };

    /// Reads the parameter value; letter case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Hash::Sha512Slash256, Hash::Sha256, Hash::Md5];
        let forms = all.into_iter().flat_map(|hash| [false, true].map(|session| Self { hash, session }));
        forms.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The parameter value.
    pub fn name(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512Slash256, false) => "SHA-512-256",
            (Hash::Sha512Slash256, true) => "SHA-512-256-sess",
        }
    }
}

impl Qop {
    /// The parameter value.
    pub fn name(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }

    /// Picks from a list such as `auth,auth-int`: plain `auth` where it is offered, since bodies
    /// are changed on the way; `None` if nothing in the list is known.
    pub fn choose(list: &str) -> Option<Self> {
        let offers =
            |wanted: Qop| list.split([',', ' ', '\t']).any(|token| token.eq_ignore_ascii_case(wanted.name()));
        [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| offers(*qop))
    }
}

fn digest<D: Digest>(parts: &[impl AsRef<[u8]>]) -> String {
    let mut hash = D::new();
    for part in parts {
        hash.update(part);
    }
    hex::encode(&hash.finalize())
}
