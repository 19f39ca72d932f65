//! STUN as a keep-alive needs it: binding requests and their answers (RFC 8489).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};
use thiserror::Error;

/// What pairs an answer with its request.
pub type TransactionId = [u8; 12];

/// A STUN message that means something to a SIP flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stun {
    /// A binding request.
    Request {
        /// Its transaction.
        id: TransactionId,
    },
    /// A success response to one.
    Answer {
        /// Its transaction.
        id: TransactionId,
        /// The address the request came from, as the peer saw it.
        mapped: SocketAddr,
    },
}

/// Why bytes are no STUN message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StunError {
    /// Header, length or an attribute is broken.
    #[error("the STUN message is malformed")]
    Malformed,
    /// The fingerprint does not fit.
    #[error("the STUN fingerprint is wrong")]
    Fingerprint,
    /// Another method or class, or an attribute that must be understood and is not.
    #[error("the STUN message is of a kind not used here")]
    Unsupported,
    /// A success response without a mapped address.
    #[error("the STUN answer names no address")]
    NoAddress,
}

/// Encodes a request of 20 octets: the header alone, without attributes.
pub fn binding_request(id: TransactionId) -> Bytes {
    let mut message = BytesMut::with_capacity(HEADER);
    message.put_u16(BINDING_REQUEST);
    message.put_u16(0);
    message.put_u32(COOKIE);
    message.put_slice(&id);
    message.freeze()
}

/// Reads a binding request or its success response.
///
/// # Errors
/// [`StunError`]: the message is dropped, whatever the reason.
pub fn read(message: &[u8]) -> Result<Stun, StunError> {
    let (head, attributes) = message.split_first_chunk::<HEADER>().ok_or(StunError::Malformed)?;
    let [k0, k1, l0, l1, c0, c1, c2, c3, id @ ..] = *head;
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    if u32::from_be_bytes([c0, c1, c2, c3]) != COOKIE || length != attributes.len() || length % 4 != 0 {
        return Err(StunError::Malformed);
    }
    let mapped = read_attributes(message, attributes, id)?;
    match u16::from_be_bytes([k0, k1]) {
        BINDING_REQUEST => Ok(Stun::Request { id }),
        BINDING_SUCCESS => mapped.map(|mapped| Stun::Answer { id, mapped }).ok_or(StunError::NoAddress),
        _ => Err(StunError::Unsupported),
    }
}

/// The mapped address; the exclusive-or form wins, because some middle-boxes rewrite the plain one.
fn read_attributes(
    message: &[u8],
    mut rest: &[u8],
    id: TransactionId,
) -> Result<Option<SocketAddr>, StunError> {
    let (mut plain, mut xored) = (None, None);
    while let Some(([t0, t1, l0, l1], after)) = rest.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let value = after.get(..length).ok_or(StunError::Malformed)?;
        match u16::from_be_bytes([*t0, *t1]) {
            MAPPED_ADDRESS => plain = Some(address(value, None)?),
            XOR_MAPPED_ADDRESS => xored = Some(address(value, Some(id))?),
            FINGERPRINT => {
                let offset = message.len() - rest.len();
                let right = crc32(message.get(..offset).unwrap_or_default()) ^ FINGERPRINT_MASK;
                if value != right.to_be_bytes() {
                    return Err(StunError::Fingerprint);
                }
            }
            kind if kind < COMPREHENSION_OPTIONAL && !UNDERSTOOD.contains(&kind) => {
                return Err(StunError::Unsupported);
            }
            _ => {}
        }
        rest = after.get(length.next_multiple_of(4)..).ok_or(StunError::Malformed)?;
    }
    Ok(xored.or(plain))
}

/// An address, plain or in exclusive-or with the cookie and the transaction.
fn address(value: &[u8], xor: Option<TransactionId>) -> Result<SocketAddr, StunError> {
    let ([_, family, p0, p1], ip) = value.split_first_chunk::<4>().ok_or(StunError::Malformed)?;
    let port = u16::from_be_bytes([*p0, *p1]) ^ if xor.is_some() { PORT_MASK } else { 0 };
    let ip = match (*family, ip.len()) {
        (FAMILY_V4, 4) => {
            let bits = u32::from_be_bytes(ip.try_into().map_err(|_| StunError::Malformed)?);
            IpAddr::V4(Ipv4Addr::from_bits(bits ^ if xor.is_some() { COOKIE } else { 0 }))
        }
        (FAMILY_V6, 16) => {
            let bits = u128::from_be_bytes(ip.try_into().map_err(|_| StunError::Malformed)?);
            IpAddr::V6(Ipv6Addr::from_bits(bits ^ xor.map_or(0, mask_v6)))
        }
        _ => return Err(StunError::Malformed),
    };
    Ok(SocketAddr::new(ip, port))
}

fn mask_v6(id: TransactionId) -> u128 {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(&id);
    u128::from_be_bytes(mask)
}

/// CRC-32 of ITU V.42, as the fingerprint takes it (RFC 8489 section 14.7).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            },
        )
    })
}

const HEADER: usize = 20;
const COOKIE: u32 = 0x2112_a442;
const PORT_MASK: u16 = 0x2112;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const MAPPED_ADDRESS: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_MASK: u32 = 0x5354_554e;
const FAMILY_V4: u8 = 1;
const FAMILY_V6: u8 = 2;

/// From here on an attribute may be left alone.
const COMPREHENSION_OPTIONAL: u16 = 0x8000;

/// Attributes with credentials, errors and ICE that a keep-alive may carry and need not read.
const UNDERSTOOD: [u16; 9] = [0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x0024, 0x0025];
