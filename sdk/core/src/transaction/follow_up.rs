//! The requests a transaction sends by itself: ACK for a refusal, CANCEL, and the first 100.

use bytes::Bytes;
use homing_wire::{Builder, Header, Message, Method, Name, Via};

use crate::auth::security_association::SignError;
use crate::auth::signed::Signed;

/// Signs what a transaction sends by itself, so that ACK and CANCEL pass a server that discards every
/// request without the signature of its association (decision 11).
///
/// It is called once for each new ACK and CANCEL; their repetitions are the same bytes. What it does not sign
/// is not sent.
pub trait Signer {
    /// The request with what proves its sender.
    ///
    /// # Errors
    /// [`SignError`]: the association cannot sign any more.
    fn sign(&mut self, request: Message) -> Result<Signed, SignError>;
}

impl<F: FnMut(Message) -> Result<Signed, SignError>> Signer for F {
    fn sign(&mut self, request: Message) -> Result<Signed, SignError> {
        self(request)
    }
}

/// The ACK for a final response that is no 2xx (RFC 3261 section 17.1.1.3).
pub(super) fn ack(invite: &Message, response: &Message) -> Option<Message> {
    Some(again(invite, response, Method::Ack)?.message())
}

/// The CANCEL for an INVITE (RFC 3261 section 9.1).
pub(super) fn cancel(invite: &Message) -> Option<Message> {
    Some(again(invite, invite, Method::Cancel)?.message())
}

/// The 100 that stills an INVITE while its user is being asked (RFC 3261 section 8.2.6.1).
pub(super) fn trying(invite: &Message) -> Bytes {
    Builder::reply_to(invite, 100, "Trying").copy_from(invite, Name::Other("Timestamp")).finish()
}

/// A request to the same place as `invite`: its URI, top Via, routes, From, Call-ID and CSeq number,
/// with the To of `to`. Digest credentials go along (RFC 3261 section 22.1); a signature does not,
/// because it belongs to one message.
fn again(invite: &Message, to: &Message, method: Method<'_>) -> Option<Builder> {
    let via = top_via(invite)?;
    let seq = invite.cseq().ok()?.seq;
    let mut request = Builder::request(method, invite.request_uri()?)
        .header(Name::Via, via)
        .copy_from(invite, Name::Route)
        .header(Name::MaxForwards, 70)
        .copy_from(invite, Name::From)
        .copy_from(to, Name::To)
        .copy_from(invite, Name::CallId)
        .header(Name::CSeq, format_args!("{seq} {}", method.as_str()));
    for name in [Name::Authorization, Name::ProxyAuthorization] {
        if invite.auth(name).any(|auth| auth.is("Digest")) {
            request = request.copy_from(invite, name);
        }
    }
    Some(request)
}

/// The topmost Via as it is written.
fn top_via(invite: &Message) -> Option<&str> {
    let line = invite.lines(Name::Via).next()?;
    let (_, behind) = Via::read(line)?;
    std::str::from_utf8(&line[..line.len() - behind.len()]).ok().map(str::trim)
}
