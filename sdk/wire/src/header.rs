//! Typed headers: one file per header, each with its grammar, its printing and its tests.

mod auth;
mod contact;
mod cseq;
mod name_addr;
mod params;
mod via;
mod write;

use crate::name::Name;
use crate::scan::Cursor;

pub(crate) use auth::read_line;
pub use auth::{Auth, AuthValue};
pub use contact::Contact;
pub use cseq::CSeq;
pub use name_addr::{NameAddr, NameAddrBuf};
pub use params::Params;
pub use via::{Via, ViaBuf};

pub(crate) use write::{Clean, Place, Token, UriText};

/// A header that can be read out of a message: [`Message::get`](crate::Message::get) and
/// [`Message::all`](crate::Message::all).
pub trait Header<'m>: Sized {
    /// The name of its lines.
    const NAME: Name<'static>;
    /// Whether several values may share a line, separated by commas.
    const LIST: bool = false;

    /// Reads one value from the front of `value` and gives back what follows it: nothing, or the rest of a list from
    /// its comma on. `None` when the value does not follow the grammar.
    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])>;
}

/// Reads a header whose value is the whole line.
fn read_whole<'m, H>(
    value: &'m [u8],
    read: impl FnOnce(&mut Cursor<'m>) -> Option<H>,
) -> Option<(H, &'m [u8])> {
    let mut cursor = Cursor::new(value);
    let header = read(&mut cursor)?;
    cursor.skip_white();
    cursor.is_done().then_some((header, cursor.rest()))
}

/// Reads one value of a list.
fn read_item<'m, H>(
    value: &'m [u8],
    read: impl FnOnce(&mut Cursor<'m>) -> Option<H>,
) -> Option<(H, &'m [u8])> {
    let mut cursor = Cursor::new(value);
    let header = read(&mut cursor)?;
    cursor.skip_white();
    matches!(cursor.peek(), None | Some(b',')).then_some((header, cursor.rest()))
}
