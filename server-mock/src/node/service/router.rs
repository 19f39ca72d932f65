//! Decides where an authenticated REGISTER is handled: the checks of MS-SIPREGE, then the directory (patent steps
//! 502, 504).

use homing_core::endpoint::InstanceId;
use homing_core::time::Now;
use homing_wire::{EventHeader, Message, Method, Name, Via};

use super::{Authenticated, LookUp, Pending, Routed, Service, Step};
use crate::directory::Lookup;
use crate::journal::{Decision, Verdict};
use crate::node::authenticator::{Principal, ResponseAuth};
use crate::node::context::Context;
use crate::node::endpoint::{epid, instance};
use crate::node::reply::Reply;
use crate::node::routing::{RouteQuery, decide};

/// Asks the directory where the user belongs, and decides by the answer.
pub(crate) struct Router;

/// Why MS-SIPREGE has a registrar refuse.
struct Refusal {
    status: u16,
    /// ErrorId of ms-diagnostics.
    id: u32,
    why: &'static str,
}

impl Service for Router {
    fn handle_request(&mut self, cx: &mut Context, step: Step, now: Now) -> Step {
        let Step::Authenticated(authenticated) = step else { return step };
        let Authenticated { request, principal, .. } = &*authenticated;
        if request.request.method() != Some(Method::Register) {
            return Step::Authenticated(authenticated);
        }
        if let Some(Refusal { status, id, why }) = objection(&request.request, principal) {
            let said = Decision::new(Verdict::Refused, format!("{status}: {why}"));
            cx.note(Some(request.flow), said, now);
            let reply = Reply::new(status).diagnostics(id, why, &cx.config.identity.fqdn);
            cx.respond(request, reply, &principal.response_auth, now);
            return Step::Done;
        }
        let user = principal.endpoint.user.clone();
        Step::LookUp(LookUp { user, pending: Pending::Authenticated(authenticated) })
    }

    fn handle_lookup(&mut self, cx: &mut Context, asked: LookUp, found: &Lookup, _: Now) -> Step {
        let Pending::Authenticated(authenticated) = asked.pending else { return Step::Done };
        let Authenticated { request, principal, .. } = *authenticated;
        let Some(here) = cx.flows.find(request.flow) else { return Step::Done };
        let passed: Vec<String> =
            request.request.all::<Via<'_>>().flatten().map(|via| via.host.to_string()).collect();
        let query = RouteQuery {
            lookup: found,
            via_count: request.request.via_count(),
            transport: here.transport,
            has_association: matches!(principal.response_auth, ResponseAuth::Association(_)),
            from_server: here.trusted.is_some(),
            passed: &passed,
        };
        let (decision, why) = decide(&cx.config, &query);
        Step::Routed(Box::new(Routed { request, principal: Some(principal), decision, why }))
    }
}

/// True if a request names two devices: an epid, and an instance that is not the UUID this epid gives (MS-SIPRE). Either
/// alone is the client's choice.
fn names_another_device(request: &Message) -> bool {
    // Without one of the two there is nothing to hash.
    let Some(told) = instance(request) else { return false };
    request.from().is_ok_and(|from| epid(&from).is_some_and(|epid| InstanceId::of_epid(epid) != told))
}

/// What MS-SIPREGE has a registrar refuse. A client without Event is a client of the RFCs.
fn objection(request: &Message, principal: &Principal) -> Option<Refusal> {
    let signed = matches!(principal.response_auth, ResponseAuth::Association(_));
    if signed && principal.endpoint.device.is_empty() {
        return Some(Refusal { status: 400, id: 4010, why: "neither epid nor instance" });
    }
    if names_another_device(request) {
        return Some(Refusal {
            status: 400,
            id: 4010,
            why: "+sip.instance is not the one that epid stands for",
        });
    }
    let is_foreign = match request.get::<EventHeader<'_>>() {
        Ok(event) => event.is_some_and(|event| !event.is("registration")),
        Err(_) => true,
    };
    if is_foreign {
        return Some(Refusal { status: 489, id: 4055, why: "an event other than registration" });
    }
    let supports = |token| request.has_token(Name::Supported, token);
    if supports("msrtc-event-categories") && !supports("gruu-10") {
        return Some(Refusal { status: 421, id: 2057, why: "msrtc-event-categories needs gruu-10" });
    }
    None
}
