//! One `[[account]]` of the file, and the agent's configuration made of it.

use std::hash::{BuildHasher, Hasher, RandomState};

use homing::account::{ExtendedProtection, Scheme, SignaturePlaces, TargetNameRule};
use homing::error::ConfigError;
use homing::redirect::{Consent, IpNetwork, LoopRule, UnsignedRule};
use homing::{AccountConfig, Aor, ServerChoice, Transport};
use thiserror::Error;
use toml::{Table, Value};

use crate::config::layers::{look_up, put};
use crate::config::{ACCOUNT, PasswordSource, Setting};

/// An account as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AccountEntry {
    table: Table,
}

/// Why an account is not usable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum EntryFault {
    /// The agent refuses it.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// No such transport.
    #[error("`{0}` is no transport (tls, tcp, udp)")]
    Transport(String),
    /// No such scheme.
    #[error("`{0}` is no login (ntlm, digest)")]
    Scheme(String),
    /// The server is no `host` or `host:port`.
    #[error("`{0}` is no server; write host or host:port")]
    Server(String),
    /// A value its setting does not take. The default is no answer to it: it may be the less careful one.
    #[error("`{path}` takes {values}")]
    Value {
        /// The setting.
        path: &'static str,
        /// What it takes.
        values: String,
    },
    /// The network is no `address/prefix`.
    #[error("`{0}` is no network; write 10.0.0.0/8")]
    Network(String),
}

impl AccountEntry {
    /// An account from its table.
    pub(crate) fn new(table: Table) -> Self {
        Self { table }
    }

    /// A new account with an address and a fresh endpoint token.
    pub(crate) fn for_address(aor: &Aor) -> Self {
        let mut entry = Self { table: Table::new() };
        entry.set("aor", Value::String(format!("{}@{}", aor.user, aor.domain)));
        entry.set("epid", Value::String(new_epid()));
        entry
    }

    /// Sets a value.
    pub(crate) fn set(&mut self, path: &str, value: Value) {
        put(&mut self.table, path, value);
    }

