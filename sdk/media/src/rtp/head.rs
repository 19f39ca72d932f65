//! The head of an RTP packet (RFC 3550 section 5.1).

/// What stands before the payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Head {
    pub(crate) marker: bool,
    /// 0 to 127.
    pub(crate) payload: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    /// Octets before the payload, contributing sources and extension included.
    pub(crate) length: usize,
    has_padding: bool,
}

/// Octets of a head without contributing sources and extension, as ours are.
pub(crate) const RTP_HEAD: usize = 12;

impl Head {
    /// One of our own.
    pub(crate) fn new(payload: u8, sequence: u16, timestamp: u32, ssrc: u32) -> Head {
        Head { marker: false, payload, sequence, timestamp, ssrc, length: RTP_HEAD, has_padding: false }
    }

    /// Reads the head of a packet. None where it is not of version 2 or is longer than the packet.
    pub(crate) fn parse(packet: &[u8]) -> Option<Head> {
        let (fixed, rest) = packet.split_first_chunk::<RTP_HEAD>()?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 {
            return None;
        }
        let sources = usize::from(first & 0x0f) * 4;
        let rest = rest.get(sources..)?;
        let extension = match first & 0x10 {
            0 => 0,
            _ => {
                let ([_, _, words_high, words_low], rest) = rest.split_first_chunk::<4>()?;
                let octets = usize::from(u16::from_be_bytes([*words_high, *words_low])) * 4;
                rest.get(octets..)?;
                4 + octets
            }
        };
        Some(Head {
            marker: second & 0x80 != 0,
            payload: second & 0x7f,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
            length: RTP_HEAD + sources + extension,
            has_padding: first & 0x20 != 0,
        })
    }

    /// The payload of a packet with this head, after decryption. None where the padding is longer than what there is.
    pub(crate) fn payload_of<'p>(&self, packet: &'p [u8]) -> Option<&'p [u8]> {
        let payload = packet.get(self.length..)?;
        if !self.has_padding {
            return Some(payload);
        }
        let padding = usize::from(*payload.last()?);
        let kept = payload.len().checked_sub(padding).filter(|_| padding > 0)?;
        payload.get(..kept)
    }

    /// The octets of a head of our own.
    pub(crate) fn to_octets(self) -> [u8; RTP_HEAD] {
        let [s0, s1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let second = (if self.marker { 0x80 } else { 0 }) | (self.payload & 0x7f);
        [0x80, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn it_reads_as_printed() {
        let head = Head { marker: true, ..Head::new(101, 0xfffe, 0xdead_beef, 0x1234_5678) };
        let octets = head.to_octets();
        assert_eq!(octets, [0x80, 0xe5, 0xff, 0xfe, 0xde, 0xad, 0xbe, 0xef, 0x12, 0x34, 0x56, 0x78]);
        assert_eq!(Head::parse(&octets), Some(head));
    }

    #[test]
    fn sources_extension_and_padding_are_no_payload() {
        let mut packet = vec![0xb2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        packet.extend([9; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 7, 7, 7, 7]);
        packet.extend([1, 2, 3, 0, 0, 3]);
        let head = Head::parse(&packet).unwrap();
        assert_eq!((head.length, head.payload_of(&packet)), (28, Some(&[1, 2, 3][..])));
        for length in 0..28 {
            assert_eq!(Head::parse(&packet[..length]), None, "{length}");
        }
        for padding in [0, 7, 255] {
            *packet.last_mut().unwrap() = padding;
            assert_eq!(head.payload_of(&packet), None, "padding of {padding}");
        }
        assert_eq!(head.payload_of(&packet[..28]), None, "padding without an octet");
    }

    #[test]
    fn other_versions_are_no_rtp() {
        for first in [0x00, 0x40, 0xc0] {
            assert_eq!(Head::parse(&[first, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        }
    }

    #[test]
    fn no_octets_panic_or_reach_beyond_the_packet() {
        let mut random = Random::new(&[1; 32], Purpose::Source);
        for _ in 0..100_000 {
            let mut packet = [0; 64];
            random.fill(&mut packet);
            packet[0] = packet[0] & 0x3f | 0x80;
            let length = usize::from(random.u16()) % 65;
            let packet = &packet[..length];
            if let Some(head) = Head::parse(packet) {
                assert!(head.length <= length);
                assert!(head.payload_of(packet).is_none_or(|payload| payload.len() <= length - head.length));
            }
        }
    }
}
