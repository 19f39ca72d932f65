//! Dialogs (RFC 3261 section 12): what two user agents have in common for the time of a call, as values.
//!
//! Pure: messages in, requests out. Who may speak in a dialog, and over which flow, is its owner's to judge.

mod route_set;
mod table;

use homing_wire::header::Contact;
use homing_wire::{Builder, Message, Method, Name, NameAddrBuf, Uri};

use route_set::{LONGEST_URI, RouteSet};
pub(crate) use table::{DialogName, Dialogs, Listed};

/// What identifies a dialog, and what requests inside it are made of.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    call_id: Box<str>,
    /// Our address with our tag, as From of our requests has it.
    local: Box<str>,
    local_tag: Box<str>,
    /// The peer's address with its tag, as To of our requests has it.
    remote: Box<str>,
    /// Empty for a peer of RFC 2543, which gives none.
    remote_tag: Box<str>,
    local_seq: u32,
    /// None until the peer's first request.
    remote_seq: Option<u32>,
    remote_target: Box<str>,
    routes: RouteSet,
}

/// Why a message founds no dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialogFault {
    /// Call-ID, From, To or CSeq cannot be read.
    Unreadable,
    /// No Contact that is a SIP URI.
    NoTarget,
    /// A hop of its route is no SIP URI, or there are too many.
    Route,
}

impl DialogFault {
    /// What is wrong, for a Warning.
    pub(crate) fn why(self) -> &'static str {
        match self {
            DialogFault::Unreadable => "it lacks what names a dialog",
            DialogFault::NoTarget => "it has no Contact that is a SIP URI",
            DialogFault::Route => "its Record-Route cannot be used",
        }
    }
}

/// A request of the peer inside a dialog has a number that another one had, or a higher one came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfOrder;

impl Dialog {
    /// The caller's dialog, early or confirmed: its INVITE and a response with a tag (RFC 3261 section 12.1.2). A
    /// provisional response may lack Contact; then the Request-URI stands for it until a better one comes.
    ///
    /// # Errors
    /// [`DialogFault`]: the response founds none.
    pub(crate) fn of_caller(invite: &Message, response: &Message) -> Result<Self, DialogFault> {
        let from = invite.from().map_err(|_| DialogFault::Unreadable)?;
        let to = response.to().map_err(|_| DialogFault::Unreadable)?;
        let is_early = response.status().is_some_and(|status| status < 200);
        let target = match target(response) {
            None if is_early => invite.request_uri().map(Box::from),
            target => target,
        };
        Ok(Self {
            call_id: invite.call_id().map_err(|_| DialogFault::Unreadable)?.into(),
            local: from.into_owned().to_string().into(),
            local_tag: from.tag().unwrap_or_default().into(),
            remote: to.into_owned().to_string().into(),
            remote_tag: to.tag().unwrap_or_default().into(),
            local_seq: invite.cseq().map_err(|_| DialogFault::Unreadable)?.seq,
            remote_seq: None,
            remote_target: target.ok_or(DialogFault::NoTarget)?,
            routes: RouteSet::of_caller(response).ok_or(DialogFault::Route)?,
        })
    }

    /// The dialog of a 2xx that founds none, to acknowledge it and hang up: by the Request-URI and without a route.
    pub(crate) fn of_bad_success(invite: &Message, success: &Message) -> Option<Self> {
        let (from, to) = (invite.from().ok()?, success.to().ok()?);
        Some(Self {
            call_id: invite.call_id().ok()?.into(),
            local: from.into_owned().to_string().into(),
            local_tag: from.tag().unwrap_or_default().into(),
            remote: to.into_owned().to_string().into(),
            remote_tag: to.tag().unwrap_or_default().into(),
            local_seq: invite.cseq().ok()?.seq,
            remote_seq: None,
            remote_target: target(success).or_else(|| invite.request_uri().map(Box::from))?,
            routes: RouteSet::default(),
        })
    }

    /// The called side's dialog: an INVITE and the tag and endpoint of its answers (RFC 3261 section 12.1.1).
    ///
    /// # Errors
    /// [`DialogFault`]: the request founds none.
    pub(crate) fn of_called(invite: &Message, tag: &str, epid: &str) -> Result<Self, DialogFault> {
        let from = invite.from().map_err(|_| DialogFault::Unreadable)?;
        let to = invite.to().map_err(|_| DialogFault::Unreadable)?;
        let local = NameAddrBuf::new(to.uri_str()).param("tag", Some(tag)).param("epid", Some(epid));
        Ok(Self {
            call_id: invite.call_id().map_err(|_| DialogFault::Unreadable)?.into(),
            local: local.to_string().into(),
            local_tag: tag.into(),
            remote: from.into_owned().to_string().into(),
            remote_tag: from.tag().unwrap_or_default().into(),
            local_seq: 0,
            remote_seq: Some(invite.cseq().map_err(|_| DialogFault::Unreadable)?.seq),
            remote_target: target(invite).ok_or(DialogFault::NoTarget)?,
            routes: RouteSet::of_called(invite).ok_or(DialogFault::Route)?,
        })
    }

