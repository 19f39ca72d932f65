//! The one way to assign: only to home servers. Users without an assignment are refused, or placed by a rule.

use sha2::{Digest, Sha256};

use super::{Assignment, Change, Directory, DirectoryError, Key, Lookup};
use homing_core::time::Wall;

/// The rule for users that have no assignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownUser {
    /// They are answered 404.
    #[default]
    Reject,
    /// A stable hash of the name picks a home server: the same everywhere, without coordination.
    Hash,
    /// The home server with the fewest assignments gets them.
    LeastLoaded,
}

/// Which servers are homes, and the rule for users without an assignment.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// For users that have no assignment.
    pub rule: UnknownUser,
    /// Fully qualified names, lower case.
    pub homes: Vec<String>,
}

impl Placement {
    /// Makes a new version of an assignment, if it is to a home server.
    ///
    /// # Errors
    /// [`DirectoryError::NotAHome`], and those of the directory.
    pub fn assign(
        &self,
        directory: &mut dyn Directory,
        change: &Change,
    ) -> Result<Assignment, DirectoryError> {
        if !self.homes.contains(&change.home) {
            return Err(DirectoryError::NotAHome(change.home.clone()));
        }
        directory.assign(change)
    }

    /// Looks `key` up and, where the rule allows, assigns it first.
    ///
    /// # Errors
    /// Those of the directory; a placement that lost a race is read again and is no error.
    pub fn find(
        &self,
        directory: &mut dyn Directory,
        key: &Key,
        now: Wall,
    ) -> Result<Lookup, DirectoryError> {
        if let Some(found) = directory.look_up(key)? {
            return Ok(Lookup::from(Some(found)));
        }
        let Some((home, why)) = self.choose(directory, key)? else { return Ok(Lookup::Unknown) };
        let change = Change::new(key.clone(), &home, "placement", why, now).based_on(0);
        match self.assign(directory, &change) {
            Ok(made) => Ok(Lookup::from(Some(made))),
            Err(DirectoryError::Conflict { .. }) => Ok(Lookup::from(directory.look_up(key)?)),
            Err(other) => Err(other),
        }
    }

    fn choose(
        &self,
        directory: &dyn Directory,
        key: &Key,
    ) -> Result<Option<(String, &'static str)>, DirectoryError> {
        if self.homes.is_empty() {
            return Ok(None);
        }
        match self.rule {
            UnknownUser::Reject => Ok(None),
            UnknownUser::Hash => {
                let digest = Sha256::digest(format!("{}\n{}", key.user, key.service));
                let number = u64::from_be_bytes(digest[..8].try_into().expect("SHA-256 has 32 bytes"));
                let index = usize::try_from(number % self.homes.len() as u64).unwrap_or_default();
                Ok(Some((self.homes[index].clone(), "first sign-in, placed by hash")))
            }
            UnknownUser::LeastLoaded => {
                let taken = directory.list()?;
                let load = |home: &&String| taken.iter().filter(|(_, held)| held.home == **home).count();
                let least = self.homes.iter().min_by_key(load).cloned();
                Ok(least.map(|home| (home, "first sign-in, placed on the least loaded")))
            }
        }
    }
}
