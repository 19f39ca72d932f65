//! The machine of one account: from nothing to registered at its home server, and back.
//!
//! ```text
//!             Login            connection          2xx
//!   Resting ────────► Seeking ───────────► Joining ────► Registered ──Logout──► Leaving ──► Resting
//!      ▲                ▲ │ nothing left    │ │  ▲            │
//!      │                │ ▼                 │ │  └─ signed 3xx, or the next server
//!      │  back-off over │ Pausing ◄─────────┘ │               │
//!      └── cannot help ─┴───────◄── final no ─┘               │ moved, lost, lapsed
//!                       └─────────────────────────────────────┘
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
//! input. A login owns no connection: it has one use of it (decision 8).

mod account;
pub(crate) mod answering;
mod backoff;
mod believing;
mod challenge;
mod conversation;
mod deciding;
mod desk;
mod draws;
mod ending;
mod exchange;
mod failing;
mod forced;
mod handshake;
mod inputs;
mod joining;
mod lease;
mod leaving;
mod leg;
mod machine;
mod memory;
mod orders;
mod probe;
mod probing;
mod prompt;
pub mod redirect;
mod refusal;
mod registered;
mod renewing;
mod resting;
mod search;
mod seeking;
mod sequel;
mod trip;
mod visited;
mod words;

pub use desk::{Asks, Desk};
pub use draws::Draws;
pub use forced::{Forced, is_registration_notify};
pub use machine::{Expecting, Login};
pub use visited::Visited;