    /// The 2xx of this dialog's INVITE: target and route set are set again from it (RFC 3261 section 13.2.2.4;
    /// decision 42), because provisional responses may have come without a signature.
    ///
    /// # Errors
    /// [`DialogFault`]: the 2xx cannot be used; the dialog stays as it was.
    pub(crate) fn confirm(&mut self, success: &Message) -> Result<(), DialogFault> {
        let target = target(success).ok_or(DialogFault::NoTarget)?;
        self.routes = RouteSet::of_caller(success).ok_or(DialogFault::Route)?;
        self.remote_target = target;
        Ok(())
    }

    /// A target refresh of the peer: an INVITE or UPDATE, or the 2xx to one of ours (RFC 3261 section 12.2). The route
    /// set stays.
    pub(crate) fn refresh(&mut self, message: &Message) {
        if let Some(target) = target(message) {
            self.remote_target = target;
        }
    }

    /// Takes the number of a request of the peer, other than ACK and CANCEL.
    ///
    /// # Errors
    /// [`OutOfOrder`]: it is answered with 500 (RFC 3261 section 12.2.2).
    pub(crate) fn accept(&mut self, request: &Message) -> Result<(), OutOfOrder> {
        let seq = request.cseq().map_err(|_| OutOfOrder)?.seq;
        if self.remote_seq.is_some_and(|last| seq <= last) {
            return Err(OutOfOrder);
        }
        self.remote_seq = Some(seq);
        Ok(())
    }

    /// True for a request of this dialog's peer (RFC 3261 section 12.2.2): Call-ID and both tags.
    pub(crate) fn has_sent(&self, request: &Message) -> bool {
        let tags = (request.from().ok(), request.to().ok());
        let tag = |one: Option<&homing_wire::NameAddr<'_>>| {
            one.and_then(|addr| addr.tag()).unwrap_or_default().to_owned()
        };
        request.call_id() == Ok(&*self.call_id)
            && tag(tags.0.as_ref()) == *self.remote_tag
            && tag(tags.1.as_ref()) == *self.local_tag
    }

    /// True if a response with that To tag is of this dialog.
    pub(crate) fn is_with(&self, response: &Message) -> bool {
        response.to().is_ok_and(|to| to.tag().unwrap_or_default() == &*self.remote_tag)
    }

    /// The next request of ours inside the dialog, with Via.
    pub(crate) fn request(&mut self, method: Method<'_>, via: impl std::fmt::Display) -> Builder {
        self.local_seq = self.local_seq.saturating_add(1);
        self.numbered(method, self.local_seq, via)
    }

    /// The number of its last request of ours.
    pub(crate) fn local_seq(&self) -> u32 {
        self.local_seq
    }

    /// Its requests get higher numbers than that: one was sent in it that is not known any more.
    pub(crate) fn number_from(&mut self, seq: u32) {
        self.local_seq = self.local_seq.max(seq);
    }

    /// The ACK for a 2xx to the INVITE with that number (RFC 3261 section 13.2.2.4).
    pub(crate) fn ack(&self, seq: u32, via: impl std::fmt::Display) -> Builder {
        self.numbered(Method::Ack, seq, via)
    }

    /// What its requests name in their first line.
    pub(crate) fn request_uri(&self) -> &str {
        self.routes.strict().unwrap_or(&self.remote_target)
    }

    /// The URI that the next hop is found by (RFC 3261 section 12.2.1.1): the first route, else the target.
    pub(crate) fn next_hop(&self) -> &str {
        self.routes.first().unwrap_or(&self.remote_target)
    }

    /// The tag of ours that its requests carry in To.
    pub(crate) fn local_tag(&self) -> &str {
        &self.local_tag
    }

    /// By what a request inside it is found.
    pub(crate) fn name(&self) -> DialogName {
        DialogName::new(&self.call_id, &self.local_tag)
    }

    fn numbered(&self, method: Method<'_>, seq: u32, via: impl std::fmt::Display) -> Builder {
        let head = Builder::request(method, self.request_uri())
            .header(Name::Via, via)
            .header(Name::MaxForwards, 70)
            .header(Name::From, &self.local)
            .header(Name::To, &self.remote)
            .header(Name::CallId, &self.call_id)
            .header(Name::CSeq, format_args!("{seq} {}", method.as_str()));
        self.routes.write(head, &self.remote_target)
    }
}

/// The URI of the Contact of a message, if it is a SIP URI that a request may be sent to.
fn target(message: &Message) -> Option<Box<str>> {
    let contact = message.all::<Contact<'_>>().next()?.ok()?;
    let addr = contact.addr()?;
    let uri = Uri::parse(addr.uri_str()).ok()?;
    let is_usable =
        (uri.is_sip() || uri.is_sips()) && !uri.has_headers() && addr.uri_str().len() <= LONGEST_URI;
    is_usable.then(|| addr.uri_str().into())
}

#[cfg(test)]
mod tests;
