//! SIP and SDP messages: bytes and values, nothing else.
#![doc = include_str!("../README.md")]

mod build;
mod class;
mod error;
mod frame;
pub mod header;
mod limits;
mod message;
mod method;
pub mod multipart;
mod name;
mod params;
mod redacted;
#[cfg(feature = "rsip")]
pub mod rsip;
mod scan;
pub mod sdp;
mod spelling;
mod status;
mod uri;
mod write;

pub use build::{AuthValue, Builder};
pub use error::{Bound, Excess, Finding, FrameError, FrameFault, HeaderError, ParseError, UriError};
pub use frame::{Frame, Framer};
pub use header::{
    Auth, CSeq, Contact, Date, Diagnostics, EventHeader, Header, KeepAlive, NameAddr, NameAddrBuf, Params,
    RAck, ReferTo, Replaces, RetryAfter, SessionExpires, SubscriptionState, Via, ViaBuf,
};
pub use limits::Limits;
pub use message::{Excerpt, Line, Message, StartLine};
pub use method::{Method, MethodBuf};
pub use name::Name;
pub use redacted::Redacted;
pub use status::reason_phrase;
pub use uri::{Host, Uri, UriBuf};
