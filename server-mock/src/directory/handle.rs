//! One directory for many nodes: answered from memory in the same turn, from the file otherwise.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use homing_core::time::Wall;
use tokio::sync::{broadcast, oneshot};

use super::snapshot::Snapshot;
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
    /// So many changed that nobody kept count: any may have.
    Any,
}

enum Store {
    Memory { directory: Mutex<MemoryDirectory>, placement: Placement },
    File { snapshot: Arc<Mutex<Snapshot>>, jobs: Mutex<Sender<Job>> },
}

enum Job {
    Find { key: Key, now: Wall, answer: oneshot::Sender<Lookup> },
    Assign { change: Change, answer: oneshot::Sender<Result<Assignment, DirectoryError>> },
    List { answer: oneshot::Sender<Result<Vec<(Key, Assignment)>, DirectoryError>> },
    History { key: Key, answer: oneshot::Sender<Result<Vec<Assignment>, DirectoryError>> },
}

impl DirectoryHandle {
    /// A directory in memory.
    pub fn memory(directory: MemoryDirectory, placement: Placement) -> Self {
        let store = Arc::new(Store::Memory { directory: Mutex::new(directory), placement });
        Self { store, changes: broadcast::channel(WATCHED).0 }
    }

    /// Sees every change of an assignment from now on, whoever makes it, within half a second.
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
        let librarian = Librarian { directory, placement, snapshot: snapshot_there, changes: told };
        std::thread::Builder::new()
            .name("directory".to_owned())
            .spawn(move || librarian.serve(&inbox))
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
    /// [`DirectoryError`].
    pub async fn assign(&self, change: Change) -> Result<Assignment, DirectoryError> {
        match &*self.store {
            Store::Memory { directory, .. } => {
                let made = held(directory).assign(&change)?;
                // Nobody may be watching.
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

/// The thread that owns the file.
struct Librarian {
    directory: SqliteDirectory,
    placement: Placement,
    snapshot: Arc<Mutex<Snapshot>>,
    changes: broadcast::Sender<Key>,
}

impl Librarian {
    fn serve(mut self, inbox: &Receiver<Job>) {
        loop {
            match inbox.recv_timeout(WATCH) {
                Ok(job) => {
                    self.refresh();
                    self.work(job);
                }
                Err(RecvTimeoutError::Timeout) => self.refresh(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Drops from the snapshot what any process changed; all of it if that cannot be told.
    fn refresh(&mut self) {
        match self.directory.changed_since() {
            Ok(keys) => {
                for key in keys {
                    held(&self.snapshot).forget(&key);
                    // Nobody may be watching.
                    let _ = self.changes.send(key);
                }
            }
            Err(_) => held(&self.snapshot).clear(),
        }
    }

    fn work(&mut self, job: Job) {
        // A caller that has gone away needs no answer.
        match job {
            Job::Find { key, now, answer } => {
                let found = self.placement.find(&mut self.directory, &key, now);
                if let Ok(found) = &found {
                    held(&self.snapshot).hold(key, found.clone());
                }
                let _ = answer.send(found.unwrap_or(Lookup::Unavailable));
            }
            Job::Assign { change, answer } => {
                let made = self.directory.assign(&change);
                self.refresh();
                let _ = answer.send(made);
            }
            Job::List { answer } => drop(answer.send(self.directory.list())),
            Job::History { key, answer } => drop(answer.send(self.directory.history(&key))),
        }
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

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// How long another process's commit may go unseen: a quarter of the lease of two seconds.
const WATCH: Duration = Duration::from_millis(500);
/// Changes a watcher may be behind before it is told that any assignment may have changed.
const WATCHED: usize = 1_024;
