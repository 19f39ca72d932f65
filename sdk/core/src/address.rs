//! A SIP address as a person writes it, and the spelling of its host that DNS, TLS and the wire share.

use std::net::{IpAddr, Ipv6Addr};

use homing_wire::Uri;

use crate::transport::Transport;

/// What a person wrote as an address, taken apart: `alice@corp.example`, `sip:alice@192.0.2.1:5070`,
/// `sips:alice@bücher.example`, `sip:alice@corp.example;transport=tcp`, `CORP\alice@corp.example`.
///
/// ```
/// use homing_core::address::WrittenAddress;
/// let address = WrittenAddress::parse("sip:9901#1@BÜCHER.example;transport=tcp").unwrap();
/// assert_eq!(address.user, "9901%231");
/// assert_eq!(address.domain, "xn--bcher-kva.example");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrittenAddress {
    /// The user part as a URI writes it: a valid escape stays, what may not stand there is escaped.
    pub user: String,
    /// The host as a URI writes it: lower case, A-labels, an IPv6 address in brackets.
    pub domain: String,
    /// Written as `sips:`: TLS on every way there (RFC 3261 section 26.2.2).
    pub secure: bool,
    /// The port, if one is written: then it names a server, not a domain.
    pub port: Option<u16>,
    /// The `transport` parameter.
    pub transport: Option<Transport>,
    /// The Windows domain before a backslash.
    pub login_domain: Option<String>,
}

impl WrittenAddress {
    /// Takes an address apart; none for what is no `user@host`. URI parameters other than `transport` are
    /// dropped: they are no part of the identity.
    pub fn parse(text: &str) -> Option<Self> {
        let (secure, bare) = without_scheme(text);
        let (user, rest) = bare.split_once('@')?;
        let (login_domain, user) = match user.split_once('\\') {
            Some((domain, user)) if !domain.is_empty() => (Some(domain.to_owned()), user),
            Some(_) => return None,
            None => (None, user),
        };
        let user_ok = !user.is_empty()
            && user.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"<>\"@:\\".contains(c));
        if !user_ok || rest.contains(['@', '?']) {
            return None;
        }
        let (host, params) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_and_port(host)?;
        Some(Self {
            user: Uri::escape_user(user),
            domain: host_text(host)?,
            secure,
            port,
            transport: transport_param(params)?,
            login_domain,
        })
    }
}

/// `DOMAIN\user` taken apart, as Windows writes a login name; none for any other text.
pub fn windows_login(text: &str) -> Option<(&str, &str)> {
    let (domain, user) = text.split_once('\\')?;
    (!domain.is_empty() && !user.is_empty() && !user.contains('\\')).then_some((domain, user))
}

/// An address literal, with or without brackets.
pub fn literal(host: &str) -> Option<IpAddr> {
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inside {
        Some(inside) => inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// A host name as DNS, TLS and SIP carry it: lower case, U-labels as A-labels (RFC 5890), no dot at the
/// end. A name that IDNA refuses stays as it is and is found nowhere.
pub fn ascii_name(name: &str) -> String {
    let name = name.trim_end_matches('.');
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_lowercase()).trim_end_matches('.').to_owned()
}

/// A host as a URI writes it; none for what no host can be called.
fn host_text(host: &str) -> Option<String> {
    match literal(host) {
        Some(IpAddr::V4(address)) => return Some(address.to_string()),
        Some(IpAddr::V6(address)) => return Some(format!("[{address}]")),
        None => {}
    }
    let name = ascii_name(host);
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    (name.len() <= 253 && name.split('.').all(label_ok)).then_some(name)
}

fn without_scheme(text: &str) -> (bool, &str) {
    let scheme = text.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, rest)) if scheme == "sip" => (false, rest),
        Some((scheme, rest)) if scheme == "sips" => (true, rest),
        _ => (false, text),
    }
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    if literal(text).is_some() {
        return Some((text, None));
    }
    match text.rsplit_once(':') {
        None => Some((text, None)),
        Some((host, port)) => {
            let digits = !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port != 0)?;
            // Without brackets the last group of an IPv6 address and a port look alike.
            (!host.contains(':') || host.starts_with('[')).then_some((host, Some(port)))
        }
    }
}

