//! Why an estate does not start, or does not do what it is told.

use homing_core::transport::Transport;
use thiserror::Error;

use crate::directory::DirectoryError;
use crate::shell::ca::CaError;

/// What can go wrong with an estate.
#[derive(Debug, Error)]
pub enum EstateError {
    /// Two servers have one name.
    #[error("there are two servers named `{0}`")]
    TwoNodes(String),
    /// No server was named.
    #[error("an estate needs at least one home server")]
    NoNodes,
    /// A name that no server has.
    #[error("there is no server named `{0}`")]
    NoSuchNode(String),
    /// A user is assigned to a server that is no home server.
    #[error("`{user}` is assigned to `{home}`, which is no home server")]
    NoHome {
        /// By name.
        user: String,
        /// The name given.
        home: String,
    },
    /// A user the estate does not have.
    #[error("there is no user `{0}`")]
    NoSuchUser(String),
    /// A party is to be what only a person can be.
    #[error("`{0}` is a party: a server makes and takes its calls, and nobody signs in as it")]
    IsParty(String),
    /// The domain or a server's name is no DNS name.
    #[error("`{0}` is no name for DNS")]
    Name(String),
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CaError),
    /// TLS does not take our certificate.
    #[error("TLS: {0}")]
    Tls(#[from] homing_net::PemError),
    /// A server cannot listen.
    #[error("`{node}` cannot listen for {transport}: {why}")]
    Listen {
        /// Which server.
        node: String,
        /// For what.
        transport: Transport,
        /// The system's reason.
        why: std::io::Error,
    },
    /// The name server cannot listen.
    #[error("the name server cannot listen: {0}")]
    NameServer(std::io::Error),
    /// The directory refused.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The system gives no thread or runtime.
    #[error("the system gives no thread for the estate: {0}")]
    Thread(std::io::Error),
    /// The estate has ended.
    #[error("the estate has ended")]
    Ended,
}
