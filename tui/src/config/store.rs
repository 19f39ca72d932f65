//! Files of the phone: where they lie, and writing them whole, privately or not at all.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use thiserror::Error;

use crate::config::edit;

/// The phone's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths {
    /// The configuration.
    pub(crate) config: PathBuf,
    /// Keys that differ from the defaults.
    pub(crate) keys: PathBuf,
    /// Home servers of earlier runs.
    pub(crate) remembered: PathBuf,
    /// The folder of control sockets, one for each running phone.
    pub(crate) phones: PathBuf,
}

/// Why a file could not be read or written.
#[derive(Debug, Error)]
pub(crate) enum StoreFault {
    #[error("{0}: {1}")]
    Read(PathBuf, io::Error),
    #[error("{0}: {1}")]
    Write(PathBuf, io::Error),
}

impl Paths {
    /// The places of the XDG base directory specification; `config` replaces the file.
    pub(crate) fn find(config: Option<PathBuf>) -> Option<Self> {
        let base = etcetera::base_strategy::choose_base_strategy().ok()?;
        let folder = base.config_dir().join("homing");
        let state = base.state_dir().unwrap_or_else(|| base.data_dir()).join("homing");
        let phones = base.runtime_dir().map_or_else(|| state.join("phones"), |folder| folder.join("homing"));
        let config = config.unwrap_or_else(|| folder.join("config.toml"));
        Some(Self {
            keys: config.with_file_name("keys.toml"),
            config,
            remembered: state.join("remembered.toml"),
            phones,
        })
    }
}

/// A path as people write it: their home folder is `~`.
pub(crate) fn shown(path: &Path) -> String {
    let below_home =
        etcetera::home_dir().ok().and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned));
    below_home.map_or_else(|| path.display().to_string(), |rest| format!("~/{}", rest.display()))
}

/// The text of a file; empty if there is none.
///
/// # Errors
/// What the system says, with the path.
pub(crate) fn read(path: &Path) -> Result<String, StoreFault> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(StoreFault::Read(path.to_owned(), error)),
    }
}

/// The text of a configuration. Where an account lacked its endpoint token it has a new one, which the file keeps if it
/// can be written: an endpoint that changed its name at every start would leave bindings behind.
///
/// # Errors
/// As for [`read`].
pub(crate) fn read_configuration(path: &Path) -> Result<String, StoreFault> {
    let text = read(path)?;
    let Some(filled) = edit::with_epids(&text) else { return Ok(text) };
    if let Err(fault) = write(path, &filled) {
        tracing::warn!("the new endpoint tokens are not kept: {fault}");
    }
    Ok(filled)
}

/// Writes a file of mode 0600 in a folder of mode 0700: whole or not at all.
///
/// # Errors
/// What the system says, with the path; the file that was there stays.
pub(crate) fn write(path: &Path, text: impl AsRef<[u8]>) -> Result<(), StoreFault> {
    let fault = |error| StoreFault::Write(path.to_owned(), error);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault)?;
    }
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    // A draft of an earlier process with the same number may lie there; no process owns it.
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(error)),
        _ => {}
    }
    let written = write_draft(&draft, text.as_ref()).and_then(|()| fs::rename(&draft, path));
    written.map_err(|error| {
        drop(fs::remove_file(&draft));
        fault(error)
    })
}

fn write_draft(draft: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_file_is_written_privately_and_replaced_whole() {
        let folder = std::env::temp_dir().join(format!("homing-store-{}", std::process::id()));
        let path = folder.join("inner").join("config.toml");
        write(&path, "a = 1\n").expect("a writable place");
        write(&path, "a = 2\n").expect("a writable place");
        assert_eq!(read(&path).expect("our own file"), "a = 2\n");
        assert_eq!(fs::metadata(&path).expect("our own file").mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.join("inner")).expect("our own folder").mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(folder.join("inner")).expect("our own folder").count(), 1);
        fs::remove_dir_all(&folder).expect("our own folder");
    }

    #[test]
    fn an_absent_file_is_empty() {
        assert_eq!(read(Path::new("/nonexistent/homing.toml")).expect("absent is fine"), "");
    }
}
