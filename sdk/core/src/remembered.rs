//! What one run learns about the home server for the next.

use crate::transport::Transport;

/// What an earlier run learned about the home server (decisions 9, 10).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remembered {
    /// The home server's host as it was named: by a Contact, by the configuration, or by discovery.
    pub host: String,
    /// Its port, if one was named; else SRV records tell it.
    pub port: Option<u16>,
    /// As dialled when the server granted the binding.
    pub transport: Transport,
    /// True if its certificate must name exactly the host, as after a redirect; else the SIP domain will
    /// do, as after discovery (decision 24).
    pub exact: bool,
    /// Scheme, realm, target name and version of a verified hop: allows the first REGISTER to carry
    /// the empty NTLM token.
    pub login: Option<RememberedLogin>,
}

/// What the shortcut login needs to know beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RememberedLogin {
    /// The realm, case-sensitive.
    pub realm: String,
    /// The server's name in its challenge.
    pub targetname: String,
    /// SIPAE version: 2, 3 or 4.
    pub version: u8,
    /// 401 or 407: which header the credentials go into.
    pub proxy_headers: bool,
}

impl Remembered {
    /// A home server without what was learned about its login.
    pub fn new(host: impl Into<String>, port: Option<u16>, transport: Transport, exact: bool) -> Self {
        Self { host: host.into(), port, transport, exact, login: None }
    }
}

impl RememberedLogin {
    /// A login that was challenged by 401; for 407 set [`proxy_headers`](Self::proxy_headers).
    pub fn new(realm: impl Into<String>, targetname: impl Into<String>, version: u8) -> Self {
        Self { realm: realm.into(), targetname: targetname.into(), version, proxy_headers: false }
    }
}
