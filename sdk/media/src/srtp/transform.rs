//! Session keys and what is done with them: derivation, encryption, tags (RFC 3711 section 4; RFC 7714 sections 8, 9).

use aes::Aes128;
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Nonce, Tag};
use ctr::Ctr128BE;
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipher};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::key::{MAX_SALT, MasterKey, Suite};

/// The session keys of one kind of packet in one direction.
#[derive(Clone)]
pub(super) enum Transform {
    /// Counter mode and HMAC-SHA1.
    Counter(Box<Counter>),
    /// AES-GCM, whose tag has 16 octets.
    Gcm(Box<Gcm>),
}

#[derive(Clone)]
pub(super) struct Counter {
    cipher: Aes128,
    salt: Zeroizing<[u8; MAX_SALT]>,
    mac: Hmac<Sha1>,
    /// To how many octets the tag is cut.
    tag: usize,
}

#[derive(Clone)]
pub(super) struct Gcm {
    aead: Aes128Gcm,
    salt: Zeroizing<[u8; GCM_SALT]>,
}

/// For which packets keys are derived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Rtp,
    Rtcp,
}

/// What makes the counter of a packet unique: its source and its number there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) ssrc: u32,
    /// 48 bits for RTP, 31 for RTCP.
    pub(super) index: u64,
}

impl Transform {
    pub(super) fn new(master: &MasterKey, kind: Kind) -> Transform {
        let label = match kind {
            Kind::Rtp => 0,
            Kind::Rtcp => 3,
        };
        let key: Zeroizing<[u8; 16]> = derive(master, label);
        match master.suite() {
            Suite::AeadAes128Gcm => Transform::Gcm(Box::new(Gcm {
                aead: Aes128Gcm::new(&(*key).into()),
                salt: derive(master, label + 2),
            })),
            suite => {
                let mac_key: Zeroizing<[u8; MAC_KEY]> = derive(master, label + 1);
                let is_short = suite == Suite::AesCm128HmacSha1Tag32 && kind == Kind::Rtp;
                Transform::Counter(Box::new(Counter {
                    cipher: Aes128::new(&(*key).into()),
                    salt: derive(master, label + 2),
                    mac: <Hmac<Sha1> as KeyInit>::new_from_slice(&*mac_key)
                        .expect("HMAC takes keys of any length"),
                    tag: if is_short { 4 } else { 10 },
                }))
            }
        }
    }

    /// What protection adds to a packet of RTP.
    pub(super) fn tag_octets(&self) -> usize {
        match self {
            Transform::Counter(counter) => counter.tag,
            Transform::Gcm(_) => GCM_TAG,
        }
    }

    /// True where the tag belongs to the cipher's text, and what identifies the key stands behind it (RFC 7714
    /// section 8.2).
    pub(super) fn is_aead(&self) -> bool {
        matches!(self, Transform::Gcm(_))
    }

    /// Encrypts `text` and writes the tag. `clear` stands before the text, `behind` is authenticated besides.
    /// None where the text is longer than the cipher takes.
    pub(super) fn seal(&self, at: Position, parts: Parts<'_>, tag: &mut [u8]) -> Option<()> {
        match self {
            Transform::Counter(with) => {
                keystream(&with.cipher, &counter(&with.salt, at)).apply_keystream(parts.text);
                let mut mac = with.mac.clone();
                [parts.clear, parts.text, parts.behind].iter().for_each(|part| mac.update(part));
                let whole = mac.finalize().into_bytes();
                tag.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
                Some(())
            }
            Transform::Gcm(with) => {
                let (aad, length) = parts.joined()?;
                let whole = with.aead.encrypt_inout_detached(
                    &Nonce::from(nonce(&with.salt, at)),
                    aad.get(..length)?,
                    parts.text.into(),
                );
                tag.iter_mut().zip(whole.ok()?).for_each(|(to, from)| *to = from);
                Some(())
            }
        }
    }

    /// Checks the tag and decrypts `text`. None where the tag is another; the text is then of no use.
    pub(super) fn open(&self, at: Position, parts: Parts<'_>, tag: &[u8]) -> Option<()> {
        match self {
            Transform::Counter(with) => {
                let mut mac = with.mac.clone();
                [parts.clear, parts.text, parts.behind].iter().for_each(|part| mac.update(part));
                mac.verify_truncated_left(tag).ok()?;
                keystream(&with.cipher, &counter(&with.salt, at)).apply_keystream(parts.text);
                Some(())
            }
            Transform::Gcm(with) => {
                let (aad, length) = parts.joined()?;
                let tag = Tag::try_from(tag).ok()?;
                let nonce = Nonce::from(nonce(&with.salt, at));
                with.aead.decrypt_inout_detached(&nonce, aad.get(..length)?, parts.text.into(), &tag).ok()
            }
        }
    }
}

/// A packet in its parts.
pub(super) struct Parts<'p> {
    /// Authenticated and not encrypted: the head.
    pub(super) clear: &'p [u8],
    /// Encrypted in place.
    pub(super) text: &'p mut [u8],
    /// Authenticated besides: the roll-over counter with HMAC, the word with the index in SRTCP.
    pub(super) behind: &'p [u8],
}

impl Parts<'_> {
    /// What GCM authenticates besides the text, in one piece. A head with all its sources fits; one with an extension
    /// beyond that is no telephone's.
    fn joined(&self) -> Option<([u8; MAX_AAD], usize)> {
        let mut aad = [0; MAX_AAD];
        let length = self.clear.len() + self.behind.len();
        let parts = self.clear.iter().chain(self.behind);
        aad.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        (length <= MAX_AAD).then_some((aad, length))
    }
}

