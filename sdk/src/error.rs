//! Errors: what happened, its stable code, what to do next, whether it is tried again, how far the login came.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use homing_core::certificate::{CertificateError, CertificateRule, CertificateSummary};
pub use homing_core::config::ConfigError;
pub use homing_core::connect::{ConnectError, HandshakeFault};
pub use homing_core::dns::{DnsError, ResolveError};
pub use homing_core::error::{
    AuthError, Deregistration, Family, LoginError, Misuse, RedirectError, ResponseFault, SignatureFault,
    TokenFault,
};
pub use homing_core::identity::IdentityError;
pub use homing_core::journey::LoginFailure;
pub use homing_net::PemError;
pub use homing_wire::{FrameError, FrameFault};

use homing_core::call_event::{CallEnd, EndReason};
use homing_core::event::LogoutReason;
use homing_core::journey::Journey;
use homing_core::server::ServerName;
use homing_core::transport::Transport;

/// Why something asked of a [`UserAgent`](crate::UserAgent) or a [`Call`](crate::Call) did not happen.
///
/// Its text is a whole sentence with its cause; [`source()`](std::error::Error::source) gives the cause alone, as a
/// type: a [`ConnectError`], a [`ResolveError`], a [`SignatureFault`] and the like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The login failed.
    Login {
        /// The cause, and the hops of the login up to it.
        failure: Box<LoginFailure>,
        /// How long after the failure the account tries again by itself; none if it does not.
        retry_in: Option<Duration>,
    },
    /// The account was signed out before it could be done.
    LoggedOut(LogoutReason),
    /// The account's configuration is not usable.
    Config(ConfigError),
    /// The call does not fit the account's state, or a limit is reached.
    Misuse(Misuse),
    /// The call ended before it could be done.
    CallEnded(Box<CallEnd>),
    /// Hold, or its end, was refused; the session is as it was.
    ChangeRefused {
        /// The peer's final status; 0 where this side described nothing.
        status: u16,
    },
    /// The account is not heard where it wants to be.
    Listen(ListenError),
    /// The user agent was shut down.
    ShutDown,
}

/// Why an account without registrar is not heard where its configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot listen at {address} by {transport}: {kind}")]
#[non_exhaustive]
pub struct ListenError {
    /// Address and port; port 0 was for the system to choose.
    pub address: SocketAddr,
    /// One of those the account allows.
    pub transport: Transport,
    /// What the system said; `InvalidInput` for TLS without a certificate.
    pub kind: io::ErrorKind,
}

