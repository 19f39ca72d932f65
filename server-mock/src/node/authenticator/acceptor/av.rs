//! The attribute-value list that travels in CHALLENGE and comes back inside the NTLMv2 response.

/// One pair of MS-NLMP 2.2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair<'b> {
    pub(super) id: u16,
    pub(super) value: &'b [u8],
}

pub(super) const END: u16 = 0;
pub(super) const NETBIOS_COMPUTER: u16 = 1;
pub(super) const NETBIOS_DOMAIN: u16 = 2;
pub(super) const DNS_COMPUTER: u16 = 3;
pub(super) const DNS_DOMAIN: u16 = 4;
pub(super) const DNS_TREE: u16 = 5;
pub(super) const FLAGS: u16 = 6;
pub(super) const TIMESTAMP: u16 = 7;
pub(super) const TARGET_NAME: u16 = 9;
pub(super) const CHANNEL_BINDINGS: u16 = 10;

/// Bit of [`FLAGS`]: the AUTHENTICATE message carries a MIC.
pub(super) const MIC_PRESENT: u32 = 2;

/// Reads a list up to its end mark. None where the list has no end or a length reaches beyond it.
pub(super) fn read(mut bytes: &[u8]) -> Option<Vec<Pair<'_>>> {
    let mut pairs = Vec::new();
    loop {
        let (head, rest) = bytes.split_at_checked(4)?;
        let id = u16::from_le_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        if id == END {
            return Some(pairs);
        }
        let (value, rest) = rest.split_at_checked(length)?;
        pairs.push(Pair { id, value });
        if pairs.len() > MOST {
            return None;
        }
        bytes = rest;
    }
}

/// The first value under `id`.
pub(super) fn find<'b>(pairs: &[Pair<'b>], id: u16) -> Option<&'b [u8]> {
    pairs.iter().find(|pair| pair.id == id).map(|pair| pair.value)
}

/// Appends one pair.
pub(super) fn write(list: &mut Vec<u8>, id: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    list.extend(id.to_le_bytes());
    list.extend(length.to_le_bytes());
    list.extend(&value[..usize::from(length)]);
}

/// Pairs a list may hold; real ones hold at most nine.
const MOST: usize = 32;
