//! The route set of a dialog: Record-Route in the order of one side, loose and strict (RFC 3261 sections 12.1, 12.2.1.1).

use homing_wire::header::RecordRoute;
use homing_wire::{Builder, Message, Name, Uri};

/// The hops that requests inside a dialog visit, the nearest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RouteSet(Vec<Box<str>>);

impl RouteSet {
    /// The called side's, out of a request; none if a hop cannot be used or there are too many: half a route leads
    /// astray.
    pub(super) fn of_called(request: &Message) -> Option<Self> {
        let mut hops = Vec::new();
        for hop in request.all::<RecordRoute<'_>>() {
            let hop = hop.ok()?;
            let uri = hop.uri().ok()?;
            let is_usable = (uri.is_sip() || uri.is_sips()) && !uri.has_headers();
            if !is_usable || hops.len() == MOST_HOPS || hop.uri_str().len() > LONGEST_URI {
                return None;
            }
            hops.push(hop.uri_str().into());
        }
        Some(Self(hops))
    }

    /// The caller's, out of a response: the same in reverse.
    pub(super) fn of_caller(response: &Message) -> Option<Self> {
        let Self(mut hops) = Self::of_called(response)?;
        hops.reverse();
        Some(Self(hops))
    }

    /// The nearest hop.
    pub(super) fn first(&self) -> Option<&str> {
        self.0.first().map(|hop| &**hop)
    }

    /// The nearest hop if it is a strict router, which takes the Request-URI for itself.
    pub(super) fn strict(&self) -> Option<&str> {
        self.first().filter(|hop| !is_loose(hop))
    }

    /// Puts the Route lines into a request whose Request-URI is [`strict`](Self::strict) or the target.
    pub(super) fn write(&self, head: Builder, target: &str) -> Builder {
        let route = |head: Builder, hop: &str| head.header(Name::Route, format_args!("<{hop}>"));
        let strict = self.strict().is_some();
        let head = self.0.iter().skip(usize::from(strict)).fold(head, |head, hop| route(head, hop));
        if strict { route(head, target) } else { head }
    }
}

fn is_loose(hop: &str) -> bool {
    Uri::parse(hop).is_ok_and(|uri| uri.param("lr").is_some())
}

/// Hops of one route.
const MOST_HOPS: usize = 32;
/// Octets of a URI that a dialog keeps.
pub(super) const LONGEST_URI: usize = 512;
