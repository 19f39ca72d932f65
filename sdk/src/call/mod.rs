//! Calls: placed by [`Account::call`](crate::Account::call), taken from [`Account::incoming`](crate::Account::incoming).
//!
//! | type | holds the call | dropped |
//! | --- | --- | --- |
//! | [`CallBuilder`] | nothing is placed yet | nothing happens |
//! | [`Call`] | yes, with its clones | the last one hangs up, unless [`detach`](Call::detach) was called |
//! | [`IncomingCall`] | yes, alone | the caller hears 480 |
//! | [`IncomingCalls`] | those that wait in it | those that wait in it get 480 |
//! | [`CallEvents`] | no | nothing happens |
//!
//! This crate decides whose turn an offer is (RFC 3264, RFC 6337), says what stands in it, and carries the sound
//! ([`Call::audio`]). An application with media of its own gives a [`SessionDescriber`], for all calls of the user agent
//! or for one. An account makes and takes calls where its configuration has [`CallRules`]:
//!
//! ```
//! # use homing::account::{AccountConfig, Aor};
//! use homing::call::CallRules;
//!
//! let mut config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101");
//! let mut rules = CallRules::default();
//! rules.most_calls = 4;
//! config.calls = Some(Box::new(rules));
//! ```
//!
//! Taking calls; here a party of an estate in the same process calls:
//!
//! ```
//! use homing::call::{EndedBy, Reject};
//! # use homing::call::{Description, DescriptionQuestion};
//! # use homing::{AccountConfig, Aor, Password, Resolver, Roots, StaticCredentials, UserAgent};
//! # use homing_server_mock::estate::{EstateBuilder, User};
//! # use homing_server_mock::node::party::{AckManner, Manners, Party};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let estate = EstateBuilder::new().home("hs1").user(User::new("alice", "secret").assigned("hs1"))
//! #     .party("hs1", Party::new("bob")).start().await?;
//! # let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\n";
//! # let ua = UserAgent::builder().resolver(Resolver::name_server(estate.dns_address()))
//! #     .roots(Roots::pem(estate.ca_pem())?)
//! #     .session_describer(move |_: &DescriptionQuestion| Ok(Description::sdp(sdp))).build()?;
//! # let mut config = AccountConfig::new(Aor::parse("alice@network.com")?, "01010101");
//! # config.calls = Some(Box::default());
//! # let account = ua.account(config, StaticCredentials::new("alice", "NETWORK", Password::new("secret")))?;
//! let mut calls = account.incoming(); // before it signs in, so that none is missed
//! account.register().await?;
//! # estate.node("hs1").party_calls("bob@network.com", "alice@network.com", Manners { offers: true, ack: AckManner::Prompt });
//! while let Some(incoming) = calls.next().await {
//!     if incoming.caller().identity() != "sip:bob@network.com" {
//!         incoming.reject(Reject::Busy).await?;
//!         continue;
//!     }
//!     incoming.ring().await?;
//!     let call = incoming.answer().await?;
//!     let end = call.hang_up().await?; // or `call.ended()`, to wait for the other side
//!     assert_eq!(end.by, EndedBy::Us);
//!     println!("{}", end.why.sentence()); // the call was hung up
//!     break;
//! }
//! # Ok(())
//! # }
//! ```

mod backlog;
mod builder;
mod describer;
mod events;
mod handle;
mod incoming;
mod incoming_queue;
mod shared;
mod sound;
mod state;

pub use homing_core::call_event::{CallEnd, CallEvent, Caller, EndReason, EndedBy};
pub use homing_core::call_request::{CallHeader, FirstOffer, InfoBody};
pub use homing_core::config::{
    CallRules, DoNotDisturb, InDialogChallenge, OnMove, ReliableRule, SessionTimers,
};
pub use homing_core::description::{Description, DescriptionQuestion, DescriptionRefusal, Turn};
pub use homing_core::ids::CallId;

pub use backlog::CallLagged;
pub use builder::CallBuilder;
pub use describer::SessionDescriber;
pub use events::CallEvents;
pub use handle::Call;
pub use incoming::{IncomingCall, IncomingCalls, Reject};
pub use shared::Answer;
pub use sound::SoundTerms;
pub use state::{CallState, Holds};

pub(crate) use describer::Describer;
pub(crate) use incoming_queue::{IncomingQueue, NotTaken};
pub(crate) use shared::{CallSender, CallShared};
pub(crate) use sound::{SoundOfCalls, Verdict};
