//! Why authentication did not succeed, with codes and next steps.

use thiserror::Error;

use crate::server::ServerName;

/// Why authentication did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The server refused the credentials.
    #[error("{server} does not accept this user name and password")]
    Rejected {
        /// As dialled; sent the refusal.
        server: ServerName,
    },
    /// The server offers nothing this account may answer.
    #[error("{server} offers no login this account allows (offered: {offered})")]
    NoCommonScheme {
        /// As dialled; sent the 401 or 407.
        server: ServerName,
        /// Scheme tokens offered, sanitised and cut.
        offered: String,
    },
    /// No password was given.
    #[error("no password was given for {server}")]
    NoCredentials {
        /// Who asked for it.
        server: ServerName,
    },
    /// The server's token is malformed or demands too little security.
    #[error("{server} sent an unusable login token: {why}")]
    BadToken {
        /// As dialled; sent the token.
        server: ServerName,
        /// What is wrong with it.
        #[source]
        why: TokenFault,
    },
    /// The server's challenge names another server than the one that was verified (relay attack).
    #[error("{server} asks for a login at {named}")]
    OtherTarget {
        /// Who asked.
        server: ServerName,
        /// The name in its challenge.
        named: String,
    },
    /// The clocks differ too much for the login to be safe.
    #[error("the clock of this machine and that of {server} differ by {minutes} minutes")]
    Clock {
        /// As dialled; its time is the Date of its challenge.
        server: ServerName,
        /// Difference.
        minutes: u64,
    },
    /// The server asks for a weaker login than the same realm did before.
    #[error("{server} asks for a weaker login for \"{realm}\" than before")]
    Weaker {
        /// As dialled; sent the challenge.
        server: ServerName,
        /// The realm; peer text, sanitised and cut.
        realm: String,
    },
    /// A Digest server tried to prove that it knows the password, and does not.
    #[error("{server} could not prove that it knows the password")]
    WrongProof {
        /// As dialled; granted the registration, which is removed again.
        server: ServerName,
    },
    /// The server challenged more often than any honest one does.
    #[error("{server} keeps asking for the same login")]
    ChallengeLoop {
        /// As dialled; demands what it was given.
        server: ServerName,
    },
}

/// What is wrong with a login token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// Not base64, or too long.
    #[error("it is not base64")]
    Encoding,
    /// Its structure is broken.
    #[error("its structure is broken")]
    Structure,
    /// It lacks extended session security, 128-bit keys, key exchange or datagram mode.
    #[error("it asks for weak security")]
    Weak,
    /// It lacks the names the computation needs.
    #[error("it names no server or domain")]
    NoNames,
    /// Extended protection is required and the server does not take it.
    #[error("it does not take part in extended protection")]
    NoProtection,
}

impl AuthError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AuthError::Rejected { .. } => "E0601",
            AuthError::NoCommonScheme { .. } => "E0602",
            AuthError::NoCredentials { .. } => "E0603",
            AuthError::BadToken { .. } => "E0604",
            AuthError::OtherTarget { .. } => "E0605",
            AuthError::Clock { .. } => "E0606",
            AuthError::ChallengeLoop { .. } => "E0607",
            AuthError::Weaker { .. } => "E0610",
            AuthError::WrongProof { .. } => "E0611",
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            AuthError::Rejected { .. } => {
                "Type the password again, or correct it where it is kept; check the user name and its domain."
            }
            AuthError::NoCommonScheme { .. } => {
                "Allow one of the offered logins in the account (for MD5: `allow_md5 = true`)."
            }
            AuthError::NoCredentials { .. } => {
                "Give the password by prompt, file, command or file descriptor."
            }
            AuthError::BadToken { .. } => "The server must offer NTLMv2 with extended session security.",
            AuthError::OtherTarget { .. } => {
                "This may be an attack: a relayed login; only if proxies here pass on their home servers' challenges, set `target_name = \"in_domain\"` in the account."
            }
            AuthError::Clock { .. } => "Set this machine's clock.",
            AuthError::ChallengeLoop { .. } => "The server has a fault; show its administrator the trace.",
            AuthError::Weaker { .. } => {
                "Somebody may be answering in the server's place; if its administrator changed it, sign out and in again."
            }
            AuthError::WrongProof { .. } => {
                "Somebody may be answering in the server's place; if the server is at fault, set `rspauth = \"ignore\"` in the account."
            }
        }
    }
}
