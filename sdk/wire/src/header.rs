//! Typed headers: one file per header, each with its grammar, its printing and its tests.

mod allow;
mod allow_events;
mod asserted_identity;
mod auth;
mod call_id;
mod contact;
mod content_disposition;
mod content_encoding;
mod content_length;
mod content_type;
mod cseq;
mod date;
mod diagnostics;
mod event;
mod expires;
mod flow_timer;
mod from;
mod keep_alive;
mod max_forwards;
mod min_expires;
mod min_se;
mod name_addr;
mod number;
mod path;
mod preferred_identity;
mod preferred_registrar;
mod presence_state;
mod proxy_require;
mod rack;
mod reason;
mod record_route;
mod refer_to;
mod referred_by;
mod replaces;
mod require;
mod retry_after;
mod route;
mod rseq;
mod service_route;
mod session_expires;
mod subscription_state;
mod supported;
mod to;
mod token;
mod unsupported;
mod via;
mod warning;

use crate::name::Name;
use crate::scan::Cursor;

pub use crate::params::Params;
pub use allow::Allow;
pub use allow_events::AllowEvents;
pub use asserted_identity::AssertedIdentity;
pub use auth::{Auth, AuthValue};
pub use call_id::CallId;
pub use contact::Contact;
pub use content_disposition::ContentDisposition;
pub use content_encoding::ContentEncoding;
pub use content_length::ContentLength;
pub use content_type::ContentType;
pub use cseq::CSeq;
pub use date::Date;
pub use diagnostics::{Diagnostics, DiagnosticsPublic};
pub use event::EventHeader;
pub use expires::Expires;
pub use flow_timer::FlowTimer;
pub use from::From;
pub use keep_alive::KeepAlive;
pub use max_forwards::MaxForwards;
pub use min_expires::MinExpires;
pub use min_se::MinSe;
pub use name_addr::{NameAddr, NameAddrBuf};
pub use path::Path;
pub use preferred_identity::PreferredIdentity;
pub use preferred_registrar::PreferredRegistrar;
pub use presence_state::PresenceState;
pub use proxy_require::ProxyRequire;
pub use rack::RAck;
pub use reason::Reason;
pub use record_route::RecordRoute;
pub use refer_to::ReferTo;
pub use referred_by::ReferredBy;
pub use replaces::Replaces;
pub use require::Require;
pub use retry_after::RetryAfter;
pub use route::Route;
pub use rseq::RSeq;
pub use service_route::ServiceRoute;
pub use session_expires::{Refresher, SessionExpires};
pub use subscription_state::SubscriptionState;
pub use supported::Supported;
pub use to::To;
pub use unsupported::Unsupported;
pub use via::{Via, ViaBuf};
pub use warning::Warning;

pub(crate) use crate::write::{Clean, Place, Token, UriText};
pub(crate) use auth::read_line;

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
