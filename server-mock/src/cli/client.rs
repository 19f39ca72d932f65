//! The other end of the control socket.

use std::path::Path;

use serde_json::Value;

use super::complaint::Complaint;
use super::control::Order;
#[cfg(unix)]
use crate::journal::harmless;

/// Gives one order and waits for what came of it.
#[cfg(unix)]
pub(super) async fn ask(socket: &Path, order: &Order) -> Result<Value, Complaint> {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let unreachable = |error| Complaint::unreachable(socket, &error);
    let garbled = |error: serde_json::Error| Complaint::refused(error.to_string());
    let mut stream = tokio::net::UnixStream::connect(socket).await.map_err(unreachable)?;
    let line = serde_json::to_string(order).map_err(garbled)? + "\n";
    stream.write_all(line.as_bytes()).await.map_err(unreachable)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await.map_err(unreachable)?;
    let answer: Value = serde_json::from_str(&answer).map_err(garbled)?;
    match answer.get("error").and_then(Value::as_str) {
        Some(error) => Err(Complaint::refused(harmless(error))),
        None => Ok(answer),
    }
}

/// There is no control socket on this system.
#[cfg(not(unix))]
pub(super) async fn ask(_socket: &Path, _order: &Order) -> Result<Value, Complaint> {
    Err(Complaint::new("S0304", "the control socket needs a Unix system", "Ask on the machine it runs on."))
}
