//! Where a password comes from: prompt, keyring, a file of mode 0600, a file descriptor, a command's output.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use homing::Password;
use thiserror::Error;

use super::prompt;

/// Where a password comes from; argv and the environment are no places for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PasswordSource {
    Prompt,
    /// The entry of service `homing` and of this account in the desktop's keyring.
    Keyring,
    File(PathBuf),
    Descriptor(u32),
    Command(Vec<String>),
}

/// Why there is no password.
#[derive(Debug, Error)]
pub(crate) enum PasswordFault {
    #[error("{0}: {1}")]
    Read(String, std::io::Error),
    #[error("{0} can be read by others; chmod 600 it")]
    Exposed(String),
    #[error("the password command failed ({0})")]
    Failed(std::process::ExitStatus),
    #[error("the password command names no program")]
    NoCommand,
    #[error("the password is not UTF-8")]
    NotText,
    #[error("there is no terminal to ask for the password on")]
    NoTerminal,
    #[cfg(feature = "keyring")]
    #[error("the keyring gives no password of service `homing` for {0}")]
    Keyring(String),
    #[cfg(not(feature = "keyring"))]
    #[error("this build has no keyring; build with `--features keyring`, or name a file or a command")]
    NoKeyring,
}

impl PasswordSource {
    /// Looks whether the password could be fetched, without fetching it: no person is asked and no command run.
    ///
    /// # Errors
    /// Why it could not.
    pub(crate) fn check(&self) -> Result<(), PasswordFault> {
        match self {
            PasswordSource::File(path) => open(path).map(drop),
            PasswordSource::Command(words) => {
                let program = words.first().ok_or(PasswordFault::NoCommand)?;
                let folders = std::env::var_os("PATH").unwrap_or_default();
                let found = program.contains('/') && Path::new(program).is_file()
                    || std::env::split_paths(&folders).any(|folder| folder.join(program).is_file());
                let missing = || PasswordFault::Read(program.clone(), ErrorKind::NotFound.into());
                if found { Ok(()) } else { Err(missing()) }
            }
            #[cfg(not(feature = "keyring"))]
            PasswordSource::Keyring => Err(PasswordFault::NoKeyring),
            _ => Ok(()),
        }
    }

    /// Fetches the password; may wait for a person or a program.
    ///
    /// # Errors
    /// Why there is none; never a part of it.
    pub(crate) fn fetch(&self, whose: &str) -> Result<Password, PasswordFault> {
        let text = match self {
            PasswordSource::Prompt => {
                prompt::ask(&format!("Password of {whose}: ")).map_err(|_| PasswordFault::NoTerminal)?
            }
            PasswordSource::Keyring => read_keyring(whose)?,
            PasswordSource::File(path) => read_file(path)?,
            PasswordSource::Descriptor(number) => {
                let path = format!("/dev/fd/{number}");
                let file = File::open(&path).map_err(|error| PasswordFault::Read(path.clone(), error))?;
                read_all(file, &path)?
            }
            PasswordSource::Command(words) => run(words)?,
        };
        let mut text = text;
        let line = text.lines().next().unwrap_or_default().len();
        text.truncate(line);
        // An empty one is one: some branch exchanges are set up so.
        Ok(Password::new(text))
    }
}

#[cfg(feature = "keyring")]
fn read_keyring(whose: &str) -> Result<String, PasswordFault> {
    let entry = keyring::Entry::new(KEYRING_SERVICE, whose);
    // The keyring's own words may quote what it holds.
    entry.and_then(|entry| entry.get_password()).map_err(|_| PasswordFault::Keyring(whose.to_owned()))
}

#[cfg(not(feature = "keyring"))]
fn read_keyring(_: &str) -> Result<String, PasswordFault> {
    Err(PasswordFault::NoKeyring)
}

fn read_file(path: &Path) -> Result<String, PasswordFault> {
    read_all(open(path)?, &path.display().to_string())
}

/// A file that only its owner can read.
fn open(path: &Path) -> Result<File, PasswordFault> {
    let name = path.display().to_string();
    let fault = |error| PasswordFault::Read(name.clone(), error);
    let file =
        std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path).map_err(fault)?;
    if file.metadata().map_err(fault)?.mode() & 0o077 != 0 {
        return Err(PasswordFault::Exposed(name));
    }
    Ok(file)
}

fn read_all(file: File, name: &str) -> Result<String, PasswordFault> {
    let mut text = String::new();
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|error| PasswordFault::Read(name.to_owned(), error))?;
    Ok(text)
}

fn run(words: &[String]) -> Result<String, PasswordFault> {
    let (program, arguments) = words.split_first().ok_or(PasswordFault::NoCommand)?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| PasswordFault::Read(program.clone(), error))?;
    if !output.status.success() {
        return Err(PasswordFault::Failed(output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| PasswordFault::NotText)
}

const LONGEST: u64 = 4_096;
#[cfg(feature = "keyring")]
const KEYRING_SERVICE: &str = "homing";

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_others_can_read_is_refused() {
        let path = std::env::temp_dir().join(format!("homing-secret-{}", std::process::id()));
        let mut file = File::create(&path).expect("a temporary file");
        writeln!(file, "canary-5d1e").expect("room for a line");
        let with_mode = |mode| {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("our own file");
            PasswordSource::File(path.clone()).fetch("alice")
        };
        assert!(matches!(with_mode(0o644), Err(PasswordFault::Exposed(_))));
        assert_eq!(with_mode(0o600).expect("a password").reveal(), "canary-5d1e");
        std::fs::remove_file(&path).expect("our own file");
    }

    #[test]
    fn a_keyring_without_the_entry_is_a_sentence() {
        let fault = PasswordSource::Keyring.fetch("nobody@nowhere.invalid").expect_err("no such entry");
        assert!(fault.to_string().contains("keyring"), "{fault}");
    }

    #[test]
    fn a_command_gives_its_first_line() {
        let command = |text: &str| PasswordSource::Command(vec!["printf".into(), text.into()]).fetch("alice");
        assert_eq!(command("one\\ntwo\\n").expect("a password").reveal(), "one");
        assert_eq!(command("").expect("an empty password is one").reveal(), "");
        assert!(matches!(PasswordSource::Command(Vec::new()).fetch("a"), Err(PasswordFault::NoCommand)));
        assert!(matches!(
            PasswordSource::Command(vec!["false".into()]).fetch("a"),
            Err(PasswordFault::Failed(_))
        ));
    }
}
