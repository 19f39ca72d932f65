//! Whether an AUTHENTICATE message proves the password, and the session key that comes of it.

use subtle::ConstantTimeEq;

use super::authenticate::Authenticate;
use super::challenge::Challenge;
use super::crypto::{NtHash, hmac_md5, md5, rc4, utf16};
use super::refusal::Refusal;
use super::{av, flag};

/// Who a token claims to come from; decides nothing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// User as transmitted, in any letter case, perhaps `user@domain`.
    pub user: String,
    /// Domain as transmitted, perhaps empty.
    pub domain: String,
}

/// What the server expects besides a right password.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expected<'e> {
    /// Target name the client must have meant, such as `sip/hs104.network.com`, where it names one.
    pub target: Option<&'e str>,
    /// Hash of this server's certificate (RFC 5929 `tls-server-end-point`), where the flow is TLS.
    pub end_point_hash: Option<&'e [u8]>,
    /// True if a client that binds neither is refused.
    pub must_bind: bool,
    /// The time, in FILETIME ticks.
    pub now_filetime: u64,
}

/// A proven login.
pub struct Accepted {
    /// The key from which signing keys are derived.
    pub exported_session_key: [u8; 16],
    /// The flags both sides agreed on.
    pub flags: u32,
    /// True if the client's clock in the response is not the one it was offered.
    pub other_timestamp: bool,
}

/// The two parts of an NTLMv2 response.
#[derive(Clone, Copy)]
struct Response<'t> {
    proof: &'t [u8],
    temp: &'t [u8],
}

impl Claim {
    /// Reads the names of `token`.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn read(token: &[u8]) -> Result<Self, Refusal> {
        let message = Authenticate::read(token)?;
        Ok(Self { user: message.user, domain: message.domain })
    }
}

impl Expected<'_> {
    /// Decides whether `token` answers `challenge` with the password behind `hash`.
    ///
    /// For a user that does not exist pass `None`: the same work is done and the same
    /// [`Refusal::Password`] returned.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify(
        &self,
        challenge: &Challenge,
        token: &[u8],
        hash: Option<NtHash>,
    ) -> Result<Accepted, Refusal> {
        let message = Authenticate::read(token)?;
        check_flags(message.flags)?;
        if message.user.is_empty() || message.nt_response.is_empty() || message.flags & flag::ANONYMOUS != 0 {
            return Err(Refusal::Anonymous);
        }
        let (proof, temp) = match message.nt_response.split_at_checked(16) {
            Some(parts) if message.nt_response.len() >= SHORTEST_RESPONSE => parts,
            _ if message.nt_response.len() == VERSION_1_RESPONSE => return Err(Refusal::Version1),
            _ => return Err(Refusal::Malformed),
        };
        if temp[..2] != [1, 1] {
            return Err(Refusal::Malformed);
        }
        let base_key = session_base_key(challenge, &message, Response { proof, temp }, hash)?;

        let pairs = av::read(&temp[28..]).ok_or(Refusal::Malformed)?;
        check_names(challenge, &pairs)?;
        let ticks = u64::from_le_bytes(temp[8..16].try_into().expect("eight bytes of a checked slice"));
        if ticks.abs_diff(self.now_filetime) >= MAX_LIFETIME_TICKS {
            return Err(Refusal::Clock);
        }
        check_binding(&pairs, self)?;

        let mut exported: [u8; 16] = message.session_key.try_into().map_err(|_| Refusal::Malformed)?;
        rc4(&base_key, &mut exported);
        check_mic(challenge, &message, &pairs, &exported)?;
        Ok(Accepted {
            exported_session_key: exported,
            flags: message.flags,
            other_timestamp: challenge.timestamp().is_some_and(|offered| offered != ticks),
        })
    }
}

