//! From whom packets are taken, and where ours go: symmetric RTP with its limits (decision 22).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Judges packets by the address they come from.
///
/// ```text
///                    a packet from the signalled address
///   Waiting ────────────────────────────────────────────────► Signalled
///      │ signalled private, packet from a public address
///      ▼
///   Learning ── five of one source within 2 s, or one that proved genuine ──► Learnt
///      └── 2 s are over ──► Waiting
/// ```
///
/// Only signalling leads out of the states on the right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    signalled: SocketAddr,
    is_private: fn(IpAddr) -> bool,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Waiting,
    Learning(Candidate),
    Signalled,
    Learnt(SocketAddr),
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    packets: u8,
    since: Duration,
}

/// A packet of RTP, as far as it matters from where it comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    pub(super) from: SocketAddr,
    pub(super) ssrc: u32,
    /// Its tag was right: only the peer could make it.
    pub(super) is_authentic: bool,
    pub(super) at: Duration,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Pass {
    Take,
    /// It is taken, and from now on packets come from there and go there.
    Learn,
    Drop,
}

impl Gate {
    pub(super) fn new(signalled: SocketAddr, is_private: fn(IpAddr) -> bool) -> Self {
        Self { signalled: canonical(signalled), is_private, state: State::Waiting }
    }

    pub(super) fn signalled(&self) -> SocketAddr {
        self.signalled
    }

    /// Where packets go.
    pub(super) fn peer(&self) -> SocketAddr {
        match self.state {
            State::Learnt(from) => from,
            State::Waiting | State::Learning(_) | State::Signalled => self.signalled,
        }
    }

    /// Whether reports may come from that host.
    pub(super) fn is_peer(&self, ip: IpAddr) -> bool {
        self.peer().ip() == ip.to_canonical()
    }

    pub(super) fn is_learnt(&self) -> bool {
        matches!(self.state, State::Learnt(_))
    }

    pub(super) fn judge(&mut self, seen: &Sighting) -> Pass {
        let from = canonical(seen.from);
        match self.state {
            State::Learnt(peer) if peer == from => Pass::Take,
            State::Signalled | State::Waiting | State::Learning(_) if from == self.signalled => {
                self.state = State::Signalled;
                Pass::Take
            }
            State::Signalled | State::Learnt(_) => taken_if(seen.is_authentic),
            State::Waiting | State::Learning(_) if !self.may_learn(from.ip()) => taken_if(seen.is_authentic),
            State::Waiting | State::Learning(_) if seen.is_authentic => self.learn(from),
            State::Waiting => {
                self.state = State::Learning(first(from, seen));
                Pass::Drop
            }
            State::Learning(candidate) => self.count(candidate, from, seen),
        }
    }

    /// A peer behind a translator signals an address that is none from here.
    fn may_learn(&self, from: IpAddr) -> bool {
        (self.is_private)(self.signalled.ip()) && !(self.is_private)(from)
    }

    fn count(&mut self, mut candidate: Candidate, from: SocketAddr, seen: &Sighting) -> Pass {
        if seen.at.saturating_sub(candidate.since) > WITHIN {
            candidate = first(from, seen);
        } else if candidate.from == from && candidate.ssrc == seen.ssrc {
            candidate.packets += 1;
        }
        if candidate.packets >= STEADY {
            return self.learn(from);
        }
        self.state = State::Learning(candidate);
        Pass::Drop
    }

    fn learn(&mut self, from: SocketAddr) -> Pass {
        self.state = State::Learnt(from);
        Pass::Learn
    }
}

fn first(from: SocketAddr, seen: &Sighting) -> Candidate {
    Candidate { from, ssrc: seen.ssrc, packets: 1, since: seen.at }
}

fn taken_if(is_authentic: bool) -> Pass {
    if is_authentic { Pass::Take } else { Pass::Drop }
}

/// A socket of both versions shows IPv4 inside of IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

