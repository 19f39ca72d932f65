//! `homing verify`: recomputes every NTLM token and signature of a recording and names the first element that differs.

mod log;
mod pcap;
mod review;
mod suspect;

use std::path::Path;

use serde_json::json;

use crate::cli::{Console, Exit, Failure, Verify};
use crate::config::PasswordSource;
use crate::text::screen_text;

use review::{Finding, Outcome, Reviewer};

/// One message of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Where it stands: packet or line.
    pub(crate) place: String,
    pub(crate) bytes: Vec<u8>,
}

/// Runs the verb.
///
/// # Errors
/// A file without messages, no password, or nothing in it that could be recomputed.
pub(crate) fn run(verify: &Verify, console: &Console) -> Result<Exit, Failure> {
    let recording = std::fs::read(&verify.file).map_err(|error| {
        let sentence = format!("{}: {error}", verify.file.display());
        Failure::new(Exit::Config, "E0116", &sentence, "Name a pcap file, a log of messages or a trace.")
    })?;
    let messages = messages(&recording);
    if messages.is_empty() {
        return Err(nothing(&verify.file, "holds no SIP message in the clear"));
    }
    let source = verify.password.source().unwrap_or(PasswordSource::Prompt);
    let password = source.fetch("the recorded user").map_err(|fault| {
        let hint = "Give the password by prompt, file, command or file descriptor.";
        Failure::new(Exit::Auth, "E0603", &fault, hint)
    })?;
    let mut reviewer = Reviewer::new(password);
    let findings: Vec<Finding> = messages.iter().flat_map(|message| reviewer.review(message)).collect();
    for finding in &findings {
        tell(finding, console);
    }
    let count = |wanted: fn(&Outcome) -> bool| findings.iter().filter(|f| wanted(&f.outcome)).count();
    let fits = count(|outcome| matches!(outcome, Outcome::Fits(_)));
    let differs = count(|outcome| matches!(outcome, Outcome::Differs { .. }));
    let unknown = count(|outcome| matches!(outcome, Outcome::Unknown(_)));
    console.event(
        "verified",
        json!({ "messages": messages.len(), "fits": fits, "differs": differs, "unknown": unknown }),
    );
    console.say(&screen_text!(
        "{} messages: {fits} elements fit, {differs} differ, {unknown} cannot be recomputed",
        messages.len()
    ));
    match (fits, differs) {
        (_, 1..) => Ok(Exit::Auth),
        (0, 0) => Err(nothing(&verify.file, "holds no NTLM token or signature that can be recomputed")),
        (1.., 0) => Ok(Exit::Done),
    }
}

/// The messages of a recording, whatever its kind.
fn messages(recording: &[u8]) -> Vec<Recorded> {
    match pcap::read(recording) {
        Some(messages) => messages,
        None => log::read(recording),
    }
}

fn tell(finding: &Finding, console: &Console) {
    let (word, text) = match &finding.outcome {
        Outcome::Fits(text) => ("fits", text.clone()),
        Outcome::Differs { element, text } => ("differs", format!("{element}: {text}")),
        Outcome::Unknown(text) => ("unknown", text.clone()),
    };
    let element = match &finding.outcome {
        Outcome::Differs { element, .. } => Some(element.as_str()),
        Outcome::Fits(_) | Outcome::Unknown(_) => None,
    };
    console.event(
        "finding",
        json!({
            "place": finding.place,
            "message": finding.message,
            "what": finding.what,
            "outcome": word,
            "element": element,
            "text": text,
        }),
    );
    console.say(&screen_text!(
        "{:<10} {:<16} {:<10} {word:<8} {text}",
        finding.place,
        finding.message,
        finding.what
    ));
}

fn nothing(file: &Path, what: &str) -> Failure {
    let sentence = format!("{} {what}", file.display());
    Failure::new(
        Exit::Expectation,
        "E1103",
        &sentence,
        "Record TCP or UDP in the clear, or log the messages whole.",
    )
}

#[cfg(test)]
mod tests;
