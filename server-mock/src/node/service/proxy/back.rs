//! The way of a response back to who sent the request (RFC 3261 16.7 steps 9 and 10).

use homing_core::ids::FlowId;
use homing_core::time::Now;
use homing_wire::{Builder, Message, Name};

use crate::node::authenticator::{Principal, ResponseAuth, Unsigned};
use crate::node::context::{Context, Final, ServerRequest};
use crate::node::endpoint::Endpoint;
use crate::node::reply::Reply;

/// How responses go back.
pub(super) enum Back {
    /// Authenticated by this server for who was found to have sent the request; what another put there is taken off.
    Signed(Principal),
    /// As they came: the server behind this one signed them.
    AsItCame,
}

impl Back {
    /// What proves a response now. The association that signed the request may have a successor: a call rings for
    /// longer than the two overlap (decision 13).
    pub(super) fn auth(&self, cx: &Context, flow: FlowId) -> ResponseAuth {
        match self {
            Back::AsItCame => ResponseAuth::Unsigned(Unsigned::Relayed),
            Back::Signed(principal) => {
                let newest = || {
                    let id = cx.sessions.of_endpoint(&principal.endpoint)?;
                    cx.sessions.find(id).filter(|session| session.flow == flow).map(|_| id)
                };
                match &principal.response_auth {
                    ResponseAuth::Association(first) => ResponseAuth::Association(newest().unwrap_or(*first)),
                    other => other.clone(),
                }
            }
        }
    }

    /// The endpoint that sent the request, where this server found out.
    pub(super) fn endpoint(&self) -> Option<&Endpoint> {
        self.principal().map(|principal| &principal.endpoint)
    }

    /// Who sent the request, where this server found out.
    pub(super) fn principal(&self) -> Option<&Principal> {
        match self {
            Back::Signed(principal) => Some(principal),
            Back::AsItCame => None,
        }
    }

    /// The response without our Via and without what proved it to us alone.
    pub(super) fn returned(&self, response: &Message, proved: bool) -> Builder {
        // Who answers is not asserted in a response of this estate (RFC 3325 section 5).
        let mut builder = Builder::from_message(response)
            .remove_first(Name::Via)
            .remove(Name::PAssertedIdentity)
            .remove(Name::PPreferredIdentity);
        if proved {
            builder = builder.remove(Name::Authorization).remove(Name::ProxyAuthorization);
        }
        match self {
            Back::AsItCame => builder,
            Back::Signed(_) => builder.remove(Name::AuthenticationInfo).remove(Name::ProxyAuthenticationInfo),
        }
    }
}

/// Sends a response back. False where it cannot be signed: then nothing is sent, and nothing more can be.
pub(super) fn send(
    cx: &mut Context,
    request: &ServerRequest,
    back: &Back,
    response: Message,
    now: Now,
) -> bool {
    let auth = back.auth(cx, request.flow);
    let status = response.status().unwrap_or(500);
    let answer = match cx.sign(response, &request.request, &auth) {
        Ok(answer) => answer,
        Err(not_signed) => {
            cx.give_up(request, not_signed, now);
            return false;
        }
    };
    if status < 200 {
        cx.transactions.respond(request.tx, answer.into(), status, now);
    } else {
        cx.conclude(request, Final { bytes: answer.into(), status }, &auth, now);
    }
    true
}

/// Answers a request by this server's own words.
pub(super) fn reply(cx: &mut Context, request: &ServerRequest, back: &Back, reply: Reply, now: Now) {
    let auth = back.auth(cx, request.flow);
    cx.respond(request, reply, &auth, now);
}
