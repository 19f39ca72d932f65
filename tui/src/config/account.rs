//! One `[[account]]` of the file, and the agent's configuration made of it.

use std::hash::{BuildHasher, Hasher, RandomState};

use homing::account::{
    ExtendedProtection, FingerprintError, Outbound, QopRule, RegisterUri, Rspauth, Scheme, ServerNameRule,
    SignaturePlaces, TargetNameRule, WrittenAddress,
};
use homing::error::ConfigError;
use homing::redirect::{Consent, IpNetwork, LoopRule, UnsignedRule};
use homing::{AccountConfig, Aor, ServerChoice, Transport};
use thiserror::Error;
use toml::{Table, Value};

use crate::config::table::{look_up, put};
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
    #[error("`{0}` is not a transport (tls, tcp, udp)")]
    Transport(String),
    /// No such scheme.
    #[error("`{0}` is not a login scheme (ntlm, digest)")]
    Scheme(String),
    /// The server is no `host` or `host:port`.
    #[error("`{0}` is not a server; write host or host:port")]
    Server(String),
    /// A value its setting does not take. The default is no answer to it: it may be the less careful one.
    #[error("`{path}` takes {values}")]
    Value {
        /// The setting.
        path: &'static str,
        /// What it takes.
        values: String,
    },
    /// A pin is no SHA-256.
    #[error("pin_sha256: {0}")]
    Pin(#[from] FingerprintError),
    /// The network is no `address/prefix`.
    #[error("`{0}` is not a network; write 10.0.0.0/8")]
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
        let scheme = if aor.secure { "sips:" } else { "" };
        entry.set("aor", Value::String(format!("{scheme}{}@{}", aor.user, aor.domain)));
        entry.set("epid", Value::String(new_epid()));
        entry
    }

    /// A new account with an address as a person wrote it, transport and port included.
    ///
    /// # Errors
    /// It is no address.
    pub(crate) fn for_written_address(text: &str) -> Result<Self, ConfigError> {
        let mut entry = Self::for_address(&Aor::from(Aor::read(text)?));
        entry.set("aor", Value::String(text.trim().to_owned()));
        Ok(entry)
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

    /// The user name the server knows: as set, else the user of the address, escapes undone; with the Windows
    /// domain before it where the address is written so.
    pub(crate) fn login_name(&self) -> String {
        let user = self.text("user");
        if !user.is_empty() {
            return user;
        }
        let text = self.text("aor");
        let Some(address) = WrittenAddress::parse(&text) else { return text };
        let domain = address.login_domain.clone();
        let user = Aor::from(address).login_user();
        domain.map_or(user.clone(), |domain| format!("{domain}\\{user}"))
    }

    /// Where a login starts: server and transports as written. What was learned from another start does not count.
    pub(crate) fn start(&self) -> String {
        let written = WrittenAddress::parse(&self.text("aor"));
        let beside = written.map(|address| (address.port, address.transport)).unwrap_or_default();
        let port = beside.0.map(|port| format!(":{port}")).unwrap_or_default();
        let transport = beside.1.map(|transport| transport.uri_token()).unwrap_or_default();
        format!("{}{port} {} {transport}", self.text("server"), self.texts("transports").join(","))
            .trim()
            .to_owned()
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
        let written = Aor::read(&self.text("aor"))?;
        let mut config = AccountConfig::new(Aor::from(written.clone()), self.text("epid"));
        config.display = self.text("display");
        config.expires = u32::try_from(self.number("expires")).unwrap_or(0);
        config.transports = self.transports(&written)?;
        self.fill_auth(&mut config)?;
        config.outbound = match self.text("outbound").as_str() {
            "off" => Outbound::Off,
            _ => Outbound::Auto,
        };
        config.register_uri = match self.text("register_uri").as_str() {
            "server" => RegisterUri::Server,
            _ => RegisterUri::Domain,
        };
        config.tls.server_name = match self.text("sni").as_str() {
            "domain" => ServerNameRule::Domain,
            "host" => ServerNameRule::Host,
            _ => ServerNameRule::Auto,
        };
        config.tls.pins = self.texts("pin_sha256").iter().map(|pin| pin.parse()).collect::<Result<_, _>>()?;
        config.server = self.server(&config.transports, &written)?;
        self.fill_redirect(&mut config)?;
        config.calls = self.flag("calls").then(Box::default);
        config.check()?;
        Ok(config)
    }

    fn fill_auth(&self, config: &mut AccountConfig) -> Result<(), EntryFault> {
        config.auth.schemes = self.schemes()?;
        config.auth.allow_md5 = self.flag("allow_md5");
        config.auth.qop = if self.flag("require_qop") { QopRule::Required } else { QopRule::Optional };
        config.auth.rspauth = match self.text("rspauth").as_str() {
            "ignore" => Rspauth::Ignore,
            _ => Rspauth::Check,
        };
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
        Ok(())
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

    /// As set; where nothing is set, the one the address names.
    fn transports(&self, written: &WrittenAddress) -> Result<Vec<Transport>, EntryFault> {
        if let Some(transport) = written.transport
            && look_up(&self.table, "transports").is_none()
        {
            return Ok(vec![transport]);
        }
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

    /// As set; where nothing is set, a port in the address names a server.
    fn server(&self, transports: &[Transport], written: &WrittenAddress) -> Result<ServerChoice, EntryFault> {
        let transport = transports.first().copied().unwrap_or(Transport::SIPS);
        let text = self.text("server");
        if text.is_empty() {
            let host = written.domain.trim_matches(['[', ']']).to_owned();
            return Ok(match written.port {
                Some(port) => ServerChoice::Fixed { host, port: Some(port), transport },
                None => ServerChoice::Discover,
            });
        }
        let bad = || EntryFault::Server(text.clone());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']').ok_or_else(bad)?;
                (host, after.strip_prefix(':'))
            }
            None => text.rsplit_once(':').map_or((text.as_str(), None), |(host, port)| (host, Some(port))),
        };
        let port: Option<u16> = port.map(str::parse).transpose().map_err(|_| bad())?;
        if host.is_empty() || port == Some(0) || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(bad());
        }
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
    WrittenAddress::parse(text)
        .map_or_else(|| text.to_owned(), |address| format!("{}@{}", address.user, address.domain))
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
    fn an_address_is_understood_however_it_is_written() {
        let read = |aor: &str| {
            let mut entry = entry("epid = \"01ab\"");
            entry.set("aor", Value::String(aor.to_owned()));
            entry
        };
        for (written, address, login) in [
            ("sip:alice@corp.example", "alice@corp.example", "alice"),
            ("sip:alice@corp.example;transport=tcp", "alice@corp.example", "alice"),
            ("NETWORK\\alice@corp.example", "alice@corp.example", "NETWORK\\alice"),
            ("9901#1@corp.example", "9901%231@corp.example", "9901#1"),
            ("alice@bücher.example", "alice@xn--bcher-kva.example", "alice"),
        ] {
            let entry = read(written);
            assert_eq!(
                (entry.address().as_str(), entry.login_name().as_str()),
                (address, login),
                "{written}"
            );
            assert_eq!(
                entry.account_config().expect(written).aor.login_user(),
                login.trim_start_matches("NETWORK\\")
            );
        }
        let tcp = read("sip:alice@corp.example;transport=tcp").account_config().expect("usable");
        assert_eq!(tcp.transports, [Transport::Tcp]);
        let mut set = read("sip:alice@corp.example;transport=tcp");
        set.set("transports", Value::Array(vec![Value::String("tls".into())]));
        assert_eq!(set.account_config().expect("usable").transports, [Transport::Tls], "what is set counts");
        let port = read("sip:alice@[::1]:5070").account_config().expect("usable");
        assert!(matches!(port.server, ServerChoice::Fixed { host, port: Some(5070), .. } if host == "::1"));
        let mut clear = read("sips:alice@corp.example");
        clear.set("transports", Value::Array(vec![Value::String("tcp".into())]));
        let fault = clear.account_config().expect_err("sips: in the clear");
        assert!(fault.to_string().contains("sips:"), "{fault}");
        assert!(read("NETWORK\\alice").account_config().is_err());
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
    fn what_an_old_registrar_needs_reaches_the_agent() {
        let plain = "aor = \"a@b.c\"\nepid = \"1\"\n";
        let config = entry(plain).account_config().expect("usable");
        assert_eq!((config.auth.qop, config.auth.rspauth), (QopRule::Optional, Rspauth::Check));
        assert_eq!((config.outbound, config.register_uri), (Outbound::Auto, RegisterUri::Domain));
        let text = format!(
            "{plain}require_qop = true\nrspauth = \"ignore\"\noutbound = \"off\"\nregister_uri = \"server\"\n"
        );
        let config = entry(&text).account_config().expect("usable");
        assert_eq!((config.auth.qop, config.auth.rspauth), (QopRule::Required, Rspauth::Ignore));
        assert_eq!((config.outbound, config.register_uri), (Outbound::Off, RegisterUri::Server));
        for wrong in ["require_qop = 1", "rspauth = \"no\"", "outbound = true", "register_uri = \"host\""] {
            let fault = entry(&format!("{plain}{wrong}\n")).account_config().expect_err(wrong);
            assert!(matches!(fault, EntryFault::Value { .. }), "{wrong}: {fault}");
        }
    }

    #[test]
    fn server_name_and_pins_reach_the_agent() {
        let hash = "AB:".repeat(31) + "CD";
        let text = format!("aor = \"a@b.c\"\nepid = \"1\"\nsni = \"host\"\npin_sha256 = [\"{hash}\"]\n");
        let config = entry(&text).account_config().expect("usable");
        assert_eq!(config.tls.server_name, ServerNameRule::Host);
        assert_eq!(config.tls.pins.iter().map(ToString::to_string).collect::<Vec<_>>(), [hash]);
        let fault = entry("aor = \"a@b.c\"\nepid = \"1\"\npin_sha256 = [\"AB:CD\"]\n").account_config();
        assert!(fault.expect_err("too short").to_string().contains("pin_sha256"));
    }

    #[test]
    fn endpoint_tokens_are_new_each_time_and_valid() {
        assert_ne!(new_epid(), new_epid());
        assert!(
            AccountEntry::for_address(&Aor::parse("a@b.c").expect("an address")).account_config().is_ok()
        );
    }
}
