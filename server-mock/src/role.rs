//! What a server of the estate is for: presets over the same authenticator, router, registrar and relay.

use std::fmt;

/// The part a node plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Users are assigned to it; it also redirects those of others (patent figure 1).
    Home,
    /// It always redirects or proxies and is never anybody's home (patent paragraph 53).
    Distributor,
}

impl Role {
    /// True if users may be assigned here; a distributor omits steps 506 and 508 (patent paragraph 55).
    pub fn is_home(self) -> bool {
        self == Role::Home
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Home => "home server",
            Role::Distributor => "load distributor",
        })
    }
}
