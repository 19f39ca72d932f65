//! Descriptions of our own, and the version in their origin.

use std::fmt::Write as _;
use std::time::Duration;

use homing_wire::sdp::{Direction, Media, Origin, Session};

use super::agreed::Format;
use super::policy::LocalAddress;

/// An `m=` line of the dialog; their number and order never change (RFC 3264 section 8).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Slot {
    pub(super) kind: String,
    pub(super) proto: String,
    pub(super) formats: String,
}

/// What our `m=audio` says.
pub(super) struct OwnAudio<'a> {
    pub(super) proto: &'a str,
    pub(super) formats: &'a [Format],
    pub(super) digits: Option<u8>,
    pub(super) packet_time: Duration,
    pub(super) direction: Direction,
    pub(super) rtcp_mux: bool,
    /// Values of `a=crypto`.
    pub(super) cryptos: Vec<String>,
}

/// Prints our descriptions; the version grows by one with each that differs from the one before (RFC 3264 section 8).
#[derive(Clone)]
pub(super) struct Writer {
    local: LocalAddress,
    session: u64,
    version: u64,
    /// The last description without its origin; a digest would do, but nobody keeps many.
    last: Option<String>,
}

impl Writer {
    pub(super) fn new(local: LocalAddress, session: u64) -> Self {
        Self { local, session, version: session, last: None }
    }

    pub(super) fn local(&self) -> &LocalAddress {
        &self.local
    }

    /// A description with `audio` at its place among `slots`, all others refused.
    pub(super) fn print(&mut self, slots: &[Slot], place: usize, audio: &OwnAudio<'_>) -> String {
        let media: Vec<Media<'_>> = slots
            .iter()
            .enumerate()
            .map(|(at, slot)| if at == place { self.audio(audio) } else { refused(slot) })
            .collect();
        let lines = media.iter().fold(String::new(), |mut text, media| {
            let _ = write!(text, "{media}");
            text
        });
        if self.last.as_ref().is_some_and(|last| *last != lines) {
            self.version = self.version.wrapping_add(1);
        }
        self.last = Some(lines);
        let address = self.local.ip.to_string();
        let network = if self.local.ip.is_ipv4() { "IN IP4" } else { "IN IP6" };
        let origin =
            Origin { user: "-", session: self.session, version: self.version, network, address: &address };
        let mut session = Session::new(&origin);
        session.media = media;
        session.to_string()
    }

    fn audio(&self, audio: &OwnAudio<'_>) -> Media<'static> {
        let mut payloads: Vec<String> =
            audio.formats.iter().map(|format| format.payload.to_string()).collect();
        payloads.extend(audio.digits.map(|payload| payload.to_string()));
        let proto = audio.proto.to_owned();
        let mut media = Media::new("audio", self.local.rtp_port, proto, payloads.join(" "));
        for format in audio.formats {
            media.push_attribute("rtpmap", &format!("{} {}/8000", format.payload, format.codec.name()));
        }
        if let Some(payload) = audio.digits {
            media.push_attribute("rtpmap", &format!("{payload} telephone-event/8000"));
            media.push_attribute("fmtp", &format!("{payload} 0-15"));
        }
        media.push_attribute("ptime", &audio.packet_time.as_millis().to_string());
        if audio.rtcp_mux {
            media.push_attribute("rtcp-mux", "");
        }
        let rtcp = self.local.rtcp_port.unwrap_or(self.local.rtp_port);
        if Some(rtcp) != self.local.rtp_port.checked_add(1) {
            media.push_attribute("rtcp", &rtcp.to_string());
        }
        for crypto in &audio.cryptos {
            media.push_attribute("crypto", crypto);
        }
        media.push_attribute(audio.direction.as_str(), "");
        media
    }
}

impl Slot {
    pub(super) fn of(media: &Media<'_>) -> Self {
        let (kind, proto) = (media.kind.to_string(), media.proto.to_string());
        Self { kind, proto, formats: media.formats.to_string() }
    }
}

/// Port 0 refuses (RFC 3264 section 6).
fn refused(slot: &Slot) -> Media<'static> {
    Media::new(slot.kind.clone(), 0, slot.proto.clone(), slot.formats.clone())
}
