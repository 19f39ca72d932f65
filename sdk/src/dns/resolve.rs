//! The trait of everything that answers DNS questions.

use futures_util::future::BoxFuture;
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion};

/// Answers DNS questions. Implementations must not block; they run on the user agent's thread.
pub trait Resolve: Send + Sync + 'static {
    /// The records of one question, or why there are none.
    fn resolve(&self, question: DnsQuestion) -> BoxFuture<'_, Result<DnsAnswer, DnsError>>;
}
