//! Where a request goes: the devices of a user in the order of their q, the endpoint a recorded route names, or
//! another server.

use std::collections::VecDeque;

use homing_core::endpoint::InstanceId;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_wire::{Message, Name, Uri};

use crate::node::bindings::Binding;
use crate::node::context::Context;
use crate::node::dialogs::DialogKey;
use crate::node::endpoint::{Endpoint, epid};
use crate::node::route_token::RouteToken;

/// One place a request goes to.
pub(in crate::node::service) struct Target {
    pub(in crate::node::service) hop: Hop,
    /// The Request-URI there; none where it stays.
    pub(in crate::node::service) uri: Option<String>,
    /// Route values on the way there, the nearest first.
    pub(super) routes: Vec<String>,
    /// The endpoint, where it is a client of this server.
    pub(in crate::node::service) token: Option<RouteToken>,
}

/// What a request leaves by.
pub(in crate::node::service) enum Hop {
    Flow(FlowId),
    Server(ServerName),
}

impl Target {
    /// The request as it is, to another server.
    pub(super) fn server(server: ServerName) -> Self {
        Self { hop: Hop::Server(server), uri: None, routes: Vec::new(), token: None }
    }

    /// The request as it is, to the client behind a flow.
    pub(super) fn flow(flow: FlowId) -> Self {
        Self { hop: Hop::Flow(flow), uri: None, routes: Vec::new(), token: None }
    }

    /// The request to a device of a user of this server, from `sender`.
    fn device(binding: &Binding, sender: &str) -> Self {
        let token = RouteToken {
            endpoint: binding.endpoint.clone(),
            reg_id: binding.reg_id,
            peer: sender.to_owned(),
        };
        Self {
            hop: Hop::Flow(binding.route.flow),
            uri: Some(binding.contact.clone()),
            routes: binding.route.path.clone(),
            token: Some(token),
        }
    }
}

/// The devices a request for `user` goes to, in groups: one group after the other, those of a group at the same time
/// (RFC 3261 16.6). A GRUU, or an epid in To, names one device.
pub(super) fn devices(cx: &Context, user: &str, request: &Message, sender: &str) -> VecDeque<Vec<Target>> {
    let bindings = cx.bindings.of(user);
    let named = |binding: &&Binding| is_named(request, binding);
    let any_named = bindings.iter().any(|binding| named(&binding));
    let by_gruu = gruu(request).is_some();
    let reachable = |binding: &&Binding| cx.flows.transport(binding.route.flow).is_some();
    let chosen = bindings.iter().filter(|binding| (!any_named && !by_gruu) || named(binding));
    let mut chosen: Vec<&Binding> = chosen.filter(reachable).collect();
    chosen.sort_by_key(|binding| std::cmp::Reverse(binding.q));
    let mut groups: VecDeque<Vec<Target>> = VecDeque::new();
    let mut last = None;
    for binding in chosen {
        if last != Some(binding.q) {
            groups.push_back(Vec::new());
            last = Some(binding.q);
        }
        if let Some(group) = groups.back_mut() {
            group.push(Target::device(binding, sender));
        }
    }
    groups
}

/// The endpoint a recorded route names: by the flow its binding has now, else by the one its association has, else by
/// the one the dialog used last (decision 49).
pub(super) fn endpoint(cx: &Context, token: &RouteToken, call_id: &str) -> Option<Target> {
    let (flow, routes) = way_to(cx, token, call_id)?;
    Some(Target { hop: Hop::Flow(flow), uri: None, routes, token: Some(token.clone()) })
}

/// The flow and the Path by which an endpoint is reached now.
pub(in crate::node::service) fn way_to(
    cx: &Context,
    token: &RouteToken,
    call_id: &str,
) -> Option<(FlowId, Vec<String>)> {
    let is_open = |flow: FlowId| cx.flows.transport(flow).is_some();
    let bindings = cx.bindings.of(&token.endpoint.user);
    let own = bindings
        .iter()
        .filter(|binding| is_same_device(&binding.endpoint, &token.endpoint) && is_open(binding.route.flow));
    let mut own = own.collect::<Vec<_>>();
    let key = DialogKey { endpoint: token.endpoint.clone(), call_id: call_id.to_owned() };
    let of_dialog = cx.dialogs.flow_of(&key);
    // A device without a name may share that with others of its user: the dialog knows which of them it is.
    own.sort_by_key(|binding| {
        let is_other = binding.endpoint != token.endpoint;
        (is_other, Some(binding.route.flow) != of_dialog, binding.reg_id != token.reg_id)
    });
    let is_one = own.len() == 1 || own.first().is_some_and(|binding| binding.endpoint == token.endpoint);
    if let Some(binding) = own.first().filter(|_| is_one) {
        return Some((binding.route.flow, binding.route.path.clone()));
    }
    let session = cx.sessions.of_endpoint(&token.endpoint).and_then(|id| cx.sessions.find(id));
    let by_session = session.map(|session| session.flow).filter(|flow| is_open(*flow));
    let by_dialog = || of_dialog.filter(|flow| is_open(*flow));
    Some((by_session.or_else(by_dialog)?, Vec::new()))
}

/// A client that names no device in a request may be any of its user's without a name.
pub(super) fn is_same_device(one: &Endpoint, other: &Endpoint) -> bool {
    one.user == other.user && (one.device == other.device || one.device.is_empty() || other.device.is_empty())
}

/// True if a request is for this device only: its Request-URI is the GRUU, or its To has the epid.
fn is_named(request: &Message, binding: &Binding) -> bool {
    if let Some(gruu) = gruu(request) {
        let device = InstanceId::parse(&binding.instance)
            .or_else(|| (!binding.epid.is_empty()).then(|| InstanceId::of_epid(&binding.epid)));
        return device.is_some_and(|device| match &gruu {
            Gruu::Opaque(opaque) => *opaque == format!("user:epid:{}", device.gruu_token()),
            Gruu::Instance(urn) => InstanceId::parse(urn) == Some(device),
        });
    }
    let to = request.to().ok();
    to.as_ref().and_then(epid).is_some_and(|epid| epid == binding.epid)
}

/// What a GRUU says of its device.
enum Gruu {
    /// As MS-SIPRE writes it.
    Opaque(String),
    /// As RFC 5627 writes it.
    Instance(String),
}

fn gruu(request: &Message) -> Option<Gruu> {
    let uri = Uri::parse(request.request_uri()?).ok()?;
    if let Some(Some(urn)) = uri.param("gr") {
        return Some(Gruu::Instance(Uri::unescape(urn).into_owned()));
    }
    uri.param("gruu")?;
    Some(Gruu::Opaque(uri.param("opaque")??.to_owned()))
}

/// True if somebody wishes not to be named to the other end (RFC 3325 7).
pub(super) fn hides_identity(request: &Message) -> bool {
    let values = request.lines(Name::Privacy).map(String::from_utf8_lossy);
    values
        .flat_map(|line| {
            line.split([';', ',']).map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>()
        })
        .any(|part| part == "id")
}
