//! The codecs of a call, by their names in SDP.

pub(crate) mod g711;

/// A way to write sound into packets. All have a clock of 8 kHz and one octet for each sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Codec {
    /// G.711 µ-law, static payload type 0 (RFC 3551 section 4.5.14).
    Pcmu,
    /// G.711 A-law, static payload type 8 (RFC 3551 section 4.5.14).
    Pcma,
}

impl Codec {
    /// The encoding name in `a=rtpmap`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The static payload type (RFC 3551 section 6).
    pub fn payload(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Codec> {
        [Codec::Pcmu, Codec::Pcma].into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn of_static_payload(payload: u8) -> Option<Codec> {
        [Codec::Pcmu, Codec::Pcma].into_iter().find(|codec| codec.payload() == payload)
    }

    pub(crate) fn encode(self, sample: i16) -> u8 {
        match self {
            Codec::Pcmu => g711::to_ulaw(sample),
            Codec::Pcma => g711::to_alaw(sample),
        }
    }

    /// The sample that an octet of this codec stands for.
    pub fn decode(self, octet: u8) -> i16 {
        match self {
            Codec::Pcmu => g711::from_ulaw(octet),
            Codec::Pcma => g711::from_alaw(octet),
        }
    }
}

/// Samples a second at the door of a session.
pub const SAMPLE_RATE: u32 = 8000;

/// Samples of 20 ms, the step in which sound is captured and played.
pub const FRAME: usize = 160;
