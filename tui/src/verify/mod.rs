//! Verifies a recorded conversation offline: every token, signature buffer, signature and digest recomputed.
//!
//! [`run`] reads a file and judges it; [`lines`] and [`events`] say what was found.
//! The first element that differs is named, with what was expected, what stands there, why that may be
//! and what to do next. Nothing secret is shown: neither the password nor keys, tokens or signatures.

mod check;
mod conversation;
mod json;
mod render;
mod report;
mod source;

#[cfg(test)]
mod tests;

use std::path::Path;

use homing::Password;

pub(crate) use json::events;
pub(crate) use render::lines;
pub(crate) use report::{Report, Verdict};
pub(crate) use source::ReadError;

/// Reads `file` and verifies it with `password`. It reads whole files and computes: not for a thread
/// that draws.
///
/// # Errors
/// [`ReadError`]: there is nothing in the file that could be verified.
pub(crate) fn run(file: &Path, password: &Password) -> Result<Report, ReadError> {
    Ok(check::judge(source::read(file)?, password))
}

/// The text of every message in the bytes of a file, for those who write such files.
#[cfg(test)]
pub(crate) fn messages_of(bytes: &[u8]) -> Vec<String> {
    let messages = source::read_bytes(bytes).expect("a recording").messages;
    messages.iter().map(|recorded| String::from_utf8_lossy(recorded.message.bytes()).into_owned()).collect()
}
