//! Tokens, keys and signatures against published vectors, real captures and an independent crate.

mod refusals;
mod vectors;

/// The text of a 16-bit length and 32-bit offset field of an AUTHENTICATE message.
fn part(token: &[u8], at: usize) -> &[u8] {
    let length = usize::from(u16::from_le_bytes(token[at..at + 2].try_into().unwrap()));
    let offset = u32::from_le_bytes(token[at + 4..at + 8].try_into().unwrap()) as usize;
    &token[offset..offset + length]
}
