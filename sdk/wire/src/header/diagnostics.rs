//! ms-diagnostics and ms-diagnostics-public: why a server refused, for programs and people (MS-OCER 2.2).

use std::borrow::Cow;
use std::fmt;

use super::Header;
use crate::name::Name;
use crate::params::Params;
use crate::scan::Cursor;
use crate::write::Quoted;

/// One diagnosis.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostics<'m> {
    /// The ErrorId.
    pub code: u32,
    /// Words, in plain text.
    pub reason: Option<Cow<'m, str>>,
    /// The server that speaks; absent in the public form.
    pub source: Option<Cow<'m, str>>,
}

impl<'m> Diagnostics<'m> {
    /// A diagnosis to write.
    pub fn new(code: u32, reason: &'m str) -> Diagnostics<'m> {
        Diagnostics { code, reason: Some(reason.into()), source: None }
    }

    /// Reads the value of either header. The code may be the older form `4141.2`; what stands behind its point is left
    /// out. A quote that stays open costs only the parameter it is in.
    pub fn parse(value: &'m [u8]) -> Option<Diagnostics<'m>> {
        let mut cursor = Cursor::new(value);
        let code = cursor.number()?;
        if cursor.eat(b'.') {
            cursor.number()?;
        }
        cursor.skip_white();
        let params = match cursor.peek() {
            None | Some(b';') => Params::of(cursor.rest()),
            Some(_) => return None,
        };
        Some(Diagnostics { code, reason: params.text("reason"), source: params.text("source") })
    }
}

impl<'m> Header<'m> for Diagnostics<'m> {
    const NAME: Name<'static> = Name::MsDiagnostics;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        Diagnostics::parse(value).map(|diagnostics| (diagnostics, &value[value.len()..]))
    }
}

/// ms-diagnostics-public: the same for peers that are not authenticated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DiagnosticsPublic<'m>(pub Diagnostics<'m>);

impl<'m> Header<'m> for DiagnosticsPublic<'m> {
    const NAME: Name<'static> = Name::MsDiagnosticsPublic;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        Diagnostics::read(value).map(|(diagnostics, rest)| (DiagnosticsPublic(diagnostics), rest))
    }
}

impl fmt::Display for Diagnostics<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(reason) = &self.reason {
            write!(f, ";reason={}", Quoted(reason))?;
        }
        match &self.source {
            Some(source) => write!(f, ";source={}", Quoted(source)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DiagnosticsPublic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Diagnostics { source: None, ..self.0.clone() }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_printed() {
        let text = r#"4141;reason="User disabled";source="hs1.network.com""#;
        let read = Diagnostics::parse(text.as_bytes()).unwrap();
        assert_eq!((read.code, read.reason.as_deref()), (4141, Some("User disabled")));
        assert_eq!(read.to_string(), text);
        let public = DiagnosticsPublic(read).to_string();
        assert_eq!(public, r#"4141;reason="User disabled""#);
        assert_eq!(DiagnosticsPublic::read(public.as_bytes()).unwrap().0.0.code, 4141);
    }

    #[test]
    fn the_older_code_is_understood() {
        assert_eq!(Diagnostics::parse(b"1010.2;reason=\"x\";a=\"b\"").unwrap().code, 1010);
        for wrong in ["", "x", "1.x", "reason=\"x\"", "1 x", "1, 2"] {
            assert!(Diagnostics::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_open_quote_costs_only_its_parameter() {
        let read = Diagnostics::parse(br#"1 ; Reason="so it is"; source="open"#).unwrap();
        assert_eq!(read.reason.as_deref(), Some("so it is"));
    }
}
