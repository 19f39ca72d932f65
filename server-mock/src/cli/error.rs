//! What the program says when it cannot do what it is told: a stable code, the cause, the next step.

use std::borrow::Cow;
use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::Path;

use serde_json::{Value, json};

use super::config::ConfigError;
use crate::directory::DirectoryError;
use crate::estate::EstateError;
use crate::expect::Unmet;
use crate::fault::RuleError;
use crate::journal::sanitize;
use crate::shell::ca::CaError;

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CliError {
    code: Cow<'static, str>,
    cause: String,
    hint: Cow<'static, str>,
}

impl CliError {
    pub(super) fn new(code: &'static str, cause: impl Into<String>, hint: &'static str) -> Self {
        Self { code: code.into(), cause: cause.into(), hint: hint.into() }
    }

    /// The machine gives something it should have.
    pub(super) fn machine(cause: impl Into<String>) -> Self {
        Self::new("S0301", cause, "Close some programs, or raise the limits of this machine.")
    }

    /// The certificate of the authority cannot be written.
    pub(super) fn ca_file(path: &Path, why: &Error) -> Self {
        let hint = "Make the folder, allow writing there, or name another file in `ca_file`.";
        Self::new("S0302", format!("{}: {why}", path.display()), hint)
    }

    /// The certificate that is kept is another authority's.
    pub(super) fn other_authority(path: &Path, why: &CaError) -> Self {
        let hint = "Name another file in `ca_file`, or move certificate and key away: both are made again.";
        Self::new("S0306", format!("{}: {why}", path.display()), hint)
    }

    /// The private key of the authority may be read by others.
    pub(super) fn open_key(path: &Path) -> Self {
        let hint = "Make it yours alone (chmod 600), or move it away with its certificate if others may have read it.";
        Self::new("S0307", format!("{}: others may read this private key", path.display()), hint)
    }

    /// Certificate and private key of the authority would be one file.
    pub(super) fn one_file(path: &Path, key: &Path) -> Self {
        let hint = "Name another file in `ca_file` or `ca_key_file`; the key was not touched.";
        Self::new("S0310", format!("{} is the same file as the key, {}", path.display(), key.display()), hint)
    }

    /// What is kept as the private key of the authority is none.
    pub(super) fn bad_key(path: &Path, why: &CaError) -> Self {
        let hint =
            "Name another file in `ca_key_file`, or move that one away: certificate and key are made again.";
        Self::new("S0308", format!("{}: {why}", path.display()), hint)
    }

    /// The control socket cannot be opened.
    pub(super) fn socket(path: &Path, why: &Error) -> Self {
        let hint = match why.kind() {
            ErrorKind::AddrInUse => "Another estate answers there: end it, or name another `control`.",
            _ => "Make the folder, allow writing there, or name another file in `control`.",
        };
        Self::new("S0303", format!("{}: {why}", path.display()), hint)
    }

    /// What stands where the control socket is to be is something else.
    pub(super) fn no_socket(path: &Path) -> Self {
        let hint = "Name another file in `control`, or move that one away; it was not touched.";
        Self::new("S0305", format!("{}: this is a file and no socket", path.display()), hint)
    }

    /// A running estate cannot be asked.
    pub(super) fn unreachable(path: &Path, why: &Error) -> Self {
        let hint = "Start the estate with `homing-estate run`, or name its file with --config.";
        Self::new("S0401", format!("{}: {why}", path.display()), hint)
    }

    /// A running estate answered with what is no answer.
    pub(super) fn garbled(why: impl Into<String>) -> Self {
        Self::new("S0402", why, "Ask with the program of the version that runs.")
    }

    /// A line that is no command.
    pub(super) fn no_command(why: &serde_json::Error) -> Self {
        let hint =
            "Send one JSON object on a line, such as {\"do\":\"status\"}; the README lists the commands.";
        Self::new("S0404", why.to_string(), hint)
    }

    /// A fault that could never be played.
    pub(super) fn no_rule(why: &RuleError) -> Self {
        Self::new("S0406", why.to_string(), "The README lists the faults, and what each is played to.")
    }

    /// No fault has this name.
    pub(super) fn no_fault(text: &str, why: &serde_json::Error) -> Self {
        Self::new("S0407", format!("`{text}` is no fault: {why}"), "The README lists the faults.")
    }

    /// A user whose name would be no part of an address.
    pub(super) fn bad_user(name: &str) -> Self {
        Self::new(
            "S0408",
            format!("`{name}` is no user's name"),
            "Use letters, digits, dots, hyphens and underscores.",
        )
    }

