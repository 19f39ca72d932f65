//! Ports for RTP and RTCP: a range, and pairs of it bound in an order that nobody can foresee.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use homing_core::ids::{Rng, Seed};
use socket2::{Domain, Protocol, Socket, Type};

use super::bind_error::BindError;
use super::port_range::PortRange;
use super::sockets::{RtpPair, RtpSockets};

/// Where a session receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpAddress {
    /// The address that is bound, `0.0.0.0` and `::` for all of the family.
    pub bind: IpAddr,
    /// What a description tells the peer, where that is another one: the outside of a NAT or a load balancer.
    pub advertise: Option<IpAddr>,
}

/// Binds the ports of sessions.
///
/// The first port that is tried is drawn for each session, so that a stranger cannot guess it (RFC 6056); from there
/// the range is walked once. A description names ports, so they are bound when it is written and not before.
///
/// ```
/// use homing_net::rtp::{PortRange, RtpAddress, RtpPair, RtpPorts};
/// # use homing_core::ids::Seed;
///
/// let mut ports = RtpPorts::new(PortRange::default(), &Seed::from_number(1));
/// let here = RtpAddress { bind: [127, 0, 0, 1].into(), advertise: None };
/// let sockets = ports.bind(here, RtpPair::Two)?;
/// assert_eq!(sockets.advertised().port() % 2, 0);
/// # Ok::<(), homing_net::rtp::BindError>(())
/// ```
pub struct RtpPorts {
    range: PortRange,
    first: Rng,
}

impl RtpPorts {
    /// The ports of `range`, in an order drawn from `seed`.
    pub fn new(range: PortRange, seed: &Seed) -> Self {
        Self { range, first: seed.rng("RTP ports") }
    }

    /// Binds the ports of one session.
    ///
    /// # Errors
    /// `Exhausted` when no pair of the range is free, and what the system says otherwise.
    pub fn bind(&mut self, address: RtpAddress, pair: RtpPair) -> Result<RtpSockets, BindError> {
        let advertised = address.advertise.unwrap_or(address.bind);
        if advertised.is_unspecified() {
            return Err(BindError::NothingToAdvertise);
        }
        let start = self.first.below(u64::from(self.range.pairs()));
        for step in 0..u64::from(self.range.pairs()) {
            let port = self.range.even(start + step);
            match bind_pair(address.bind, port, pair) {
                Ok((rtp, rtcp)) => return Ok(RtpSockets::new(rtp, rtcp, SocketAddr::new(advertised, port))),
                Err(error) if is_taken(&error) => {}
                Err(error) if error.raw_os_error().is_some_and(|code| DESCRIPTORS.contains(&code)) => {
                    return Err(BindError::OutOfDescriptors(error));
                }
                Err(error) => return Err(BindError::Refused(error)),
            }
        }
        Err(BindError::Exhausted(self.range))
    }
}

fn bind_pair(address: IpAddr, even: u16, pair: RtpPair) -> io::Result<(UdpSocket, Option<UdpSocket>)> {
    let rtp = bind_one(SocketAddr::new(address, even))?;
    let rtcp = match pair {
        RtpPair::Two => Some(bind_one(SocketAddr::new(address, even.saturating_add(1)))?),
        RtpPair::Multiplexed => None,
    };
    Ok((rtp, rtcp))
}

fn bind_one(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        // Both families by one socket would show IPv4 peers under addresses that no description named.
        socket.set_only_v6(true)?;
    }
    mark_expedited(&socket, address);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Asks for the class of telephony (RFC 4594 4.1). A system that does not mark packets still carries them.
fn mark_expedited(socket: &Socket, address: SocketAddr) {
    let _ = match address {
        SocketAddr::V4(_) => socket.set_tos_v4(EXPEDITED_FORWARDING),
        SocketAddr::V6(_) => socket.set_tclass_v6(EXPEDITED_FORWARDING),
    };
}

/// True where another port may be free. Some systems keep ports back and refuse them as not permitted.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

