//! The resolver a user agent is built with: the system's, one name server, or anything that implements a trait.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion};

use super::cache::Cache;
use super::name_server::NameServers;
use super::resolve::Resolve;

/// A resolver to build a user agent with. Cheap to clone; clones share their cache.
#[derive(Clone)]
pub struct Resolver(Arc<dyn Resolve>);

impl Resolver {
    /// The name servers this machine is configured with, read at the first question, behind a cache
    /// that keeps to the records' lifetimes.
    pub fn system() -> Self {
        Self(Arc::new(Cache::new(NameServers::system())))
    }

    /// One name server, behind a cache that keeps to the records' lifetimes.
    pub fn name_server(address: SocketAddr) -> Self {
        Self(Arc::new(Cache::new(NameServers::only(address))))
    }

    /// Anything else, asked as it is: no cache is put before it.
    pub fn custom(resolver: Arc<dyn Resolve>) -> Self {
        Self(resolver)
    }

    /// Asks one question.
    ///
    /// # Errors
    /// [`DnsError`] says whether there is no such record or nobody to ask.
    pub async fn resolve(&self, question: DnsQuestion) -> Result<DnsAnswer, DnsError> {
        self.0.resolve(question).await
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
