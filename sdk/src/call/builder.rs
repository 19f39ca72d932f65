//! A call that is about to be placed: whom, for how long, what is said beside what the user agent says itself.

use std::fmt;
use std::time::Duration;

use homing_core::call_request::{CallHeader, CallRequest, FirstOffer};
use homing_core::ids::AccountId;

use super::describer::{Describer, SessionDescriber};
use super::handle::{Call, HeldCall};
use super::shared::CallShared;
use crate::command::{CallCommand, Command, Handle, NewCall};
use crate::error::Error;
use crate::sound::Audio;

/// A call to be placed, from [`Account::call`](crate::Account::call).
#[must_use = "nothing is sent before `place`"]
pub struct CallBuilder {
    account: AccountId,
    handle: Handle,
    request: CallRequest,
    describer: Option<Describer>,
    audio: Option<Audio>,
}

impl CallBuilder {
    pub(crate) fn new(account: AccountId, handle: Handle, to: String) -> Self {
        Self { account, handle, request: CallRequest::new(with_scheme(to)), describer: None, audio: None }
    }

    /// Adds a header field. At most 16; those that the user agent writes itself are refused by [`place`](Self::place).
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.headers.push(CallHeader::new(name, value));
        self
    }

    /// How long it waits for an answer before it is cancelled: from a second to an hour, three minutes unless said.
    pub fn ring_for(mut self, span: Duration) -> Self {
        self.request.ring_for = span;
        self
    }

    /// Asks the servers not to tell who calls (RFC 3323, RFC 3325), and gives no display name.
    pub fn private(mut self) -> Self {
        self.request.private = true;
        self
    }

    /// Who makes the first offer; this side unless said.
    pub fn first_offer(mut self, whose: FirstOffer) -> Self {
        self.request.first_offer = whose;
        self
    }

    /// Who describes the session of this call; the user agent's describer unless said.
    pub fn describer(mut self, describer: impl SessionDescriber) -> Self {
        self.describer = Some(Describer::new(describer));
        self
    }

    /// This side's ends of its sound, which this crate then describes and carries, whatever describers there are. Unless
    /// said it is [`Audio::Silence`] where no describer is set.
    pub fn audio(mut self, audio: Audio) -> Self {
        self.audio = Some(audio);
        self
    }

    /// Places it: back once it is under way, with the only handle of it. If the future is dropped the call is, too.
    ///
    /// # Errors
    /// [`Error::Misuse`]: the account makes no calls, is not signed in or has too many; what it calls is no SIP URI; a
    /// header is reserved or malformed. What goes wrong later is told by [`Call::answered`] and [`Call::ended`].
    pub async fn place(self) -> Result<Call, Error> {
        let Self { account, handle, request, describer, audio } = self;
        let call = CallShared::outgoing(account, request.to.clone());
        // Made before the call is, so that a future that is dropped takes the call along.
        let held = HeldCall::new(call.clone(), handle.clone());
        let new = Box::new(NewCall { call, request, describer, audio });
        let id = handle.ask(|reply| Command::Call(CallCommand::Place { new, reply })).await?;
        Ok(held.into_call(id))
    }
}

/// `user@host` is written as a `sip:` URI.
fn with_scheme(to: String) -> String {
    let user = to.split_once('@').map(|(user, _)| user);
    let is_bare = user.is_some_and(|user| !user.is_empty() && !user.contains(':'));
    if is_bare { format!("sip:{to}") } else { to }
}

impl fmt::Debug for CallBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallBuilder({})", self.request.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_scheme_is_a_sip_uri() {
        for (written, uri) in [
            ("bob@network.com", "sip:bob@network.com"),
            ("bob@network.com:5070;transport=tcp", "sip:bob@network.com:5070;transport=tcp"),
            ("sips:bob@network.com", "sips:bob@network.com"),
            ("sip:hs1.network.com", "sip:hs1.network.com"),
            ("tel:+1", "tel:+1"),
            ("@network.com", "@network.com"),
        ] {
            assert_eq!(with_scheme(written.to_owned()), uri);
        }
    }
}
