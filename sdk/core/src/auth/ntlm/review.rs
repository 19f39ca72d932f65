//! Reads an AUTHENTICATE message that was sent and recomputes it from the password: for checking recordings.
//!
//! Sources: MS-NLMP 2.2.1.3, 3.3.2 and 3.2.5.2.2. Nothing of a login needs this room; it trusts no
//! offset and no length, and compares a recording with what the password makes of it.

use std::fmt;

use zeroize::Zeroizing;

use super::av_pair::{self, AvPairs};
use super::client::{NtlmIdentity, ntowf_v2};
use super::crypto::{hmac_md5, rc4};
use super::flags;
use super::message::{MIC_AT, TOKEN_LIMIT};
use super::session::{SessionKeys, Side, verify_without_extended_security};
use crate::secret::Password;

/// An AUTHENTICATE message, borrowing the token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    token: &'a [u8],
    /// What was agreed, see [`super::flags`].
    pub flags: u32,
    /// As sent; in LMv2 16 bytes of proof and the client's nonce of 8. May be empty or zeros.
    pub lm_response: &'a [u8],
    /// The NT response: 16 bytes of proof and what they cover.
    pub nt_response: &'a [u8],
    domain: &'a [u8],
    user: &'a [u8],
    workstation: &'a [u8],
    session_key: &'a [u8],
    has_room_for_mic: bool,
}

/// What the password makes of an answer.
pub struct Recomputed {
    due: [u8; 16],
    sent: [u8; 16],
    lm_fits: Option<bool>,
    base_key_sent: Zeroizing<[u8; 16]>,
    base_key_due: Zeroizing<[u8; 16]>,
}

/// Which proof the session key is unwrapped with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The one that stands in the message.
    Sent,
    /// The one that ought to stand there.
    Due,
}

/// The keys of a recorded session. They do not print and are wiped on drop.
pub struct ReviewKeys {
    exported: Zeroizing<[u8; 16]>,
    extended: Option<SessionKeys>,
}

impl<'a> Answer<'a> {
    /// Reads a token; `None` if it is no AUTHENTICATE message, is cut off, or points outside itself.
    pub fn parse(token: &'a [u8]) -> Option<Self> {
        let head = token.get(..64)?;
        if token.len() > TOKEN_LIMIT || head[..8] != *b"NTLMSSP\0" || u32_at(head, 8)? != 3 {
            return None;
        }
        let mut first_payload = token.len();
        let mut part = |at| {
            let (from, bytes) = field(token, at)?;
            if !bytes.is_empty() {
                first_payload = first_payload.min(from);
            }
            Some(bytes)
        };
        let (lm_response, nt_response) = (part(12)?, part(20)?);
        let (domain, user, workstation) = (part(28)?, part(36)?, part(44)?);
        let session_key = part(52)?;
        Some(Self {
            token,
            flags: u32_at(head, 60)?,
            lm_response,
            nt_response,
            domain,
            user,
            workstation,
            session_key,
            has_room_for_mic: first_payload >= MIC_AT + 16 && token.len() >= MIC_AT + 16,
        })
    }

    /// The user name.
    pub fn user(&self) -> String {
        self.text(self.user)
    }

    /// The domain, as it enters the proof.
    pub fn domain(&self) -> String {
        self.text(self.domain)
    }

    /// The name of the client's machine.
    pub fn workstation(&self) -> String {
        self.text(self.workstation)
    }

    /// True if the response is one of NTLMv2 and begins as it must.
    pub fn is_version_2(&self) -> bool {
        self.nt_response.len() >= SHORTEST_RESPONSE && self.nt_response[16..18] == [1, 1]
    }

    /// The client's time as FILETIME.
    pub fn timestamp(&self) -> Option<u64> {
        Some(u64::from_le_bytes(*self.nt_response.get(24..)?.first_chunk::<8>()?))
    }

