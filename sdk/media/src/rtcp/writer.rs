//! Our reports: SR or RR, the name, perhaps a goodbye, in one compound packet (RFC 3550 section 6.1).

use super::timing::NtpTime;
use super::{DESCRIPTION, GOODBYE, RECEIVER_REPORT, ReportBlock, SENDER_REPORT};

/// What a report of ours says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    pub(crate) ssrc: u32,
    /// None where nothing was sent since the report before: then it is an RR.
    pub(crate) sender: Option<SenderInfo>,
    pub(crate) block: Option<ReportBlock>,
    pub(crate) cname: &'a [u8; CNAME],
    pub(crate) is_goodbye: bool,
}

/// What a sender says of itself (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SenderInfo {
    pub(crate) now: NtpTime,
    /// The same moment on the media's clock.
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// No report of ours is longer.
pub(crate) const MAX_REPORT: usize = 28 + 24 + 8 + CNAME + 4 + 8;

/// Octets of a name: 16 of base64 (RFC 7022 section 4.2).
const CNAME: usize = 16;

impl Report<'_> {
    /// Writes it to the start of the buffer, and says how long it is.
    pub(crate) fn write(&self, buffer: &mut [u8; MAX_REPORT]) -> usize {
        let mut out = Out { buffer, at: 0 };
        let blocks = u8::from(self.block.is_some());
        match self.sender {
            Some(sender) => {
                out.head(SENDER_REPORT, blocks, 6 + u16::from(blocks) * 6);
                out.word(self.ssrc);
                let [high, low] = halves(sender.now.0);
                [high, low, sender.timestamp, sender.packets, sender.octets]
                    .into_iter()
                    .for_each(|word| out.word(word));
            }
            None => {
                out.head(RECEIVER_REPORT, blocks, 1 + u16::from(blocks) * 6);
                out.word(self.ssrc);
            }
        }
        if let Some(block) = &self.block {
            out.block(block);
        }
        // One chunk with one item: its type, its length, the name, and at least one octet of zero to fill the word.
        out.head(DESCRIPTION, 1, 6);
        out.word(self.ssrc);
        out.octets(&[1, 16]);
        out.octets(self.cname);
        out.octets(&[0, 0]);
        if self.is_goodbye {
            out.head(GOODBYE, 1, 1);
            out.word(self.ssrc);
        }
        out.at
    }
}

/// A buffer that holds the longest report, being filled.
struct Out<'b> {
    buffer: &'b mut [u8; MAX_REPORT],
    at: usize,
}

impl Out<'_> {
    fn octets(&mut self, octets: &[u8]) {
        let free = self.buffer.iter_mut().skip(self.at);
        free.zip(octets).for_each(|(to, from)| *to = *from);
        self.at = (self.at + octets.len()).min(MAX_REPORT);
    }

    fn word(&mut self, word: u32) {
        self.octets(&word.to_be_bytes());
    }

    /// The length is in words behind the first.
    fn head(&mut self, kind: u8, count: u8, words: u16) {
        let [high, low] = words.to_be_bytes();
        self.octets(&[0x80 | count, kind, high, low]);
    }

    fn block(&mut self, block: &ReportBlock) {
        self.word(block.ssrc);
        let [_, lost @ ..] = block.lost.to_be_bytes();
        self.octets(&[block.fraction_lost]);
        self.octets(&lost);
        [block.highest, block.jitter, block.last_report, block.delay]
            .into_iter()
            .for_each(|word| self.word(word));
    }
}

fn halves(whole: u64) -> [u32; 2] {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = whole.to_be_bytes();
    [u32::from_be_bytes([b0, b1, b2, b3]), u32::from_be_bytes([b4, b5, b6, b7])]
}
