//! The folder of control sockets: one per phone, each named by its process.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

/// No other phone publishes a socket while this is held, so that of two phones that start at once the second
/// sees the first.
pub(crate) struct Claim {
    folder: PathBuf,
    /// None where the folder cannot be locked: the phone starts all the same.
    _lock: Option<File>,
}

/// A socket that listens; its file goes with it.
pub(crate) struct Published {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl Claim {
    /// Waits a moment until no other phone is about to start.
    pub(crate) async fn take(folder: &Path) -> Self {
        let lock = lock(folder).await.inspect_err(|error| tracing::warn!("control sockets: {error}"));
        Self { folder: folder.to_owned(), _lock: lock.ok().flatten() }
    }

    /// Listens; sockets of phones that did not end well are removed.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) async fn publish(self) -> io::Result<Published> {
        create(&self.folder)?;
        for (process, path) in sockets(&self.folder) {
            if process == std::process::id() || is_dead(&path).await {
                // Another phone may have been faster.
                let _ = fs::remove_file(&path);
            }
        }
        let process = std::process::id();
        let (draft, path) = (self.folder.join(format!("{process}.new")), socket(&self.folder, process));
        let _ = fs::remove_file(&draft);
        // It has its name only once it listens: a refused connection means that no phone will listen there.
        let listener = UnixListener::bind(&draft)?;
        fs::set_permissions(&draft, PermissionsExt::from_mode(0o600))?;
        fs::rename(&draft, &path)?;
        Ok(Published { listener, path })
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The sockets that lie there, by process; at most [`MOST`].
pub(super) fn sockets(folder: &Path) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let numbered = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?.strip_suffix(".sock")?;
        Some((name.parse().ok()?, path))
    });
    let mut found: Vec<(u32, PathBuf)> = numbered.take(MOST).collect();
    found.sort();
    found
}

/// No phone listens there any more.
async fn is_dead(path: &Path) -> bool {
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    UnixStream::connect(path).await.is_err_and(|error| refused(&error))
}

fn socket(folder: &Path, process: u32) -> PathBuf {
    folder.join(format!("{process}.sock"))
}

fn create(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// None if the holder of the lock does not release it.
async fn lock(folder: &Path) -> io::Result<Option<File>> {
    create(folder)?;
    let file = File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Phones that are looked for.
const MOST: usize = 64;
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("homing-{name}-{}", std::process::id()))
    }

    #[tokio::test]
    async fn a_socket_is_private_takes_the_place_of_dead_ones_and_goes_with_its_phone() {
        let folder = folder("sockets");
        create(&folder).unwrap();
        let (dead, alive) = (socket(&folder, 1), socket(&folder, 2));
        drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
        let _listener = std::os::unix::net::UnixListener::bind(&alive).unwrap();
        fs::write(folder.join("notes.txt"), "").unwrap();

        let published = Claim::take(&folder).await.publish().await.unwrap();
        let processes = || sockets(&folder).into_iter().map(|(process, _)| process).collect::<Vec<_>>();
        assert_eq!(processes(), [2, std::process::id()]);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&published.path)), (0o700, 0o600));
        drop(published);
        assert_eq!(processes(), [2]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn two_phones_that_start_at_once_do_so_one_after_the_other() {
        let folder = folder("claims");
        let first = Claim::take(&folder).await;
        let waiting = tokio::time::timeout(PAUSE * 4, Claim::take(&folder)).await;
        assert!(waiting.is_err(), "the first has not published yet");
        drop(first.publish().await.unwrap());
        assert!(tokio::time::timeout(PAUSE * 4, Claim::take(&folder)).await.is_ok());
        fs::remove_dir_all(&folder).unwrap();
    }
}
