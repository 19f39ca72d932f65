//! Keys in the bodies of INFO, as many telephones send them: `application/dtmf-relay` and `application/dtmf`.

use std::time::Duration;

use super::Digit;

/// A key in the body of an INFO request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InfoDigit {
    /// What stands on it.
    pub digit: Digit,
    /// How long it was held; 100 ms where the body does not say.
    pub duration: Duration,
}

impl InfoDigit {
    /// The media type of the bodies that are written here.
    pub const CONTENT_TYPE: &'static str = "application/dtmf-relay";

    /// Reads a body. None for another media type, or where it holds no key.
    ///
    /// ```
    /// use homing_media::InfoDigit;
    /// let read = InfoDigit::parse("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n");
    /// assert_eq!(read.map(|info| (info.digit.as_char(), info.duration.as_millis())), Some(('5', 160)));
    /// ```
    pub fn parse(content_type: &str, body: &[u8]) -> Option<InfoDigit> {
        let kind = content_type.split(';').next()?.trim();
        let body = str::from_utf8(body).ok()?;
        if kind.eq_ignore_ascii_case("application/dtmf") {
            return Some(InfoDigit { digit: key(body)?, duration: USUAL });
        }
        if !kind.eq_ignore_ascii_case(Self::CONTENT_TYPE) {
            return None;
        }
        let value = |name: &str| {
            body.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                key.trim().eq_ignore_ascii_case(name).then_some(value)
            })
        };
        let millis = value("Duration").and_then(|value| value.trim().parse().ok());
        let duration = millis.map_or(USUAL, |millis: u16| Duration::from_millis(millis.into()));
        Some(InfoDigit { digit: key(value("Signal")?)?, duration })
    }

    /// The body, of type [`CONTENT_TYPE`](Self::CONTENT_TYPE).
    pub fn body(&self) -> String {
        format!("Signal={}\r\nDuration={}\r\n", self.digit, self.duration.as_millis())
    }
}

/// A key by its face; some write the code of the star and the hash.
fn key(text: &str) -> Option<Digit> {
    let text = text.trim();
    match text {
        "10" => return Digit::new('*'),
        "11" => return Digit::new('#'),
        _ => {}
    }
    let mut faces = text.chars();
    let face = faces.next()?;
    Digit::new(face).filter(|_| faces.next().is_none())
}

const USUAL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Option<(char, u128)> {
        InfoDigit::parse(kind, body.as_bytes()).map(|info| (info.digit.as_char(), info.duration.as_millis()))
    }

    #[test]
    fn both_kinds_are_read_as_telephones_write_them() {
        let relay = "application/dtmf-relay";
        for (body, expected) in [
            ("Signal=5\r\nDuration=160\r\n", Some(('5', 160))),
            ("Signal= *\nDuration= 250", Some(('*', 250))),
            ("signal=a", Some(('A', 100))),
            ("Duration=90\r\nSignal=11\r\n", Some(('#', 90))),
            ("Signal=5\r\nDuration=70000\r\n", Some(('5', 100))),
            ("Signal=\r\n", None),
            ("Signal=16\r\n", None),
            ("Duration=160\r\n", None),
            ("", None),
        ] {
            assert_eq!(read(relay, body), expected, "{body:?}");
        }
        assert_eq!(read("Application/DTMF; x=y", "7\r\n"), Some(('7', 100)));
        assert_eq!(read("text/plain", "7"), None);
        assert_eq!(InfoDigit::parse(relay, b"Signal=\xff"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        for face in "0123456789*#ABCD".chars() {
            let info = InfoDigit { digit: Digit::new(face).unwrap(), duration: Duration::from_millis(120) };
            assert_eq!(InfoDigit::parse(InfoDigit::CONTENT_TYPE, info.body().as_bytes()), Some(info));
        }
    }
}