/// Key derivation with a rate of zero (RFC 3711 section 4.3.1): the keystream under the master key from the salt and
/// the label.
fn derive<const N: usize>(master: &MasterKey, label: u8) -> Zeroizing<[u8; N]> {
    let mut start = Zeroizing::new([0; 16]);
    start.iter_mut().zip(master.salt()).for_each(|(to, from)| *to = *from);
    start[LABEL_AT] ^= label;
    let cipher = Aes128::new(&(*master.key()).into());
    let mut derived = Zeroizing::new([0; N]);
    keystream(&cipher, &start).apply_keystream(&mut *derived);
    derived
}

fn keystream<'c>(cipher: &'c Aes128, start: &[u8; 16]) -> Ctr128BE<&'c Aes128> {
    Ctr128BE::from_core(ctr::CtrCore::inner_iv_init(cipher, &(*start).into()))
}

/// The first counter of a packet (RFC 3711 section 4.1.1).
fn counter(salt: &[u8; MAX_SALT], at: Position) -> [u8; 16] {
    let mut start = [0; 16];
    let ssrc = at.ssrc.to_be_bytes();
    // 48 bits of index before 16 of the block's number.
    let index = (at.index << 16).to_be_bytes();
    start.iter_mut().skip(4).zip(ssrc.iter().chain(&index)).for_each(|(to, from)| *to = *from);
    start.iter_mut().zip(salt).for_each(|(to, from)| *to ^= from);
    start
}

/// RFC 7714 sections 8.1 and 9.1: two zeros, the source, 48 bits of index, all with the salt.
fn nonce(salt: &[u8; GCM_SALT], at: Position) -> [u8; GCM_SALT] {
    let [_, _, index @ ..] = at.index.to_be_bytes();
    let mut nonce = [0; GCM_SALT];
    let ssrc = at.ssrc.to_be_bytes();
    nonce.iter_mut().skip(2).zip(ssrc.iter().chain(&index)).for_each(|(to, from)| *to = *from);
    nonce.iter_mut().zip(salt).for_each(|(to, from)| *to ^= from);
    nonce
}

/// Octets that protection adds at most: the longest tag, and the word of SRTCP.
#[cfg(test)]
pub(super) const MAX_TRAILER: usize = GCM_TAG + 4;

const GCM_SALT: usize = 12;
const GCM_TAG: usize = 16;
const MAC_KEY: usize = 20;
/// The label stands before 48 bits of index, right-aligned under 14 octets of salt.
const LABEL_AT: usize = 7;
/// A head with 15 sources and an extension of 180 octets.
const MAX_AAD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let octet = |at: usize| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap();
        std::array::from_fn(octet)
    }

    /// RFC 3711 appendix B.3.
    #[test]
    fn keys_are_derived_as_the_rfc_derives_them() {
        let master: [u8; 30] = hex("e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6");
        let master = MasterKey::from_octets(Suite::AesCm128HmacSha1Tag80, &master).unwrap();
        assert_eq!(*derive::<16>(&master, 0), hex("c61e7a93744f39ee10734afe3ff7a087"));
        assert_eq!(*derive::<14>(&master, 2), hex("30cbbc08863d8c85d49db34a9ae1"));
        let auth = "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef722709\
            86371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2";
        assert_eq!(*derive::<94>(&master, 1), hex(auth));
    }

    /// RFC 3711 appendix B.2: the first and the last blocks of 65,282.
    #[test]
    fn the_keystream_is_that_of_the_rfc() {
        let cipher = Aes128::new(&hex::<16>("2b7e151628aed2a6abf7158809cf4f3c").into());
        let start = counter(&hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd"), Position { ssrc: 0, index: 0 });
        let mut stream = vec![0; 1_044_512];
        keystream(&cipher, &start).apply_keystream(&mut stream);
        let first = "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0";
        let last = "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44";
        assert_eq!(stream[..48], hex::<48>(first));
        assert_eq!(stream[stream.len() - 48..], hex::<48>(last));
    }

    /// RFC 7714 sections 16.1.1, 16.1.2 and 17.1, whose keys are session keys.
    #[test]
    fn gcm_packets_are_those_of_the_rfc() {
        let gcm = Transform::Gcm(Box::new(Gcm {
            aead: Aes128Gcm::new(&hex::<16>("000102030405060708090a0b0c0d0e0f").into()),
            salt: Zeroizing::new(hex("517569642070726f2071756f")),
        }));
        let mut text = *b"Gallia est omnis divisa in partes tres";
        let clear: [u8; 12] = hex("8040f17b8041f8d35501a0b2");
        let mut tag = [0; 16];
        let at = Position { ssrc: 0x5501_a0b2, index: 0xf17b };
        gcm.seal(at, Parts { clear: &clear, text: &mut text, behind: &[] }, &mut tag).unwrap();
        let sealed = "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833";
        assert_eq!((text, tag), (hex(sealed), hex("899d7f27beb16a9152cf765ee4390cce")));
        gcm.open(at, Parts { clear: &clear, text: &mut text, behind: &[] }, &tag).unwrap();
        assert_eq!(&text, b"Gallia est omnis divisa in partes tres");

        let clear: [u8; 8] = hex("81c8000d4d617273");
        let mut text: [u8; 44] =
            hex("4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef");
        let at = Position { ssrc: 0x4d61_7273, index: 0x5d4 };
        let word: [u8; 4] = hex("800005d4");
        gcm.seal(at, Parts { clear: &clear, text: &mut text, behind: &word }, &mut tag).unwrap();
        let sealed =
            "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275b";
        assert_eq!((text, tag), (hex(sealed), hex("c84aa45896cf4d2fc5abf87245d9eade")));
    }
}