/// Why a user agent could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The system gives no randomness.
    #[error("this machine gives no randomness: {0}")]
    Entropy(#[source] io::Error),
    /// The system gives no thread or no event queue.
    #[error("this machine gives no thread to run on: {0}")]
    Thread(#[source] io::Error),
}

impl Error {
    /// The stable code, such as `E0702`; scripts and documentation go by it.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Login { failure, .. } => failure.error.code(),
            Error::LoggedOut(_) => "E0302",
            Error::Config(_) => "E0101",
            Error::Misuse(_) => "E0201",
            Error::CallEnded(end) => end.why.code().unwrap_or("E1200"),
            Error::ChangeRefused { .. } => "E1217",
            Error::Listen(_) => "E0206",
            Error::ShutDown => "E0301",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::Login { failure, .. } => failure.error.hint(),
            Error::LoggedOut(LogoutReason::Disabled) => "Ask the administrator to enable the account.",
            Error::LoggedOut(why) if why.signs_in_again() => "Nothing: the account signs in again by itself.",
            Error::LoggedOut(_) => "Sign in again if this device should be used.",
            Error::Config(_) => "Correct the account's settings.",
            Error::Misuse(Misuse::Limit) => "Wait until something else has ended, or raise the limit.",
            Error::Misuse(Misuse::UnknownCall) => "The call is over; look at how it ended.",
            Error::Misuse(_) => "Look at the account's state before asking for this.",
            Error::CallEnded(end) => match end.why.hint() {
                "" => "Nothing: somebody wanted the call to end.",
                hint => hint,
            },
            Error::ChangeRefused { .. } => "The call goes on as before; try again later.",
            Error::Listen(_) => {
                "Choose another address or port; for TLS give the builder a server certificate."
            }
            Error::ShutDown => "Start another user agent.",
        }
    }

    /// How long after this failure the account tries again by itself; zero for at once, none if it does not, be it
    /// that trying again cannot help or that the account is at rest.
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            Error::Login { retry_in, .. } => *retry_in,
            Error::LoggedOut(why) => why.signs_in_again().then_some(Duration::ZERO),
            Error::Config(_)
            | Error::Misuse(_)
            | Error::CallEnded(_)
            | Error::ChangeRefused { .. }
            | Error::Listen(_)
            | Error::ShutDown => None,
        }
    }

    /// True if the account tries again by itself, so that waiting may be enough.
    pub fn is_temporary(&self) -> bool {
        self.retry_in().is_some()
    }

    /// The servers visited by the login that failed; empty where there was none.
    pub fn journey(&self) -> &Journey {
        static NOWHERE: Journey = Journey { hops: Vec::new(), followed: 0, limit: 0 };
        match self {
            Error::Login { failure, .. } => &failure.journey,
            _ => &NOWHERE,
        }
    }

    pub(crate) fn ended(end: CallEnd) -> Self {
        Error::CallEnded(Box::new(end))
    }

    /// The family of the failure, where a login failed or no server of a call could be reached.
    pub fn family(&self) -> Option<Family> {
        self.login().map(LoginError::family)
    }

    /// The server that was being spoken to, if it came to that.
    pub fn server(&self) -> Option<&ServerName> {
        self.journey().last().map(|hop| &hop.server)
    }

    /// The error of a login that failed, or of the search for the server of a call.
    pub fn login(&self) -> Option<&LoginError> {
        match self {
            Error::Login { failure, .. } => Some(&failure.error),
            Error::CallEnded(end) => match &end.why {
                EndReason::Unreachable(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }

    /// How the call ended, if that was the matter.
    pub fn call_end(&self) -> Option<&CallEnd> {
        match self {
            Error::CallEnded(end) => Some(end),
            _ => None,
        }
    }

    /// True if user name, password or the login procedure was the matter.
    pub fn is_auth(&self) -> bool {
        self.family() == Some(Family::Auth)
    }

    /// True if a redirect was not followed.
    pub fn is_redirect(&self) -> bool {
        self.family() == Some(Family::Redirect)
    }

    /// True if no answer came in time.
    pub fn is_timeout(&self) -> bool {
        self.family() == Some(Family::Timeout)
    }

    /// True if no server could be found or reached.
    pub fn is_network(&self) -> bool {
        matches!(self.family(), Some(Family::Resolve | Family::Transport | Family::Timeout))
    }

    /// True if TLS or a certificate was the matter.
    pub fn is_tls(&self) -> bool {
        matches!(self.login(), Some(LoginError::Connect { why, .. }) if why.is_tls())
    }

    /// True if the server said no.
    pub fn is_refused(&self) -> bool {
        self.family() == Some(Family::Refused)
    }

    /// The redirect that was not followed, if that was the matter.
    pub fn redirect(&self) -> Option<&RedirectError> {
        match self.login() {
            Some(LoginError::Redirect(error)) => Some(error),
            _ => None,
        }
    }

    /// What was the matter with the authentication, if it was that.
    pub fn auth(&self) -> Option<&AuthError> {
        match self.login() {
            Some(LoginError::Auth(error)) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Login { failure, .. } => failure.fmt(f),
            Error::LoggedOut(why) => write!(f, "the account was signed out: {why}"),
            Error::Config(why) => why.fmt(f),
            Error::Misuse(why) => why.fmt(f),
            Error::CallEnded(end) => {
                f.write_str(&end.why.sentence())?;
                match end.status {
                    Some(status) if end.words.is_empty() => write!(f, " ({status})"),
                    Some(status) => write!(f, " ({status} {})", end.words),
                    None => Ok(()),
                }
            }
            Error::ChangeRefused { status: 0 } => f.write_str("nothing describes the session as it would be"),
            Error::ChangeRefused { status } => write!(f, "the other phone refused the change ({status})"),
            Error::Listen(why) => why.fmt(f),
            Error::ShutDown => f.write_str("the user agent is shut down"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Login { failure, .. } => failure.source(),
            Error::CallEnded(end) => match &end.why {
                EndReason::Unreachable(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<ConfigError> for Error {
    fn from(why: ConfigError) -> Self {
        Error::Config(why)
    }
}

impl From<Misuse> for Error {
    fn from(why: Misuse) -> Self {
        Error::Misuse(why)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn failed(error: LoginError, retry_in: Option<Duration>) -> Error {
        Error::Login { failure: Box::new(LoginFailure { error, journey: Journey::default() }), retry_in }
    }

    #[test]
    fn the_cause_of_a_failed_login_is_its_source() {
        let server = || ServerName::new("hs1.network.com", 5061);
        let rule =
            CertificateRule::Identity { expected: "network.com".to_owned(), why: IdentityError::Wildcard };
        let why = ConnectError::Certificate(Box::new(CertificateError::unread(rule)));
        let error = failed(LoginError::Connect { server: server(), why: why.clone() }, None);
        let connect = error.source().unwrap();
        assert_eq!(connect.downcast_ref(), Some(&why));
        assert_eq!(connect.source().unwrap().downcast_ref(), Some(&IdentityError::Wildcard));
        let why = ResolveError::Dns(DnsError::Timeout);
        let resolve = LoginError::Resolve { domain: "network.com".to_owned(), why: why.clone() };
        assert_eq!(failed(resolve, None).source().unwrap().downcast_ref(), Some(&why));
        let token = AuthError::BadToken { server: server(), why: TokenFault::Weak };
        let error = failed(LoginError::Auth(token), None);
        assert_eq!(error.source().unwrap().downcast_ref(), Some(&TokenFault::Weak));
        let redirect = RedirectError::BadSignature { server: server(), why: SignatureFault::Replayed };
        let error = failed(LoginError::Redirect(redirect), None);
        assert_eq!(error.source().unwrap().downcast_ref(), Some(&SignatureFault::Replayed));
        assert!(Error::ShutDown.source().is_none());
    }

    #[test]
    fn an_error_says_whether_and_when_it_is_tried_again() {
        let no_answer = || LoginError::NoAnswer { server: ServerName::new("hs1.network.com", 5061) };
        let soon = Duration::from_secs(3);
        assert_eq!(failed(no_answer(), Some(soon)).retry_in(), Some(soon));
        assert!(!failed(no_answer(), None).is_temporary());
        assert_eq!(Error::LoggedOut(LogoutReason::Moved).retry_in(), Some(Duration::ZERO));
        assert!(!Error::LoggedOut(LogoutReason::Displaced).is_temporary());
        assert!(!Error::Misuse(Misuse::Limit).is_temporary());
    }
}
