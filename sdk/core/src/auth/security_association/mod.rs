//! Signing and verifying every message once a log-on succeeded (MS-SIPAE, MS-SIP).

mod window;

pub use window::{Place, Window};