    /// The attribute list that the client sent back.
    pub fn attributes(&self) -> AvPairs<'a> {
        AvPairs::new(self.nt_response.get(44..).unwrap_or_default())
    }

    /// True if the attribute list says that there is a message check.
    pub fn announces_mic(&self) -> bool {
        self.attributes().flatten().any(|pair| {
            let bits = pair.value.first_chunk::<4>().map_or(0, |bits| u32::from_le_bytes(*bits));
            pair.id == av_pair::FLAGS && bits & av_pair::MIC_PRESENT != 0
        })
    }

    /// The message check, if there is room for one.
    pub fn mic(&self) -> Option<[u8; 16]> {
        if !self.has_room_for_mic {
            return None;
        }
        self.token.get(MIC_AT..)?.first_chunk::<16>().copied()
    }

    /// Length of the wrapped session key; 16 where keys are exchanged.
    pub fn session_key_len(&self) -> usize {
        self.session_key.len()
    }

    /// Recomputes the proof; `None` for a response that is not of NTLMv2.
    ///
    /// `domain` is what enters the key: [`Self::domain`], or the empty domain that servers try next.
    pub fn recompute(
        &self,
        server_challenge: &[u8; 8],
        domain: &str,
        password: &Password,
    ) -> Option<Recomputed> {
        let (sent, covered) = self.nt_response.split_first_chunk::<16>()?;
        if !self.is_version_2() {
            return None;
        }
        let user = self.user();
        let key = ntowf_v2(&NtlmIdentity { user: &user, domain, workstation: "", password });
        let due = hmac_md5(&key[..], &[server_challenge, covered]);
        let lm_fits = match self.lm_response.split_last_chunk::<8>() {
            Some((lm, nonce)) if lm.iter().any(|byte| *byte != 0) => {
                Some(lm == hmac_md5(&key[..], &[server_challenge, nonce]))
            }
            _ => None,
        };
        Some(Recomputed {
            due,
            sent: *sent,
            lm_fits,
            base_key_sent: Zeroizing::new(hmac_md5(&key[..], &[sent])),
            base_key_due: Zeroizing::new(hmac_md5(&key[..], &[&due])),
        })
    }

    /// Unwraps the session key; `None` if there is none of the right length.
    pub fn keys(&self, recomputed: &Recomputed, proof: Proof) -> Option<ReviewKeys> {
        let base = match proof {
            Proof::Sent => &recomputed.base_key_sent,
            Proof::Due => &recomputed.base_key_due,
        };
        let exported = if self.flags & flags::KEY_EXCHANGE == 0 {
            base.clone()
        } else {
            let mut key = Zeroizing::new(<[u8; 16]>::try_from(self.session_key).ok()?);
            rc4(base, &mut key[..]);
            key
        };
        let extended = self.flags & flags::EXTENDED_SESSION_SECURITY != 0;
        let extended = extended.then(|| SessionKeys::derive(&exported, self.flags));
        Some(ReviewKeys { exported, extended })
    }

    fn text(&self, bytes: &[u8]) -> String {
        if self.flags & flags::UNICODE == 0 {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        String::from_utf16_lossy(&units)
    }
}

impl Recomputed {
    /// True if the proof in the message is the one the password calls for.
    pub fn fits(&self) -> bool {
        self.sent == self.due
    }

    /// How many of the 16 bytes of the proof differ, and the first that does.
    pub fn difference(&self) -> Option<(usize, usize)> {
        let differ = |at: &usize| self.sent[*at] != self.due[*at];
        let first = (0..16).find(differ)?;
        Some((first, (0..16).filter(differ).count()))
    }

    /// Whether the LM response fits; `None` if it is empty or zero, as it may be.
    pub fn lm_fits(&self) -> Option<bool> {
        self.lm_fits
    }
}

impl ReviewKeys {
    /// True if `mac` is what `side` signs `message` with. Without extended session security the
    /// arbitrary padding of old servers is passed over.
    pub fn verify(&self, side: Side, message: &[u8], mac: &[u8; 16]) -> bool {
        match &self.extended {
            Some(keys) => keys.verify(side, message, mac),
            None => verify_without_extended_security(&self.exported, message, mac),
        }
    }

    /// What `side` would sign with; `None` without extended session security.
    pub fn sign(&self, side: Side, message: &[u8]) -> Option<[u8; 16]> {
        Some(self.extended.as_ref()?.sign(side, message))
    }

    /// True if the answer's message check fits both messages; `None` if it has none.
    pub fn mic_fits(&self, challenge: &[u8], answer: &Answer<'_>) -> Option<bool> {
        let mic = answer.mic()?;
        let (head, behind) = (answer.token.get(..MIC_AT)?, answer.token.get(MIC_AT + 16..)?);
        Some(hmac_md5(&self.exported[..], &[challenge, head, &[0; 16], behind]) == mic)
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("flags", &self.flags).finish_non_exhaustive()
    }
}

impl fmt::Debug for Recomputed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recomputed(…)")
    }
}

impl fmt::Debug for ReviewKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReviewKeys(…)")
    }
}

fn u32_at(token: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*token.get(at..)?.first_chunk::<4>()?))
}

/// Where a payload begins, and the payload.
fn field(token: &[u8], at: usize) -> Option<(usize, &[u8])> {
    let length = usize::from(u16::from_le_bytes(*token.get(at..)?.first_chunk::<2>()?));
    let from = usize::try_from(u32_at(token, at + 4)?).ok()?;
    if length == 0 {
        return Some((from, &[]));
    }
    Some((from, token.get(from..from.checked_add(length)?)?))
}