/// Recomputes the proof, with the domain as sent and then with none, and yields the key of the
/// exchange.
fn session_base_key(
    challenge: &Challenge,
    message: &Authenticate<'_>,
    response: Response<'_>,
    hash: Option<NtHash>,
) -> Result<[u8; 16], Refusal> {
    let Response { proof, temp } = response;
    let known = hash.is_some();
    let hash = hash.unwrap_or_else(|| NtHash::of(""));
    let mut found = None;
    for domain in [message.domain.as_str(), ""] {
        let key = hash.response_key(&message.user, domain);
        let expected = hmac_md5(&key, &[challenge.nonce(), temp]);
        if bool::from(expected.ct_eq(proof)) {
            found = Some(hmac_md5(&key, &[proof]));
        }
    }
    found.filter(|_| known).ok_or(Refusal::Password)
}

/// Every name that was offered must have come back unchanged; the clock (pair 7) is not a name.
fn check_names(challenge: &Challenge, pairs: &[av::Pair<'_>]) -> Result<(), Refusal> {
    let offered = av::read(challenge.pairs()).unwrap_or_default();
    let kept = offered
        .iter()
        .filter(|pair| pair.id != av::TIMESTAMP)
        .all(|pair| av::find(pairs, pair.id) == Some(pair.value));
    if kept { Ok(()) } else { Err(Refusal::Names) }
}

/// A MIC that is announced must be there and right (keyed with the exported session key, over
/// CHALLENGE and AUTHENTICATE; there is no NEGOTIATE in datagram mode).
fn check_mic(
    challenge: &Challenge,
    message: &Authenticate<'_>,
    pairs: &[av::Pair<'_>],
    exported: &[u8; 16],
) -> Result<(), Refusal> {
    let announced = av::find(pairs, av::FLAGS)
        .and_then(|value| value.try_into().ok().map(u32::from_le_bytes))
        .is_some_and(|bits| bits & av::MIC_PRESENT != 0);
    if !announced {
        return Ok(());
    }
    let mic = message.mic().ok_or(Refusal::Mic)?;
    let (before, after) = message.around_mic();
    let expected = hmac_md5(exported, &[challenge.bytes(), before, &[0; 16], after]);
    if bool::from(expected.ct_eq(mic)) { Ok(()) } else { Err(Refusal::Mic) }
}

fn check_flags(agreed: u32) -> Result<(), Refusal> {
    let complete = agreed & flag::REQUIRED == flag::REQUIRED;
    let offered_only = agreed & flag::SESSION & !flag::OFFER == 0;
    if complete && offered_only { Ok(()) } else { Err(Refusal::Flags) }
}

/// Extended protection: what a client binds must be this server; all zeros bind nothing.
fn check_binding(pairs: &[av::Pair<'_>], expect: &Expected<'_>) -> Result<(), Refusal> {
    let channel = av::find(pairs, av::CHANNEL_BINDINGS).filter(|hash| hash.iter().any(|byte| *byte != 0));
    let target = av::find(pairs, av::TARGET_NAME).filter(|name| !name.is_empty());
    if expect.must_bind && (channel.is_none() || target.is_none()) {
        return Err(Refusal::Binding);
    }
    if let (Some(sent), Some(hash)) = (channel, expect.end_point_hash)
        && !bool::from(channel_binding(hash).ct_eq(sent))
    {
        return Err(Refusal::Binding);
    }
    if let (Some(sent), Some(ours)) = (target, expect.target)
        && sent.to_ascii_lowercase() != utf16(&ours.to_ascii_lowercase())
    {
        return Err(Refusal::Binding);
    }
    Ok(())
}

/// MD5 of the GSS channel binding structure around `tls-server-end-point` (RFC 2744 3.11, RFC 5929).
fn channel_binding(end_point_hash: &[u8]) -> [u8; 16] {
    const PREFIX: &[u8] = b"tls-server-end-point:";
    let length = u32::try_from(PREFIX.len() + end_point_hash.len()).unwrap_or(u32::MAX);
    md5(&[&[0; 16], &length.to_le_bytes(), PREFIX, end_point_hash])
}

/// Proof, fixed part of temp, an empty list, the trailing zeros.
const SHORTEST_RESPONSE: usize = 16 + 28 + 4 + 4;
const VERSION_1_RESPONSE: usize = 24;
/// 36 hours in ticks of 100 ns (MS-NLMP MaxLifetime).
const MAX_LIFETIME_TICKS: u64 = 36 * 3600 * 10_000_000;
