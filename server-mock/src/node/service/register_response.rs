//! The 200 to a REGISTER: all bindings, the device's GRUU, and how long they last.

use std::fmt::Write;

use homing_core::endpoint::InstanceId;
use homing_core::time::Now;
use homing_wire::{Message, Name};

use crate::node::bindings::{Binding, Bindings, Registrant, path, seconds_left};
use crate::node::reply::Reply;

/// The answer to a REGISTER that was done; `action` is the `register-action` of presence-state.
pub(super) fn reply_to(
    bindings: &Bindings,
    request: &Message,
    registrant: &Registrant<'_>,
    action: &'static str,
    now: Now,
) -> Reply {
    let held = bindings.of(&registrant.endpoint.user);
    let mut reply = Reply::new(200);
    // The device's own binding first: some clients read only one.
    let (own, others): (Vec<_>, Vec<_>) =
        held.iter().partition(|binding| binding.endpoint == *registrant.endpoint);
    let wants_gruu = request.has_token(Name::Supported, "gruu-10");
    for binding in own.iter().chain(&others) {
        reply = reply.header(Name::Contact, contact(binding, wants_gruu, now));
    }
    let granted = own.iter().map(|binding| seconds_left(binding.expires, now)).max().unwrap_or(0);
    // As a header field too: some clients do not believe the parameter.
    reply = reply.header(Name::Expires, granted);
    for path in path(request).into_iter().filter(|_| registrant.trusted) {
        reply = reply.header(Name::Path, path);
    }
    if request.text(Name::Event).is_some() || own.iter().any(|binding| !binding.epid.is_empty()) {
        reply = reply.header(Name::PresenceState, format_args!("register-action=\"{action}\""));
    }
    reply.header(Name::Supported, "path, outbound, gruu-10").header(Name::AllowEvents, "registration")
}

fn contact(binding: &Binding, wants_gruu: bool, now: Now) -> String {
    let mut value = format!("<{}>;expires={}", binding.contact, seconds_left(binding.expires, now));
    // Writing to a String cannot fail.
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
