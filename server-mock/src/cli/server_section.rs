//! A `[[server]]` of the configuration: its name, its role, and a port for each transport, by the transport's name.

use std::fmt;

use homing_core::transport::Transport;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::role::Role;

/// A server as the file describes it.
#[derive(Clone, Debug)]
pub(super) struct ServerSection {
    pub(super) name: String,
    pub(super) role: Role,
    /// Ports that are given.
    pub(super) ports: Vec<(TransportName, u16)>,
}

/// A transport as the file writes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransportName(pub(super) Transport);

impl TransportName {
    fn read(name: &str) -> Option<Self> {
        Transport::ALL.into_iter().find(|transport| transport.uri_token() == name).map(Self)
    }
}

/// Every transport there is, as a message lists them.
fn transports() -> Vec<String> {
    Transport::ALL.iter().map(|transport| format!("`{}`", transport.uri_token())).collect()
}

impl<'de> Deserialize<'de> for TransportName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::read(&name).ok_or_else(|| {
            let names = transports().join(", ");
            D::Error::custom(format!("unknown transport `{name}`, expected one of {names}"))
        })
    }
}

impl<'de> Deserialize<'de> for ServerSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ServerVisitor)
    }
}

struct ServerVisitor;

impl<'de> Visitor<'de> for ServerVisitor {
    type Value = ServerSection;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a server")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ServerSection, A::Error> {
        let (mut name, mut role, mut ports) = (None, None, Vec::new());
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Name => name = Some(map.next_value()?),
                Key::Role => role = Some(map.next_value()?),
                Key::Port(transport) => ports.push((transport, map.next_value()?)),
            }
        }
        Ok(ServerSection {
            name: name.ok_or_else(|| A::Error::missing_field("name"))?,
            role: role.ok_or_else(|| A::Error::missing_field("role"))?,
            ports,
        })
    }
}

enum Key {
    Name,
    Role,
    Port(TransportName),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let key = String::deserialize(deserializer)?;
        match key.as_str() {
            "name" => Ok(Key::Name),
            "role" => Ok(Key::Role),
            port => TransportName::read(port).map(Key::Port).ok_or_else(|| {
                let names = transports().join(", ");
                D::Error::custom(format!("unknown field `{key}`, expected one of `name`, `role`, {names}"))
            }),
        }
    }
}
