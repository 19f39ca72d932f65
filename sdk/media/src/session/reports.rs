//! What is reported in RTCP, and what the peer reports.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::statistics::PeerReport;
use crate::random::{Purpose, Random};
use crate::rtcp::{Interval, MAX_REPORT, MIDDLE, NtpTime, Packet, Report, ReportBlock, SenderInfo};
use crate::rtp::Reception;

/// Our reports and the peer's.
pub(super) struct Reports {
    cname: [u8; 16],
    interval: Interval,
    /// When ours is due; none while nothing is agreed on.
    due: Option<Duration>,
    /// Packets of ours at the last report.
    sent_before: u64,
    /// The peer's last report as a sender, and when it came.
    sender: Option<Heard>,
    pub(super) peer: Option<PeerReport>,
    pub(super) round_trip: Option<Duration>,
}

/// A sender's report of the peer.
#[derive(Clone, Copy)]
struct Heard {
    ssrc: u32,
    middle: u32,
    at: Duration,
}

/// What a report says of our own stream.
pub(super) struct Own {
    pub(super) ssrc: u32,
    pub(super) timestamp: u32,
    pub(super) packets: u64,
    pub(super) octets: u64,
    pub(super) is_goodbye: bool,
}

impl Reports {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        // 96 bits at random, so that a name says nothing of its machine (RFC 7022 section 4.2).
        let mut octets = [0; 12];
        Random::new(seed, Purpose::Cname).fill(&mut octets);
        let mut cname = [b'A'; 16];
        let written = STANDARD_NO_PAD.encode_slice(octets, &mut cname);
        debug_assert_eq!(written, Ok(16));
        Self {
            cname,
            interval: Interval::new(Random::new(seed, Purpose::Reports)),
            due: None,
            sent_before: 0,
            sender: None,
            peer: None,
            round_trip: None,
        }
    }

    /// The session begins.
    pub(super) fn start(&mut self, now: Duration) {
        if self.due.is_none() {
            self.due = Some(now + self.interval.next());
        }
    }

    pub(super) fn stop(&mut self) {
        self.due = None;
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Writes a report and draws the time of the next.
    pub(super) fn write(
        &mut self,
        own: &Own,
        source: Option<&mut Reception>,
        now: Duration,
        buffer: &mut [u8; MAX_REPORT],
    ) -> usize {
        self.due = Some(now + self.interval.next());
        let has_sent = std::mem::replace(&mut self.sent_before, own.packets) != own.packets;
        let low = |number: u64| {
            let [b0, b1, b2, b3, ..] = number.to_le_bytes();
            u32::from_le_bytes([b0, b1, b2, b3])
        };
        let sender = SenderInfo {
            now: NtpTime::at(now),
            timestamp: own.timestamp,
            packets: low(own.packets),
            octets: low(own.octets),
        };
        let block = source.map(|source| self.block(source, now));
        let sender = has_sent.then_some(sender);
        Report { ssrc: own.ssrc, sender, block, cname: &self.cname, is_goodbye: own.is_goodbye }.write(buffer)
    }

    fn block(&self, source: &mut Reception, now: Duration) -> ReportBlock {
        let losses = source.report();
        let sender = self.sender.filter(|sender| sender.ssrc == source.ssrc());
        ReportBlock {
            ssrc: source.ssrc(),
            fraction_lost: losses.fraction,
            lost: losses.cumulative,
            highest: losses.highest,
            jitter: source.jitter(),
            last_report: sender.map_or(0, |sender| sender.middle),
            delay: sender.map_or(0, |sender| NtpTime::at(now.saturating_sub(sender.at)).middle()),
        }
    }

    /// Takes one packet of a compound of the peer.
    pub(super) fn take(&mut self, packet: &Packet<'_>, own_ssrc: u32, now: Duration) {
        if let (Some(ssrc), Some(middle)) = (packet.reporter(), packet.sent_at()) {
            self.sender = Some(Heard { ssrc, middle, at: now });
        }
        for block in packet.blocks().filter(|block| block.ssrc == own_ssrc) {
            self.peer = Some(PeerReport {
                fraction_lost: block.fraction_lost,
                lost: block.lost,
                jitter: Duration::from_micros(u64::from(block.jitter).saturating_mul(125)),
                at: now,
            });
            self.round_trip = round_trip(&block, now).or(self.round_trip);
        }
    }
}

/// Since the report of ours that the block answers, without the time it lay at the peer (RFC 3550 section 6.4.1).
fn round_trip(block: &ReportBlock, now: Duration) -> Option<Duration> {
    if block.last_report == 0 {
        return None;
    }
    let ticks = NtpTime::at(now).middle().wrapping_sub(block.last_report).wrapping_sub(block.delay);
    // A clock that rounds may make it less than nothing; half a minute is a lie.
    let ticks = if ticks.cast_signed() < 0 { 0 } else { ticks };
    (ticks < MIDDLE * 30).then(|| Duration::from_secs(1).mul_f64(f64::from(ticks) / f64::from(MIDDLE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(last_report: u32, delay: u32) -> ReportBlock {
        ReportBlock { ssrc: 1, fraction_lost: 0, lost: 0, highest: 0, jitter: 0, last_report, delay }
    }

    #[test]
    fn the_round_trip_leaves_out_what_lay_at_the_peer() {
        let now = Duration::from_millis(10_750);
        let sent = NtpTime::at(Duration::from_millis(10_000)).middle();
        let trip = |last, delay| round_trip(&block(last, delay), now);
        assert_eq!(trip(sent, MIDDLE / 2), Some(Duration::from_millis(250)));
        assert_eq!(trip(sent, MIDDLE * 3 / 4 + 2), Some(Duration::ZERO));
        assert_eq!(trip(0, 0), None, "no report of ours came there");
        assert_eq!(trip(sent.wrapping_sub(MIDDLE * 60), 0), None);
    }
}
