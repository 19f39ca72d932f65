//! A directory in memory: for tests, demos and estates of one process.

use std::collections::BTreeMap;

use super::{Assignment, Change, Directory, DirectoryError, Key};

/// Assignments with their whole history, kept as long as the value lives.
#[derive(Debug, Default)]
pub struct MemoryDirectory {
    records: BTreeMap<Key, Vec<Assignment>>,
}

impl MemoryDirectory {
    /// An empty directory.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Directory for MemoryDirectory {
    fn look_up(&self, key: &Key) -> Result<Option<Assignment>, DirectoryError> {
        Ok(self.records.get(key).and_then(|versions| versions.last()).cloned())
    }

    fn assign(&mut self, change: &Change) -> Result<Assignment, DirectoryError> {
        let versions = self.records.entry(change.key.clone()).or_default();
        let next = change.next_version(versions.last().map_or(0, |last| last.version));
        match next {
            Ok(version) => {
                let assignment = change.clone().into_version(version);
                versions.push(assignment.clone());
                Ok(assignment)
            }
            Err(conflict) => {
                if versions.is_empty() {
                    self.records.remove(&change.key);
                }
                Err(conflict)
            }
        }
    }

    fn list(&self) -> Result<Vec<(Key, Assignment)>, DirectoryError> {
        let current = |(key, versions): (&Key, &Vec<Assignment>)| {
            versions.last().map(|last| (key.clone(), last.clone()))
        };
        Ok(self.records.iter().filter_map(current).collect())
    }

    fn history(&self, key: &Key) -> Result<Vec<Assignment>, DirectoryError> {
        Ok(self.records.get(key).cloned().unwrap_or_default())
    }
}