/// The `transport` parameter: none where it is not written, and no address where it names none of ours.
fn transport_param(params: &str) -> Option<Option<Transport>> {
    for param in params.split(';') {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        if name.trim().eq_ignore_ascii_case("transport") {
            return Transport::parse(value.trim()).map(Some);
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<(String, String)> {
        WrittenAddress::parse(text).map(|address| (address.user, address.domain))
    }

    #[test]
    fn users_and_domains_are_read_however_they_are_written() {
        for (text, user, domain) in [
            ("alice@Corp.Example", "alice", "corp.example"),
            ("sip:alice@corp.example.", "alice", "corp.example"),
            ("SIPS:alice@corp.example", "alice", "corp.example"),
            ("alice@192.0.2.1", "alice", "192.0.2.1"),
            ("alice@[::1]", "alice", "[::1]"),
            ("sip:alice@[2001:DB8:0::1]:5070", "alice", "[2001:db8::1]"),
            ("alice@2001:db8::1", "alice", "[2001:db8::1]"),
            ("alice@bücher.example", "alice", "xn--bcher-kva.example"),
            ("alice@XN--Bcher-KVA.example", "alice", "xn--bcher-kva.example"),
            ("alice@例え。テスト", "alice", "xn--r8jz45g.xn--zckzah"),
            ("alice@sip_server", "alice", "sip_server"),
            ("9901#1@corp.example", "9901%231", "corp.example"),
            ("a%2Fb@corp.example", "a%2Fb", "corp.example"),
            ("sip:+1;ext=2@corp.example;user=phone", "+1;ext=2", "corp.example"),
            ("NETWORK\\alice@corp.example", "alice", "corp.example"),
        ] {
            assert_eq!(parts(text), Some((user.to_owned(), domain.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "alice",
            "@corp.example",
            "a b@c.d",
            "a@",
            "a@b c",
            "a<@b.c",
            "a:pw@b.c",
            "a@b..c",
            "a@[::1",
            "a@b@c",
            "a@b:0",
            "a@b:x",
            "a@b:65536",
            "a@[192.0.2.1]",
            "a@b?Subject=x",
            "a@b;transport=sctp",
            "\\alice@b",
            "a@-ä-.\u{202e}",
            "tel:+1",
            "NETWORK\\alice",
        ] {
            assert_eq!(parts(text), None, "{text:?}");
        }
    }

    #[test]
    fn scheme_port_transport_and_login_domain_are_kept_apart() {
        let read = |text| WrittenAddress::parse(text).unwrap();
        let plain = read("sip:alice@corp.example");
        assert_eq!(
            (plain.secure, plain.port, plain.transport, plain.login_domain),
            (false, None, None, None)
        );
        assert!(read("sips:alice@corp.example").secure);
        assert_eq!(read("sip:alice@corp.example:5070;lr;Transport=TCP").port, Some(5070));
        assert_eq!(read("sip:alice@corp.example:5070;lr;Transport=TCP").transport, Some(Transport::Tcp));
        assert_eq!(read("NETWORK\\alice@corp.example").login_domain.as_deref(), Some("NETWORK"));
        assert_eq!(windows_login("NETWORK\\alice"), Some(("NETWORK", "alice")));
        assert_eq!([windows_login("alice"), windows_login("\\alice"), windows_login("a\\")], [None; 3]);
    }

    #[test]
    fn names_are_compared_as_a_labels() {
        assert_eq!(ascii_name("HS1.Bücher.example."), "hs1.xn--bcher-kva.example");
        assert_eq!(ascii_name("sip_server"), "sip_server");
    }
}
