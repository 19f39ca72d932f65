//! One `m=` line and the lines behind it (RFC 8866 5.14).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::connection::Connection;
use super::crypto::Crypto;
use super::direction::Direction;
use super::error::SdpError;
use super::fmtp::Fmtp;
use super::line::{self, Line, Plain};
use super::rtcp::Rtcp;
use super::rtpmap::RtpMap;

/// One of the media of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Media<'m> {
    /// `audio`, `video`, `message`, `image`, ….
    pub kind: Cow<'m, str>,
    /// The port; 0 refuses the media (RFC 3264 6).
    pub port: u16,
    /// How many ports, where the line says it (`49170/2`).
    pub ports: Option<u16>,
    /// `RTP/AVP`, `RTP/SAVPF`, `UDP/TLS/RTP/SAVP`, ….
    pub proto: Cow<'m, str>,
    /// The formats, separated by blanks; for RTP the payload types in order of preference.
    pub formats: Cow<'m, str>,
    /// The lines behind the `m=` line.
    pub lines: Vec<Line<'m>>,
}

impl<'m> Media<'m> {
    /// Media without lines.
    pub fn new(
        kind: impl Into<Cow<'m, str>>,
        port: u16,
        proto: impl Into<Cow<'m, str>>,
        formats: impl Into<Cow<'m, str>>,
    ) -> Media<'m> {
        Media {
            kind: kind.into(),
            port,
            ports: None,
            proto: proto.into(),
            formats: formats.into(),
            lines: Vec::new(),
        }
    }

    pub(super) fn parse(value: Cow<'m, str>) -> Result<Media<'m>, SdpError> {
        match value {
            Cow::Borrowed(value) => Media::read(value).ok_or(SdpError::Media),
            Cow::Owned(value) => Media::read(&value).map(Media::into_owned).ok_or(SdpError::Media),
        }
    }

    fn read(value: &str) -> Option<Media<'_>> {
        let mut rest = value;
        let mut word = || {
            let end = memchr::memchr(b' ', rest.as_bytes()).unwrap_or(rest.len());
            let word = &rest[..end];
            rest = rest[end..].trim_start_matches(' ');
            Some(word).filter(|word| !word.is_empty())
        };
        let kind = word()?;
        let port = word()?;
        let (port, ports) = match port.split_once('/') {
            Some((port, ports)) => (port, Some(ports.parse().ok()?)),
            None => (port, None),
        };
        let proto = word()?;
        let mut media = Media::new(kind, port.parse().ok()?, proto, rest.trim_end_matches(' '));
        media.ports = ports;
        media.lines = Vec::with_capacity(16);
        Some(media)
    }

    /// The formats one by one.
    pub fn formats(&self) -> impl Iterator<Item = &str> {
        self.formats.split(' ').filter(|format| !format.is_empty())
    }

    /// The connection of these media alone.
    pub fn connection(&self) -> Option<Connection<'_>> {
        Connection::parse(line::value(&self.lines, b'c')?)
    }

    /// The direction of these media alone.
    pub fn direction(&self) -> Option<Direction> {
        line::direction(&self.lines)
    }

    /// Name and value of the attributes; the value is empty where there is none.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        line::attributes(&self.lines)
    }

    /// The value of the first attribute of that name, empty where it has none.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        line::attribute(&self.lines, name)
    }

    /// What a payload type stands for, where an `a=rtpmap` says it.
    pub fn rtpmap(&self, payload: u8) -> Option<RtpMap<'_>> {
        self.rtpmaps().find(|map| map.payload == payload)
    }

    /// All sound `a=rtpmap` attributes.
    pub fn rtpmaps(&self) -> impl Iterator<Item = RtpMap<'_>> {
        self.values("rtpmap").filter_map(RtpMap::parse)
    }

    /// The parameters of a format, such as a payload type, where an `a=fmtp` says them.
    pub fn fmtp(&self, format: &str) -> Option<Fmtp<'_>> {
        self.values("fmtp").filter_map(Fmtp::parse).find(|fmtp| fmtp.format == format)
    }

    /// The ways to encrypt that are offered, in order of preference. A line that cannot be read is passed over.
    pub fn cryptos(&self) -> impl Iterator<Item = Crypto<'_>> {
        self.values("crypto").filter_map(Crypto::parse)
    }

    /// How much sound a packet is to hold (RFC 8866 6.4).
    pub fn ptime(&self) -> Option<Duration> {
        read_millis(self.attribute("ptime")?)
    }

    /// How much sound a packet holds at most (RFC 8866 6.5).
    pub fn maxptime(&self) -> Option<Duration> {
        read_millis(self.attribute("maxptime")?)
    }

    /// Where RTCP goes, if not to the next port.
    pub fn rtcp(&self) -> Option<Rtcp<'_>> {
        Rtcp::parse(self.attribute("rtcp")?)
    }

    /// RTP and RTCP may share a port (RFC 5761 5.1.1).
    pub fn rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.attributes().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Appends an attribute; an empty value gives `a=name`.
    pub fn push_attribute(&mut self, name: &str, value: &str) {
        self.lines.push(line::new_attribute(name, value));
    }

    /// The same media, owning their text.
    pub fn into_owned(self) -> Media<'static> {
        Media {
            kind: self.kind.into_owned().into(),
            port: self.port,
            ports: self.ports,
            proto: self.proto.into_owned().into(),
            formats: self.formats.into_owned().into(),
            lines: self.lines.into_iter().map(Line::into_owned).collect(),
        }
    }
}

impl fmt::Display for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", Plain(&self.kind), self.port)?;
        if let Some(ports) = self.ports {
            write!(f, "/{ports}")?;
        }
        write!(f, " {} {}\r\n", Plain(&self.proto), Plain(&self.formats))?;
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

/// Milliseconds with or without a fraction, more than none.
fn read_millis(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let is_number = |text: &str| text.len() <= 6 && text.bytes().all(|octet| octet.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let nanos = format!("{whole}{fraction:0<6}").parse().ok()?;
    Some(Duration::from_nanos(nanos)).filter(|time| !time.is_zero())
}
