//! What earlier runs learned about home servers: kept in a small file, one table per address.

use std::collections::BTreeMap;
use std::path::PathBuf;

use homing::account::{Remembered, RememberedLogin};
use homing::{AccountEvent, Aor, Transport};
use toml::{Table, Value};

use crate::config::{read, write};

/// The home servers of earlier runs.
pub(crate) struct RememberedServers {
    file: Option<PathBuf>,
    table: Table,
    /// Where the logins of this run start, by address.
    starts: BTreeMap<String, String>,
}

impl RememberedServers {
    /// Reads the file; one that is unreadable is as if empty, for all of it can be learned again.
    pub(crate) fn load(file: Option<PathBuf>) -> Self {
        let text = file.as_deref().and_then(|file| read(file).ok()).unwrap_or_default();
        Self { file, table: text.parse().unwrap_or_default(), starts: BTreeMap::new() }
    }

    /// Logins of this address start like this from now on ([`AccountEntry::start`](crate::config::AccountEntry)).
    pub(crate) fn start(&mut self, aor: &Aor, start: String) {
        self.starts.insert(key(aor), start);
    }

    /// What is known of an address, if it was learned by a login that started alike: another server or transport,
    /// given or edited, voids it.
    pub(crate) fn recall(&self, aor: &Aor, start: &str) -> Option<Remembered> {
        let table = self.table.get(&key(aor))?.as_table()?;
        // Written by a version that did not know: then by a plain account.
        if table.get("start").and_then(Value::as_str).unwrap_or("tls") != start {
            return None;
        }
        let text = |name: &str| table.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| table.get(name).and_then(Value::as_integer);
        let login = || {
            let version = u8::try_from(number("version")?).ok()?;
            let mut login = RememberedLogin::new(text("realm")?, text("targetname")?, version);
            login.proxy_headers = table.get("proxy_headers")?.as_bool()?;
            Some(login)
        };
        let port = number("port").map(u16::try_from).transpose().ok()?;
        let transport = Transport::parse(&text("transport")?)?;
        let exact = table.get("exact").and_then(Value::as_bool).unwrap_or(true);
        let mut remembered = Remembered::new(text("host")?, port, transport, exact);
        remembered.login = login();
        Some(remembered)
    }

    /// Keeps what an event teaches, beside what other phones have written meanwhile.
    pub(crate) fn handle(&mut self, aor: &Aor, event: &AccountEvent) {
        if !matches!(event, AccountEvent::Learned(_) | AccountEvent::Forgotten) {
            return;
        }
        if self.file.is_some() {
            let starts = std::mem::take(&mut self.starts);
            *self = Self { starts, ..Self::load(self.file.take()) };
        }
        match event {
            AccountEvent::Learned(remembered) => {
                let mut table = table(remembered);
                if let Some(start) = self.starts.get(&key(aor)) {
                    table.insert("start".to_owned(), Value::String(start.clone()));
                }
                self.table.insert(key(aor), Value::Table(table));
            }
            AccountEvent::Forgotten => {
                self.table.remove(&key(aor));
            }
            _ => return,
        }
        if let Some(file) = &self.file {
            let text = self.table.to_string();
            if let Err(fault) = write(file, &text) {
                tracing::warn!("the home server is not remembered: {fault}");
            }
        }
    }
}

fn key(aor: &Aor) -> String {
    format!("{}@{}", aor.user, aor.domain)
}

fn table(remembered: &Remembered) -> Table {
    let mut table = Table::new();
    let mut put = |name: &str, value: Value| table.insert(name.to_owned(), value);
    put("host", Value::String(remembered.host.clone()));
    if let Some(port) = remembered.port {
        put("port", Value::Integer(i64::from(port)));
    }
    put("exact", Value::Boolean(remembered.exact));
    put("transport", Value::String(remembered.transport.uri_token().to_owned()));
    if let Some(login) = &remembered.login {
        put("realm", Value::String(login.realm.clone()));
        put("targetname", Value::String(login.targetname.clone()));
        put("version", Value::Integer(i64::from(login.version)));
        put("proxy_headers", Value::Boolean(login.proxy_headers));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learned_is_recalled_and_what_is_forgotten_is_not() {
        let aor = Aor::parse("alice@network.com").expect("an address");
        let mut learned = Remembered::new("hs104.network.com", Some(5061), Transport::Tls, true);
        learned.login = Some(RememberedLogin::new("SIP Communications Service", "hs104.network.com", 4));
        let mut memory = RememberedServers::load(None);
        memory.handle(&aor, &AccountEvent::Learned(learned.clone()));
        assert_eq!(memory.recall(&aor, "tls"), Some(learned));
        memory.handle(&aor, &AccountEvent::Forgotten);
        assert_eq!(memory.recall(&aor, "tls"), None);
    }

    #[test]
    fn two_phones_with_one_file_keep_what_the_other_learned() {
        let file = std::env::temp_dir().join(format!("homing-memory-{}.toml", std::process::id()));
        let learned = |host: &str| AccountEvent::Learned(Remembered::new(host, None, Transport::Tls, true));
        let aor = |text: &str| Aor::parse(text).expect("an address");
        let (alice, bob) = (aor("alice@network.com"), aor("bob@network.com"));
        let (mut first, mut second) =
            (RememberedServers::load(Some(file.clone())), RememberedServers::load(Some(file.clone())));
        first.handle(&alice, &learned("hs104.network.com"));
        second.handle(&bob, &learned("hs102.network.com"));
        first.handle(&alice, &AccountEvent::Forgotten);
        let both = RememberedServers::load(Some(file.clone()));
        assert_eq!(both.recall(&bob, "tls").map(|known| known.host).as_deref(), Some("hs102.network.com"));
        assert_eq!(both.recall(&alice, "tls"), None);
        std::fs::remove_file(&file).expect("our own file");
    }

    #[test]
    fn a_home_learned_from_another_server_is_not_recalled() {
        let aor = Aor::parse("alice@network.com").expect("an address");
        let mut servers = RememberedServers::load(None);
        servers.start(&aor, "lb.network.com tls".to_owned());
        let home = Remembered::new("hs104.network.com", Some(5061), Transport::Tls, true);
        servers.handle(&aor, &AccountEvent::Learned(home));
        assert!(servers.recall(&aor, "lb.network.com tls").is_some());
        assert!(servers.recall(&aor, "other.network.com tls").is_none(), "another server");
        assert!(servers.recall(&aor, "lb.network.com tcp").is_none(), "another transport");
    }
}
