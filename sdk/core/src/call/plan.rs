//! A call to be placed: what every INVITE of it has in common, whichever server it goes to.

use homing_wire::{Message, Method, Name, NameAddrBuf};

use super::line::CallContext;
use super::session_timer::Wish;
use super::usage::with_lines;
use crate::account::Account;
use crate::account::request_head::Sequence;
use crate::call_request::CallRequest;
use crate::description::Description;
use crate::ids::CallId;
use crate::request::Asked;
use crate::time::{Deadline, Moment, Now, Why};

/// What a call asks for, and how long it may still take.
pub(crate) struct Plan {
    pub(crate) call: CallId,
    /// The URIs, as redirects lead from one to the next.
    pub(crate) asked: Asked,
    pub(crate) request: CallRequest,
    /// When it ends without an answer.
    pub(crate) until: Moment,
    /// The offer in the INVITE, once the world gave it.
    pub(crate) offer: Option<Description>,
    pub(crate) wish: Wish,
    /// True once it went out again because a flow was lost: it does so once.
    pub(crate) went_again: bool,
}

impl Plan {
    /// A call that begins now.
    pub(crate) fn new(call: CallId, request: CallRequest, account: &Account, now: Now) -> Self {
        Self {
            call,
            asked: Asked::new(Some(&request.to), &account.config, now),
            until: now.after(request.ring_for),
            wish: Wish::new(account.config.call_rules().session_timers),
            request,
            offer: None,
            went_again: false,
        }
    }

    /// When it ends without an answer.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(self.until, Why::RingOverdue)
    }

    /// Its next INVITE.
    pub(crate) fn invite(&self, sequence: &mut Sequence, cc: &mut CallContext<'_, '_, '_>) -> Message {
        let mut head = sequence.head(Method::Invite, self.asked.uri(), self.asked.to(), &mut cc.at);
        if self.request.private {
            // A home server knows who calls by From, and leaves out what it is asked to (RFC 3325 section 7).
            let config = &cc.at.account.config;
            let address = if cc.is_direct() { ANONYMOUS.to_owned() } else { config.aor.to_string() };
            let from = NameAddrBuf::new(address)
                .param("tag", Some(sequence.caller_tag()))
                .param("epid", Some(&config.epid));
            head = head.replace(Name::From, from).header(Name::Privacy, "id");
        }
        let head = cc.at.link.service_route.hops().fold(head, |head, hop| head.header(Name::Route, hop));
        let head =
            with_lines(cc.introduce(head), self.wish.lines(None)).header(Name::Accept, "application/sdp");
        let head = self
            .request
            .headers
            .iter()
            .fold(head, |head, field| head.header(Name::parse(&field.name), &field.value));
        match &self.offer {
            Some(offer) => head.body(&offer.content_type, &offer.body).message(),
            None => head.message(),
        }
    }
}

/// RFC 3323 section 4.1.1.3.
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";
