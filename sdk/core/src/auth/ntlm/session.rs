//! The keys both sides hold after the handshake, and the MAC of a message (MS-NLMP 3.4).
//!
//! Shared by the user agent and by a server that verifies it. The sequence number is the constant
//! 100 for every message of both directions (MS-SIPAE): replay protection is the task of the
//! security association's counters.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::crypto::{hmac_md5, md5, rc4};
use super::flags;

/// Who made a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The user agent.
    Client,
    /// The registrar or proxy that sends the challenge.
    Server,
}

/// Signing keys of both directions, derived from the exported session key. Wiped on drop.
///
/// ```
/// use homing_core::auth::ntlm::{flags, SessionKeys, Side};
///
/// let agreed = flags::EXTENDED_SESSION_SECURITY | flags::STRONG_KEYS | flags::KEY_EXCHANGE;
/// let keys = SessionKeys::derive(&[0x55; 16], agreed);
/// let mac = keys.sign(Side::Client, b"<NTLM>...");
/// assert!(keys.verify(Side::Client, b"<NTLM>...", &mac));
/// assert!(!keys.verify(Side::Server, b"<NTLM>...", &mac));
/// ```
#[derive(Clone)]
pub struct SessionKeys {
    client: SideKeys,
    server: SideKeys,
}

/// What one direction needs: the HMAC key, and the first bytes of its RC4 stream.
///
/// In datagram mode the stream is keyed again for each message from the sequence number; since that
/// number never changes, neither do these eight bytes.
#[derive(Clone)]
struct SideKeys {
    sign: Zeroizing<[u8; 16]>,
    stream: Zeroizing<[u8; 8]>,
}

impl Side {
    /// The other end.
    pub fn peer(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl SessionKeys {
    /// Derives the keys of extended session security in datagram mode (MS-NLMP 3.4.5, 3.4.4.2).
    ///
    /// `agreed` are the flags of the AUTHENTICATE message: they choose the key length and whether
    /// checksums are encrypted. Extended session security itself is a condition of calling this,
    /// see [`flags::missing`].
    pub fn derive(exported: &[u8; 16], agreed: u32) -> Self {
        Self {
            client: SideKeys::derive(exported, agreed, Side::Client),
            server: SideKeys::derive(exported, agreed, Side::Server),
        }
    }

    /// The 16-byte signature of `message` when `side` sends it.
    pub fn sign(&self, side: Side, message: &[u8]) -> [u8; 16] {
        let keys = match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        let sequence = SEQUENCE.to_le_bytes();
        let hash = hmac_md5(&keys.sign[..], &[&sequence, message]);
        let mut mac = [0u8; 16];
        mac[..4].copy_from_slice(&SIGNATURE_VERSION);
        for ((out, hash), stream) in mac[4..12].iter_mut().zip(hash).zip(*keys.stream) {
            *out = hash ^ stream;
        }
        mac[12..].copy_from_slice(&sequence);
        mac
    }

    /// True if `mac` is the signature that `side` gives to `message`. Takes the same time for any
    /// wrong value.
    pub fn verify(&self, side: Side, message: &[u8], mac: &[u8; 16]) -> bool {
        self.sign(side, message).ct_eq(mac).into()
    }
}

impl SideKeys {
    fn derive(exported: &[u8; 16], agreed: u32, side: Side) -> Self {
        let sign = Zeroizing::new(sign_key(exported, side));
        let mut stream = Zeroizing::new([0u8; 8]);
        if agreed & flags::KEY_EXCHANGE != 0 {
            let seal = Zeroizing::new(seal_key(exported, agreed, side));
            rc4(&Zeroizing::new(rekeyed(&seal, SEQUENCE)), &mut stream[..]);
        }
        Self { sign, stream }
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeys(…)")
    }
}

/// Verifies a signature made *without* extended session security, as some old servers send it.
///
/// `CRC32` under RC4, the first four bytes after the version are arbitrary padding (MS-NLMP
/// 3.4.4.1). This is weak and only serves to read old traffic: no association of ours is made on
/// it, and none is ever signed this way.
pub fn verify_without_extended_security(exported: &[u8; 16], message: &[u8], mac: &[u8; 16]) -> bool {
    let mut trailer = [0u8; 12];
    trailer[4..8].copy_from_slice(&crc32(message).to_le_bytes());
    trailer[8..].copy_from_slice(&SEQUENCE.to_le_bytes());
    rc4(exported, &mut trailer);
    let version = mac[..4].ct_eq(&SIGNATURE_VERSION);
    (version & mac[8..].ct_eq(&trailer[4..])).into()
}

/// SIGNKEY of one direction.
pub(super) fn sign_key(exported: &[u8; 16], side: Side) -> [u8; 16] {
    let magic: &[u8] = match side {
        Side::Client => b"session key to client-to-server signing key magic constant\0",
        Side::Server => b"session key to server-to-client signing key magic constant\0",
    };
    md5(&[exported, magic])
}

/// SEALKEY of one direction under extended session security.
pub(super) fn seal_key(exported: &[u8; 16], agreed: u32, side: Side) -> [u8; 16] {
    let magic: &[u8] = match side {
        Side::Client => b"session key to client-to-server sealing key magic constant\0",
        Side::Server => b"session key to server-to-client sealing key magic constant\0",
    };
    let length = match agreed {
        bits if bits & flags::STRONG_KEYS != 0 => 16,
        bits if bits & flags::WEAK_KEYS != 0 => 7,
        _ => 5,
    };
    md5(&[&exported[..length], magic])
}

/// The RC4 key of one datagram.
pub(super) fn rekeyed(seal: &[u8; 16], sequence: u32) -> [u8; 16] {
    md5(&[seal, &sequence.to_le_bytes()])
}

/// CRC-32 (ISO 3309), bit by bit: only old traffic needs it.
pub(super) fn crc32(message: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !message.iter().fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// The sequence number of every signature (MS-SIPAE: constant).
const SEQUENCE: u32 = 100;
const SIGNATURE_VERSION: [u8; 4] = [1, 0, 0, 0];