    /// That server makes no calls for such a user: a person, a party of another server, or nobody.
    pub(super) fn no_party(server: &str, name: &str) -> Self {
        let hint = "Name one of the [[party]] entries, and in `server` the server that is its `home`.";
        Self::new("S0409", format!("the server `{server}` has no party `{name}`"), hint)
    }

    /// The folder of a quick estate cannot be made.
    pub(super) fn folder(path: &Path, why: &Error) -> Self {
        let hint = "Make room there, or name another folder for temporary files (TMPDIR).";
        Self::new("S0309", format!("{}: {why}", path.display()), hint)
    }

    /// An expectation that was not met.
    pub(super) fn unmet(unmet: &Unmet) -> Self {
        let cause = format!("expected {}, found {}; {}", unmet.expected, unmet.found, unmet.nearest);
        Self::new("S0405", cause, "`journal` shows every message, and every decision with its reason.")
    }

    /// The complaint as an answer.
    pub(super) fn json(&self, version: u32) -> Value {
        json!({ "v": version, "code": self.code, "error": self.cause, "cure": self.hint })
    }

    /// What a running estate refused, as it said it; none where it did not refuse.
    pub(super) fn of_answer(answer: &Value) -> Option<Self> {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(sanitize);
        let cause = text("error")?;
        let code = text("code").map_or(Cow::Borrowed("S0402"), Cow::Owned);
        Some(Self { code, cause, hint: text("cure").unwrap_or_default().into() })
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let (code, hint) = match &error {
            ConfigError::Unreadable { .. } => {
                ("S0101", "Name a file that is there and that you may read; --example-config prints one.")
            }
            ConfigError::Malformed { .. } => {
                ("S0102", "Correct that line; --example-config prints every setting with its meaning.")
            }
            ConfigError::Unworkable { cure, .. } => ("S0104", *cure),
            ConfigError::Password(_) => ("S0103", "Give that user one of the two."),
        };
        Self::new(code, error.to_string(), hint)
    }
}

impl From<EstateError> for CliError {
    fn from(error: EstateError) -> Self {
        let (code, hint) = match &error {
            EstateError::TwoNodes(_) => ("S0201", "Give each [[server]] a name of its own."),
            EstateError::NoNodes => ("S0202", "Add a [[server]] with role = \"home\"."),
            EstateError::NoSuchNode(_) => ("S0203", "Name one of the [[server]] entries."),
            EstateError::NoHome { .. } => ("S0204", "Name a [[server]] whose role is \"home\"."),
            EstateError::Name(_) => ("S0205", "Use letters, digits and hyphens between dots."),
            EstateError::Certificate(_) | EstateError::Tls(_) => {
                ("S0206", "Use plain ASCII names for domain and servers.")
            }
            EstateError::Listen { why, .. } | EstateError::NameServer(why) => ("S0207", port_hint(why)),
            EstateError::Directory(DirectoryError::NotAHome(_)) => {
                ("S0204", "Name a [[server]] whose role is \"home\".")
            }
            EstateError::NoSuchUser(_) => {
                ("S0210", "Name one of the [[user]] entries, by name or name@domain.")
            }
            EstateError::IsParty(_) => {
                ("S0212", "Name a [[user]] that is no [[party]]; parties change with the next start.")
            }
            EstateError::Directory(DirectoryError::Busy) => {
                ("S0211", "Another program holds the file in `directory`: end it, or try again.")
            }
            EstateError::Directory(DirectoryError::File(_)) => {
                ("S0208", "Name a file in `directory` that you may write, made by this program.")
            }
            EstateError::Directory(_) => ("S0209", "Try again: it changed meanwhile."),
            EstateError::Thread(_) | EstateError::Ended => {
                ("S0301", "Close some programs, or raise the limits of this machine.")
            }
        };
        Self::new(code, error.to_string(), hint)
    }
}

fn port_hint(why: &Error) -> &'static str {
    match why.kind() {
        ErrorKind::AddrInUse => "Another program has the port: end it, or choose another port or 0.",
        ErrorKind::PermissionDenied => "Ports below 1024 belong to root: choose a higher one.",
        ErrorKind::AddrNotAvailable => "This machine has no such address: correct `listen`.",
        _ => "Correct `listen` and the ports of the servers.",
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}\n{}", self.code, self.cause.trim_end(), self.hint)
    }
}
