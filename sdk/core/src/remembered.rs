//! What one run learns about the home server for the next.

use crate::transport::Transport;

/// What an earlier run learned about the home server (decisions 9, 10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The home server's host as it was named: by a Contact, by the configuration, or by discovery.
    pub host: String,
    /// Its port, if one was named; else SRV records tell it.
    pub port: Option<u16>,
    /// Its transport.
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
