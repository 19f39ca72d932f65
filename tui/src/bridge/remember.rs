//! What earlier runs learned about home servers: kept in a small file, one table per address.

use std::path::PathBuf;

use homing::account::{Remembered, RememberedLogin};
use homing::{AccountEvent, Aor, Transport};
use toml::{Table, Value};

use crate::config::{read, write};

/// The home servers of earlier runs.
pub(crate) struct Memory {
    file: Option<PathBuf>,
    table: Table,
}

impl Memory {
    /// Reads the file; one that is unreadable is as if empty, for all of it can be learned anew.
    pub(crate) fn load(file: Option<PathBuf>) -> Self {
        let text = file.as_deref().and_then(|file| read(file).ok()).unwrap_or_default();
        Self { file, table: text.parse().unwrap_or_default() }
    }

    /// What is known of an address.
    pub(crate) fn recall(&self, aor: &Aor) -> Option<Remembered> {
        let table = self.table.get(&key(aor))?.as_table()?;
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
            *self = Self::load(self.file.take());
        }
        match event {
            AccountEvent::Learned(remembered) => {
                self.table.insert(key(aor), Value::Table(table(remembered)));
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
        let mut memory = Memory::load(None);
        memory.handle(&aor, &AccountEvent::Learned(learned.clone()));
        assert_eq!(memory.recall(&aor), Some(learned));
        memory.handle(&aor, &AccountEvent::Forgotten);
        assert_eq!(memory.recall(&aor), None);
    }

    #[test]
    fn two_phones_with_one_file_keep_what_the_other_learned() {
        let file = std::env::temp_dir().join(format!("homing-memory-{}.toml", std::process::id()));
        let learned = |host: &str| AccountEvent::Learned(Remembered::new(host, None, Transport::Tls, true));
        let aor = |text: &str| Aor::parse(text).expect("an address");
        let (alice, bob) = (aor("alice@network.com"), aor("bob@network.com"));
        let (mut first, mut second) = (Memory::load(Some(file.clone())), Memory::load(Some(file.clone())));
        first.handle(&alice, &learned("hs104.network.com"));
        second.handle(&bob, &learned("hs102.network.com"));
        first.handle(&alice, &AccountEvent::Forgotten);
        let both = Memory::load(Some(file.clone()));
        assert_eq!(both.recall(&bob).map(|known| known.host).as_deref(), Some("hs102.network.com"));
        assert_eq!(both.recall(&alice), None);
        std::fs::remove_file(&file).expect("our own file");
    }
}
