//! Why a description of the peer cannot be agreed to, and what to tell it.

/// Why no session comes about with a description. The answer to an offer is then 488 with [`Refusal::warning`] and
/// the sentence as the text of the Warning (RFC 3261 sections 20.43 and 21.4.26).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The body is no description; 400 is the better answer to such an offer.
    #[error("The session description cannot be read.")]
    Unreadable,
    /// There is no `m=audio` in use, or the peer refused ours.
    #[error("The other side offers no sound.")]
    NoAudio,
    /// No codec of the peer's is one of ours.
    #[error("There is no codec that both sides know.")]
    NoCommonCodec,
    /// The peer encrypts by DTLS only (RFC 5763).
    #[error("their phone encrypts sound only by DTLS, which this version cannot")]
    OnlyDtls,
    /// The transport in the `m=` line is none of RTP's.
    #[error("The other side sends sound by a transport that this version does not know.")]
    Transport,
    /// We require encryption and the peer offers none that we can take.
    #[error("The other side does not encrypt sound, and this account requires it.")]
    SecurityRequired,
    /// The peer requires encryption, which is off here.
    #[error("The other side encrypts sound, and this account does not.")]
    SecurityOff,
    /// Keys may not travel over signalling that is itself in the clear (RFC 4568 section 8.3).
    #[error("The keys for encrypted sound would be sent unencrypted; this needs TLS.")]
    KeysInClear,
    /// The peer encrypts with suites or parameters that are not ours.
    #[error("There is no way to encrypt sound that both sides know.")]
    NoCommonSuite,
    /// IPv4 meets IPv6.
    #[error("The other side's address is of another IP version than ours.")]
    AddressFamily,
    /// The sound would go to a group or to all.
    #[error("Multicast is not taken.")]
    Multicast,
    /// The answer does not belong to the offer: other media, another order, or formats that were not offered.
    #[error("The answer does not fit the offer.")]
    Mismatch,
}

impl Refusal {
    /// Stable; the same for the same reason in every version.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Unreadable => "E1501",
            Refusal::NoAudio => "E1502",
            Refusal::NoCommonCodec => "E1503",
            Refusal::OnlyDtls => "E1504",
            Refusal::Transport => "E1505",
            Refusal::SecurityRequired => "E1506",
            Refusal::SecurityOff => "E1507",
            Refusal::KeysInClear => "E1508",
            Refusal::NoCommonSuite => "E1509",
            Refusal::AddressFamily => "E1510",
            Refusal::Multicast => "E1511",
            Refusal::Mismatch => "E1512",
        }
    }

    /// The warn-code of RFC 3261 section 20.43.
    pub fn warning(&self) -> u16 {
        match self {
            Refusal::AddressFamily => 301,
            Refusal::OnlyDtls | Refusal::Transport => 302,
            Refusal::NoAudio => 304,
            Refusal::NoCommonCodec => 305,
            Refusal::Multicast => 330,
            Refusal::Unreadable
            | Refusal::SecurityRequired
            | Refusal::SecurityOff
            | Refusal::KeysInClear
            | Refusal::NoCommonSuite
            | Refusal::Mismatch => 399,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Refusal::Unreadable | Refusal::Mismatch | Refusal::Transport => {
                "The other phone or a server between is at fault; the trace shows its description."
            }
            Refusal::NoAudio => "Ask the other side to call with sound.",
            Refusal::NoCommonCodec => "Allow G.711 (PCMU or PCMA) on the other phone.",
            Refusal::OnlyDtls | Refusal::NoCommonSuite => {
                "Allow SRTP with keys by SDES (AES_CM_128_HMAC_SHA1_80) on the other phone, or no encryption."
            }
            Refusal::SecurityRequired => {
                "Switch on SRTP with SDES on the other phone, or make it optional here."
            }
            Refusal::SecurityOff => "Make encryption of sound optional for this account.",
            Refusal::KeysInClear => {
                "Use TLS for this account, or ask the other side to call without encryption."
            }
            Refusal::AddressFamily => "Use the same IP version on both sides, or a server that translates.",
            Refusal::Multicast => "Call the other side directly.",
        }
    }
}
