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
        let mut text = String::with_capacity(WRITTEN);
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", Token(scheme));
        AuthValue { text, bare: true, escapes: !is_microsoft(scheme) }
    }

    /// Appends `name="value"`, the value as it stands: what [`Auth::param`](crate::Auth::param) gave is written back
    /// unchanged. A quote that would end the value early becomes `'`, a control character a blank.
    pub fn quoted(mut self, name: &str, value: impl fmt::Display) -> AuthValue {
        self.name(name);
        self.text.push('"');
        let start = self.text.len();
        // Writing to a String cannot fail.
        let _ = write!(Clean { to: &mut self.text, place: Place::Value }, "{value}");
        if self.text[start..].contains(['"', '\\']) {
            let plain = self.text.split_off(start);
            self.text.push_str(&if self.escapes { verbatim(&plain) } else { plain.replace('"', "'") });
        }
        self.text.push('"');
        self
    }

    /// Appends `name="value"` for plain text of a person (a user name): quotes and backslashes are escaped as
    /// RFC 3261 25.1 has it. Not for NTLM, Kerberos and TLS-DSK, whose values know no escapes.
    pub fn text(mut self, name: &str, value: &str) -> AuthValue {
        self.name(name);
        self.text.push('"');
        // Writing to a String cannot fail.
        let _ = Clean { to: &mut self.text, place: Place::Quoted }.write_str(value);
        self.text.push('"');
        self
    }

    /// Appends `name=value` without quotes; what no token may hold is left out.
    pub fn bare(mut self, name: &str, value: impl fmt::Display) -> AuthValue {
        self.name(name);
        let start = self.text.len();
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        if !self.text[start..].bytes().all(is_token) {
            let value = self.text.split_off(start);
            let _ = write!(self.text, "{}", Token(&value));
        }
        self
    }

    /// Begins a parameter: a comma unless it is the first, its name and the equals sign.
    fn name(&mut self, name: &str) {
        self.text.push_str(if std::mem::take(&mut self.bare) { " " } else { ", " });
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{}=", Token(name));
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

/// Octets a value is expected to need: what answers a Digest challenge fits without growing.
const WRITTEN: usize = 320;

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
