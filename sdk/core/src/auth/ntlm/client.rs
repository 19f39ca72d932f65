//! Answers a CHALLENGE: the NTLMv2 response, a fresh session key, and the message check.
//!
//! Sources: MS-NLMP 3.1.5.2 (connectionless client) and 3.3.2 (NTLMv2).

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use super::av_pair::{self, AvPairs};
use super::crypto::{hmac_md5, md4, md5, rc4, utf16le};
use super::flags::{self, Requirement};
use super::message::{Authenticate, Challenge, MIC_AT};
use super::session::SessionKeys;
use super::upper_case::upper_case;
use crate::secret::Password;

/// Who logs on. `NETWORK` + `alice`, or an empty domain + `alice@network.com`.
#[derive(Clone, Copy, Debug)]
pub struct NtlmIdentity<'a> {
    /// User name; its letter case does not matter.
    pub user: &'a str,
    /// Domain exactly as the server is to see it; may be empty.
    pub domain: &'a str,
    /// Name of this machine; may be empty.
    pub workstation: &'a str,
    /// Enters the answer as the key NTOWFv2 (MS-NLMP 3.3.2) only.
    pub password: &'a Password,
}

/// The randomness of one answer, drawn by the caller. Never use one value twice.
#[derive(Clone)]
pub struct ClientRandom {
    /// The client's nonce.
    pub client_challenge: [u8; 8],
    /// The session key the client proposes; from here all signing keys derive.
    pub exported_session_key: [u8; 16],
}

/// What an answer is tied to beyond user and nonces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Service principal name (`sip/hs1.network.com`) for AV pair 9.
    pub spn: Option<&'a str>,
    /// Channel binding hash for AV pair 10, see [`channel_binding`]; sixteen zeros say "none".
    pub channel: Option<[u8; 16]>,
    /// When the message check is sent.
    pub mic: MicPolicy,
    /// The version field: operating system 10.0.17763, NTLM revision 15, unless said otherwise.
    pub version: [u8; 8],
}

/// When an AUTHENTICATE message carries a MIC over both messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MicPolicy {
    /// If the challenge carries a timestamp, as MS-NLMP 3.1.5.1.2 says.
    #[default]
    WhenTimestamped,
    /// Also where the challenge carries no timestamp.
    Always,
    /// Never, like pidgin-sipe and Office Communicator 2007; like them the LM response is then sent
    /// beside a timestamp too.
    Never,
}

/// Why a challenge is not answered. The peer's fault, except the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NtlmError {
    /// Not an NTLM CHALLENGE, or cut off, or pointing outside itself, or above 4 KiB.
    #[error("the server's token is not a well-formed NTLM challenge")]
    NotAChallenge,
    /// The server does not offer what a safe session needs.
    #[error("the server's NTLM challenge lacks a required property: {0:?}")]
    Missing(Requirement),
    /// The attribute list is cut off.
    #[error("the attribute list of the server's NTLM challenge is cut off")]
    BrokenAttributes,
    /// The challenge does not name server and domain, which integrity needs (AV pairs 1 and 2).
    #[error("the server's NTLM challenge does not name the server and its domain")]
    Unnamed,
    /// A name of the account does not fit into the message.
    #[error("user, domain or service name is too long for NTLM")]
    NameTooLong,
}

