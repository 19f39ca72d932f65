//! The registration of one account: from nothing to registered at its home server, and back.
//!
//! ```text
//!         Register           connection              2xx               Unregister
//!   Idle ──────────► Locating ─────────► Registering ─────► Registered ──────────► Unregistering ──► Idle
//!    ▲                ▲ ▲ ▲ nothing left   │  │  │                │
//!    │  back-off over │ │ └──── signed 3xx ┘  │  │                │ moved, lost, lapsed
//!    │                │ └─ next server ───────┘  │                │
//!    └── failed ──────┴───────── final no ◄──────┘                │
//!                     └───────────────────────────────────────────┘
//! ```
//!
//! What a login costs is counted hop by hop in its journey, in round trips (decision 10):
//!
//! | login | DNS | TCP | TLS 1.3 | REGISTER | together |
//! |---|---|---|---|---|---|
//! | cold, one redirect | 2 + 1 | 1 + 1 | 1 + 1 | 3 + 3 | 13 |
//! | the same with addresses beside the SRV record | 1 + 1 | 1 + 1 | 1 + 1 | 3 + 3 | 12 |
//! | the same with the realms of both servers remembered | 2 + 1 | 1 + 1 | 1 + 1 | 2 + 2 | 11 |
//! | home server and realm remembered | 1 | 1 | 1 | 2 | 5 |
//! | the same with its address cached | 0 | 1 | 1 | 2 | 4 |
//!
//! Each state is a struct that owns what is true while it lasts, and is consumed and replaced by each
//! input. A registration owns no connection: it is one user of its flow (decision 8), and one of the users of its
//! link.

mod asked_server;
mod attempt;
mod awaiting_consent;
mod binding_lifetime;
mod exchange;
mod idle;
mod locating;
mod machine;
mod race;
pub mod redirect;
mod refusal;
mod registered;
mod registering;
mod response_info;
mod retry;
mod session;
mod superseded;
mod transition;
mod unregistering;
mod visited;

pub(crate) use machine::{Expecting, Registration};
pub use visited::Visited;
