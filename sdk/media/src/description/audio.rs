//! One `m=audio` of the peer, read against what this side is willing to do.

use std::net::IpAddr;
use std::time::Duration;

use homing_wire::sdp::{Direction, Media, Session};

use super::agreed::{Format, Remote, RemoteHost};
use super::policy::Policy;
use super::refusal::Refusal;
use crate::codec::{Codec, SAMPLE_RATE};

/// What an `m=audio` of the peer says that matters here.
#[derive(Debug)]
pub(super) struct Audio {
    /// The codecs that are ours, too, in the peer's order; at least one.
    pub(super) formats: Vec<Format>,
    pub(super) digits: Option<u8>,
    /// Within what can be sent, where the peer says it.
    pub(super) packet_time: Option<Duration>,
    /// As the peer sees it; without receiving where it is nowhere.
    pub(super) direction: Direction,
    pub(super) remote: Remote,
}

/// How an `m=` line carries RTP.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Profile {
    /// `RTP/AVP`, `RTP/AVPF`.
    Plain,
    /// `RTP/SAVP`, `RTP/SAVPF`: encrypted, with keys from wherever.
    Secure,
}

impl Profile {
    pub(super) fn parse(proto: &str) -> Result<Profile, Refusal> {
        match proto.to_ascii_uppercase().as_str() {
            "RTP/AVP" | "RTP/AVPF" => Ok(Profile::Plain),
            "RTP/SAVP" | "RTP/SAVPF" => Ok(Profile::Secure),
            "UDP/TLS/RTP/SAVP" | "UDP/TLS/RTP/SAVPF" => Err(Refusal::OnlyDtls),
            _ => Err(Refusal::Transport),
        }
    }
}

impl Audio {
    /// Reads one of the media of `session`, an `m=audio` in use.
    pub(super) fn read(
        session: &Session<'_>,
        media: &Media<'_>,
        policy: &Policy,
        local: IpAddr,
    ) -> Result<Audio, Refusal> {
        let host = host(session, media)?;
        if let RemoteHost::Ip(ip) = host
            && ip.is_ipv4() != local.is_ipv4()
        {
            return Err(Refusal::AddressFamily);
        }
        let formats: Vec<Format> =
            formats(media).filter(|format| policy.codecs.contains(&format.codec)).collect();
        if formats.is_empty() {
            return Err(Refusal::NoCommonCodec);
        }
        let mut direction = session.direction_of(media);
        if host == RemoteHost::Nowhere {
            direction = Flow { sends: direction.sends(), receives: false }.direction();
        }
        Ok(Audio {
            formats,
            digits: payloads(media).find(|payload| is_digits(media, *payload)),
            packet_time: packet_time(media),
            direction,
            remote: remote(media, host),
        })
    }
}

/// Which ways sound flows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) sends: bool,
    pub(super) receives: bool,
}

impl Flow {
    pub(super) fn direction(self) -> Direction {
        match (self.sends, self.receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

/// A time that we can send packets of: whole tens of milliseconds, 10 to 60.
pub(super) fn sendable(time: Duration) -> Duration {
    let tens = time.as_millis().clamp(10, 60) / 10;
    Duration::from_millis(10) * u32::try_from(tens).unwrap_or(2)
}

fn packet_time(media: &Media<'_>) -> Option<Duration> {
    match (media.ptime(), media.maxptime()) {
        (Some(time), Some(most)) => Some(sendable(time.min(most))),
        (Some(time), None) => Some(sendable(time)),
        // Without a wish, twenty is usual; a limit below that is one.
        (None, Some(most)) => Some(sendable(most)).filter(|most| *most < Duration::from_millis(20)),
        (None, None) => None,
    }
}

fn payloads(media: &Media<'_>) -> impl Iterator<Item = u8> {
    media.formats().filter_map(|format| format.parse().ok()).filter(|payload| *payload < 128)
}

/// The codecs that are known here, in order. A static payload type may stand without its `a=rtpmap`.
fn formats(media: &Media<'_>) -> impl Iterator<Item = Format> {
    payloads(media).filter_map(|payload| {
        let codec = match media.rtpmap(payload) {
            Some(map) if map.clock == SAMPLE_RATE && map.channels.unwrap_or(1) == 1 => {
                Codec::named(map.encoding)
            }
            Some(_) => None,
            None => Codec::of_static_payload(payload),
        };
        codec.map(|codec| Format { payload, codec })
    })
}

/// Only at the codec's clock, as RFC 4733 section 2.1 wants it.
fn is_digits(media: &Media<'_>, payload: u8) -> bool {
    media.rtpmap(payload).is_some_and(|map| map.is("telephone-event", SAMPLE_RATE))
}

fn host(session: &Session<'_>, media: &Media<'_>) -> Result<RemoteHost, Refusal> {
    let connection = session.connection_of(media).ok_or(Refusal::Unreadable)?;
    match connection.ip() {
        Some(ip) if ip.is_unspecified() => Ok(RemoteHost::Nowhere),
        Some(ip) if ip.is_multicast() => Err(Refusal::Multicast),
        Some(IpAddr::V4(ip)) if ip.is_broadcast() => Err(Refusal::Multicast),
        Some(ip) => Ok(RemoteHost::Ip(ip)),
        None => Ok(RemoteHost::Name(connection.address.into())),
    }
}

fn remote(media: &Media<'_>, host: RemoteHost) -> Remote {
    let rtp_port = media.port;
    let rtcp_mux = media.rtcp_mux();
    let said = media.rtcp().filter(|_| !rtcp_mux);
    let rtcp_ip = said.and_then(|rtcp| rtcp.connection?.ip());
    // Reports may go no other way than sound may: to one host of the same kind.
    let same_kind = |ip: &IpAddr| match host {
        RemoteHost::Ip(of_rtp) => of_rtp.is_ipv4() == ip.is_ipv4(),
        RemoteHost::Nowhere | RemoteHost::Name(_) => true,
    };
    let rtcp_ip = rtcp_ip.filter(|ip| !ip.is_multicast() && !ip.is_unspecified() && same_kind(ip));
    let rtcp_port = match said {
        Some(rtcp) => rtcp.port,
        None if rtcp_mux => rtp_port,
        None => rtp_port.checked_add(1).unwrap_or(0),
    };
    Remote { host, rtp_port, rtcp_ip, rtcp_port, rtcp_mux }
}
