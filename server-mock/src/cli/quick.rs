//! `homing-estate quick`: a whole estate by one line in any language. It says on one line of JSON where everything is, and
//! ends with its standard input, so that it never outlives the test that started it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::config::EstateConfig;
use super::control::{self, Answer};
use super::error::CliError;
use super::kept::{self, write_private};
use super::say;
use super::serve::{Signals, secret};
#[cfg(unix)]
use super::socket::Socket;

/// A folder of its own; gone with the estate.
struct Folder(PathBuf);

/// Runs an estate with these users until its standard input ends, or a signal comes.
pub(super) async fn run(users: &[String]) -> Result<(), CliError> {
    let folder = Folder::make(&std::env::temp_dir())?;
    let file = folder.0.join("estate.toml");
    let mut text = HEAD.to_owned();
    let mut said = Vec::new();
    for (number, (name, home)) in users.iter().zip(["hs102", "hs104"].into_iter().cycle()).enumerate() {
        if name.is_empty()
            || !name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet))
        {
            return Err(CliError::bad_user(name));
        }
        let password_file = folder.0.join(format!("user{number}.password"));
        let password = URL_SAFE_NO_PAD.encode(&secret()?[..15]);
        folder.write(&password_file, &(password + "\n"))?;
        text.push_str(&format!(
            "[[user]]\nname = \"{name}\"\npassword_file = \"user{number}.password\"\nhome = \"{home}\"\n"
        ));
        said.push(json!({ "user": name, "home": home, "password_file": password_file }));
    }
    folder.write(&file, &text)?;
    let config = EstateConfig::read(&file)?;
    let mut builder = config.builder()?.secret_seed(secret()?);
    if let Some(authority) = kept::authority(&config)? {
        builder = builder.authority(authority);
    }
    let mut signals = Signals::listen()?;
    let estate = builder.start().await?;
    let socket = Socket::open(config.control.as_deref())?;
    if let Answer::Line(Value::Object(mut fields)) = control::execute(&estate, r#"{"do":"status"}"#).await {
        fields.insert("ca_file".to_owned(), json!(config.ca_file));
        fields.insert("control".to_owned(), json!(config.control));
        fields.insert("users".to_owned(), json!(said));
        say(&(Value::Object(fields).to_string() + "\n"));
    }
    tokio::select! {
        () = signals.wait() => {}
        () = input_ended() => {}
        never = socket.serve(&estate) => match never {},
    }
    Ok(())
}

/// Waits for the end of the standard input.
async fn input_ended() {
    let (ended, wait) = oneshot::channel::<()>();
    let reader = std::thread::Builder::new().name("input".to_owned()).spawn(move || {
        // What is written there means nothing; an error is an end, too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(ended);
    });
    match reader {
        // The end of the other half is what is waited for.
        Ok(_) => drop(wait.await),
        Err(_) => std::future::pending().await,
    }
}

impl Folder {
    fn make(parent: &Path) -> Result<Self, CliError> {
        let name = URL_SAFE_NO_PAD.encode(&secret()?[..9]);
        let path = parent.join(format!("homing-estate-{name}"));
        if path.to_str().is_none() {
            // JSON has no other text.
            let why = io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8 and cannot be told");
            return Err(CliError::folder(&path, &why));
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|why| CliError::folder(&path, &why))?;
        Ok(Self(path))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), CliError> {
        write_private(path, text).map_err(|why| CliError::folder(path, &why))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const HEAD: &str = "domain = \"network.com\"\ntransports = [\"tls\", \"tcp\", \"udp\"]\nca_file = \"ca.pem\"\n\
    control = \"estate.sock\"\nkeep_ports = false\n[authentication]\nschemes = \"ntlm_and_digest_md5\"\n\
    [[server]]\nname = \"lb\"\nrole = \"distributor\"\n[[server]]\nname = \"hs102\"\nrole = \"home\"\n\
    [[server]]\nname = \"hs104\"\nrole = \"home\"\n";

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn a_folder_whose_name_cannot_be_told_is_refused_with_a_cure() {
        let parent = std::env::temp_dir();
        let odd = parent.join(OsString::from_vec(b"homing-\xff".to_vec()));
        let told = Folder::make(&odd).err().unwrap().to_string();
        assert!(told.starts_with("S0309 ") && told.contains("UTF-8") && told.contains("TMPDIR"), "{told}");
        assert!(!odd.exists());
        let folder = Folder::make(&parent).unwrap();
        assert!(folder.0.is_dir());
    }
}
