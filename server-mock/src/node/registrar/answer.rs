//! The 200 to a REGISTER: all bindings, the device's GRUU, and how long it may rest.

use std::fmt::Write;

use homing_core::endpoint::InstanceId;
use homing_core::time::Now;
use homing_wire::{Message, Name};

use super::{Binding, Registrar, Visitor, seconds_left};
use crate::node::reply::Reply;

/// What the answer shows, where it may be made to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `register-action` of presence-state.
    pub action: &'static str,
    /// Whether Expires is told at all.
    pub expires: bool,
}

impl Registrar {
    /// The answer to a REGISTER that was done.
    pub(in crate::node) fn reply(
        &self,
        request: &Message,
        visitor: &Visitor<'_>,
        shown: Shown,
        now: Now,
    ) -> Reply {
        let held = self.bindings(&visitor.endpoint.user);
        let mut reply = Reply::new(200);
        // The device's own binding first: some clients read only one.
        let (own, others): (Vec<_>, Vec<_>) =
            held.iter().partition(|binding| binding.endpoint == *visitor.endpoint);
        let wants_gruu = request.has_token(Name::Supported, "gruu-10");
        for binding in own.iter().chain(&others) {
            reply = reply.header(Name::Contact, contact(binding, wants_gruu, shown, now));
        }
        let granted = own.iter().map(|binding| seconds_left(binding.expires, now)).max().unwrap_or(0);
        if shown.expires {
            // As a header field too: some clients do not believe the parameter.
            reply = reply.header(Name::Expires, granted);
        }
        for path in super::path(request).into_iter().filter(|_| visitor.trusted) {
            reply = reply.header(Name::Path, path);
        }
        if request.text(Name::Event).is_some() || own.iter().any(|binding| !binding.epid.is_empty()) {
            reply = reply.header(Name::PresenceState, format_args!("register-action=\"{}\"", shown.action));
        }
        reply.header(Name::Supported, "path, outbound, gruu-10").header(Name::AllowEvents, "registration")
    }
}

fn contact(binding: &Binding, wants_gruu: bool, shown: Shown, now: Now) -> String {
    let mut value = format!("<{}>", binding.contact);
    // Writing to a String cannot fail.
    if shown.expires {
        let _ = write!(value, ";expires={}", seconds_left(binding.expires, now));
    }
    if !binding.instance.is_empty() {
        let _ = write!(value, ";+sip.instance=\"<urn:uuid:{}>\"", binding.instance);
    }
    if let Some(id) = binding.reg_id {
        let _ = write!(value, ";reg-id={id}");
    }
    if wants_gruu && let Some(device) = device(binding) {
        let _ = write!(value, ";gruu=\"{}\"", device.gruu(&binding.endpoint.user));
    }
    value
}

/// The instance a GRUU names: the one the device told, else the one its epid stands for (MS-SIPRE).
fn device(binding: &Binding) -> Option<InstanceId> {
    InstanceId::parse(&binding.instance)
        .or_else(|| (!binding.epid.is_empty()).then(|| InstanceId::of_epid(&binding.epid)))
}
