//! The socket on which a running phone tells `homing status` how its accounts stand.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};

use crate::model::Model;

/// A listening socket of mode 0600; its file goes with it.
pub(crate) struct Socket {
    listener: Option<UnixListener>,
    path: PathBuf,
}

impl Socket {
    /// Listens there, unless another phone does; a phone works without it too.
    pub(crate) fn open(path: &Path) -> Self {
        Self { listener: listen(path).ok(), path: path.to_owned() }
    }

    /// Somebody asks.
    pub(crate) async fn asked(&self) -> Option<UnixStream> {
        match &self.listener {
            Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
            None => std::future::pending().await,
        }
    }
}

/// Tells one JSON line per account; who asked may read it whenever it likes.
pub(crate) fn answer(mut stream: UnixStream, model: &Model) {
    let now = model.clock.since_start;
    let mut text = String::new();
    for card in &model.accounts.cards {
        let home = card.home.as_ref();
        let trouble = card.setback.as_ref().map(|setback| &setback.trouble);
        let line = json!({
            "aor": card.aor.as_str(),
            "state": card.state.words().word,
            "home": home.map(|home| home.server.as_str()),
            "path": card.path_words().as_str(),
            "signed": home.is_some_and(|home| home.signed),
            "expires_in": card.left(now).map(|left| left.as_secs()),
            "code": trouble.map(|trouble| trouble.code),
            "sentence": trouble.map(|trouble| trouble.sentence.as_str()),
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    tokio::spawn(async move {
        // Whoever hangs up has seen enough.
        let _ = stream.write_all(text.as_bytes()).await;
    });
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    // What lies there belongs to a phone that did not end well.
    let _ = std::fs::remove_file(path);
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.listener.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