/// Proof, fixed part of what it covers, end of the attribute list and its padding.
const SHORTEST_RESPONSE: usize = 16 + 28 + 4;

#[cfg(test)]
mod tests {
    use super::super::client::{Binding, ClientRandom, MicPolicy, authenticate};
    use super::*;

    const CHANCE: ClientRandom =
        ClientRandom { client_challenge: [0xaa; 8], exported_session_key: [0x55; 16] };

    fn challenge() -> Vec<u8> {
        let mut list = Vec::new();
        for (id, value) in [(2, &b"N\0"[..]), (1, b"H\0"), (7, &[9; 8]), (0, b"")] {
            av_pair::push(&mut list, id, value).unwrap();
        }
        let length = u16::try_from(list.len()).unwrap().to_le_bytes();
        let mut token = b"NTLMSSP\0\x02\0\0\0".to_vec();
        token.extend_from_slice(&[0, 0, 0, 0, 56, 0, 0, 0]);
        token.extend_from_slice(&0xE298_82F3u32.to_le_bytes());
        token.extend_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
        token.extend_from_slice(&[0; 8]);
        token.extend_from_slice(&[length, length].concat());
        token.extend_from_slice(&56u32.to_le_bytes());
        token.extend_from_slice(&[6, 1, 0, 0, 0, 0, 0, 15]);
        token.extend_from_slice(&list);
        token
    }

    fn answer(mic: MicPolicy) -> (Vec<u8>, SessionKeys) {
        let password = Password::new("secret");
        let who = NtlmIdentity { user: "Zoë", domain: "NET", workstation: "PC", password: &password };
        authenticate(&challenge(), &who, &Binding { mic, ..Binding::default() }, &CHANCE, 7).unwrap()
    }

    #[test]
    fn what_a_client_sends_is_recomputed() {
        for mic in [MicPolicy::Never, MicPolicy::Always] {
            let (token, keys) = answer(mic);
            let read = Answer::parse(&token).unwrap();
            assert_eq!(
                (read.user(), read.domain(), read.workstation()),
                ("Zoë".into(), "NET".into(), "PC".into())
            );
            let right = read.recompute(&[1, 2, 3, 4, 5, 6, 7, 8], "NET", &Password::new("secret")).unwrap();
            assert!(right.fits() && right.difference().is_none());
            assert_eq!(right.lm_fits(), (mic == MicPolicy::Never).then_some(true));
            let review = read.keys(&right, Proof::Sent).unwrap();
            assert!(review.verify(Side::Client, b"<x>", &keys.sign(Side::Client, b"<x>")));
            assert_eq!(review.sign(Side::Server, b"<x>"), Some(keys.sign(Side::Server, b"<x>")));
            assert_eq!(review.mic_fits(&challenge(), &read), (mic == MicPolicy::Always).then_some(true));
            assert_eq!(read.announces_mic(), mic == MicPolicy::Always);
            let wrong = read.recompute(&[1, 2, 3, 4, 5, 6, 7, 8], "NET", &Password::new("Secret")).unwrap();
            assert!(!wrong.fits());
        }
    }

    #[test]
    fn an_altered_proof_is_told_from_a_wrong_password() {
        let (mut token, keys) = answer(MicPolicy::Never);
        let at = u32_at(&token, 24).unwrap() as usize;
        token[at + 3] ^= 1;
        let read = Answer::parse(&token).unwrap();
        let found = read.recompute(&[1, 2, 3, 4, 5, 6, 7, 8], "NET", &Password::new("secret")).unwrap();
        assert_eq!(found.difference(), Some((3, 1)));
        let mac = keys.sign(Side::Server, b"<x>");
        assert!(read.keys(&found, Proof::Due).unwrap().verify(Side::Server, b"<x>", &mac));
        assert!(!read.keys(&found, Proof::Sent).unwrap().verify(Side::Server, b"<x>", &mac));
    }

    #[test]
    fn no_bytes_harm_the_reader() {
        let (token, _) = answer(MicPolicy::Always);
        let mut state = 7u64;
        for _ in 0..20_000 {
            let mut bad = token.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (state >> 33) as usize % bad.len();
                bad[at] = state.to_be_bytes()[1];
            }
            bad.truncate((state >> 40) as usize % (bad.len() + 60));
            if let Some(read) = Answer::parse(&bad) {
                let _ = (read.user(), read.mic(), read.announces_mic(), read.timestamp());
                if let Some(found) = read.recompute(&[0; 8], &read.domain(), &Password::new("x")) {
                    let _ = read.keys(&found, Proof::Sent).map(|keys| keys.mic_fits(b"", &read));
                }
            }
        }
    }
}
