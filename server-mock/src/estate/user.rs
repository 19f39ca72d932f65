//! A person of the estate.

use homing_core::secret::Password;

/// A user who may sign in.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) name: String,
    pub(crate) password: Password,
    pub(crate) home: Option<String>,
    pub(crate) enabled: bool,
}

impl User {
    /// The user `name` of the estate's domain.
    pub fn new(name: &str, password: &str) -> Self {
        Self { name: name.to_owned(), password: Password::new(password), home: None, enabled: true }
    }

    /// Bars the user from signing in.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Assigns the user to the home server with this short name.
    #[must_use]
    pub fn assigned(mut self, home: &str) -> Self {
        self.home = Some(home.to_owned());
        self
    }
}
