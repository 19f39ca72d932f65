//! The other end of the control socket.

use std::path::Path;

use serde_json::Value;

use super::control::Order;
#[cfg(unix)]
use crate::journal::harmless;

/// Gives one order and waits for what came of it.
#[cfg(unix)]
pub(super) async fn ask(socket: &Path, order: &Order) -> Result<Value, String> {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let unreachable = |error| format!("{}: {error}; is the estate running?", socket.display());
    let mut stream = tokio::net::UnixStream::connect(socket).await.map_err(unreachable)?;
    let line = serde_json::to_string(order).map_err(|error| error.to_string())? + "\n";
    stream.write_all(line.as_bytes()).await.map_err(unreachable)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await.map_err(unreachable)?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => Err(harmless(error)),
        None => Ok(answer),
    }
}

/// There is no control socket on this system.
#[cfg(not(unix))]
pub(super) async fn ask(_socket: &Path, _order: &Order) -> Result<Value, String> {
    Err("the control socket needs a Unix system".to_owned())
}
