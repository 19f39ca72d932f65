//! Passwords that are to be kept once a server accepted them: a slip of the finger is never written down.

use std::collections::BTreeMap;

use homing::error::{AuthError, LoginError};
use homing::{AccountEvent, Aor, Password};

/// Passwords whose verdict is under way, by the account they were typed for.
#[derive(Default)]
pub(super) struct UnverifiedPasswords(BTreeMap<Aor, TypedPassword>);

/// One password to keep.
pub(super) struct TypedPassword {
    /// The account's address as its entry has it.
    pub aor: String,
    /// What was typed.
    pub password: Password,
}

/// What an event says about a password.
pub(super) enum PasswordVerdict {
    /// It is right: keep it.
    Accepted(TypedPassword),
    /// It is wrong.
    Rejected,
}

impl UnverifiedPasswords {
    /// A password was typed; an earlier one of this account counts no more.
    pub(super) fn typed(&mut self, aor: &str, password: Option<Password>) {
        let Ok(address) = Aor::read(aor).map(Aor::from) else { return };
        match password {
            Some(password) => self.0.insert(address, TypedPassword { aor: aor.to_owned(), password }),
            None => self.0.remove(&address),
        };
    }

    /// What an event proves. A connection that breaks proves nothing: the next attempt tries the same.
    pub(super) fn handle(&mut self, aor: &Aor, event: &AccountEvent) -> Option<PasswordVerdict> {
        match event {
            AccountEvent::Registered(_) | AccountEvent::AssociationRenewed => {
                self.0.remove(aor).map(PasswordVerdict::Accepted)
            }
            AccountEvent::LoginFailed { failure, .. }
                if matches!(failure.error, LoginError::Auth(AuthError::Rejected { .. })) =>
            {
                self.0.remove(aor).map(|_| PasswordVerdict::Rejected)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use homing::ServerName;
    use homing::error::{ConnectError, LoginFailure};
    use homing::event::Journey;

    use super::*;

    fn failed(error: LoginError) -> AccountEvent {
        AccountEvent::LoginFailed {
            failure: LoginFailure { error, journey: Journey::default() },
            retry_in: None,
        }
    }

    #[test]
    fn a_password_is_kept_only_after_it_proved_right() {
        let aor = Aor::parse("alice@network.com").expect("an address");
        let server = || ServerName::new("hs104.network.com", 5061);
        let mut unverified = UnverifiedPasswords::default();
        unverified.typed("alice@network.com", Some(Password::new("wrong")));
        let closed = LoginError::Connect { server: server(), why: ConnectError::Closed };
        assert!(unverified.handle(&aor, &failed(closed)).is_none(), "that proves nothing");
        let rejected = AuthError::Rejected { server: server() };
        assert!(matches!(unverified.handle(&aor, &failed(rejected.into())), Some(PasswordVerdict::Rejected)));
        assert!(unverified.handle(&aor, &AccountEvent::AssociationRenewed).is_none(), "and is gone");
        unverified.typed("alice@network.com", Some(Password::new("right")));
        let other = Aor::parse("bob@network.com").expect("an address");
        assert!(unverified.handle(&other, &AccountEvent::AssociationRenewed).is_none());
        let kept = unverified.handle(&aor, &AccountEvent::AssociationRenewed);
        assert!(matches!(kept, Some(PasswordVerdict::Accepted(kept)) if kept.password.reveal() == "right"));
    }
}
