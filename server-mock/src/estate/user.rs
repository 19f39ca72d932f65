//! A person of the estate.

use homing_core::secret::Password;

use crate::node::destinations::Destinations;

/// A user who may sign in.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) name: String,
    pub(crate) password: Password,
    pub(crate) home: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) destinations: Destinations,
}

impl User {
    /// The user `name` of the estate's domain.
    pub fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.to_owned(),
            password: Password::new(password),
            home: None,
            enabled: true,
            destinations: Destinations::default(),
        }
    }

    /// Bars the user from signing in.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Says whom the user may call; a call to anybody else is 403.
    ///
    /// ```
    /// use homing_server_mock::estate::{Destinations, User};
    ///
    /// let clerk = User::new("clerk", "secret").may_call(Destinations::only(["sales-*", "+49*"]));
    /// ```
    #[must_use]
    pub fn may_call(mut self, destinations: Destinations) -> Self {
        self.destinations = destinations;
        self
    }

    /// Assigns the user to the home server with this short name.
    #[must_use]
    pub fn assigned(mut self, home: &str) -> Self {
        self.home = Some(home.to_owned());
        self
    }
}
