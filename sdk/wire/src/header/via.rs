//! Via: the path a request took (RFC 3261 20.42, RFC 3581, RFC 6223).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::{Header, read_item};
use crate::name::Name;
use crate::params::Params;
use crate::scan::{Cursor, is_white};
use crate::uri::{Host, UriBuf, take_port};
use crate::write::{Token, param};

/// One hop: transport, sent-by and parameters.
#[derive(Clone, Copy, Debug)]
pub struct Via<'m> {
    /// The transport as written: `UDP`, `TCP`, `TLS`, …
    pub transport: &'m str,
    /// The host the sender claims.
    pub host: Host<'m>,
    /// The port the sender claims.
    pub port: Option<u16>,
    params: Params<'m>,
}

impl<'m> Via<'m> {
    /// The `branch`, where it has a value.
    pub fn branch(&self) -> Option<&'m str> {
        self.params.value("branch")
    }

    /// The `branch` where it promises to be unique: it begins with the cookie of RFC 3261 8.1.1.7 (in any case, as
    /// the patent prints it) and goes on behind it.
    pub fn unique_branch(&self) -> Option<&'m str> {
        self.branch().filter(|branch| {
            branch.len() > COOKIE.len() && branch.as_bytes()[..COOKIE.len()].eq_ignore_ascii_case(COOKIE)
        })
    }

    /// The `received` parameter as written.
    pub fn received(&self) -> Option<&'m str> {
        self.params.value("received")
    }

    /// The `received` parameter as an address, with or without brackets (RFC 5118 4.5).
    pub fn received_ip(&self) -> Option<IpAddr> {
        self.received().and_then(Host::parse)?.ip()
    }

    /// The `rport` parameter (RFC 3581): asked for when `Some(None)`, answered when `Some(Some(port))`.
    pub fn rport(&self) -> Option<Option<u16>> {
        Some(self.params.find("rport")?.and_then(|port| port.parse().ok()))
    }

    /// The parameter of that name: `Some(None)` when it has no value.
    pub fn param(&self, name: &str) -> Option<Option<&'m str>> {
        self.params.find(name)
    }

    /// All parameters, those with a method of their own among them.
    pub fn params(&self) -> Params<'m> {
        self.params
    }

    /// The builder's type with the same content.
    pub fn into_owned(self) -> ViaBuf {
        let params = self.params.texts();
        let params = params.map(|(name, value)| (name.into_owned(), value.map(Cow::into_owned))).collect();
        ViaBuf { transport: self.transport.to_owned(), host: self.host.to_string(), port: self.port, params }
    }

    fn read_from(cursor: &mut Cursor<'m>) -> Option<Via<'m>> {
        match cursor.rest().strip_prefix(b"SIP/2.0/") {
            Some(_) => {
                cursor.take(b"SIP/2.0/".len());
            }
            None => read_protocol(cursor)?,
        }
        let transport = cursor.token()?;
        cursor.skip_white();
        let sent_by = cursor.take_while(|octet| !matches!(octet, b';' | b',') && !is_white(octet));
        let (host, rest) = Host::split_from(str::from_utf8(sent_by).ok()?)?;
        let (mut port, rest) = take_port(rest).ok()?;
        if !rest.is_empty() {
            return None;
        }
        if port.is_none() && cursor.eat_spaced(b':') {
            port = Some(u16::try_from(cursor.number()?).ok()?);
        }
        Some(Via { transport, host, port, params: Params::read(cursor)? })
    }
}

impl<'m> Header<'m> for Via<'m> {
    const NAME: Name<'static> = Name::Via;
    const LIST: bool = true;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_item(value, Via::read_from)
    }
}

/// `SIP / 2.0 /`, in any version and spacing.
fn read_protocol(cursor: &mut Cursor<'_>) -> Option<()> {
    cursor.skip_white();
    let protocol = cursor.token()?;
    if !protocol.eq_ignore_ascii_case("SIP") || !cursor.eat_spaced(b'/') {
        return None;
    }
    cursor.token()?;
    cursor.eat_spaced(b'/').then_some(())
}

/// A Via to write.
///
/// ```
/// use homing_wire::ViaBuf;
/// let via = ViaBuf::new("TLS", "192.0.2.1").port(5061).branch("z9hG4bKnashds7").param("rport", None);
/// assert_eq!(via.to_string(), "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKnashds7;rport");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ViaBuf {
    transport: String,
    host: String,
    port: Option<u16>,
    params: Vec<(String, Option<String>)>,
}