/// DSCP 46 in the place it has in the octet.
const EXPEDITED_FORWARDING: u32 = 46 << 2;
/// `ENFILE` and `EMFILE`, on every Unix.
const DESCRIPTORS: [i32; 2] = [23, 24];

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: RtpAddress =
        RtpAddress { bind: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), advertise: None };

    fn ports(first: u16, last: u16) -> RtpPorts {
        RtpPorts::new(PortRange::new(first, last).unwrap(), &Seed::from_number(7))
    }

    /// Ten ports that no other process of tests run at the same time is likely to use.
    fn of_this_process() -> u16 {
        45_000 + u16::try_from(std::process::id() % 1_000).unwrap() * 10
    }

    #[test]
    fn the_first_port_tried_is_drawn_from_the_seed() {
        let drawn = |seed| {
            let mut ports = RtpPorts::new(PortRange::default(), &Seed::from_number(seed));
            let bound = (0..4).map(|_| ports.bind(LOOPBACK, RtpPair::Multiplexed).unwrap());
            bound.map(|sockets| sockets.advertised().port()).collect::<Vec<_>>()
        };
        let (one, other) = (drawn(1), drawn(2));
        assert_ne!(one, other);
        assert!(one.windows(2).any(|two| two[1] != two[0] + 2), "{one:?}");
    }

    #[test]
    fn a_pair_is_even_and_odd_and_a_multiplexed_session_has_one_port() {
        let two = ports(41_000, 41_999).bind(LOOPBACK, RtpPair::Two).unwrap();
        let (rtp, rtcp) = (two.local(), two.local_rtcp().unwrap());
        assert_eq!((rtp.port() % 2, rtcp.port()), (0, rtp.port() + 1));
        let one = ports(41_000, 41_999).bind(LOOPBACK, RtpPair::Multiplexed).unwrap();
        assert_eq!((one.local().port() % 2, one.local_rtcp()), (0, None));
    }

    #[test]
    fn an_exhausted_range_is_an_error_and_a_dropped_session_gives_its_ports_back() {
        let first = of_this_process();
        let mut ports = ports(first, first + 5);
        let mut bound: Vec<RtpSockets> = Vec::new();
        let error = loop {
            match ports.bind(LOOPBACK, RtpPair::Two) {
                Ok(sockets) => bound.push(sockets),
                Err(error) => break error,
            }
        };
        assert!(!bound.is_empty() && bound.len() <= 3);
        let all = format!("all ports for sound from {first} to {} are in use", first + 5);
        assert_eq!((error.code(), error.to_string()), ("E1601", all));
        assert!(error.hint().ends_with('.'));
        bound.pop();
        assert!(ports.bind(LOOPBACK, RtpPair::Two).is_ok());
    }

    #[test]
    fn a_pair_whose_odd_port_is_taken_is_passed_over() {
        let first = of_this_process() + 6;
        let _taken = UdpSocket::bind(("127.0.0.1", first + 1));
        let sockets = ports(first, first + 3).bind(LOOPBACK, RtpPair::Two).unwrap();
        assert_eq!(sockets.local().port(), first + 2);
    }

    #[test]
    fn the_address_a_peer_is_told_is_given_where_all_are_bound() {
        let everywhere = RtpAddress { bind: [0, 0, 0, 0].into(), advertise: None };
        let error = ports(43_000, 43_999).bind(everywhere, RtpPair::Two).unwrap_err();
        assert_eq!(error.code(), "E1602");
        let told = RtpAddress { advertise: Some([192, 0, 2, 7].into()), ..everywhere };
        let sockets = ports(43_000, 43_999).bind(told, RtpPair::Two).unwrap();
        assert_eq!(sockets.advertised(), SocketAddr::new([192, 0, 2, 7].into(), sockets.local().port()));
    }

    #[test]
    fn an_address_of_another_machine_is_refused_and_not_walked_through() {
        let elsewhere = RtpAddress { bind: [192, 0, 2, 1].into(), advertise: None };
        let error = RtpPorts::new(PortRange::default(), &Seed::from_number(1)).bind(elsewhere, RtpPair::Two);
        assert_eq!(error.unwrap_err().code(), "E1604");
    }
}