/// Answers `challenge` for `who`; returns the AUTHENTICATE token and the keys of the session.
///
/// `now` is the time as FILETIME (100 ns since 1601-01-01 UTC); the server's own timestamp goes
/// first if it sent one.
///
/// ```
/// # use homing_core::auth::ntlm::{authenticate, Binding, ClientRandom, NtlmError, NtlmIdentity};
/// # use homing_core::secret::Password;
/// let password = Password::new("Secret-Pass1");
/// let who = NtlmIdentity { user: "alice", domain: "NETWORK", workstation: "", password: &password };
/// let chance = ClientRandom { client_challenge: [0xaa; 8], exported_session_key: [0x55; 16] };
/// let refused = authenticate(b"not a challenge", &who, &Binding::default(), &chance, 0);
/// assert_eq!(refused.unwrap_err(), NtlmError::NotAChallenge);
/// ```
///
/// # Errors
/// [`NtlmError`]: the challenge is malformed, too weak, or does not name its server.
pub fn authenticate(
    challenge: &[u8],
    who: &NtlmIdentity<'_>,
    binding: &Binding<'_>,
    rng: &ClientRandom,
    now: u64,
) -> Result<(Vec<u8>, SessionKeys), NtlmError> {
    let offer = Challenge::parse(challenge).ok_or(NtlmError::NotAChallenge)?;
    if let Some(lacking) = flags::missing(offer.flags) {
        return Err(NtlmError::Missing(lacking));
    }
    let agreed = WANTED & offer.flags | flags::REQUEST_TARGET;
    let attributes = Attributes::answer(offer.target_info, binding)?;
    let proof = Proof::new(who, &offer, rng, &attributes, now);

    let mut sealed_key = Zeroizing::new(rng.exported_session_key);
    rc4(&proof.session_base_key, &mut sealed_key[..]);
    let message = Authenticate {
        lm_response: &proof.lm_response,
        nt_response: &proof.nt_response,
        domain: &utf16le(who.domain),
        user: &utf16le(who.user),
        workstation: &utf16le(who.workstation),
        session_key: &sealed_key[..],
        flags: agreed,
        version: if agreed & flags::VERSION != 0 { binding.version } else { [0; 8] },
        room_for_mic: attributes.with_mic,
    };
    let mut token = message.encode().ok_or(NtlmError::NameTooLong)?;
    if attributes.with_mic {
        let mic = hmac_md5(&rng.exported_session_key, &[challenge, &token]);
        token[MIC_AT..MIC_AT + 16].copy_from_slice(&mic);
    }
    Ok((token, SessionKeys::derive(&rng.exported_session_key, agreed)))
}

/// The hash for AV pair 10 from an RFC 5929 `tls-server-end-point` value (MS-NLMP 2.2.2.1, the MD5
/// of a `gss_channel_bindings_struct` with empty addresses).
pub fn channel_binding(server_end_point: &[u8]) -> [u8; 16] {
    const PREFIX: &[u8] = b"tls-server-end-point:";
    let length = u32::try_from(PREFIX.len() + server_end_point.len()).unwrap_or(u32::MAX);
    md5(&[&[0u8; 16], &length.to_le_bytes(), PREFIX, server_end_point])
}

/// NTOWFv2: the key of a user in a domain (MS-NLMP 3.3.2).
pub(super) fn ntowf_v2(who: &NtlmIdentity<'_>) -> Zeroizing<[u8; 16]> {
    let password = Zeroizing::new(utf16le(who.password.reveal()));
    let hash = Zeroizing::new(md4(&password));
    let name = utf16le(&(upper_case(who.user) + who.domain));
    Zeroizing::new(hmac_md5(&hash[..], &[&name]))
}

impl<'a> Binding<'a> {
    /// Nothing beyond what pidgin-sipe sends: no service name, no channel, no message check.
    pub const fn plain() -> Self {
        Self { spn: None, channel: None, mic: MicPolicy::Never, version: VERSION_FIELD }
    }

    /// Extended protection: tied to the service, to the TLS channel if there is one, and checked.
    pub const fn protected(spn: &'a str, channel: Option<[u8; 16]>) -> Self {
        let channel = match channel {
            Some(hash) => hash,
            None => [0; 16],
        };
        Self {
            spn: Some(spn),
            channel: Some(channel),
            mic: MicPolicy::WhenTimestamped,
            version: VERSION_FIELD,
        }
    }
}

impl Default for Binding<'_> {
    /// No service, no channel; a message check where the server's challenge asks for one.
    fn default() -> Self {
        Self { mic: MicPolicy::WhenTimestamped, ..Self::plain() }
    }
}

impl fmt::Debug for ClientRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientRandom(…)")
    }
}

/// The client's copy of the server's attribute list.
struct Attributes {
    list: Vec<u8>,
    timestamp: Option<[u8; 8]>,
    with_mic: bool,
    without_lm: bool,
}