impl ViaBuf {
    /// A Via of that transport and host; an IPv6 host with or without brackets.
    pub fn new(transport: &str, host: &str) -> ViaBuf {
        let uri = UriBuf::sip(None, host).to_string();
        let host = uri.strip_prefix("sip:").unwrap_or(&uri).to_owned();
        ViaBuf { transport: Token(transport).to_string(), host, port: None, params: Vec::new() }
    }

    /// Sets the port.
    pub fn port(mut self, port: u16) -> ViaBuf {
        self.port = Some(port);
        self
    }

    /// Appends the branch.
    pub fn branch(self, branch: &str) -> ViaBuf {
        self.param("branch", Some(branch))
    }

    /// Appends a parameter, or sets the one that is there.
    pub fn param(mut self, name: &str, value: Option<&str>) -> ViaBuf {
        let value = value.map(str::to_owned);
        match self.params.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some(param) => param.1 = value,
            None => self.params.push((name.to_owned(), value)),
        }
        self
    }
}

impl fmt::Display for ViaBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
            // An IPv6 address is no token, yet stands without quotes here (RFC 3261 25.1 `via-received`).
            ("received", Some(address)) if Host::parse(address).is_some() => write!(f, ";received={address}"),
            (name, value) => param(f, name, value.as_deref()),
        })
    }
}

const COOKIE: &[u8] = b"z9hG4bK";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Via<'_>, &[u8])> {
        Via::read(text.as_bytes())
    }

    #[test]
    fn a_via_comes_apart() {
        let (via, rest) =
            read("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK8f1;rport=5060;received=203.0.113.7").unwrap();
        assert_eq!(
            (via.transport, via.host, via.port),
            ("UDP", Host::parse("192.0.2.1").unwrap(), Some(5060))
        );
        assert_eq!((via.branch(), via.rport()), (Some("z9hG4bK8f1"), Some(Some(5060))));
        assert_eq!(via.received_ip(), Some("203.0.113.7".parse().unwrap()));
        assert!(rest.is_empty());
    }

    #[test]
    fn blanks_may_stand_between_all_parts_and_lists_are_split() {
        let (via, rest) =
            read("SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP/2.0/UDP a").unwrap();
        assert_eq!(
            (via.transport, via.host, via.branch()),
            ("TCP", Host::Name("spindle.example.com"), Some("z9hG4bK9ikj8"))
        );
        assert!(rest.starts_with(b","));
        let (via, _) = read("SIP/2.0/UDP example.com : 5070 ; rport").unwrap();
        assert_eq!((via.port, via.rport()), (Some(5070), Some(None)));
    }

    #[test]
    fn addresses_of_both_kinds_are_read() {
        let (via, _) = read("SIP/2.0/UDP [2001:db8::9:1]:6050;received=[2001:db8::9:255];branch=z").unwrap();
        assert_eq!((via.port, via.received_ip()), (Some(6050), "2001:db8::9:255".parse().ok()));
        let (via, _) = read("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255").unwrap();
        assert_eq!((via.port, via.received_ip()), (None, "2001:db8::9:255".parse().ok()));
    }

    #[test]
    fn only_a_cookie_with_more_behind_it_is_unique() {
        let unique = |text| read(text).unwrap().0.unique_branch();
        assert_eq!(unique("SIP/2.0/TLS client.network.com; branch = z9hG4bkc"), Some("z9hG4bkc"));
        assert_eq!(unique("SIP/2.0/UDP a;branch=z9hG4bK"), None);
        assert_eq!(unique("SIP/2.0/UDP a;branch=390skdjuw"), None);
        assert_eq!(unique("SIP/2.0/UDP a"), None);
    }

    #[test]
    fn what_is_no_via_is_refused() {
        for wrong in [
            "",
            ";",
            "SIP/2.0/UDP",
            "SIP/2.0 a",
            "HTTP/1.1/TCP a",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP a:x",
            "SIP/2.0/UDP a:70000",
            "SIP/2.0/UDP a;x=\"y",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn printing_and_parsing_are_inverse() {
        for text in [
            "SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx;rport",
            "SIP/2.0/UDP a;received=2001:db8::9;rport=1",
        ] {
            assert_eq!(read(text).unwrap().0.into_owned().to_string(), text);
        }
    }
}
