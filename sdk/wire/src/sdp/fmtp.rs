//! `a=fmtp`: parameters of a format (RFC 8866 6.15).

use std::fmt;

use super::line::Plain;

/// The parameters of one format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fmtp<'m> {
    /// The format, for RTP a payload type.
    pub format: &'m str,
    /// What is said of it, in the form its encoding defines: mostly `name=value;…`, for `telephone-event` a list of
    /// events (RFC 4733 2.4.1).
    pub text: &'m str,
}

impl<'m> Fmtp<'m> {
    /// Reads the value of an `a=fmtp`.
    pub fn parse(value: &'m str) -> Option<Fmtp<'m>> {
        let (format, text) = value.split_once(' ')?;
        let text = text.trim();
        (!format.is_empty() && !text.is_empty()).then_some(Fmtp { format, text })
    }

    /// Name and value in order, where the parameters have the usual form; the value is empty where there is none.
    pub fn params(&self) -> impl Iterator<Item = (&'m str, &'m str)> + use<'m> {
        self.text.split(';').map(str::trim).filter(|param| !param.is_empty()).map(|param| {
            let (name, value) = param.split_once('=').unwrap_or((param, ""));
            (name.trim_end(), value.trim_start())
        })
    }

    /// The value of the first parameter of that name, in any case.
    pub fn value(&self, name: &str) -> Option<&'m str> {
        self.params().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl fmt::Display for Fmtp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Plain(self.format), Plain(self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_whatever_blanks_stand_between() {
        let opus = Fmtp::parse("96  useinbandfec=1; Stereo = 0;;cbr").unwrap();
        assert_eq!((opus.format, opus.value("stereo"), opus.value("cbr")), ("96", Some("0"), Some("")));
        assert_eq!((opus.value("useinbandfec"), opus.value("x")), (Some("1"), None));
        assert_eq!(opus.params().count(), 3);
        let events = Fmtp::parse("101 0-15,66").unwrap();
        assert_eq!((events.text, events.to_string().as_str()), ("0-15,66", "101 0-15,66"));
        for wrong in ["", "96", "96 ", " x=1"] {
            assert_eq!(Fmtp::parse(wrong), None, "{wrong:?}");
        }
    }
}
