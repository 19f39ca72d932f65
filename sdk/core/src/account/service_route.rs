//! The route set that a registrar gives for requests outside dialogs (RFC 3608; decision 51).
//!
//! It stands in Route and nowhere else: the request still leaves by the flow to the home server, and nothing is dialled
//! from it, because no signature covers it.

use homing_wire::Message;
use homing_wire::header::ServiceRoute as Hop;

use crate::counter::{Counter, Counters};

/// The hops in order, each as it stands in Route.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceRoute(Vec<Box<str>>);

impl ServiceRoute {
    /// That of a 2xx to REGISTER; it replaces any before. One that has a hop that cannot be used is not used at all:
    /// half a route leads astray.
    pub(crate) fn read(granted: &Message, counters: &mut Counters) -> Self {
        let mut hops = Vec::new();
        for hop in granted.all::<Hop<'_>>() {
            let Some(uri) = hop.ok().and_then(|hop| loose_router(&hop)) else {
                counters.count(Counter::Malformed);
                return Self::default();
            };
            if hops.len() == MOST_HOPS || uri.len() > LONGEST {
                counters.count(Counter::OverLimit);
                return Self::default();
            }
            hops.push(format!("<{uri}>").into());
        }
        Self(hops)
    }

    /// The hops, for one Route line each.
    pub(crate) fn hops(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|hop| &**hop)
    }
}

/// The URI of a hop that is a loose router; a strict one would take the Request-URI for itself.
fn loose_router(hop: &Hop<'_>) -> Option<String> {
    let uri = hop.uri().ok()?;
    let is_sip = uri.is_sip() || uri.is_sips();
    (is_sip && uri.param("lr").is_some() && !uri.has_headers()).then(|| hop.uri_str().to_owned())
}

/// Hops of one route.
const MOST_HOPS: usize = 8;
/// Octets of one hop.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    /// The hops of a 200 with these lines, and what was counted.
    fn read(lines: &str) -> (Vec<String>, Counters) {
        let message = Message::parse(format!("SIP/2.0 200 OK\r\n{lines}\r\n")).unwrap();
        let mut counters = Counters::default();
        let route = ServiceRoute::read(&message, &mut counters);
        (route.hops().map(str::to_owned).collect(), counters)
    }

    #[test]
    fn the_hops_stand_in_order_without_what_is_none_of_their_uris() {
        let lines = "Service-Route: <sip:p1.network.com;lr>;x=y, <sips:orig@p2.network.com:5061;lr>\r\n\
                     Service-Route: \"Third\" <sip:p3.network.com;transport=tcp;lr>\r\n";
        let expected = [
            "<sip:p1.network.com;lr>",
            "<sips:orig@p2.network.com:5061;lr>",
            "<sip:p3.network.com;transport=tcp;lr>",
        ];
        assert_eq!(read(lines).0, expected);
        assert!(read("").0.is_empty());
    }

    #[test]
    fn a_route_with_one_bad_hop_is_no_route() {
        let good = "<sip:p1.network.com;lr>";
        for bad in
            ["<sip:p2.network.com>", "<tel:+15551234;lr>", "<sip:p2.network.com;lr?Subject=x>", "<sip:>"]
        {
            let (hops, counters) = read(&format!("Service-Route: {good}, {bad}\r\n"));
            assert!(hops.is_empty() && counters.of(Counter::Malformed) == 1, "{bad}: {hops:?}");
        }
    }

    #[test]
    fn number_and_length_are_bounded() {
        let route = |hops: usize, pad: usize| {
            let hop = format!("<sip:{}.network.com;lr>", "p".repeat(pad));
            format!("Service-Route: {}\r\n", vec![hop; hops].join(", "))
        };
        let longest = LONGEST - "sip:.network.com;lr".len();
        for (hops, pad, taken) in [(8, 1, 8), (9, 1, 0), (1, longest, 1), (1, longest + 1, 0)] {
            let (read, counters) = read(&route(hops, pad));
            assert_eq!(
                (read.len(), counters.of(Counter::OverLimit)),
                (taken, u64::from(taken == 0)),
                "{hops}"
            );
        }
    }
}
