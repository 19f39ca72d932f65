//! What the program says when it cannot do what it is told: a stable code, the cause, the next step.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::path::Path;

use super::config::ConfigError;
use crate::directory::DirectoryError;
use crate::estate::EstateError;

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    code: &'static str,
    cause: String,
    hint: &'static str,
}

impl Complaint {
    pub(super) fn new(code: &'static str, cause: impl Into<String>, hint: &'static str) -> Self {
        Self { code, cause: cause.into(), hint }
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

    /// The control socket cannot be opened.
    pub(super) fn socket(path: &Path, why: &Error) -> Self {
        let hint = match why.kind() {
            ErrorKind::AddrInUse => "Another estate answers there: end it, or name another `control`.",
            _ => "Make the folder, allow writing there, or name another file in `control`.",
        };
        Self::new("S0303", format!("{}: {why}", path.display()), hint)
    }

    /// A running estate cannot be asked.
    pub(super) fn unreachable(path: &Path, why: &Error) -> Self {
        let hint = "Start the estate with `homing-estate run`, or name its file with --config.";
        Self::new("S0401", format!("{}: {why}", path.display()), hint)
    }

    /// A running estate refused.
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::new("S0402", why, "`homing-estate status` and `users` say which names there are.")
    }
}

impl From<ConfigError> for Complaint {
    fn from(error: ConfigError) -> Self {
        let (code, hint) = match &error {
            ConfigError::Unreadable { .. } => {
                ("S0101", "Name a file that is there and that you may read; --example-config prints one.")
            }
            ConfigError::Malformed { .. } => {
                ("S0102", "Correct that line; --example-config prints every setting with its meaning.")
            }
            ConfigError::Password(_) => ("S0103", "Give that user one of the two."),
        };
        Self::new(code, error.to_string(), hint)
    }
}

impl From<EstateError> for Complaint {
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
            EstateError::Directory(DirectoryError::File(_)) => {
                ("S0208", "Name a file in `directory` that you may write, made by this program.")
            }
            EstateError::Directory(_) => ("S0209", "Try again: somebody else changed it."),
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

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}\n{}", self.code, self.cause.trim_end(), self.hint)
    }
}
