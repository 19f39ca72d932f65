//! Where passwords come from: asked for only when a verified server demands one.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use homing_core::ids::AccountId;
use homing_core::outbox::Credentials;
use homing_core::secret::Password;
use homing_core::server::ServerName;

/// Gives the credentials of an account when a server demands them: from a prompt, a keyring, a vault.
///
/// It is asked on the user agent's own thread and must not block it; work that blocks belongs into
/// `tokio::task::spawn_blocking`. An answer that comes too late is dropped.
///
/// ```
/// use homing::{Credentials, CredentialsProvider, CredentialsRequest, Password};
///
/// struct Prompt;
///
/// impl CredentialsProvider for Prompt {
///     async fn credentials(&self, request: &CredentialsRequest) -> Option<Credentials> {
///         if request.refused_before {
///             return None; // Do not try the same password twice.
///         }
///         let password = Password::new("…");
///         Some(Credentials::new("alice", "NETWORK", password))
///     }
/// }
/// ```
pub trait CredentialsProvider: Send + Sync + 'static {
    /// The credentials for this server, or none to give the login up.
    fn credentials(&self, request: &CredentialsRequest) -> impl Future<Output = Option<Credentials>> + Send;
}

/// Who asks for credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsRequest {
    /// For which account.
    pub account: AccountId,
    /// The server that demands them; over TLS its name is verified.
    pub server: ServerName,
    /// The realm it named; the peer's text.
    pub realm: String,
    /// True if the server refused the last ones.
    pub refused_before: bool,
}

/// One user name and password, for every server that asks.
#[derive(Clone, Debug)]
pub struct StaticCredentials(Credentials);

impl StaticCredentials {
    /// `domain` is the NTLM (NetBIOS) domain and may be empty.
    pub fn new(user: impl Into<String>, domain: impl Into<String>, password: Password) -> Self {
        Self(Credentials::new(user, domain, password))
    }
}

impl CredentialsProvider for StaticCredentials {
    async fn credentials(&self, request: &CredentialsRequest) -> Option<Credentials> {
        // The same password again would only lock the account.
        (!request.refused_before).then(|| self.0.clone())
    }
}

/// Has no credentials for anybody.
pub(crate) struct NoCredentials;

impl CredentialsProvider for NoCredentials {
    async fn credentials(&self, _request: &CredentialsRequest) -> Option<Credentials> {
        None
    }
}

/// A provider whose type is forgotten.
pub(crate) trait AnyCredentials: Send + Sync {
    fn ask(self: Arc<Self>, request: CredentialsRequest) -> BoxFuture<'static, Option<Credentials>>;
}

impl<P: CredentialsProvider> AnyCredentials for P {
    fn ask(self: Arc<Self>, request: CredentialsRequest) -> BoxFuture<'static, Option<Credentials>> {
        Box::pin(async move { self.credentials(&request).await })
    }
}
