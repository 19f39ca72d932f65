//! Signs what a server sends to its clients, by the association of each.

use homing_core::auth::security_association::{SignError, Style};
use homing_core::auth::signed::{NoAssociation, Signed};
use homing_wire::{Message, Name};

use super::authenticator::{SessionId, Sessions};
use super::random::Random;

/// What signs for the associations of one server.
pub(super) struct ServerSigner<'c> {
    pub(super) sessions: &'c mut Sessions,
    pub(super) random: &'c mut dyn Random,
    pub(super) patent_literal_headers: bool,
}

/// An association that should sign and cannot: it has ended, or its counter is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotSigned(pub(super) SessionId);

impl ServerSigner<'_> {
    /// The message with the signature of that association; `request` says by its User-Agent how the client likes it.
    ///
    /// # Errors
    /// [`NotSigned`] where the association has ended or is used up.
    pub(super) fn sign(
        &mut self,
        message: Message,
        request: &Message,
        id: SessionId,
    ) -> Result<Message, NotSigned> {
        let signature = self.sessions.sign(id, &message, self.random);
        let value = signature.and_then(Result::ok).ok_or(NotSigned(id))?.to_string();
        Ok(self.with_signature(message, &value, request, id))
    }

    /// An ACK or CANCEL that follows from a response, ready to leave: signed where its receiver is a client of this server
    /// with an association.
    ///
    /// # Errors
    /// The association has ended or is used up; then nothing may be sent.
    pub(super) fn follow_up(
        &mut self,
        request: Message,
        session: Option<SessionId>,
    ) -> Result<Signed, SignError> {
        match session {
            Some(session) => {
                let signed = self.sign(request.clone(), &request, session);
                signed.map(Signed::by_server).map_err(|NotSigned(_)| SignError::UsedUp)
            }
            None => Ok(Signed::without(request, NoAssociation::Relayed)),
        }
    }

    /// Writes a signature into the headers its receiver looks into (MS-SIP 3.1.4 in the patent's dialect,
    /// MS-SIPAE 3.3.4 in the others).
    pub(super) fn with_signature(
        &self,
        message: Message,
        value: &str,
        request: &Message,
        id: SessionId,
    ) -> Message {
        let session = self.sessions.find(id);
        let style = session.map_or(Style::Registrar, |session| session.association.style());
        let ours = request.text(Name::UserAgent).is_some_and(|agent| agent.starts_with(OUR_AGENT));
        let mut names = vec![style.info()];
        if style == Style::Proxy && !ours {
            names.push(Name::AuthenticationInfo);
        }
        if self.patent_literal_headers {
            match message.status() {
                Some(301) => names.push(Name::ProxyAuthenticate),
                Some(200) => names.push(Name::ProxyAuthorization),
                _ => {}
            }
        }
        names.into_iter().fold(message, |signed, name| signed.with_header(name, value))
    }
}

/// What the User-Agent of our own clients begins with.
pub(super) const OUR_AGENT: &str = "Homing/";