    /// The table as it is written.
    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// The text of a setting; empty where nothing is set.
    pub(crate) fn text(&self, path: &str) -> String {
        self.value(path).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Its address as `user@domain`, however it is written; as it is written where it is none.
    pub(crate) fn address(&self) -> String {
        plain_address(&self.text("aor"))
    }

    /// The user name the server knows.
    pub(crate) fn login_name(&self) -> String {
        let user = self.text("user");
        let address = || self.text("aor").split('@').next().unwrap_or_default().to_owned();
        if user.is_empty() { address() } else { user }
    }

    /// Where the password comes from.
    pub(crate) fn password_source(&self) -> PasswordSource {
        let file = self.text("password_file");
        let command = self.texts("password_command");
        if !file.is_empty() {
            PasswordSource::File(file.into())
        } else if !command.is_empty() {
            PasswordSource::Command(command)
        } else if self.flag("password_keyring") {
            PasswordSource::Keyring
        } else {
            PasswordSource::Prompt
        }
    }

    /// What the agent is told.
    ///
    /// # Errors
    /// The first value that is not usable.
    pub(crate) fn account_config(&self) -> Result<AccountConfig, EntryFault> {
        self.check_values()?;
        let aor = Aor::parse(&self.text("aor"))?;
        let mut config = AccountConfig::new(aor, self.text("epid"));
        config.display = self.text("display");
        config.expires = u32::try_from(self.number("expires")).unwrap_or(0);
        config.transports = self.transports()?;
        config.auth.schemes = self.schemes()?;
        config.auth.allow_md5 = self.flag("allow_md5");
        config.auth.udp_register = self.flag("udp_register");
        config.auth.target_name = match self.text("target_name").as_str() {
            "in_domain" => TargetNameRule::InDomain,
            _ => TargetNameRule::Verified,
        };
        config.auth.extended_protection = match self.text("extended_protection").as_str() {
            "off" => ExtendedProtection::Off,
            "require" => ExtendedProtection::Require,
            _ => ExtendedProtection::Accept,
        };
        config.auth.signature_places = match self.text("signature_places").as_str() {
            "patent-too" => SignaturePlaces::PatentToo,
            _ => SignaturePlaces::Standard,
        };
        config.server = self.server(&config.transports)?;
        self.fill_redirect(&mut config)?;
        config.check()?;
        Ok(config)
    }

    fn check_values(&self) -> Result<(), EntryFault> {
        let refused = |setting: &&Setting| {
            look_up(&self.table, setting.path).is_some_and(|value| !setting.admits(value))
        };
        match ACCOUNT.iter().find(refused) {
            Some(setting) => Err(EntryFault::Value { path: setting.path, values: setting.values() }),
            None => Ok(()),
        }
    }

    fn fill_redirect(&self, config: &mut AccountConfig) -> Result<(), EntryFault> {
        let rules = &mut config.redirect;
        rules.limit = u8::try_from(self.number("redirect.limit")).unwrap_or(0);
        rules.loops = match self.text("redirect.loops").as_str() {
            "strict-patent" => LoopRule::StrictPatent,
            _ => LoopRule::Visited,
        };
        rules.unsigned = match self.text("redirect.unsigned").as_str() {
            "follow-over-tls" => UnsignedRule::FollowOverTls,
            _ => UnsignedRule::Refuse,
        };
        rules.also_302 = self.flag("redirect.also_302");
        rules.domains = self.texts("redirect.domains");
        rules.ip_literals =
            self.texts("redirect.ip_literals").iter().map(|text| network(text)).collect::<Result<_, _>>()?;
        rules.require_tls = self.flag("redirect.require_tls");
        rules.consent = match self.text("redirect.consent").as_str() {
            "ask" => Consent::Ask,
            _ => Consent::Rules,
        };
        Ok(())
    }

    fn transports(&self) -> Result<Vec<Transport>, EntryFault> {
        let words = self.texts("transports");
        words.iter().map(|word| Transport::parse(word).ok_or(EntryFault::Transport(word.clone()))).collect()
    }

    fn schemes(&self) -> Result<Vec<Scheme>, EntryFault> {
        let scheme = |word: &String| match word.as_str() {
            "ntlm" => Ok(Scheme::Ntlm),
            "digest" => Ok(Scheme::Digest),
            _ => Err(EntryFault::Scheme(word.clone())),
        };
        self.texts("schemes").iter().map(scheme).collect()
    }

    fn server(&self, transports: &[Transport]) -> Result<ServerChoice, EntryFault> {
        let text = self.text("server");
        if text.is_empty() {
            return Ok(ServerChoice::Discover);
        }
        let bad = || EntryFault::Server(text.clone());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(bad)?;
                (host, after.strip_prefix(':'))
            }
            None => text.rsplit_once(':').map_or((text.as_str(), None), |(host, port)| (host, Some(port))),
        };
        let port = port.map(str::parse).transpose().map_err(|_| bad())?;
        if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(bad());
        }
        let transport = transports.first().copied().unwrap_or(Transport::Tls);
        Ok(ServerChoice::Fixed { host: host.to_owned(), port, transport })
    }

    fn value(&self, path: &str) -> Option<Value> {
        let setting = ACCOUNT.iter().find(|setting| setting.path == path)?;
        look_up(&self.table, path)
            .filter(|value| setting.admits(value))
            .cloned()
            .or_else(|| setting.default_value())
    }

    fn flag(&self, path: &str) -> bool {
        self.value(path).and_then(|value| value.as_bool()).unwrap_or_default()
    }

    fn number(&self, path: &str) -> i64 {
        self.value(path).and_then(|value| value.as_integer()).unwrap_or_default()
    }

    fn texts(&self, path: &str) -> Vec<String> {
        let list = self.value(path).and_then(|value| value.as_array().cloned()).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// An address as `user@domain`: without scheme, its domain in lower case.
pub(super) fn plain_address(text: &str) -> String {
    Aor::parse(text).map_or_else(|_| text.to_owned(), |aor| format!("{}@{}", aor.user, aor.domain))
}

/// A fresh endpoint token: ten hexadecimal digits. It names the endpoint and guards nothing.
pub(crate) fn new_epid() -> String {
    format!("{:010x}", RandomState::new().build_hasher().finish() & 0xff_ffff_ffff)
}

fn network(text: &str) -> Result<IpNetwork, EntryFault> {
    let bad = || EntryFault::Network(text.to_owned());
    let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
    let address: std::net::IpAddr = address.parse().map_err(|_| bad())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.parse().ok().filter(|prefix| *prefix <= most).ok_or_else(bad)?;
    Ok(IpNetwork { address, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> AccountEntry {
        AccountEntry::new(text.parse().expect("valid TOML"))
    }

    #[test]
    fn an_address_alone_gives_the_defaults() {
        let config = entry("aor = \"alice@corp.example\"\nepid = \"01ab\"").account_config().expect("usable");
        assert_eq!(config.server, ServerChoice::Discover);
        assert_eq!(config.transports, [Transport::Tls]);
        assert_eq!(config.redirect, homing::redirect::RedirectRules::default());
        assert_eq!(config.expires, 7_200);
    }

    #[test]
    fn everything_written_reaches_the_agent() {
        let text = "aor = \"a@b.c\"\nepid = \"1\"\nserver = \"sip.b.c:5070\"\ntransports = [\"tcp\", \"udp\"]\n\
                    [redirect]\nlimit = 2\nloops = \"strict-patent\"\nip_literals = [\"10.0.0.0/8\"]\nconsent = \"ask\"\n";
        let config = entry(text).account_config().expect("usable");
        assert_eq!(config.redirect.limit, 2);
        assert_eq!(config.redirect.loops, LoopRule::StrictPatent);
        assert_eq!(config.redirect.consent, Consent::Ask);
        assert!(matches!(
            config.server,
            ServerChoice::Fixed { port: Some(5070), transport: Transport::Tcp, .. }
        ));
        assert!(entry("aor = \"a@b.c\"\nepid = \"1\"\nserver = \"x:y\"").account_config().is_err());
        assert!(entry("aor = \"a@b.c\"\nepid = \"1\"\ntransports = [\"sctp\"]").account_config().is_err());
    }

    #[test]
    fn a_word_no_setting_takes_never_becomes_the_default() {
        let written = [
            "consent = \"asks\"",
            "unsigned = \"refused\"",
            "loops = 2",
            "require_tls = \"yes\"",
            "limit = 9",
        ];
        for line in written {
            let text = format!("aor = \"a@b.c\"\nepid = \"1\"\n[redirect]\n{line}\n");
            let fault = entry(&text).account_config().expect_err(line);
            assert!(matches!(fault, EntryFault::Value { .. }), "{line}: {fault}");
        }
    }

    #[test]
    fn protection_and_signature_places_reach_the_agent() {
        let text = "aor = \"a@b.c\"\nepid = \"1\"\nextended_protection = \"require\"\nsignature_places = \"patent-too\"\n";
        let config = entry(text).account_config().expect("usable");
        assert_eq!(config.auth.extended_protection, ExtendedProtection::Require);
        assert_eq!(config.auth.signature_places, SignaturePlaces::PatentToo);
    }

    #[test]
    fn endpoint_tokens_are_new_each_time_and_valid() {
        assert_ne!(new_epid(), new_epid());
        assert!(
            AccountEntry::for_address(&Aor::parse("a@b.c").expect("an address")).account_config().is_ok()
        );
    }
}
