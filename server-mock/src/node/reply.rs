//! An answer before it is tied to its request and signed.

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
    made_up: Option<Box<MadeUp>>,
}

/// What a tester puts into an answer: header fields by any name, Content-Type and body.
#[derive(Clone, Debug)]
struct MadeUp {
    headers: Vec<(String, String)>,
    body: Option<(String, String)>,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            reason: reason_phrase(status).into(),
            values: String::with_capacity(VALUES),
            headers: Vec::with_capacity(HEADERS),
            tag: None,
            made_up: None,
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

    /// Adds what a tester made up.
    pub(super) fn made_up(mut self, headers: Vec<(String, String)>, body: Option<(String, String)>) -> Self {
        self.made_up = Some(Box::new(MadeUp { headers, body }));
        self
    }

    /// The same reply with other values; headers without one are left out.
    pub(super) fn map(self, change: impl for<'v> Fn(Name<'static>, &'v str) -> Option<Cow<'v, str>>) -> Self {
        let bare = Self {
            values: String::with_capacity(self.values.len()),
            headers: Vec::with_capacity(self.headers.len()),
            reason: self.reason.clone(),
            tag: self.tag.clone(),
            made_up: self.made_up.clone(),
            status: self.status,
        };
        self.headers().fold(bare, |reply, (name, value)| match change(name, value) {
            Some(value) => reply.header(name, value),
            None => reply,
        })
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

    /// The unsigned answer to `request`, with `tag` where none was chosen and To has none.
    pub(super) fn build(&self, request: &Message, via: Option<String>, tag: &str) -> Message {
        let mut builder = Builder::reply_to(request, self.status, &self.reason);
        if let Some(via) = via {
            builder = builder.replace_first(Name::Via, via);
        }
        builder = builder.to_tag(self.tag.as_deref().unwrap_or(tag)).header(Name::Server, SERVER);
        for (name, value) in self.headers() {
            builder = builder.header(name, value);
        }
        let Some(made_up) = &self.made_up else { return builder.message() };
        for (name, value) in &made_up.headers {
            builder = builder.header(Name::parse(name), value);
        }
        if let Some((kind, body)) = &made_up.body {
            builder = builder.body(kind, body.as_bytes());
        }
        builder.message()
    }
}

/// The topmost Via line with what this server learned of its sender: `received`, `rport`, `keep`
/// (RFC 3261 18.2.1, RFC 3581, RFC 6223). None where nothing is to be changed. What the sender itself wrote of where it
/// is seen is never kept.
pub(super) fn stamped_via(request: &Message, peer: SocketAddr, keep: Option<u32>) -> Option<String> {
    let via = request.via().ok()?;
    let differs = via.host.ip().map(|ip| ip.to_canonical()) != Some(peer.ip().to_canonical());
    let (asks_port, wrote_port) = (via.rport().is_some(), matches!(via.rport(), Some(Some(_))));
    let wrote_address = via.param("received").is_some();
    let asks_keep = via.param("keep") == Some(None) && keep.is_some();
    if !differs && !asks_port && !asks_keep && !wrote_port && !wrote_address {
        return None;
    }
    let line = request.text(Name::Via)?;
    let (_, behind) = Via::read(line.as_bytes())?;
    let (first, rest) = line.split_at(line.len() - behind.len());
    let mut stamped = String::with_capacity(line.len() + STAMPS);
    for (number, part) in first.trim_end().split(';').enumerate() {
        let semicolon = if number > 0 { ";" } else { "" };
        let name = part.split('=').next().unwrap_or(part).trim();
        let is = |wanted| number > 0 && name.eq_ignore_ascii_case(wanted);
        // Writing to a String cannot fail.
        let _ = match keep {
            _ if is("rport") => write!(stamped, "{semicolon}rport={}", peer.port()),
            _ if is("received") => Ok(()),
            Some(seconds) if asks_keep && is("keep") => write!(stamped, "{semicolon}keep={seconds}"),
            _ => write!(stamped, "{semicolon}{part}"),
        };
    }
    if differs || asks_port {
        let _ = write!(stamped, ";received={}", peer.ip().to_canonical());
    }
    Some(stamped + rest)
}

/// The port of a response's sent-by, which it goes to by datagram unless the request asked for `rport` (RFC 3261 18.2.2);
/// the address is the source's in any case.
pub(super) fn port_without_rport(response: &Message) -> Option<u16> {
    let via = response.via().ok()?;
    via.rport().is_none().then(|| via.port.unwrap_or(DATAGRAM_PORT))
}

/// Octets and headers that a 200 to a REGISTER needs.
const VALUES: usize = 512;
const HEADERS: usize = 12;
/// Octets that `received`, `rport` and `keep` add to a Via.
const STAMPS: usize = 80;
/// What sent-by means without a port (RFC 3261 18.2.2).
const DATAGRAM_PORT: u16 = 5060;
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
        assert_eq!(
            stamped("SIP/2.0/UDP 192.0.2.9:5070;received=198.51.100.1;branch=z9hG4bK1;rport=9", None)
                .as_deref(),
            Some("SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK1;rport=5070;received=192.0.2.9"),
            "what a client writes of itself is not believed"
        );
        assert_eq!(
            stamped("SIP/2.0/UDP 192.0.2.9:5070;received=198.51.100.1;branch=z9hG4bK1", None).as_deref(),
            Some("SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK1")
        );
    }
}
