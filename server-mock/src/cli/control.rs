//! Orders to a running estate: one JSON object per line over a socket, one line back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::estate::{Estate, HeldBinding};

/// What may be ordered.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Order {
    /// The servers.
    Status,
    /// Who sits where, and why.
    Users,
    /// Assign a user.
    Move {
        /// Whom.
        user: String,
        /// To which server.
        home: String,
        /// Why.
        why: String,
    },
    /// Tell a user's clients to sign in anew.
    Recall {
        /// Whose.
        user: String,
    },
    /// Stop a server.
    Stop {
        /// Which.
        server: String,
    },
    /// Start it again.
    Restart {
        /// Which.
        server: String,
    },
}

/// Carries out the order of one line. `v` is the version of this form; a refusal has `error`.
pub(super) async fn obey(estate: &Estate, line: &str) -> Value {
    let done = match serde_json::from_str(line) {
        Ok(order) => carry_out(estate, order).await,
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(Value::Object(mut fields)) => {
            fields.insert("v".to_owned(), json!(1));
            Value::Object(fields)
        }
        Ok(other) => other,
        Err(error) => json!({ "v": 1, "error": error }),
    }
}

async fn carry_out(estate: &Estate, order: Order) -> Result<Value, String> {
    let server =
        |name: &str| estate.find_node(name).ok_or_else(|| format!("there is no server named `{name}`"));
    match order {
        Order::Status => Ok(status(estate)),
        Order::Users => users(estate).await,
        Order::Move { user, home, why } => {
            let made = estate.move_user(&user, &home, &why).await.map_err(|error| error.to_string())?;
            Ok(json!({ "user": user, "home": made.home, "version": made.version, "why": made.why }))
        }
        Order::Recall { user } => {
            estate.recall(&user);
            Ok(json!({ "user": user, "recalled": true }))
        }
        Order::Stop { server: name } => {
            server(&name)?.stop();
            Ok(json!({ "server": name, "stopped": true }))
        }
        Order::Restart { server: name } => {
            server(&name)?.restart().map_err(|error| error.to_string())?;
            Ok(json!({ "server": name, "running": true }))
        }
    }
}

fn status(estate: &Estate) -> Value {
    use homing_core::transport::Transport;
    let transports = [Transport::Tls, Transport::Tcp, Transport::Udp];
    let servers: Vec<Value> = estate
        .nodes()
        .map(|node| {
            let ports = transports.iter().filter_map(|transport| {
                Some((transport.uri_token(), node.find_address(*transport)?.to_string()))
            });
            let listens: std::collections::BTreeMap<_, _> = ports.collect();
            json!({ "server": node.name(), "name": node.fqdn(), "role": node.role(),
                    "listens": listens, "registered": node.bindings().len() })
        })
        .collect();
    json!({ "domain": estate.domain(), "dns": estate.dns_address().to_string(), "servers": servers })
}

async fn users(estate: &Estate) -> Result<Value, String> {
    let assigned = estate.assignments().await.map_err(|error| error.to_string())?;
    let held: Vec<HeldBinding> = estate.nodes().flat_map(|node| node.bindings()).collect();
    let rows = assigned.into_iter().map(|(key, assignment)| {
        let at: Vec<Value> = held
            .iter()
            .filter(|binding| binding.user == key.user)
            .map(|binding| {
                json!({ "server": binding.node, "device": binding.device, "contact": binding.contact,
                        "expires_in": binding.expires_in.as_secs() })
            })
            .collect();
        json!({ "user": key.user, "service": key.service, "home": assignment.home,
                "version": assignment.version, "who": assignment.who, "why": assignment.why,
                "when": assignment.when.unix_seconds(), "registered": at })
    });
    Ok(json!({ "users": rows.collect::<Vec<_>>() }))
}
