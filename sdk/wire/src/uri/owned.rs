//! URIs that are built: parts in, a well-formed text out.

use std::fmt;
use std::str::FromStr;

use super::{Host, Uri, escape};
use crate::error::UriError;

/// A URI that owns its text and can be put together from parts.
///
/// Every part is escaped on its way in, so no part can end another one.
///
/// ```
/// use homing_wire::UriBuf;
/// let uri = UriBuf::sip(Some("alice"), "hs1.example.com").secure().port(5061).param("transport", Some("tls"));
/// assert_eq!(uri.to_string(), "sips:alice@hs1.example.com:5061;transport=tls");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UriBuf {
    text: Text,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Text {
    Sip(Parts),
    Opaque(String),
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Parts {
    secure: bool,
    user: Option<String>,
    password: Option<String>,
    host: String,
    port: Option<u16>,
    params: Vec<(String, Option<String>)>,
    headers: Option<String>,
}

impl UriBuf {
    /// `sip:user@host`; the user in plain text, an IPv6 host with or without brackets.
    pub fn sip(user: Option<&str>, host: &str) -> UriBuf {
        let user = user.filter(|user| !user.is_empty()).map(|user| escape::escaped(user, escape::USER));
        UriBuf { text: Text::Sip(Parts { user, host: host_text(host), ..Parts::default() }) }
    }

    /// Sets the user part, given as a URI writes it ([`Uri::escape_user`]): a valid escape is not escaped again.
    pub fn written_user(mut self, user: &str) -> UriBuf {
        if let Text::Sip(parts) = &mut self.text {
            parts.user = Some(escape::user_part(user)).filter(|user| !user.is_empty());
        }
        self
    }

    /// Makes it a `sips` URI.
    pub fn secure(mut self) -> UriBuf {
        if let Text::Sip(parts) = &mut self.text {
            parts.secure = true;
        }
        self
    }

    /// Sets the port.
    pub fn port(mut self, port: u16) -> UriBuf {
        if let Text::Sip(parts) = &mut self.text {
            parts.port = Some(port);
        }
        self
    }

    /// Sets a parameter, given in plain text; one of the same name is replaced.
    pub fn param(mut self, name: &str, value: Option<&str>) -> UriBuf {
        if let Text::Sip(parts) = &mut self.text {
            let value = value.map(|value| escape::escaped(value, PARAM));
            match parts.params.iter_mut().find(|(key, _)| escape::same(key, name)) {
                Some(param) => param.1 = value,
                None => parts.params.push((escape::escaped(name, PARAM), value)),
            }
        }
        self
    }

    /// Takes the parameters of that name away.
    pub fn without_param(mut self, name: &str) -> UriBuf {
        if let Text::Sip(parts) = &mut self.text {
            parts.params.retain(|(key, _)| !escape::same(key, name));
        }
        self
    }
}

impl From<Uri<'_>> for UriBuf {
    fn from(uri: Uri<'_>) -> UriBuf {
        let Some(sip) = uri.sip else { return UriBuf { text: Text::Opaque(uri.text.to_owned()) } };
        UriBuf {
            text: Text::Sip(Parts {
                secure: sip.secure,
                user: sip.user.map(str::to_owned),
                password: sip.password.map(str::to_owned),
                host: sip.host.to_string(),
                port: sip.port,
                params: uri.params().map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).collect(),
                headers: sip.headers.map(str::to_owned),
            }),
        }
    }
}

impl FromStr for UriBuf {
    type Err = UriError;

    fn from_str(text: &str) -> Result<UriBuf, UriError> {
        Uri::parse(text).map(UriBuf::from)
    }
}

impl fmt::Display for UriBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = match &self.text {
            Text::Opaque(text) => return f.write_str(text),
            Text::Sip(parts) => parts,
        };
        f.write_str(if parts.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &parts.user {
            f.write_str(user)?;
            if let Some(password) = &parts.password {
                write!(f, ":{password}")?;
            }
            f.write_str("@")?;
        }
        f.write_str(&parts.host)?;
        if let Some(port) = parts.port {
            write!(f, ":{port}")?;
        }
        for (name, value) in &parts.params {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        match &parts.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

/// A host as written, or what is left of it when characters are dropped that no host may hold.
fn host_text(host: &str) -> String {
    if let Some(host) = Host::parse(host) {
        return host.to_string();
    }
    let kept: String =
        host.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')).collect();
    if kept.is_empty() { "invalid".to_owned() } else { kept }
}

/// `param-unreserved` of RFC 3261 25.1.
const PARAM: &[u8] = b"[]/:&+$";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_end_one_another() {
        let uri = UriBuf::sip(Some("a@b\r\nX: y"), "evil.com>\r\nVia: x").param("k;j", Some("v?w=\"x\""));
        let text = uri.to_string();
        let parsed = Uri::parse(&text).unwrap();
        assert_eq!(parsed.user_text().unwrap(), "a@b\r\nX: y");
        assert_eq!(parsed.params().count(), 1);
        assert_eq!(text.parse::<UriBuf>().unwrap(), uri);
    }

    #[test]
    fn a_written_user_is_not_escaped_again() {
        let uri = |user| UriBuf::sip(None, "b").written_user(user).to_string();
        assert_eq!(uri("9901%231"), "sip:9901%231@b");
        assert_eq!(uri("100%"), "sip:100%25@b");
        assert_eq!(uri(""), "sip:b");
    }

    #[test]
    fn an_ipv6_host_gets_its_brackets() {
        assert_eq!(UriBuf::sip(None, "2001:db8::1").port(5061).to_string(), "sip:[2001:db8::1]:5061");
    }

    #[test]
    fn parsing_and_printing_are_inverse() {
        for text in [
            "sip:user;par=u%40example.net@example.com",
            "sips:a:pw@[2001:db8::1]:5070;transport=tls;lr?Route=%3Csip:x%3E",
            "tel:+420123456;ext=88463",
            "sip:a?",
        ] {
            assert_eq!(text.parse::<UriBuf>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn parameters_are_replaced_and_removed_by_name() {
        let uri = "sip:a@b;transport=tcp;lr".parse::<UriBuf>().unwrap();
        assert_eq!(uri.clone().param("Transport", Some("tls")).to_string(), "sip:a@b;transport=tls;lr");
        assert_eq!(uri.without_param("LR").to_string(), "sip:a@b;transport=tcp");
    }
}
