//! `a=rtpmap`: what a payload type stands for (RFC 8866 6.6).

use std::fmt;

use super::line::Plain;

/// One mapping.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RtpMap<'m> {
    /// The payload type, 0 to 127.
    pub payload: u8,
    /// The encoding's name, compared without case.
    pub encoding: &'m str,
    /// Ticks per second.
    pub clock: u32,
    /// Audio channels, where the line says it.
    pub channels: Option<u8>,
}

impl<'m> RtpMap<'m> {
    /// Reads the value of an `a=rtpmap`.
    pub fn parse(value: &'m str) -> Option<RtpMap<'m>> {
        let (payload, rest) = value.split_once(' ')?;
        let mut parts = rest.trim().split('/');
        let encoding = parts.next().filter(|encoding| !encoding.is_empty())?;
        let clock = parts.next()?.parse().ok()?;
        let channels = match parts.next() {
            Some(channels) => Some(channels.parse().ok()?),
            None => None,
        };
        let payload = payload.parse().ok().filter(|payload| *payload < 128)?;
        Some(RtpMap { payload, encoding, clock, channels })
    }

    /// Whether this is that encoding at that clock rate.
    pub fn is(&self, encoding: &str, clock: u32) -> bool {
        self.encoding.eq_ignore_ascii_case(encoding) && self.clock == clock
    }
}

impl fmt::Display for RtpMap<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload, Plain(self.encoding), self.clock)?;
        self.channels.map_or(Ok(()), |channels| write!(f, "/{channels}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_printed() {
        let opus = RtpMap::parse("96 opus/48000/2").unwrap();
        assert!(opus.is("OPUS", 48000) && !opus.is("opus", 8000));
        assert_eq!(
            (opus.payload, opus.channels, opus.to_string().as_str()),
            (96, Some(2), "96 opus/48000/2")
        );
        for wrong in ["", "96", "96 opus", "128 x/1", "x opus/1", "96 /8000", "96 opus/x", "96 opus/1/x"] {
            assert_eq!(RtpMap::parse(wrong), None, "{wrong}");
        }
    }
}
