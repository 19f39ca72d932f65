//! Writes auth headers: parameters in order, values that cannot leave their quotes.

use std::fmt::{self, Write};

use super::reader::is_microsoft;
use crate::header::{Clean, Place, Token};
use crate::scan::is_token;

/// The value of an auth header to write.
///
/// ```
/// use homing_wire::AuthValue;
/// let challenge = AuthValue::new("NTLM").quoted("realm", "SIP Communications Service").bare("version", 4);
/// assert_eq!(challenge.to_string(), r#"NTLM realm="SIP Communications Service", version=4"#);
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct AuthValue {
    text: String,
    bare: bool,
    escapes: bool,
}

impl AuthValue {
    /// A value of that scheme, without parameters.
    pub fn new(scheme: &str) -> AuthValue {
        AuthValue { text: Token(scheme).to_string(), bare: true, escapes: !is_microsoft(scheme) }
    }

    /// Appends `name="value"`, the value as it stands: what [`Auth::param`](crate::Auth::param) gave is written back
    /// unchanged. A quote that would end the value early becomes `'`, a control character a blank.
    pub fn quoted(self, name: &str, value: impl fmt::Display) -> AuthValue {
        let mut plain = String::new();
        // Writing to a String cannot fail.
        let _ = write!(Clean { to: &mut plain, place: Place::Value }, "{value}");
        let plain = if self.escapes { verbatim(&plain) } else { plain.replace('"', "'") };
        self.pair(name, &format_args!("\"{plain}\""))
    }

    /// Appends `name="value"` for plain text of a person (a user name): quotes and backslashes are escaped as
    /// RFC 3261 25.1 has it. Not for NTLM, Kerberos and TLS-DSK, whose values know no escapes.
    pub fn text(self, name: &str, value: &str) -> AuthValue {
        let mut escaped = String::new();
        // Writing to a String cannot fail.
        let _ = Clean { to: &mut escaped, place: Place::Quoted }.write_str(value);
        self.pair(name, &format_args!("\"{escaped}\""))
    }

    /// Appends `name=value` without quotes; what no token may hold is left out.
    pub fn bare(self, name: &str, value: impl fmt::Display) -> AuthValue {
        let value = value.to_string();
        self.pair(name, &Token(&value))
    }

    fn pair(mut self, name: &str, value: &dyn fmt::Display) -> AuthValue {
        let comma = if std::mem::take(&mut self.bare) { " " } else { ", " };
        let name = name.chars().filter(|c| u8::try_from(*c).is_ok_and(is_token));
        self.text.push_str(comma);
        self.text.extend(name);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "={value}");
        self
    }
}

/// Leaves every escaped pair alone; a quote that stands unescaped and a backslash at the very end would end the value
/// elsewhere than here for one reader or another.
fn verbatim(plain: &str) -> String {
    let mut written = String::with_capacity(plain.len());
    let mut chars = plain.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => written.push('\''),
            '\\' => match chars.next() {
                Some(escaped) => written.extend(['\\', escaped]),
                None => written.push_str("\\\\"),
            },
            c => written.push(c),
        }
    }
    written
}

impl fmt::Display for AuthValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Only the scheme: responses, tokens and signatures have no place in a log.
impl fmt::Debug for AuthValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.text.split(' ').next().unwrap_or("");
        f.debug_struct("AuthValue").field("scheme", &scheme).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Auth;

    #[test]
    fn no_value_leaves_its_quotes() {
        let built = AuthValue::new("Digest")
            .quoted("realm", "a\", nonce=\"x\r\nVia: y")
            .quoted("opaque", "b\\")
            .text("username", "eve\", uri=\"z\\")
            .bare("nc", "1, x=2\r\n");
        let text = built.to_string();
        assert!(!text.contains(['\r', '\n']));
        let read = Auth::parse(text.as_bytes()).unwrap();
        let names: Vec<_> = read.params().map(|(name, _)| name).collect();
        assert_eq!(names, ["realm", "opaque", "username", "nc"]);
    }

    #[test]
    fn a_peers_value_goes_back_unchanged() {
        for raw in [r#"a\"b"#, r"dom\\x", "plain", ""] {
            let text = AuthValue::new("Digest").quoted("realm", raw).to_string();
            assert_eq!(Auth::parse(text.as_bytes()).unwrap().param("realm"), Some(raw));
        }
    }

    #[test]
    fn values_of_the_microsoft_schemes_know_no_escapes() {
        let text = AuthValue::new("NTLM").quoted("realm", "dom\\").quoted("opaque", "a\"b").to_string();
        assert_eq!(text, "NTLM realm=\"dom\\\", opaque=\"a'b\"");
        assert_eq!(Auth::parse(text.as_bytes()).unwrap().param("realm"), Some("dom\\"));
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", AuthValue::new("NTLM").quoted("gssapi-data", "c2VjcmV0"));
        assert!(shown.contains("NTLM") && !shown.contains("c2VjcmV0"));
    }
}
