//! Names of flows that stand in Path: others can hand them back but not make them up (RFC 3327).

use hmac::{Hmac, KeyInit, Mac};
use homing_core::ids::FlowId;
use sha2::Sha256;

/// Makes and reads the tokens of one server.
pub(super) struct PathTokens {
    key: [u8; 32],
}

impl PathTokens {
    /// Tokens that only who knows `key` can make.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The user part of a Path URI that leads back to `flow`.
    pub(super) fn token(&self, flow: FlowId) -> String {
        let number = format!("{:x}", flow.0);
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(number.as_bytes());
        let mac: String = mac.finalize().into_bytes()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("f{number}-{mac}")
    }

    /// The flow a token names; none where this server did not make it.
    pub(super) fn flow(&self, token: &str) -> Option<FlowId> {
        let number = token.strip_prefix('f')?.split('-').next()?;
        let flow = FlowId(u64::from_str_radix(number, 16).ok()?);
        (self.token(flow) == token).then_some(flow)
    }
}
