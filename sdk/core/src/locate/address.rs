//! Names and addresses that can be dialled, and the order of the two families (RFC 8305).

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::address::{ascii_name, literal};

/// A host name DNS can carry: letters, digits, hyphens and underscores in labels of 1 to 63, at most 253
/// octets, and no address literal. Lower case, U-labels as A-labels, without the trailing dot.
pub(super) fn host_name(name: &str) -> Option<String> {
    let name = ascii_name(name.strip_suffix('.').unwrap_or(name));
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    let fits = name.len() <= 253 && name.split('.').all(label_ok);
    (fits && literal(&name).is_none()).then_some(name)
}

/// True unless the address can belong to no server: unspecified, multicast or broadcast.
pub(super) fn can_be_server(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_multicast(),
    }
}

/// Both families in turn, IPv6 first, each in the order of the answer; copies are left out.
pub(super) fn interleave(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let mut seen = BTreeSet::new();
    let mut once = addresses.to_vec();
    once.retain(|address| seen.insert(*address));
    let (mut v6, mut v4): (Vec<IpAddr>, Vec<IpAddr>) = once.into_iter().partition(IpAddr::is_ipv6);
    let mut order = Vec::with_capacity(v4.len() + v6.len());
    let both = v4.len().min(v6.len());
    let (late6, late4) = (v6.split_off(both), v4.split_off(both));
    for (six, four) in v6.into_iter().zip(v4) {
        order.extend([six, four]);
    }
    order.extend(late6);
    order.extend(late4);
    order
}
