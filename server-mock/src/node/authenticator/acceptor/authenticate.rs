//! Reading an AUTHENTICATE message from a stranger: every offset checked, no order assumed.

use super::crypto::from_utf16;
use super::refusal::Refusal;

/// The fields of MS-NLMP 2.2.1.3, borrowed from the token.
#[derive(Debug)]
pub(super) struct Authenticate<'t> {
    pub(super) token: &'t [u8],
    pub(super) nt_response: &'t [u8],
    pub(super) domain: String,
    pub(super) user: String,
    pub(super) session_key: &'t [u8],
    pub(super) flags: u32,
    /// Where the payload begins; the header before it holds a MIC if it is at least 88 bytes long.
    payload: usize,
}

impl<'t> Authenticate<'t> {
    /// Reads `token`.
    pub(super) fn read(token: &'t [u8]) -> Result<Self, Refusal> {
        if token.len() < SHORTEST_HEADER || &token[..8] != b"NTLMSSP\0" || token[8..12] != [3, 0, 0, 0] {
            return Err(Refusal::Malformed);
        }
        let fields = [12, 20, 28, 36, 44, 52].map(|at| field(token, at));
        let mut payload = token.len();
        for range in fields.iter().flatten() {
            if !range.is_empty() {
                payload = payload.min(range.start);
            }
        }
        let [lm, nt, domain, user, workstation, key] = fields;
        for unread in [lm, workstation] {
            unread.ok_or(Refusal::Malformed)?;
        }
        let slice = |range: Option<std::ops::Range<usize>>| {
            range.map(|range| &token[range]).ok_or(Refusal::Malformed)
        };
        let text = |range| slice(range).and_then(|bytes| from_utf16(bytes).ok_or(Refusal::Malformed));
        if payload < SHORTEST_HEADER {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            token,
            nt_response: slice(nt)?,
            domain: text(domain)?,
            user: text(user)?,
            session_key: slice(key)?,
            flags: u32::from_le_bytes([token[60], token[61], token[62], token[63]]),
            payload,
        })
    }

    /// The MIC, where the header has room for one.
    pub(super) fn mic(&self) -> Option<&'t [u8]> {
        (self.payload >= HEADER_WITH_MIC).then(|| &self.token[MIC_AT..HEADER_WITH_MIC])
    }

    /// The token around the MIC: what is hashed has zeros in its place.
    pub(super) fn around_mic(&self) -> (&'t [u8], &'t [u8]) {
        (&self.token[..MIC_AT], &self.token[HEADER_WITH_MIC..])
    }
}

/// The range a (length, room, offset) triple at `at` points to; none if it reaches beyond the token.
fn field(token: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let length = usize::from(u16::from_le_bytes([token[at], token[at + 1]]));
    let offset = u32::from_le_bytes([token[at + 4], token[at + 5], token[at + 6], token[at + 7]]);
    let start = usize::try_from(offset).ok()?;
    if length == 0 {
        return Some(0..0);
    }
    let end = start.checked_add(length)?;
    (end <= token.len()).then_some(start..end)
}

const SHORTEST_HEADER: usize = 64;
const MIC_AT: usize = 72;
const HEADER_WITH_MIC: usize = 88;