impl Attributes {
    /// Copies in order, then adds what only a client may say.
    fn answer(offered: &[u8], binding: &Binding<'_>) -> Result<Self, NtlmError> {
        let offered: Vec<_> =
            AvPairs::new(offered).collect::<Option<_>>().ok_or(NtlmError::BrokenAttributes)?;
        let find = |id| offered.iter().find(|pair| pair.id == id).map(|pair| pair.value);
        if find(av_pair::NETBIOS_COMPUTER).is_none() || find(av_pair::NETBIOS_DOMAIN).is_none() {
            return Err(NtlmError::Unnamed);
        }
        let timestamp = find(av_pair::TIMESTAMP).and_then(|value| value.try_into().ok());
        let with_mic = match binding.mic {
            MicPolicy::WhenTimestamped => timestamp.is_some(),
            MicPolicy::Always => true,
            MicPolicy::Never => false,
        };
        let mut list = Vec::new();
        let mut add = |id, value: &[u8]| av_pair::push(&mut list, id, value).ok_or(NtlmError::NameTooLong);
        let ours = [av_pair::FLAGS, av_pair::TARGET_NAME, av_pair::CHANNEL_BINDINGS];
        for pair in offered.iter().filter(|pair| !ours.contains(&pair.id)) {
            add(pair.id, pair.value)?;
        }
        let offered_bits =
            find(av_pair::FLAGS).and_then(|value| value.try_into().ok()).map_or(0, u32::from_le_bytes);
        let bits = offered_bits & !av_pair::MIC_PRESENT | if with_mic { av_pair::MIC_PRESENT } else { 0 };
        if bits != 0 {
            add(av_pair::FLAGS, &bits.to_le_bytes())?;
        }
        if let Some(spn) = binding.spn {
            add(av_pair::TARGET_NAME, &utf16le(spn))?;
        }
        if let Some(channel) = binding.channel {
            add(av_pair::CHANNEL_BINDINGS, &channel)?;
        }
        add(av_pair::END, &[])?;
        let without_lm = timestamp.is_some() && binding.mic != MicPolicy::Never;
        Ok(Self { list, timestamp, with_mic, without_lm })
    }
}

/// The NTLMv2 responses and the key that comes of them (MS-NLMP 3.3.2).
pub(super) struct Proof {
    pub(super) nt_response: Vec<u8>,
    pub(super) lm_response: Vec<u8>,
    pub(super) session_base_key: Zeroizing<[u8; 16]>,
}

impl Proof {
    fn new(
        who: &NtlmIdentity<'_>,
        offer: &Challenge<'_>,
        rng: &ClientRandom,
        attributes: &Attributes,
        now: u64,
    ) -> Self {
        let key = ntowf_v2(who);
        let mut temp = Vec::with_capacity(32 + attributes.list.len());
        temp.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]);
        temp.extend_from_slice(&attributes.timestamp.unwrap_or(now.to_le_bytes()));
        temp.extend_from_slice(&rng.client_challenge);
        temp.extend_from_slice(&[0; 4]);
        temp.extend_from_slice(&attributes.list);
        temp.extend_from_slice(&[0; 4]);
        let proof = hmac_md5(&key[..], &[&offer.server_challenge, &temp]);
        // A timestamp makes the LM response superfluous: the connectionless client leaves it empty.
        let lm_response = if attributes.without_lm {
            Vec::new()
        } else {
            let lm = hmac_md5(&key[..], &[&offer.server_challenge, &rng.client_challenge]);
            [&lm[..], &rng.client_challenge].concat()
        };
        Self {
            nt_response: [&proof[..], &temp].concat(),
            lm_response,
            session_base_key: Zeroizing::new(hmac_md5(&key[..], &[&proof])),
        }
    }
}

/// What the client takes from the server's offer.
const WANTED: u32 = flags::UNICODE
    | flags::SIGN
    | flags::DATAGRAM
    | flags::NTLM
    | flags::ALWAYS_SIGN
    | flags::EXTENDED_SESSION_SECURITY
    | flags::IDENTIFY
    | flags::TARGET_INFO
    | flags::VERSION
    | flags::STRONG_KEYS
    | flags::KEY_EXCHANGE;

const VERSION_FIELD: [u8; 8] = [0x0a, 0x00, 0x63, 0x45, 0x00, 0x00, 0x00, 0x0f];
