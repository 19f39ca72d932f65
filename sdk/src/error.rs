//! The one error of the face: what happened, its stable code, what to do next, how far the login came.

use homing_core::config::ConfigError;
use homing_core::error::{AuthError, Family, LoginError, Misuse, RedirectError};
use homing_core::event::LogoutReason;
use homing_core::journey::{Journey, LoginFailure};
use homing_core::server::ServerName;
use thiserror::Error;

/// Why something asked of a [`UserAgent`](crate::UserAgent) did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The login failed.
    #[error("{}", .0.error)]
    Login(Box<LoginFailure>),
    /// The account was signed out before it could be done.
    #[error("the account was signed out: {0}")]
    LoggedOut(LogoutReason),
    /// The account's configuration is not usable.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The call does not fit the account's state, or a limit is reached.
    #[error("{0}")]
    Misuse(#[from] Misuse),
    /// The user agent was shut down.
    #[error("the user agent is shut down")]
    ShutDown,
}

/// Why a user agent could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The system gives no randomness.
    #[error("this machine gives no randomness: {0}")]
    Entropy(#[source] std::io::Error),
    /// The system gives no thread or no event queue.
    #[error("this machine gives no thread to run on: {0}")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// The stable code, such as `E0702`; scripts and documentation go by it.
    pub fn code(&self) -> &'static str {
        match self {
            Error::Login(failure) => failure.error.code(),
            Error::LoggedOut(_) => "E0302",
            Error::Config(_) => "E0101",
            Error::Misuse(_) => "E0201",
            Error::ShutDown => "E0301",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Error::Login(failure) => failure.error.hint(),
            Error::LoggedOut(LogoutReason::Asked | LogoutReason::Displaced) => {
                "Sign in again if this device should be used."
            }
            Error::LoggedOut(LogoutReason::Disabled) => "Ask the administrator to enable the account.",
            Error::LoggedOut(_) => "Nothing: the account signs in again by itself.",
            Error::Config(_) => "Correct the account's settings.",
            Error::Misuse(Misuse::Limit) => "Wait until something else has ended, or raise the limit.",
            Error::Misuse(_) => "Look at the account's state before asking for this.",
            Error::ShutDown => "Start another user agent.",
        }
    }

    /// The servers visited by the login that failed; empty where there was none.
    pub fn journey(&self) -> &Journey {
        static NOWHERE: Journey = Journey { hops: Vec::new(), followed: 0, limit: 0 };
        match self {
            Error::Login(failure) => &failure.journey,
            Error::LoggedOut(_) | Error::Config(_) | Error::Misuse(_) | Error::ShutDown => &NOWHERE,
        }
    }

    /// The family of the failure, where a login failed.
    pub fn family(&self) -> Option<Family> {
        self.login().map(LoginError::family)
    }

    /// The server that was being spoken to, if it came to that.
    pub fn server(&self) -> Option<&ServerName> {
        self.journey().last().map(|hop| &hop.server)
    }

    /// The login's own error, if one failed.
    pub fn login(&self) -> Option<&LoginError> {
        match self {
            Error::Login(failure) => Some(&failure.error),
            Error::LoggedOut(_) | Error::Config(_) | Error::Misuse(_) | Error::ShutDown => None,
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

    /// True if nobody answered in time.
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

impl From<LoginFailure> for Error {
    fn from(failure: LoginFailure) -> Self {
        Error::Login(Box::new(failure))
    }
}