const STEADY: u8 = 5;
const WITHIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::is_private;

    fn gate(signalled: &str) -> Gate {
        Gate::new(signalled.parse().unwrap(), is_private)
    }

    fn see(gate: &mut Gate, from: &str, ssrc: u32, millis: u64) -> Pass {
        let at = Duration::from_millis(millis);
        gate.judge(&Sighting { from: from.parse().unwrap(), ssrc, is_authentic: false, at })
    }

    const PRIVATE: &str = "10.0.0.1:4000";
    const PUBLIC: &str = "192.0.2.1:4000";

    #[test]
    fn the_signalled_address_is_taken_and_no_other() {
        for signalled in [PRIVATE, PUBLIC] {
            let mut gate = gate(signalled);
            assert_eq!(see(&mut gate, signalled, 1, 0), Pass::Take);
            for at in 0..20 {
                assert_eq!(see(&mut gate, "198.51.100.1:4000", 1, at), Pass::Drop);
            }
            assert_eq!(
                (gate.peer(), see(&mut gate, signalled, 1, 30)),
                (signalled.parse().unwrap(), Pass::Take)
            );
        }
        assert_eq!(see(&mut gate(PUBLIC), "192.0.2.1:4002", 1, 0), Pass::Drop, "another port");
        assert_eq!(see(&mut gate(PUBLIC), "[::ffff:192.0.2.1]:4000", 1, 0), Pass::Take);
        let mut public = gate(PUBLIC);
        assert!((0..20).all(|at| see(&mut public, "198.51.100.1:4000", 1, at) == Pass::Drop));
        let mut near = gate(PRIVATE);
        assert!((0..20).all(|at| see(&mut near, "10.0.0.2:4000", 1, at) == Pass::Drop), "private to private");
    }

    #[test]
    fn a_steady_public_source_is_learnt_once() {
        let mut gate = gate(PRIVATE);
        for at in 0..4 {
            assert_eq!(see(&mut gate, PUBLIC, 1, at * 20), Pass::Drop);
            assert_eq!(see(&mut gate, "198.51.100.1:9", at as u32, at * 20), Pass::Drop, "not the first");
        }
        assert_eq!(see(&mut gate, PUBLIC, 2, 79), Pass::Drop, "another source");
        assert!(!gate.is_learnt());
        assert_eq!(see(&mut gate, PUBLIC, 1, 80), Pass::Learn);
        assert!(gate.is_learnt() && gate.peer() == PUBLIC.parse().unwrap());
        assert_eq!(see(&mut gate, PUBLIC, 3, 100), Pass::Take);
        for from in [PRIVATE, "198.51.100.1:9"] {
            assert!((0..20).all(|at| see(&mut gate, from, 1, 100 + at) == Pass::Drop), "{from}");
        }
    }

    #[test]
    fn who_is_not_steady_within_two_seconds_is_forgotten() {
        let mut gate = gate(PRIVATE);
        for at in 0..20 {
            assert_eq!(see(&mut gate, PUBLIC, 1, at * 600), Pass::Drop);
        }
    }

    #[test]
    fn a_genuine_packet_is_taken_from_anywhere_and_learnt_where_needed() {
        let genuine = |gate: &mut Gate, from: &str| {
            gate.judge(&Sighting {
                from: from.parse().unwrap(),
                ssrc: 1,
                is_authentic: true,
                at: Duration::ZERO,
            })
        };
        let mut public = gate(PUBLIC);
        assert_eq!(genuine(&mut public, "198.51.100.1:9"), Pass::Take);
        assert_eq!(public.peer(), PUBLIC.parse().unwrap(), "ours go where signalling said");
        let mut private = gate(PRIVATE);
        assert_eq!(genuine(&mut private, "198.51.100.1:9"), Pass::Learn);
        assert_eq!(genuine(&mut private, "198.51.100.2:9"), Pass::Take);
        assert_eq!(private.peer(), "198.51.100.1:9".parse().unwrap());
    }
}
