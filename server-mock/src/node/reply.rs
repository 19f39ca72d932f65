//! An answer before it is tied to its request and sealed.

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::net::SocketAddr;

use homing_wire::{Builder, Header, Message, Name, Via, reason_phrase};

/// Status, reason and headers of an answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    reason: Cow<'static, str>,
    /// The values of the headers, one behind the other.
    values: String,
    /// Each header, and where its value ends.
    headers: Vec<(Name<'static>, usize)>,
    tag: Option<String>,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            reason: reason_phrase(status).into(),
            values: String::with_capacity(VALUES),
            headers: Vec::with_capacity(HEADERS),
            tag: None,
        }
    }

    pub(super) fn reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    pub(super) fn header(mut self, name: Name<'static>, value: impl Display) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.values, "{value}");
        self.headers.push((name, self.values.len()));
        self
    }

    /// Adds why, as Microsoft's servers say it (MS-OCER).
    pub(super) fn diagnostics(self, id: u32, why: &str, source: &str) -> Self {
        let why = why.replace('"', "'");
        self.header(Name::MsDiagnostics, format_args!("{id};reason=\"{why}\";source=\"{source}\""))
    }

    /// Chooses the To tag instead of leaving it to chance.
    pub(super) fn tag(mut self, tag: String) -> Self {
        self.tag = Some(tag);
        self
    }

    /// The headers in order.
    pub(super) fn headers(&self) -> impl Iterator<Item = (Name<'static>, &str)> {
        let mut start = 0;
        self.headers
            .iter()
            .map(move |(name, end)| (*name, &self.values[std::mem::replace(&mut start, *end)..*end]))
    }

    /// True if the To tag is chosen already.
    pub(super) fn has_tag(&self) -> bool {
        self.tag.is_some()
    }

    /// The unsealed answer to `request`, with `tag` where none was chosen and To has none.
    pub(super) fn build(&self, request: &Message, via: Option<String>, tag: &str) -> Message {
        let mut builder = Builder::reply_to(request, self.status, &self.reason);
        if let Some(via) = via {
            builder = builder.replace_first(Name::Via, via);
        }
        builder = builder.to_tag(self.tag.as_deref().unwrap_or(tag)).header(Name::Server, SERVER);
        for (name, value) in self.headers() {
            builder = builder.header(name, value);
        }
        builder.message()
    }
}

/// The topmost Via line with what this server learned of its sender: `received`, `rport`, `keep`
/// (RFC 3261 18.2.1, RFC 3581, RFC 6223). None where nothing is to be added.
pub(super) fn stamped_via(request: &Message, peer: SocketAddr, keep: Option<u32>) -> Option<String> {
    let via = request.via().ok()?;
    let differs = via.host.ip().map(|ip| ip.to_canonical()) != Some(peer.ip().to_canonical());
    let asks_port = via.rport() == Some(None);
    let asks_keep = via.param("keep") == Some(None) && keep.is_some();
    if !differs && !asks_port && !asks_keep {
        return None;
    }
    let line = request.text(Name::Via)?;
    let (_, behind) = Via::read(line.as_bytes())?;
    let (first, rest) = line.split_at(line.len() - behind.len());
    let mut stamped = String::with_capacity(line.len() + STAMPS);
    for (number, part) in first.trim_end().split(';').enumerate() {
        let semicolon = if number > 0 { ";" } else { "" };
        let is = |name| part.trim().eq_ignore_ascii_case(name);
        // Writing to a String cannot fail.
        let _ = match keep {
            _ if asks_port && is("rport") => write!(stamped, "{semicolon}rport={}", peer.port()),
            Some(seconds) if asks_keep && is("keep") => write!(stamped, "{semicolon}keep={seconds}"),
            _ => write!(stamped, "{semicolon}{part}"),
        };
    }
    if (differs || asks_port) && via.received().is_none() {
        let _ = write!(stamped, ";received={}", peer.ip().to_canonical());
    }
    Some(stamped + rest)
}

/// Octets and headers that a 200 to a REGISTER needs.
const VALUES: usize = 512;
const HEADERS: usize = 12;
/// Octets that `received`, `rport` and `keep` add to a Via.
const STAMPS: usize = 80;
/// The Server header.
pub(super) const SERVER: &str = concat!("Homing-Estate/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_via_is_stamped_with_what_was_asked_or_differs() {
        let request =
            |via: &str| Message::parse(format!("OPTIONS sip:a@b SIP/2.0\r\nVia: {via}\r\n\r\n")).unwrap();
        let peer = "192.0.2.9:5070".parse().unwrap();
        let stamped = |via: &str, keep| stamped_via(&request(via), peer, keep);
        assert_eq!(stamped("SIP/2.0/TCP 192.0.2.9:5070;branch=z9hG4bK1", None), None);
        assert_eq!(
            stamped("SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK1, SIP/2.0/TCP x", None).as_deref(),
            Some("SIP/2.0/UDP 192.0.2.9;rport=5070;branch=z9hG4bK1;received=192.0.2.9, SIP/2.0/TCP x")
        );
        assert_eq!(
            stamped("SIP/2.0/TLS client.network.com;branch=z9hG4bK1;keep", Some(300)).as_deref(),
            Some("SIP/2.0/TLS client.network.com;branch=z9hG4bK1;keep=300;received=192.0.2.9")
        );
    }
}
