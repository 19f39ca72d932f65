//! Secrets: values that do not print, do not compare by accident, and are wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A password. It has no `Debug` or `Display` that shows it and is wiped on drop.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes the text over; the caller's copy, if there is another, is the caller's to wipe.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Named so that a reader of the calling code stops here.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// True for the empty password.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(•••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_print() {
        let password = Password::new("canary-7f3a");
        assert!(!format!("{password:?}").contains("canary"));
        assert_eq!(password.reveal(), "canary-7f3a");
    }
}
