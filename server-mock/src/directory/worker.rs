//! The thread that owns a directory file: it does one job after the other, and watches what other processes commit.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use homing_core::time::Wall;
use tokio::sync::{broadcast, oneshot};

use super::snapshot::Snapshot;
use super::{Assignment, Change, Directory, DirectoryError, Key, Lookup, Placement, SqliteDirectory};

/// What a handle asks of the thread.
pub(super) enum Job {
    Find { key: Key, now: Wall, answer: oneshot::Sender<Lookup> },
    Assign { change: Change, answer: oneshot::Sender<Result<Assignment, DirectoryError>> },
    List { answer: oneshot::Sender<Result<Vec<(Key, Assignment)>, DirectoryError>> },
    History { key: Key, answer: oneshot::Sender<Result<Vec<Assignment>, DirectoryError>> },
}

/// The thread that owns the file.
pub(super) struct DirectoryWorker {
    pub(super) directory: SqliteDirectory,
    pub(super) placement: Placement,
    pub(super) snapshot: Arc<Mutex<Snapshot>>,
    pub(super) changes: broadcast::Sender<Key>,
}

impl DirectoryWorker {
    /// Works until the last handle is gone.
    pub(super) fn serve(mut self, inbox: &Receiver<Job>) {
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
                    // There may be no watcher.
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
                let made = self.placement.assign(&mut self.directory, &change);
                self.refresh();
                let _ = answer.send(made);
            }
            Job::List { answer } => drop(answer.send(self.directory.list())),
            Job::History { key, answer } => drop(answer.send(self.directory.history(&key))),
        }
    }
}

/// Locks; a panic of another holder changes nothing.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// How long another process's commit may go unseen: a quarter of the lease of two seconds.
const WATCH: Duration = Duration::from_millis(500);
