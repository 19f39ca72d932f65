//! AV pairs: the attribute list of a CHALLENGE, and the client's edited copy (MS-NLMP 2.2.2.1).

/// End of the list.
pub const END: u16 = 0;
/// NetBIOS name of the server; required.
pub const NETBIOS_COMPUTER: u16 = 1;
/// NetBIOS name of the domain; required.
pub const NETBIOS_DOMAIN: u16 = 2;
/// Host name of the server.
pub const DNS_COMPUTER: u16 = 3;
/// DNS name of the domain.
pub const DNS_DOMAIN: u16 = 4;
/// DNS name of the forest.
pub const DNS_TREE: u16 = 5;
/// Bits about the message, see [`MIC_PRESENT`].
pub const FLAGS: u16 = 6;
/// The server's time as FILETIME.
pub const TIMESTAMP: u16 = 7;
/// The service the client means to talk to; added by the client.
pub const TARGET_NAME: u16 = 9;
/// MD5 of the channel bindings; added by the client.
pub const CHANNEL_BINDINGS: u16 = 10;

/// Bit of [`FLAGS`]: the AUTHENTICATE message carries a MIC.
pub const MIC_PRESENT: u32 = 2;

/// One attribute: its id and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvPair<'a> {
    /// One of the constants of this module, or an unknown one.
    pub id: u16,
    /// The value as it stands.
    pub value: &'a [u8],
}

/// Walks a list up to its end mark; yields `None` once, as the last item, if a pair is cut off.
#[derive(Clone, Debug)]
pub struct AvPairs<'a> {
    rest: &'a [u8],
}

impl<'a> AvPairs<'a> {
    /// A walk over `list`.
    pub fn new(list: &'a [u8]) -> Self {
        Self { rest: list }
    }
}

impl<'a> Iterator for AvPairs<'a> {
    type Item = Option<AvPair<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let pair = split_pair(self.rest);
        self.rest = match pair {
            Some((pair, rest)) if pair.id != END => rest,
            _ => &[],
        };
        match pair {
            Some((pair, _)) if pair.id == END => None,
            pair => Some(pair.map(|(pair, _)| pair)),
        }
    }
}

/// Appends one pair to a list under construction.
pub fn push(list: &mut Vec<u8>, id: u16, value: &[u8]) -> Option<()> {
    let length = u16::try_from(value.len()).ok()?;
    list.extend_from_slice(&id.to_le_bytes());
    list.extend_from_slice(&length.to_le_bytes());
    list.extend_from_slice(value);
    Some(())
}

fn split_pair(list: &[u8]) -> Option<(AvPair<'_>, &[u8])> {
    let (id, rest) = list.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((AvPair { id: u16::from_le_bytes(*id), value }, rest))
}
