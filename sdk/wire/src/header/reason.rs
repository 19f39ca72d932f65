//! Reason: why a request was sent, a call ended or a branch cancelled (RFC 3326).

use std::borrow::Cow;
use std::fmt;

use super::{Header, read_item};
use crate::name::Name;
use crate::params::Params;
use crate::scan::number;
use crate::write::Quoted;

/// An entry of the header field; RFC 3326 allows one for each protocol.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason<'m> {
    /// `SIP`, `Q.850`, ….
    pub protocol: &'m str,
    /// The code of that protocol.
    pub cause: Option<u32>,
    /// Words, in plain text.
    pub text: Option<Cow<'m, str>>,
}

impl<'m> Header<'m> for Reason<'m> {
    const NAME: Name<'static> = Name::Reason;
    const LIST: bool = true;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_item(value, |cursor| {
            cursor.skip_white();
            let protocol = cursor.token()?;
            let params = Params::read(cursor)?;
            let cause = params.value("cause").and_then(|cause| number(cause.as_bytes()));
            Some(Reason { protocol, cause, text: params.text("text") })
        })
    }
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.protocol)?;
        if let Some(cause) = self.cause {
            write!(f, ";cause={cause}")?;
        }
        if let Some(text) = &self.text {
            write!(f, ";text={}", Quoted(text))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_printed() {
        let reason =
            Reason { protocol: "SIP", cause: Some(200), text: Some(r#"Call "completed", elsewhere"#.into()) };
        let text = reason.to_string();
        assert_eq!(text, r#"SIP;cause=200;text="Call \"completed\", elsewhere""#);
        assert_eq!(Reason::read(text.as_bytes()).unwrap().0, reason);
        let (first, rest) = Reason::read(b"Q.850 ;cause=16, SIP").unwrap();
        assert_eq!((first.cause, rest), (Some(16), &b", SIP"[..]));
        assert!(Reason::read(b";cause=1").is_none());
    }
}
