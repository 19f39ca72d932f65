//! Numbers for what the behaviour digest tells: they stay when a type, a variant or a word is renamed.

#![allow(clippy::panic, reason = "a state without a number would pass for another one")]

use homing_core::dns::RecordKind;
use homing_core::state::AccountState;
use homing_core::transport::Transport;

/// The number of an account's state. A new state takes the next one.
pub fn of_state(state: AccountState) -> u64 {
    match state {
        AccountState::Offline => 0,
        AccountState::Resolving => 1,
        AccountState::Connecting => 2,
        AccountState::Registering => 3,
        AccountState::Authenticating => 4,
        AccountState::Redirected => 5,
        AccountState::Registered => 6,
        AccountState::Fallback => 7,
        AccountState::Expiring => 8,
        AccountState::Moved => 9,
        // One number for the three ends of a failed login: the error itself is not part of the digest.
        AccountState::Unreachable | AccountState::NeedsPassword | AccountState::Rejected => 10,
        AccountState::LoggedOff => 11,
        AccountState::NoNetwork => 12,
        other => panic!("{other:?} has no number yet"),
    }
}

/// The number of a record type, as IANA has it; A stands for addresses of both families.
pub fn of_record(kind: RecordKind) -> u64 {
    match kind {
        RecordKind::Address => 1,
        RecordKind::Srv => 33,
        RecordKind::Naptr => 35,
        other => panic!("{other:?} has no number yet"),
    }
}

/// The number of a transport.
pub fn of_transport(transport: Transport) -> u64 {
    match transport {
        Transport::Udp => 0,
        Transport::Tcp => 1,
        Transport::Tls => 2,
        other => panic!("{other:?} has no number yet"),
    }
}
