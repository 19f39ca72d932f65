//! Who describes the sessions of calls: asked for an offer or an answer when it is this side's turn.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use homing_core::description::{Description, DescriptionQuestion, DescriptionRefusal};

/// Describes the sessions of calls, in SDP as a rule (RFC 3264, RFC 8866).
///
/// It is asked on the user agent's own thread and must not block it; work that blocks belongs into
/// `tokio::task::spawn_blocking`. An answer that comes too late counts as a refusal: the peer's offer is refused with
/// 488 and a Warning, a call that was to be placed ends. The descriptions of the peer come with
/// [`CallEvent::Described`](crate::call::CallEvent::Described) and
/// [`Call::peer_description`](crate::call::Call::peer_description).
///
/// A closure that answers at once is one:
///
/// ```
/// use homing::UserAgent;
/// use homing::call::{Description, DescriptionQuestion};
///
/// # fn main() -> Result<(), homing::StartError> {
/// let ua = UserAgent::builder()
///     .session_describer(|question: &DescriptionQuestion| {
///         let direction = if question.hold { "sendonly" } else { "sendrecv" };
///         Ok(Description::sdp(format!(
///             "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
///              m=audio 49170 RTP/AVP 0\r\na={direction}\r\n"
///         )))
///     })
///     .build()?;
/// # Ok(())
/// # }
/// ```
pub trait SessionDescriber: Send + Sync + 'static {
    /// The offer or the answer that the question asks for.
    ///
    /// # Errors
    /// [`DescriptionRefusal`]: there is nothing to say, such as for an offer without a common codec.
    fn describe(
        &self,
        question: &DescriptionQuestion,
    ) -> impl Future<Output = Result<Description, DescriptionRefusal>> + Send;
}

impl<F> SessionDescriber for F
where
    F: Fn(&DescriptionQuestion) -> Result<Description, DescriptionRefusal> + Send + Sync + 'static,
{
    async fn describe(&self, question: &DescriptionQuestion) -> Result<Description, DescriptionRefusal> {
        self(question)
    }
}

/// A describer whose type is forgotten. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Describer(Arc<dyn AnyDescriber>);

trait AnyDescriber: Send + Sync {
    fn ask(
        self: Arc<Self>,
        question: DescriptionQuestion,
    ) -> BoxFuture<'static, Result<Description, DescriptionRefusal>>;
}

impl<D: SessionDescriber> AnyDescriber for D {
    fn ask(
        self: Arc<Self>,
        question: DescriptionQuestion,
    ) -> BoxFuture<'static, Result<Description, DescriptionRefusal>> {
        Box::pin(async move { self.describe(&question).await })
    }
}

impl Describer {
    pub(crate) fn new(describer: impl SessionDescriber) -> Self {
        Self(Arc::new(describer))
    }

    pub(crate) fn ask(
        self,
        question: DescriptionQuestion,
    ) -> BoxFuture<'static, Result<Description, DescriptionRefusal>> {
        self.0.ask(question)
    }
}

impl fmt::Debug for Describer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Describer")
    }
}
