//! Protects what we send (RFC 3711 sections 3.3 and 3.4).

use super::key::MasterKey;
use super::transform::{Kind, Parts, Position, Transform};
use crate::rtp::Head;

/// The keys of our packets, and how many there were.
#[derive(Clone)]
pub(crate) struct Sender {
    rtp: Transform,
    rtcp: Transform,
    /// Of the last packet: round and sequence number.
    last: Option<u64>,
    rtcp_index: u32,
}

impl Sender {
    pub(crate) fn new(key: &MasterKey) -> Sender {
        Sender {
            rtp: Transform::new(key, Kind::Rtp),
            rtcp: Transform::new(key, Kind::Rtcp),
            last: None,
            rtcp_index: 0,
        }
    }

    /// Protects the packet in the first `length` octets of the buffer, and says how long it is then. Packets come in
    /// the order of their sequence numbers. None, and nothing may be sent, if the buffer is too short, the packet is
    /// no RTP, or the key is used up.
    pub(crate) fn protect(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        let head = Head::parse(buffer.get(..length)?)?;
        let index = self.next_index(head.sequence);
        let (packet, free) = buffer.split_at_mut_checked(length)?;
        let tag = free.get_mut(..self.rtp.tag_octets())?;
        let (clear, text) = packet.split_at_mut_checked(head.length)?;
        // With HMAC the round is authenticated as if it stood behind the packet; in GCM it is in the nonce. It has 32
        // bits, and behind the last the key is used up (RFC 3711 section 9.2).
        let round = u32::try_from(index >> 16).ok()?.to_be_bytes();
        let behind: &[u8] = if self.rtp.is_aead() { &[] } else { &round };
        let at = Position { ssrc: head.ssrc, index };
        self.rtp.seal(at, Parts { clear, text, behind }, tag)?;
        self.last = Some(index);
        Some(length + self.rtp.tag_octets())
    }

    /// The same for a compound packet of RTCP.
    pub(crate) fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        if self.rtcp_index >= RTCP_INDICES {
            return None;
        }
        let word = (self.rtcp_index | ENCRYPTED).to_be_bytes();
        let tag_octets = self.rtcp.tag_octets();
        let (packet, free) = buffer.split_at_mut_checked(length)?;
        let trailer = free.get_mut(..tag_octets + word.len())?;
        let (clear, text) = packet.split_at_mut_checked(RTCP_CLEAR)?;
        let ssrc = clear.last_chunk().map(|ssrc| u32::from_be_bytes(*ssrc))?;
        // The word stands before the tag of HMAC, and behind that of GCM.
        let (tag, place) = match self.rtcp.is_aead() {
            true => trailer.split_at_mut_checked(tag_octets)?,
            false => {
                let (place, tag) = trailer.split_at_mut_checked(word.len())?;
                (tag, place)
            }
        };
        place.copy_from_slice(&word);
        let at = Position { ssrc, index: u64::from(self.rtcp_index) };
        self.rtcp.seal(at, Parts { clear, text, behind: &word }, tag)?;
        self.rtcp_index += 1;
        Some(length + tag_octets + word.len())
    }

    /// An index is used once: the counter of a packet must never come again.
    fn next_index(&self, sequence: u16) -> u64 {
        let number = u64::from(sequence);
        let Some(last) = self.last else { return number };
        let same_round = last & !0xffff | number;
        if same_round > last { same_round } else { same_round + 0x1_0000 }
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender(…)")
    }
}

/// Head and source of the first packet of a compound.
pub(super) const RTCP_CLEAR: usize = 8;
/// The flag before the index.
pub(super) const ENCRYPTED: u32 = 1 << 31;
/// Of one key: 2^31 packets (RFC 3711 section 9.2).
const RTCP_INDICES: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::Suite;
    use crate::srtp::window::INDICES;

    #[test]
    fn the_last_index_of_a_key_is_the_last() {
        let key = MasterKey::from_start(Suite::AesCm128HmacSha1Tag80, &[1; 30]);
        let mut sender = Sender::new(&key);
        let mut buffer = [0; 64];
        let mut send = |sender: &mut Sender, sequence: u16| {
            buffer[..12].copy_from_slice(&Head::new(0, sequence, 0, 1).to_octets());
            sender.protect(&mut buffer, 12)
        };
        sender.last = Some(INDICES - 2);
        assert_eq!(send(&mut sender, 0xffff), Some(22));
        assert_eq!(send(&mut sender, 0), None);
        sender.rtcp_index = RTCP_INDICES - 1;
        let mut report = [0x80; 64];
        assert_eq!(sender.protect_rtcp(&mut report, 8), Some(22));
        assert_eq!(sender.protect_rtcp(&mut report, 8), None);
    }

    #[test]
    fn no_index_comes_twice() {
        let mut sender = Sender::new(&MasterKey::from_start(Suite::AeadAes128Gcm, &[1; 30]));
        for (sequence, index) in [(65_534, 65_534), (65_535, 65_535), (0, 65_536), (0, 131_072), (5, 131_077)]
        {
            assert_eq!(sender.next_index(sequence), index);
            sender.last = Some(index);
        }
    }
}
