//! Compound packets of the peer: what is sound is read, the rest is passed over (RFC 3550 appendix A.2).

use super::{GOODBYE, RECEIVER_REPORT, ReportBlock, SENDER_REPORT};

/// One packet of a compound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'p> {
    kind: u8,
    /// Blocks, chunks or sources.
    count: u8,
    /// Behind the first word.
    body: &'p [u8],
}

/// The packets of a compound. None where its lengths do not add up, or it does not begin as RTCP does.
pub(crate) fn packets(compound: &[u8]) -> Option<impl Iterator<Item = Packet<'_>>> {
    let mut rest = compound;
    let mut is_first = true;
    while !rest.is_empty() {
        let (packet, behind) = cut(rest)?;
        let begins = packet.kind == SENDER_REPORT || packet.kind == RECEIVER_REPORT;
        if std::mem::take(&mut is_first) && !begins {
            return None;
        }
        rest = behind;
    }
    let mut rest = compound;
    (!is_first).then(|| {
        std::iter::from_fn(move || {
            let (packet, behind) = cut(rest)?;
            rest = behind;
            Some(packet)
        })
    })
}

fn cut(compound: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let ([first, kind, high, low], behind) = compound.split_first_chunk::<4>()?;
    let octets = usize::from(u16::from_be_bytes([*high, *low])) * 4;
    let (mut body, rest) = behind.split_at_checked(octets)?;
    if first >> 6 != 2 {
        return None;
    }
    if first & 0x20 != 0 {
        let padding = usize::from(*body.last()?);
        let kept = body.len().checked_sub(padding).filter(|_| padding > 0 && rest.is_empty())?;
        body = body.get(..kept)?;
    }
    Some((Packet { kind: *kind, count: first & 0x1f, body }, rest))
}

impl<'p> Packet<'p> {
    /// Who reports; none for other packets.
    pub(crate) fn reporter(&self) -> Option<u32> {
        matches!(self.kind, SENDER_REPORT | RECEIVER_REPORT).then(|| word(self.body, 0))?
    }

    /// The middle of the NTP time in a sender's report.
    pub(crate) fn sent_at(&self) -> Option<u32> {
        let [high, low] = [word(self.body, 1)?, word(self.body, 2)?];
        (self.kind == SENDER_REPORT).then_some(high << 16 | low >> 16)
    }

    /// What a report says of the sources its sender hears.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'p> {
        let start = match self.kind {
            SENDER_REPORT => Some(24),
            RECEIVER_REPORT => Some(4),
            _ => None,
        };
        let blocks = start.and_then(|start| self.body.get(start..)).unwrap_or_default();
        blocks.chunks_exact(24).take(usize::from(self.count)).filter_map(read_block)
    }

    /// The sources that leave.
    pub(crate) fn goodbyes(&self) -> impl Iterator<Item = u32> + use<'p> {
        let body = if self.kind == GOODBYE { self.body } else { &[] };
        body.chunks_exact(4).take(usize::from(self.count)).filter_map(|source| word(source, 0))
    }
}

fn read_block(block: &[u8]) -> Option<ReportBlock> {
    let lost = word(block, 1)?;
    let [fraction_lost, ..] = lost.to_be_bytes();
    Some(ReportBlock {
        ssrc: word(block, 0)?,
        fraction_lost,
        // The sign stands in bit 23.
        lost: (lost << 8).cast_signed() >> 8,
        highest: word(block, 2)?,
        jitter: word(block, 3)?,
        last_report: word(block, 4)?,
        delay: word(block, 5)?,
    })
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at * 4..)?.first_chunk().map(|word| u32::from_be_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use crate::rtcp::{MAX_REPORT, NtpTime, Report, SenderInfo};

    const BLOCK: ReportBlock = ReportBlock {
        ssrc: 9,
        fraction_lost: 200,
        lost: -2,
        highest: 0x1_0002,
        jitter: 33,
        last_report: 0x1234_5678,
        delay: 0x1_0000,
    };

    fn written(report: &Report<'_>) -> Vec<u8> {
        let mut buffer = [0; MAX_REPORT];
        let length = report.write(&mut buffer);
        buffer[..length].to_vec()
    }

    #[test]
    fn what_is_written_is_read() {
        let sender = SenderInfo { now: NtpTime(0xaaaa_bbbb_cccc_dddd), timestamp: 5, packets: 6, octets: 7 };
        let report = Report {
            ssrc: 4,
            sender: Some(sender),
            block: Some(BLOCK),
            cname: b"0123456789abcdef",
            is_goodbye: true,
        };
        let octets = written(&report);
        assert_eq!(octets.len(), MAX_REPORT);
        let all: Vec<Packet<'_>> = packets(&octets).unwrap().collect();
        let [first, name, bye] = all[..] else { panic!() };
        assert_eq!((first.reporter(), first.sent_at()), (Some(4), Some(0xbbbb_cccc)));
        assert_eq!(first.blocks().collect::<Vec<_>>(), [BLOCK]);
        assert_eq!((name.kind, name.reporter(), name.blocks().count()), (202, None, 0));
        assert_eq!(bye.goodbyes().collect::<Vec<_>>(), [4]);
        let short = Report { sender: None, block: None, is_goodbye: false, ..report };
        let octets = written(&short);
        let [first, _] = packets(&octets).unwrap().collect::<Vec<_>>()[..] else { panic!() };
        assert_eq!((first.reporter(), first.sent_at(), first.blocks().count()), (Some(4), None, 0));
    }

    #[test]
    fn lengths_have_to_add_up() {
        let report = Report {
            ssrc: 4,
            sender: None,
            block: Some(BLOCK),
            cname: b"0123456789abcdef",
            is_goodbye: true,
        };
        let octets = written(&report);
        for length in 0..octets.len() {
            // Whole packets are a compound of their own.
            assert_eq!(packets(&octets[..length]).is_some(), [32, 60].contains(&length), "{length}");
        }
        assert!(packets(&octets[32..]).is_none(), "no report first");
    }

    #[test]
    fn no_octets_panic() {
        let mut random = Random::new(&[2; 32], Purpose::Source);
        for _ in 0..100_000 {
            let mut octets = [0; 96];
            random.fill(&mut octets);
            octets[0] = octets[0] & 0x3f | 0x80;
            octets[1] = 200 + octets[1] % 5;
            octets[2] = 0;
            octets[3] %= 24;
            let length = usize::from(random.u16()) % 97;
            for packet in packets(&octets[..length]).into_iter().flatten() {
                assert!(packet.blocks().count() + packet.goodbyes().count() <= 31);
                let _ = (packet.reporter(), packet.sent_at());
            }
        }
    }
}
