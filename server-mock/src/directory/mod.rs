//! Who is assigned to which home server: versioned records, each with who changed it, why and when.
//!
//! The key is (user, service): one directory may hold several services (patent paragraph 38). Nodes
//! never hold a directory; they ask by an output and are answered (patent paragraphs 37, 64).

mod handle;
mod memory;
mod placement;
mod snapshot;
mod sqlite;
mod worker;

use std::fmt;

use homing_core::time::Wall;
use thiserror::Error;

pub use handle::{Changed, DirectoryHandle, Watch};
pub use memory::MemoryDirectory;
pub use placement::{Placement, UnknownUser};
pub use sqlite::SqliteDirectory;

/// The service that is meant where none is named: real-time communication.
pub const RTC: &str = "rtc";

/// Whom an assignment is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The address of record without scheme, lower case: `alice@network.com`.
    pub user: String,
    /// The service, such as [`RTC`].
    pub service: String,
}

/// One version of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Fully qualified name of the home server, lower case.
    pub home: String,
    /// Counts from 1 for each key; what an optimistic lock compares.
    pub version: u64,
    /// Who made it: a person, a policy, a program.
    pub who: String,
    /// Their reason.
    pub why: String,
    /// By the clock of the machine that wrote it.
    pub when: Wall,
}

/// A wish to assign.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whom.
    pub key: Key,
    /// To which home server, fully qualified.
    pub home: String,
    /// The version this wish was based on; `Some(0)` for "not assigned yet", none to overwrite.
    pub based_on: Option<u64>,
    /// Who asks.
    pub who: String,
    /// The reason.
    pub why: String,
    /// By the clock of the machine that wrote it.
    pub when: Wall,
}

/// What a node is told about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Assigned to this home server.
    Home {
        /// Its fully qualified name, lower case.
        home: String,
        /// The version of the record.
        version: u64,
    },
    /// No assignment and no policy that makes one.
    Unknown,
    /// The directory cannot be asked.
    Unavailable,
}

/// Why a directory refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// The record was changed in between.
    #[error("the assignment changed meanwhile: it is at version {found}, not {expected}")]
    Conflict {
        /// The version the change was based on.
        expected: u64,
        /// The version there is.
        found: u64,
    },
    /// Users are assigned to home servers only.
    #[error("`{0}` is no home server")]
    NotAHome(String),
    /// Another process holds the file for longer than we wait.
    #[error("the directory file is held by another program")]
    Busy,
    /// The file cannot be opened, read or written; the text is the engine's.
    #[error("the directory file cannot be used: {0}")]
    File(String),
    /// The directory has been shut down.
    #[error("the directory is closed")]
    Closed,
}

/// A store of assignments.
pub trait Directory: Send {
    /// The current assignment of `key`.
    ///
    /// # Errors
    /// [`DirectoryError::File`].
    fn look_up(&self, key: &Key) -> Result<Option<Assignment>, DirectoryError>;

    /// Makes a new version.
    ///
    /// # Errors
    /// [`DirectoryError::Conflict`] if the record is not at `change.based_on`.
    fn assign(&mut self, change: &Change) -> Result<Assignment, DirectoryError>;

    /// Every current assignment, ordered by key.
    ///
    /// # Errors
    /// [`DirectoryError::File`].
    fn list(&self) -> Result<Vec<(Key, Assignment)>, DirectoryError>;

    /// All versions of one assignment, oldest first.
    ///
    /// # Errors
    /// [`DirectoryError::File`].
    fn history(&self, key: &Key) -> Result<Vec<Assignment>, DirectoryError>;
}

impl Key {
    /// The key of `user` for `service`; the user is lower-cased.
    pub fn new(user: &str, service: &str) -> Self {
        Self { user: user.to_ascii_lowercase(), service: service.to_owned() }
    }

    /// The key of `user` for the service [`RTC`].
    pub fn rtc(user: &str) -> Self {
        Self::new(user, RTC)
    }
}

impl Change {
    /// A change that overwrites whatever there is.
    pub fn new(key: Key, home: &str, who: &str, why: &str, when: Wall) -> Self {
        Self {
            key,
            home: home.to_ascii_lowercase(),
            based_on: None,
            who: who.to_owned(),
            why: why.to_owned(),
            when,
        }
    }

    /// The same change, refused unless the record is at `version`.
    #[must_use]
    pub fn based_on(mut self, version: u64) -> Self {
        self.based_on = Some(version);
        self
    }

    /// Checks the optimistic lock against the version there is and yields the next one.
    fn next_version(&self, found: u64) -> Result<u64, DirectoryError> {
        match self.based_on {
            Some(expected) if expected != found => Err(DirectoryError::Conflict { expected, found }),
            _ => Ok(found + 1),
        }
    }

    fn into_version(self, version: u64) -> Assignment {
        Assignment { home: self.home, version, who: self.who, why: self.why, when: self.when }
    }
}

impl From<Option<Assignment>> for Lookup {
    fn from(found: Option<Assignment>) -> Self {
        match found {
            Some(assignment) => Lookup::Home { home: assignment.home, version: assignment.version },
            None => Lookup::Unknown,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.user, self.service)
    }
}

#[cfg(test)]
mod tests;
