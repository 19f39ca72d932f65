//! The two NTLM messages of the connectionless variant: CHALLENGE read, AUTHENTICATE written.
//!
//! Sources: MS-NLMP 2.2.1.2 and 2.2.1.3. Offsets come from the peer; every one is checked.

/// A parsed CHALLENGE_MESSAGE, borrowing the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// What the server offers, see [`super::flags`].
    pub flags: u32,
    /// The server's nonce.
    pub server_challenge: [u8; 8],
    /// The AV pair list, empty if the message has none.
    pub target_info: &'a [u8],
}

/// The parts of an AUTHENTICATE_MESSAGE; text fields are UTF-16LE.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authenticate<'a> {
    pub(super) lm_response: &'a [u8],
    pub(super) nt_response: &'a [u8],
    pub(super) domain: &'a [u8],
    pub(super) user: &'a [u8],
    pub(super) workstation: &'a [u8],
    pub(super) session_key: &'a [u8],
    pub(super) flags: u32,
    pub(super) version: [u8; 8],
    /// Leaves sixteen zero bytes at [`MIC_AT`].
    pub(super) room_for_mic: bool,
}

impl<'a> Challenge<'a> {
    /// Reads a token; `None` if it is no CHALLENGE, is cut off, points outside itself, or is longer
    /// than [`TOKEN_LIMIT`].
    pub fn parse(token: &'a [u8]) -> Option<Self> {
        if token.len() > TOKEN_LIMIT || token.get(..8)? != SIGNATURE || u32_at(token, 8)? != CHALLENGE {
            return None;
        }
        let flags = u32_at(token, 20)?;
        let server_challenge = *token.get(24..)?.first_chunk::<8>()?;
        let target_info = if token.len() < 48 { &[] } else { field(token, 40)? };
        Some(Self { flags, server_challenge, target_info })
    }
}

impl Authenticate<'_> {
    /// The token: header, then domain, user, workstation, LM, NT, key, as Microsoft's client and
    /// pidgin-sipe order them. `None` if a part is too long for its 16-bit length.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let header = if self.room_for_mic { MIC_AT + 16 } else { MIC_AT };
        let payload =
            [self.domain, self.user, self.workstation, self.lm_response, self.nt_response, self.session_key];
        let mut at = header;
        let mut fields = [[0u8; 8]; 6];
        for (part, field) in payload.iter().zip(&mut fields) {
            let length = u16::try_from(part.len()).ok()?.to_le_bytes();
            field[..2].copy_from_slice(&length);
            field[2..4].copy_from_slice(&length);
            field[4..].copy_from_slice(&u32::try_from(at).ok()?.to_le_bytes());
            at += part.len();
        }
        let [domain, user, workstation, lm, nt, key] = fields;
        let mut token = Vec::with_capacity(at);
        token.extend_from_slice(SIGNATURE);
        token.extend_from_slice(&AUTHENTICATE.to_le_bytes());
        for field in [lm, nt, domain, user, workstation, key] {
            token.extend_from_slice(&field);
        }
        token.extend_from_slice(&self.flags.to_le_bytes());
        token.extend_from_slice(&self.version);
        token.resize(header, 0);
        for part in payload {
            token.extend_from_slice(part);
        }
        Some(token)
    }
}

fn u32_at(token: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*token.get(at..)?.first_chunk::<4>()?))
}

/// The payload a (length, capacity, offset) triple points to.
fn field(token: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16::from_le_bytes(*token.get(at..)?.first_chunk::<2>()?));
    let offset = usize::try_from(u32_at(token, at + 4)?).ok()?;
    if length == 0 {
        return Some(&[]);
    }
    token.get(offset..offset.checked_add(length)?)
}

/// The longest NTLM token that is looked at, in bytes.
pub const TOKEN_LIMIT: usize = 4096;
/// Where the MIC stands in an AUTHENTICATE message that has one.
pub(super) const MIC_AT: usize = 72;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;
