//! What lasts from one start to the next: the certificate authority, and the ports that the system chose.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use homing_core::transport::Transport;
use serde::{Deserialize, Serialize};

use super::config::EstateConfig;
use super::error::CliError;
use crate::estate::{Estate, EstateBuilder};
use crate::shell::ca::{Authority, CaError};

/// The authority of an estate whose file names a place for its certificate: the one that was kept there, else a new one
/// that is kept. None without such a place.
pub(super) fn authority(config: &EstateConfig) -> Result<Option<Authority>, CliError> {
    let (Some(file), Some(key_file)) = (&config.ca_file, config.ca_key_file()) else { return Ok(None) };
    let domain = config.domain();
    let made = |path: &Path, why: &CaError| match why {
        CaError::Mismatch(_) => CliError::other_authority(path, why),
        CaError::Make(_) => CliError::bad_key(path, why),
    };
    let Some(key) = private(&key_file)? else {
        let authority = Authority::constrained(&domain, None).map_err(|why| made(&key_file, &why))?;
        write_private(&key_file, &authority.key_pem()).map_err(|why| CliError::ca_file(&key_file, &why))?;
        two_files(file, &key_file)?;
        fs::write(file, authority.pem()).map_err(|why| CliError::ca_file(file, &why))?;
        return Ok(Some(authority));
    };
    two_files(file, &key_file)?;
    let authority = Authority::constrained(&domain, Some(&key)).map_err(|why| made(&key_file, &why))?;
    match fs::read_to_string(file) {
        Ok(pem) => authority.known_by(&pem, &domain).map(Some).map_err(|why| made(file, &why)),
        Err(why) if why.kind() == ErrorKind::NotFound => {
            fs::write(file, authority.pem()).map_err(|why| CliError::ca_file(file, &why))?;
            Ok(Some(authority))
        }
        Err(why) => Err(CliError::ca_file(file, &why)),
    }
}

/// Refuses two names of one file, as links make them: the certificate would be written over the key.
fn two_files(file: &Path, key_file: &Path) -> Result<(), CliError> {
    match (fs::canonicalize(file), fs::canonicalize(key_file)) {
        (Ok(one), Ok(other)) if one == other => Err(CliError::one_file(file, key_file)),
        _ => Ok(()),
    }
}

/// The text of a file that only its owner may read; none where there is no file.
fn private(path: &Path) -> Result<Option<String>, CliError> {
    let told = |why: io::Error| CliError::ca_file(path, &why);
    let found = match fs::metadata(path) {
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        found => found.map_err(told)?,
    };
    if is_open_to_others(&found) {
        return Err(CliError::open_key(path));
    }
    fs::read_to_string(path).map(Some).map_err(told)
}

#[cfg(unix)]
fn is_open_to_others(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

pub(super) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// The ports that a start of the estate got.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ports {
    /// Of the name server.
    dns: u16,
    /// Of each server, by the name of the transport.
    servers: BTreeMap<String, BTreeMap<String, u16>>,
}

impl Ports {
    /// What the last start of the estate of `file` got; none where that is not known or not wanted.
    pub(super) fn of_last_start(config: &EstateConfig, file: &Path) -> Option<Self> {
        let text = fs::read_to_string(ports_file(file)).ok().filter(|_| config.keep_ports)?;
        serde_json::from_str(&text).ok()
    }

    /// The estate with these ports where its file names none.
    pub(super) fn apply(&self, config: &EstateConfig, mut builder: EstateBuilder) -> EstateBuilder {
        if config.dns_port() == 0 {
            builder = builder.dns_port(self.dns);
        }
        for (server, ports) in &self.servers {
            for transport in Transport::ALL {
                if let Some(port) = ports.get(transport.uri_token())
                    && !config.has_port(server, transport)
                {
                    builder = builder.port(server, transport, *port);
                }
            }
        }
        builder
    }

    /// Keeps what a running estate got. A folder that cannot be written to only costs the next start its ports.
    pub(super) fn keep(config: &EstateConfig, file: &Path, estate: &Estate) {
        if !config.keep_ports {
            return;
        }
        let servers = estate.nodes().map(|node| {
            let ports = Transport::ALL.iter().filter_map(|transport| {
                Some((transport.uri_token().to_owned(), node.find_address(*transport)?.port()))
            });
            (node.name().to_owned(), ports.collect())
        });
        let ports = Self { dns: estate.dns_address().port(), servers: servers.collect() };
        if let Ok(text) = serde_json::to_string(&ports) {
            let _ = fs::write(ports_file(file), text + "\n");
        }
    }
}

/// Beside the configuration.
fn ports_file(file: &Path) -> PathBuf {
    file.with_extension("ports.json")
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("homing-estate-{}-kept-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder is ours");
        folder
    }

    fn config(folder: &Path, domain: &str) -> EstateConfig {
        let file = folder.join("estate.toml");
        fs::write(&file, format!("domain = \"{domain}\"\nca_file = \"ca.pem\"\n"))
            .expect("the folder is ours");
        EstateConfig::read(&file).expect("the folder is ours")
    }

    fn code(refused: Result<Option<Authority>, CliError>) -> String {
        refused.err().map(|error| error.to_string()[..5].to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_certificate_is_not_written_over_the_key_by_another_name() {
        let folder = folder("link");
        let config = config(&folder, "network.com");
        let (file, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        std::os::unix::fs::symlink(&key, &file).unwrap();
        for _ in 0..2 {
            assert_eq!(code(authority(&config)), "S0310");
            assert!(fs::read_to_string(&key).unwrap().contains("PRIVATE"), "the key is still there");
        }
        fs::remove_file(&file).unwrap();
        assert!(authority(&config).unwrap().is_some());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_authority_lasts_and_its_key_is_its_owners_alone() {
        let folder = folder("ca");
        let config_there = config(&folder, "network.com");
        let first = authority(&config_there).unwrap().unwrap();
        let key = folder.join("ca.key");
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(folder.join("ca.pem")).unwrap().contains("PRIVATE"));
        let second = authority(&config_there).unwrap().unwrap();
        assert_eq!(first.pem(), second.pem());
        // The certificate alone can be made again from the key.
        fs::remove_file(folder.join("ca.pem")).unwrap();
        assert_eq!(authority(&config_there).unwrap().unwrap().key_pem(), first.key_pem());
        assert_eq!(code(authority(&config(&folder, "other.com"))), "S0306");
        fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
        assert_eq!(code(authority(&config_there)), "S0307");
        fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        fs::write(&key, "no key").unwrap();
        assert_eq!(code(authority(&config_there)), "S0308");
        assert_eq!(fs::read_to_string(&key).unwrap(), "no key", "nothing is overwritten");
        fs::remove_dir_all(&folder).unwrap();
    }
}
