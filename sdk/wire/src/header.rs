//! Typed headers, each with its grammar, its printing and its tests; those of one shape share a file.

mod addresses;
mod auth;
mod contact;
mod content;
mod date;
mod diagnostics;
mod dialog;
mod event;
mod keep_alive;
mod name_addr;
mod numbers;
mod presence_state;
mod reason;
mod retry_after;
mod sequence;
mod session_timer;
mod tokens;
mod via;
mod warning;

use crate::name::Name;
use crate::scan::Cursor;

pub use crate::params::Params;
pub use addresses::{
    AssertedIdentity, From, Path, PreferredIdentity, PreferredRegistrar, RecordRoute, ReferTo, ReferredBy,
    Route, ServiceRoute, To,
};
pub use auth::{Auth, AuthValue};
pub use contact::Contact;
pub use content::{ContentDisposition, ContentType};
pub use date::Date;
pub use diagnostics::{Diagnostics, DiagnosticsPublic};
pub use dialog::{CallId, Replaces};
pub use event::{EventHeader, SubscriptionState};
pub use keep_alive::KeepAlive;
pub use name_addr::{NameAddr, NameAddrBuf};
pub use numbers::{ContentLength, Expires, FlowTimer, MaxForwards, MinExpires, RSeq};
pub use presence_state::PresenceState;
pub use reason::Reason;
pub use retry_after::RetryAfter;
pub use sequence::{CSeq, RAck};
pub use session_timer::{MinSe, Refresher, SessionExpires};
pub use tokens::{Allow, AllowEvents, ContentEncoding, ProxyRequire, Require, Supported, Unsupported};
pub use via::{Via, ViaBuf};
pub use warning::Warning;

pub(crate) use crate::write::{Clean, Place, Token, UriText};
pub(crate) use auth::reader::read_line;

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
