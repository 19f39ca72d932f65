//! A directory in one SQLite file, shared by every process that opens it.
//!
//! `change` holds every version ever made, `assignment` the current ones; both are written in one
//! transaction. Another process's commits show in `PRAGMA data_version`; which users they touched,
//! in the rows of `change` beyond the last one seen.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, TransactionBehavior, params};

use super::{Assignment, Change, Directory, DirectoryError, Key};
use homing_core::time::Wall;

/// An open directory file. Blocking: it belongs on a thread of its own.
pub struct SqliteDirectory {
    connection: Connection,
    data_version: i64,
    last_change: i64,
}

impl SqliteDirectory {
    /// Opens `path`, creating file and tables where they are missing.
    ///
    /// # Errors
    /// [`DirectoryError::File`] with the engine's words.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        Self::prepare(Connection::open(path)?)
    }

    fn prepare(connection: Connection) -> Result<Self, DirectoryError> {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // An assignment is on disk before it is acknowledged.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(TABLES)?;
        let mut directory = Self { connection, data_version: 0, last_change: 0 };
        directory.changed_since()?;
        Ok(directory)
    }

    /// The users whose records changed since the last call, in order; by anyone, in any process.
    ///
    /// # Errors
    /// [`DirectoryError::File`].
    pub fn changed_since(&mut self) -> Result<Vec<Key>, DirectoryError> {
        let version: i64 = self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        let own: i64 = self.connection.last_insert_rowid();
        if version == self.data_version && own <= self.last_change {
            return Ok(Vec::new());
        }
        let mut select = self
            .connection
            .prepare_cached("SELECT id, user, service FROM change WHERE id > ?1 ORDER BY id")?;
        let rows = select.query_map([self.last_change], |row| {
            Ok((row.get::<_, i64>(0)?, Key { user: row.get(1)?, service: row.get(2)? }))
        })?;
        let rows: Vec<(i64, Key)> = rows.collect::<Result<_, _>>()?;
        drop(select);
        self.data_version = version;
        self.last_change = rows.last().map_or(self.last_change, |(id, _)| *id);
        Ok(rows.into_iter().map(|(_, key)| key).collect())
    }
}

impl Directory for SqliteDirectory {
    fn look_up(&self, key: &Key) -> Result<Option<Assignment>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT home, version, who, why, at FROM assignment WHERE user = ?1 AND service = ?2",
        )?;
        Ok(select.query_row([&key.user, &key.service], |row| assignment(row, 0)).optional()?)
    }

    fn assign(&mut self, change: &Change) -> Result<Assignment, DirectoryError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let key = &change.key;
        let found: Option<i64> = transaction
            .query_row(
                "SELECT version FROM assignment WHERE user = ?1 AND service = ?2",
                [&key.user, &key.service],
                |row| row.get(0),
            )
            .optional()?;
        let version = change.next_version(found.unwrap_or(0).cast_unsigned())?;
        let made = change.clone().into_version(version);
        let at = i64::try_from(made.when.0.as_millis()).unwrap_or(i64::MAX);
        let row = params![key.user, key.service, made.home, version.cast_signed(), made.who, made.why, at];
        transaction.execute(
            "INSERT INTO change (user, service, home, version, who, why, at) VALUES (?1,?2,?3,?4,?5,?6,?7)",
            row,
        )?;
        transaction.execute(
            "INSERT OR REPLACE INTO assignment (user, service, home, version, who, why, at) \
             VALUES (?1,?2,?3,?4,?5,?6,?7)",
            params![key.user, key.service, made.home, version.cast_signed(), made.who, made.why, at],
        )?;
        transaction.commit()?;
        Ok(made)
    }

    fn list(&self) -> Result<Vec<(Key, Assignment)>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT user, service, home, version, who, why, at FROM assignment ORDER BY user, service",
        )?;
        let rows = select.query_map([], |row| {
            Ok((Key { user: row.get(0)?, service: row.get(1)? }, assignment(row, 2)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn history(&self, key: &Key) -> Result<Vec<Assignment>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT home, version, who, why, at FROM change WHERE user = ?1 AND service = ?2 ORDER BY id",
        )?;
        let rows = select.query_map([&key.user, &key.service], |row| assignment(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl From<rusqlite::Error> for DirectoryError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DirectoryError::Busy,
            _ => DirectoryError::File(error.to_string()),
        }
    }
}

fn assignment(row: &Row<'_>, first: usize) -> rusqlite::Result<Assignment> {
    let at: i64 = row.get(first + 4)?;
    Ok(Assignment {
        home: row.get(first)?,
        version: row.get::<_, i64>(first + 1)?.cast_unsigned(),
        who: row.get(first + 2)?,
        why: row.get(first + 3)?,
        when: Wall(Duration::from_millis(at.cast_unsigned())),
    })
}

const BUSY: Duration = Duration::from_secs(2);

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL, service TEXT NOT NULL, home TEXT NOT NULL,
    version INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS assignment (
    user TEXT NOT NULL, service TEXT NOT NULL, home TEXT NOT NULL,
    version INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (user, service)) WITHOUT ROWID;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_synced_before_it_is_acknowledged() {
        let directory = SqliteDirectory::prepare(Connection::open_in_memory().unwrap()).unwrap();
        let level: i64 =
            directory.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!(level, 2, "FULL");
    }

    #[test]
    fn a_file_that_others_hold_is_told_from_one_that_cannot_be_used() {
        let failed = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert_eq!(DirectoryError::from(failed(rusqlite::ffi::SQLITE_BUSY)), DirectoryError::Busy);
        assert!(matches!(DirectoryError::from(failed(rusqlite::ffi::SQLITE_FULL)), DirectoryError::File(_)));
    }
}
