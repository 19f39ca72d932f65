//! The negotiate flags of NTLM messages (MS-NLMP 2.2.2.5).

/// Strings are UTF-16LE.
pub const UNICODE: u32 = 0x0000_0001;
/// The client wants the server's authentication realm named.
pub const REQUEST_TARGET: u32 = 0x0000_0004;
/// Messages are signed.
pub const SIGN: u32 = 0x0000_0010;
/// Messages may be sealed.
pub const SEAL: u32 = 0x0000_0020;
/// The connectionless variant.
pub const DATAGRAM: u32 = 0x0000_0040;
/// Session keys derive from the LM hash; never used here.
pub const LM_KEY: u32 = 0x0000_0080;
/// The NTLM protocol itself.
pub const NTLM: u32 = 0x0000_0200;
/// No user at all; never used here.
pub const ANONYMOUS: u32 = 0x0000_0800;
/// A signature block is always present.
pub const ALWAYS_SIGN: u32 = 0x0000_8000;
/// Extended session security: separate keys per direction, HMAC signatures.
pub const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
/// The server may identify the client but not act for it.
pub const IDENTIFY: u32 = 0x0010_0000;
/// The challenge carries AV pairs.
pub const TARGET_INFO: u32 = 0x0080_0000;
/// The messages carry a version field.
pub const VERSION: u32 = 0x0200_0000;
/// 128-bit session keys.
pub const STRONG_KEYS: u32 = 0x2000_0000;
/// The client chooses the session key and sends it encrypted.
pub const KEY_EXCHANGE: u32 = 0x4000_0000;
/// 56-bit session keys where 128 bits are not agreed.
pub const WEAK_KEYS: u32 = 0x8000_0000;

/// Without these a security association of ours does not come about: (flag, its name in errors).
pub const REQUIRED: [(u32, Requirement); 8] = [
    (UNICODE, Requirement::Unicode),
    (SIGN, Requirement::Sign),
    (DATAGRAM, Requirement::Datagram),
    (NTLM, Requirement::Ntlm),
    (EXTENDED_SESSION_SECURITY, Requirement::ExtendedSessionSecurity),
    (TARGET_INFO, Requirement::TargetInfo),
    (STRONG_KEYS, Requirement::StrongKeys),
    (KEY_EXCHANGE, Requirement::KeyExchange),
];

/// A property of the session that both sides must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// [`UNICODE`]
    Unicode,
    /// [`SIGN`]
    Sign,
    /// [`DATAGRAM`]
    Datagram,
    /// [`NTLM`]
    Ntlm,
    /// [`EXTENDED_SESSION_SECURITY`]
    ExtendedSessionSecurity,
    /// [`TARGET_INFO`]
    TargetInfo,
    /// [`STRONG_KEYS`]
    StrongKeys,
    /// [`KEY_EXCHANGE`]
    KeyExchange,
}

/// The first required property that `flags` lack.
pub fn missing(flags: u32) -> Option<Requirement> {
    REQUIRED.iter().find(|(flag, _)| flags & flag == 0).map(|(_, name)| *name)
}
