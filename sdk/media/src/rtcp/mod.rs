//! RTCP: reports, names and goodbyes (RFC 3550 section 6).

mod reader;
mod timing;
mod writer;

pub(crate) use reader::{Packet, packets};
pub(crate) use timing::{Interval, NtpTime};
pub(crate) use writer::{MAX_REPORT, Report, SenderInfo};

/// What one side reports of the packets of the other (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ReportBlock {
    /// Whose packets.
    pub(crate) ssrc: u32,
    /// Lost since the report before, in 256ths.
    pub(crate) fraction_lost: u8,
    /// In all; 24 bits with a sign.
    pub(crate) lost: i32,
    pub(crate) highest: u32,
    /// In ticks of the media's clock.
    pub(crate) jitter: u32,
    /// Of the last report of that source: the middle of its NTP time; 0 where there was none.
    pub(crate) last_report: u32,
    /// Since it came, in 65536ths of a second.
    pub(crate) delay: u32,
}

/// The middle of an NTP time, and a delay, count so many to the second.
pub(crate) const MIDDLE: u32 = 1 << 16;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
