//! Checks and reads what the peer protected (RFC 3711 sections 3.3 and 3.4).

use super::key::{KeyId, MasterKey};
use super::sender::{ENCRYPTED, RTCP_CLEAR};
use super::transform::{Kind, Parts, Position, Transform};
use super::window::Window;
use crate::rtp::Head;

/// The keys of the peer's packets, and which of them came.
#[derive(Clone)]
pub(crate) struct Receiver {
    rtp: Transform,
    rtcp: Transform,
    mki: Option<KeyId>,
    sources: Sources,
    rtcp_sources: Sources,
}

/// Why a packet is not taken. Nothing of it is known then.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rejection {
    /// Too short, no RTP, or no RTCP that is encrypted.
    Malformed,
    /// The tag is wrong, or the packet names another key.
    Unauthenticated,
    /// It came before, or is too old to tell.
    Replayed,
    /// Genuine, but of the 33rd source of this key. To forget one for it would let its packets pass a second time.
    TooManySources,
}

impl Receiver {
    pub(crate) fn new(key: &MasterKey) -> Receiver {
        Receiver {
            rtp: Transform::new(key, Kind::Rtp),
            rtcp: Transform::new(key, Kind::Rtcp),
            mki: key.id(),
            sources: Sources::default(),
            rtcp_sources: Sources::default(),
        }
    }

    /// Checks and decrypts a packet in place, and says how long it is then.
    pub(crate) fn unprotect(&mut self, packet: &mut [u8]) -> Result<usize, Rejection> {
        let head = Head::parse(packet).ok_or(Rejection::Malformed)?;
        let window = self.sources.find(head.ssrc);
        let index = match window {
            Some(window) => window.guess(head.sequence).ok_or(Rejection::Replayed)?,
            None => u64::from(head.sequence),
        };
        window.map_or(Ok(()), |window| window.check(index)).map_err(|_| Rejection::Replayed)?;
        let round = u32::try_from(index >> 16).map_err(|_| Rejection::Malformed)?.to_be_bytes();
        let is_aead = self.rtp.is_aead();
        let behind: &[u8] = if is_aead { &[] } else { &round };
        let split = Split { tag: self.rtp.tag_octets(), mki: self.mki, is_aead };
        let (packet, tag) = split.cut(packet)?;
        let length = packet.len();
        let (clear, text) = packet.split_at_mut_checked(head.length).ok_or(Rejection::Malformed)?;
        let at = Position { ssrc: head.ssrc, index };
        self.rtp.open(at, Parts { clear, text, behind }, tag).ok_or(Rejection::Unauthenticated)?;
        self.sources.accept(head.ssrc, index)?;
        Ok(length)
    }

    /// The same for a compound packet of RTCP.
    pub(crate) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Rejection> {
        let split = Split { tag: self.rtcp.tag_octets(), mki: self.mki, is_aead: self.rtcp.is_aead() };
        let (packet, tag, word) = split.cut_rtcp(packet)?;
        if word & ENCRYPTED == 0 {
            return Err(Rejection::Malformed);
        }
        let length = packet.len();
        let (clear, text) = packet.split_at_mut_checked(RTCP_CLEAR).ok_or(Rejection::Malformed)?;
        let ssrc = clear.last_chunk().map(|ssrc| u32::from_be_bytes(*ssrc)).ok_or(Rejection::Malformed)?;
        let index = u64::from(word & !ENCRYPTED);
        let window = self.rtcp_sources.find(ssrc);
        window.map_or(Ok(()), |window| window.check(index)).map_err(|_| Rejection::Replayed)?;
        let parts = Parts { clear, text, behind: &word.to_be_bytes() };
        self.rtcp.open(Position { ssrc, index }, parts, tag).ok_or(Rejection::Unauthenticated)?;
        self.rtcp_sources.accept(ssrc, index)?;
        Ok(length)
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver(…)")
    }
}

/// What stands behind the text of a packet.
#[derive(Clone, Copy)]
struct Split {
    tag: usize,
    mki: Option<KeyId>,
    is_aead: bool,
}

impl Split {
    /// The packet as it was before, and its tag. The key's identifier stands before the tag of HMAC and behind that of
    /// GCM.
    fn cut<'p>(&self, packet: &'p mut [u8]) -> Result<(&'p mut [u8], &'p [u8]), Rejection> {
        if self.is_aead {
            let packet = self.cut_key(packet)?;
            cut_end(packet, self.tag)
        } else {
            let (packet, tag) = cut_end(packet, self.tag)?;
            Ok((self.cut_key(packet)?, tag))
        }
    }

    /// The packet as it was before, its tag, and the word with flag and index.
    fn cut_rtcp<'p>(&self, packet: &'p mut [u8]) -> Result<(&'p mut [u8], &'p [u8], u32), Rejection> {
        if self.is_aead {
            let (packet, word) = cut_word(self.cut_key(packet)?)?;
            let (packet, tag) = cut_end(packet, self.tag)?;
            Ok((packet, tag, word))
        } else {
            let (packet, tag) = cut_end(packet, self.tag)?;
            let (packet, word) = cut_word(self.cut_key(packet)?)?;
            Ok((packet, tag, word))
        }
    }

    fn cut_key<'p>(&self, packet: &'p mut [u8]) -> Result<&'p mut [u8], Rejection> {
        let Some(mki) = self.mki else { return Ok(packet) };
        let (packet, named) = cut_end(packet, mki.octets)?;
        let value = named.iter().fold(0, |value: u64, octet| value << 8 | u64::from(*octet));
        if value == mki.value { Ok(packet) } else { Err(Rejection::Unauthenticated) }
    }
}

fn cut_end(packet: &mut [u8], octets: usize) -> Result<(&mut [u8], &[u8]), Rejection> {
    let kept = packet.len().checked_sub(octets).ok_or(Rejection::Malformed)?;
    let (packet, end) = packet.split_at_mut_checked(kept).ok_or(Rejection::Malformed)?;
    Ok((packet, end))
}

fn cut_word(packet: &mut [u8]) -> Result<(&mut [u8], u32), Rejection> {
    let (packet, word) = cut_end(packet, 4)?;
    let word = word.first_chunk().map(|word| u32::from_be_bytes(*word));
    Ok((packet, word.ok_or(Rejection::Malformed)?))
}

/// The sources of one key. Only genuine packets get in.
#[derive(Clone, Default)]
struct Sources {
    windows: [Option<SourceWindow>; MAX_SOURCES],
}

#[derive(Clone, Copy)]
struct SourceWindow {
    ssrc: u32,
    window: Window,
}

impl Sources {
    fn find(&self, ssrc: u32) -> Option<&Window> {
        self.windows.iter().flatten().find(|source| source.ssrc == ssrc).map(|source| &source.window)
    }

    fn accept(&mut self, ssrc: u32, index: u64) -> Result<(), Rejection> {
        let known = self.windows.iter_mut().flatten().find(|source| source.ssrc == ssrc);
        if let Some(source) = known {
            source.window.accept(index);
            return Ok(());
        }
        let free = self.windows.iter_mut().find(|place| place.is_none()).ok_or(Rejection::TooManySources)?;
        *free = Some(SourceWindow { ssrc, window: Window::new(index) });
        Ok(())
    }
}

/// How often a peer may change its source under one key.
const MAX_SOURCES: usize = 32;
