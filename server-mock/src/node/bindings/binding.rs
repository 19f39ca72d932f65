//! One binding, and one change to the bindings of a user.

use homing_core::ids::FlowId;
use homing_core::time::{Moment, Now};
use homing_wire::{Contact, Message, Name, NameAddr, Uri};

use crate::node::endpoint::{Endpoint, epid, instance};

/// How one endpoint is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// For whom it stands.
    pub endpoint: Endpoint,
    /// The Contact URI as the client wrote it.
    pub contact: String,
    /// The client's `epid`, empty without.
    pub epid: String,
    /// `+sip.instance` as a bare UUID, empty without.
    pub instance: String,
    /// RFC 5626 `reg-id`.
    pub reg_id: Option<u32>,
    /// How much it is preferred, from 0 to 1000 (RFC 3261 20.10); 1000 where the client said nothing.
    pub q: u16,
    /// Where requests for it go.
    pub route: Route,
    /// When it lapses.
    pub expires: Moment,
    /// The client's User-Agent.
    pub agent: String,
    /// Call-ID and CSeq of the REGISTER that made it.
    origin: (String, u32),
}

/// Where requests for a binding go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The flow its REGISTER came by.
    pub flow: FlowId,
    /// The Path from here to the client; empty where the flow is the client's own.
    pub path: Vec<String>,
}

/// Who registers, and by which flow.
#[derive(Clone, Copy, Debug)]
pub struct Registrant<'v> {
    /// The device, with its user.
    pub endpoint: &'v Endpoint,
    /// The flow the REGISTER came by.
    pub flow: FlowId,
    /// True if that flow leads to another server, and the client is behind its Path.
    pub trusted: bool,
}

/// How long a binding is to last, and from when.
#[derive(Clone, Copy)]
pub(super) struct Lifetime {
    /// In seconds; 0 removes the binding.
    pub(super) expires: u32,
    pub(super) now: Now,
}

/// A change to one binding, checked and ready.
pub(super) struct BindingChange {
    binding: Binding,
    /// 0 removes.
    expires: u32,
}

impl Route {
    /// True if another server stands between here and the client.
    pub fn behind_server(&self) -> bool {
        !self.path.is_empty()
    }
}

impl Binding {
    fn is_same_device(&self, other: &Self) -> bool {
        if self.endpoint != other.endpoint {
            return false;
        }
        if !self.endpoint.device.is_empty() {
            return self.reg_id == other.reg_id;
        }
        match (Uri::parse(&self.contact), Uri::parse(&other.contact)) {
            (Ok(one), Ok(two)) => one.equivalent(&two),
            _ => self.contact == other.contact,
        }
    }
}

impl BindingChange {
    /// The change one Contact of a REGISTER asks for.
    pub(super) fn read(
        request: &Message,
        contact: &NameAddr<'_>,
        registrant: &Registrant<'_>,
        lifetime: Lifetime,
    ) -> Option<Self> {
        let Lifetime { expires, now } = lifetime;
        let from = request.from().ok()?;
        let uri = contact.uri().ok()?;
        if (uri.is_sip() || uri.is_sips()) && uri.host().to_string().is_empty() {
            return None;
        }
        let binding = Binding {
            endpoint: registrant.endpoint.clone(),
            contact: contact.uri_str().to_owned(),
            epid: epid(&from).unwrap_or_default().to_owned(),
            instance: instance(request).map(|id| id.to_string()).unwrap_or_default(),
            reg_id: contact.param("reg-id").flatten().and_then(|id| id.parse().ok()),
            q: Contact::Addr(*contact).q().unwrap_or(1000),
            route: Route {
                flow: registrant.flow,
                path: if registrant.trusted { path(request) } else { Vec::new() },
            },
            expires: now.after(std::time::Duration::from_secs(u64::from(expires))),
            agent: request.text(Name::UserAgent).unwrap_or_default().into_owned(),
            origin: origin(request)?,
        };
        Some(Self { binding, expires })
    }

    /// The removal of a binding there is.
    pub(super) fn removal(request: &Message, held: &Binding) -> Option<Self> {
        let binding = Binding { origin: origin(request)?, ..held.clone() };
        Some(Self { binding, expires: 0 })
    }

    pub(super) fn expires(&self) -> u32 {
        self.expires
    }

    /// Refuses what came later than its successor: same Call-ID, CSeq not higher (RFC 3261 10.3).
    pub(super) fn in_order(&self, held: &[Binding]) -> Result<(), (u16, &'static str)> {
        let (call_id, cseq) = &self.binding.origin;
        let older = held.iter().filter(|other| other.is_same_device(&self.binding));
        let mut late = older.filter(|other| other.origin.0 == *call_id && other.origin.1 >= *cseq);
        match late.next() {
            Some(_) => Err((400, "CSeq out of order")),
            None => Ok(()),
        }
    }

    /// Makes the change; says what became of a binding that stays.
    pub(super) fn apply(self, held: &mut Vec<Binding>) -> Option<&'static str> {
        let former = held.iter().position(|other| other.is_same_device(&self.binding));
        match (former, self.expires) {
            (Some(index), 0) => {
                held.remove(index);
                None
            }
            (None, 0) => None,
            (Some(index), _) => {
                let same_route = held[index].route == self.binding.route;
                held[index] = self.binding;
                Some(if same_route { "refreshed" } else { "fixed" })
            }
            (None, _) => {
                // Most users have one, and a vector that grows by itself begins with room for four.
                held.reserve_exact(1);
                held.push(self.binding);
                Some("added")
            }
        }
    }
}

fn origin(request: &Message) -> Option<(String, u32)> {
    Some((request.call_id().ok()?.to_owned(), request.cseq().ok()?.seq))
}

/// The Path a REGISTER came along, nearest to the registrar first (RFC 3327).
pub(crate) fn path(request: &Message) -> Vec<String> {
    let lines = request.lines(Name::Path);
    lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}
