//! One directory for many nodes: answered from memory in the same turn, from the file otherwise.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use homing_core::time::Wall;
use tokio::sync::{broadcast, oneshot};

use super::snapshot::Snapshot;
use super::worker::{DirectoryWorker, Job, held};
use super::{
    Assignment, Change, Directory, DirectoryError, Key, Lookup, MemoryDirectory, Placement, SqliteDirectory,
};

/// A shared directory. Clones speak to the same one.
#[derive(Clone)]
pub struct DirectoryHandle {
    store: Arc<Store>,
    changes: broadcast::Sender<Key>,
}

/// Waits for changed assignments.
pub struct Watch(broadcast::Receiver<Key>);

/// What a [`Watch`] saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// This assignment changed.
    One(Key),
    /// Too many changed to tell which: any may have.
    Any,
}

enum Store {
    Memory { directory: Mutex<MemoryDirectory>, placement: Placement },
    File { snapshot: Arc<Mutex<Snapshot>>, jobs: Mutex<Sender<Job>> },
}

impl DirectoryHandle {
    /// A directory in memory.
    pub fn memory(directory: MemoryDirectory, placement: Placement) -> Self {
        let store = Arc::new(Store::Memory { directory: Mutex::new(directory), placement });
        Self { store, changes: broadcast::channel(WATCHED).0 }
    }

    /// Sees every change of an assignment from now on, by any process, within half a second.
    pub fn watch(&self) -> Watch {
        Watch(self.changes.subscribe())
    }

    /// The directory in the file `path`, on a thread of its own that ends with the last clone.
    ///
    /// # Errors
    /// [`DirectoryError::File`] if the file cannot be opened or the thread not started.
    pub fn file(path: &Path, placement: Placement) -> Result<Self, DirectoryError> {
        let directory = SqliteDirectory::open(path)?;
        let snapshot = Arc::new(Mutex::new(Snapshot::default()));
        let (jobs, inbox) = channel();
        let changes = broadcast::channel(WATCHED).0;
        let (told, snapshot_there) = (changes.clone(), Arc::clone(&snapshot));
        let worker = DirectoryWorker { directory, placement, snapshot: snapshot_there, changes: told };
        std::thread::Builder::new()
            .name("directory".to_owned())
            .spawn(move || worker.serve(&inbox))
            .map_err(|error| DirectoryError::File(error.to_string()))?;
        Ok(Self { store: Arc::new(Store::File { snapshot, jobs: Mutex::new(jobs) }), changes })
    }

    /// The answer if it is at hand without waiting.
    pub fn find_now(&self, key: &Key, now: Wall) -> Option<Lookup> {
        match &*self.store {
            Store::Memory { directory, placement } => {
                Some(placement.find(&mut *held(directory), key, now).unwrap_or(Lookup::Unavailable))
            }
            Store::File { snapshot, .. } => held(snapshot).find(key).cloned(),
        }
    }

    /// The answer, from the file if need be.
    pub async fn find(&self, key: Key, now: Wall) -> Lookup {
        if let Some(found) = self.find_now(&key, now) {
            return found;
        }
        self.ask(|answer| Job::Find { key, now, answer }).await.unwrap_or(Lookup::Unavailable)
    }

    /// Makes a new version of an assignment.
    ///
    /// # Errors
    /// [`DirectoryError`], such as [`DirectoryError::NotAHome`].
    pub async fn assign(&self, change: Change) -> Result<Assignment, DirectoryError> {
        match &*self.store {
            Store::Memory { directory, placement } => {
                let made = placement.assign(&mut *held(directory), &change)?;
                // There may be no watcher.
                let _ = self.changes.send(change.key);
                Ok(made)
            }
            Store::File { .. } => self.ask(|answer| Job::Assign { change, answer }).await?,
        }
    }

    /// Every current assignment.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn list(&self) -> Result<Vec<(Key, Assignment)>, DirectoryError> {
        match &*self.store {
            Store::Memory { directory, .. } => held(directory).list(),
            Store::File { .. } => self.ask(|answer| Job::List { answer }).await?,
        }
    }

    /// All versions of one assignment.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn history(&self, key: Key) -> Result<Vec<Assignment>, DirectoryError> {
        match &*self.store {
            Store::Memory { directory, .. } => held(directory).history(&key),
            Store::File { .. } => self.ask(|answer| Job::History { key, answer }).await?,
        }
    }

    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, DirectoryError> {
        let (answer, reply) = oneshot::channel();
        if let Store::File { jobs, .. } = &*self.store {
            held(jobs).send(job(answer)).map_err(|_| DirectoryError::Closed)?;
        }
        reply.await.map_err(|_| DirectoryError::Closed)
    }
}

impl Watch {
    /// The next change; waits for it. None once the directory is closed. Cancel-safe.
    pub async fn next(&mut self) -> Option<Changed> {
        match self.0.recv().await {
            Ok(key) => Some(Changed::One(key)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Changed::Any),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Changes a watcher may be behind before it is told that any assignment may have changed.
const WATCHED: usize = 1_024;
