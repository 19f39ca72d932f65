//! Keys in descriptions (SDES, RFC 4568): which of the peer's can be taken, and those of our own.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use homing_wire::sdp::{Crypto, Media};
use zeroize::Zeroizing;

use super::audio::Profile;
use super::policy::{Policy, Security};
use super::refusal::Refusal;
use crate::random::{Purpose, Random};
use crate::srtp::{KeyId, MasterKey, Suite};

/// A way to encrypt that the peer named, with its key.
#[derive(Debug)]
pub(super) struct PeerCrypto {
    pub(super) tag: u32,
    pub(super) key: MasterKey,
}

/// Our key of each suite, the same for the whole dialog: a re-offer leaves the streams as they are.
#[derive(Clone, Debug)]
pub(super) struct OwnKeys([MasterKey; Suite::ALL.len()]);

impl OwnKeys {
    pub(super) fn new(seed: &[u8; 32]) -> Self {
        let mut random = Random::new(seed, Purpose::Keys);
        Self(Suite::ALL.map(|suite| {
            let mut octets = Zeroizing::new([0; MasterKey::MAX_OCTETS]);
            random.fill(&mut *octets);
            MasterKey::from_start(suite, &octets)
        }))
    }

    pub(super) fn of(&self, suite: Suite) -> &MasterKey {
        let [first, second, third] = &self.0;
        [second, third].into_iter().find(|key| key.suite() == suite).unwrap_or(first)
    }

    /// The value of an `a=crypto` of ours.
    pub(super) fn attribute(&self, tag: u32, suite: Suite) -> String {
        format!("{tag} {} inline:{}", suite.name(), &*self.of(suite).to_inline(&BASE64))
    }
}

/// The way to encrypt that is taken of the peer's offer; none where sound goes in the clear.
pub(super) fn choose(
    media: &Media<'_>,
    profile: Profile,
    policy: &Policy,
) -> Result<Option<PeerCrypto>, Refusal> {
    let chosen = media.cryptos().find_map(|crypto| usable(&crypto));
    if policy.takes_keys()
        && let Some(chosen) = chosen
    {
        return Ok(Some(chosen));
    }
    let wants_encryption = profile == Profile::Secure || policy.security == Security::Required;
    if !wants_encryption {
        return Ok(None);
    }
    let has_keys = media.cryptos().next().is_some();
    let has_dtls = media.attribute("fingerprint").is_some();
    Err(match policy.security {
        // No policy of ours would help.
        _ if !has_keys && has_dtls => Refusal::OnlyDtls,
        Security::Off => Refusal::SecurityOff,
        _ if has_keys && !policy.secure_signalling => Refusal::KeysInClear,
        _ if has_keys || profile == Profile::Secure => Refusal::NoCommonSuite,
        _ => Refusal::SecurityRequired,
    })
}

/// The key of an `a=crypto`, if its suite, its parameters and its one key are such as we can take.
pub(super) fn usable(crypto: &Crypto<'_>) -> Option<PeerCrypto> {
    let suite = Suite::named(crypto.suite)?;
    // What is not known must not be passed over (RFC 4568 section 6.3.7). WSH only hints at the size of a window.
    let mut params = crypto.session_params.split(' ').filter(|param| !param.is_empty());
    if !params.all(|param| param.starts_with("WSH=")) {
        return None;
    }
    let keys = crypto.keys()?;
    let [inline] = keys.as_slice() else { return None };
    let octets = Zeroizing::new(BASE64.decode(inline.key_and_salt).ok()?);
    let key = MasterKey::from_octets(suite, &octets)?;
    let key = match inline.mki {
        None => key,
        Some(mki) => key.with_id(KeyId::new(mki.value, usize::from(mki.octets))?),
    };
    Some(PeerCrypto { tag: crypto.tag, key })
}

/// Some products leave the padding of the last group out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
