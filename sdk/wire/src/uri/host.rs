//! Hosts: names and addresses, IPv6 in brackets.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::class::Class;

/// A host of a URI or of a Via's sent-by.
#[derive(Clone, Copy, Debug)]
pub enum Host<'m> {
    /// A domain name, compared without case.
    Name(&'m str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, on the wire in brackets.
    V6(Ipv6Addr),
}

impl<'m> Host<'m> {
    /// A host that is the whole text; an IPv6 address with or without brackets.
    pub fn parse(text: &'m str) -> Option<Host<'m>> {
        if let Ok(bare) = text.parse() {
            return Some(Host::V6(bare));
        }
        match Host::split_from(text)? {
            (host, "") => Some(host),
            _ => None,
        }
    }

    /// The address, where the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some((*address).into()),
            Host::V6(address) => Some((*address).into()),
        }
    }

    /// The host at the beginning of `text`, and what follows.
    pub(crate) fn split_from(text: &'m str) -> Option<(Host<'m>, &'m str)> {
        if let Some(inside) = text.strip_prefix('[') {
            let end = memchr::memchr(b']', inside.as_bytes())?;
            return Some((Host::V6(v6(&inside[..end])?), &inside[end + 1..]));
        }
        let end = text.bytes().position(|octet| !Class::HOST.has(octet)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let first = *name.as_bytes().first()?;
        if first.is_ascii_digit()
            && let Ok(address) = name.parse()
        {
            return Some((Host::V4(address), rest));
        }
        Some((Host::Name(name), rest))
    }
}

/// RFC 5118 4.10: the grammar of RFC 3261 lets three colons stand before an embedded IPv4 address; two are meant.
fn v6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok().or_else(|| text.contains(":::").then(|| text.replacen(":::", "::", 1).parse().ok())?)
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Host::Name(one), Host::Name(two)) => one.eq_ignore_ascii_case(two),
            _ => self.ip() == other.ip() && self.ip().is_some(),
        }
    }
}

impl Eq for Host<'_> {}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => address.fmt(f),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        assert_eq!(Host::parse("HS1.example.com"), Some(Host::Name("hs1.EXAMPLE.com")));
        assert_eq!(Host::parse("192.0.2.1"), Some(Host::V4(Ipv4Addr::new(192, 0, 2, 1))));
        assert_eq!(Host::parse("[2001:db8::9:1]"), Host::parse("2001:db8::9:1"));
        assert_eq!(Host::parse("192.0.2.1.example"), Some(Host::Name("192.0.2.1.example")));
        for wrong in ["", "a b", "[::1", "a:5060", "a/b", "[::1]x"] {
            assert_eq!(Host::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_third_colon_is_stripped() {
        let host = Host::parse("[2001:db8:::192.0.2.1]").unwrap();
        assert_eq!(host.to_string(), "[2001:db8::c000:201]");
    }
}
