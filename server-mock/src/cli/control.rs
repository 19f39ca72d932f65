//! Commands to a running estate: one JSON object per line over a socket, one line back; of the journal
//! one line for each entry.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use homing_core::transport::Transport;

use super::error::CliError;
use super::fault_section::FaultSection;
use super::party_section::PartyCallSection;
use crate::directory::{Assignment, Key};
use crate::estate::{Estate, EstateError, HeldBinding, NodeHandle};
use crate::expect::{Expectation, Pattern};
use crate::journal::{Entry, Journal, Subscription, sanitize_json};

/// What may be ordered.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ControlCommand {
    /// The servers.
    Status,
    /// Who sits where, and why.
    Users,
    /// Assign a user.
    Move {
        /// By name or address of record.
        user: String,
        /// To which server.
        home: String,
        /// For the directory's history.
        why: String,
    },
    /// Tell a user's clients to sign in again.
    Recall {
        /// By name or address of record.
        user: String,
    },
    /// Bar a user from signing in, and end what is held.
    Disable {
        /// By name or address of record.
        user: String,
    },
    /// Let a user sign in again.
    Enable {
        /// By name or address of record.
        user: String,
    },
    /// Play a fault.
    Fault(FaultSection),
    /// Play no more faults.
    ClearFaults {
        /// Of this server; of all without.
        server: Option<String>,
    },
    /// Make a party call a user; what comes of it stands in the journal.
    PartyCalls(PartyCallSection),
    /// Wait for messages and say how many there were.
    Expect(ExpectSection),
    /// The journal, one line for each entry.
    Journal {
        /// Entries after the one with this number.
        #[serde(default)]
        since: u64,
        /// Go on with those that are still to come.
        #[serde(default)]
        follow: bool,
    },
    /// Stop a server.
    Stop {
        /// By its short name.
        server: String,
    },
    /// Start it again.
    Restart {
        /// By its short name.
        server: String,
    },
}

/// How many messages of a kind are expected, and for how long they are waited for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ExpectSection {
    pub(super) message: Pattern,
    /// Exactly so many; at least one without.
    pub(super) times: Option<usize>,
    pub(super) within_ms: u64,
    /// Only messages after the entry of the journal with this number.
    pub(super) since: u64,
}

/// What a command is answered with; `v` is the version of this form, and a refusal has `code`, `error` and `cure`.
pub(super) enum Answer {
    /// A whole answer.
    Line(Value),
    /// One line that is written row by row.
    Users(Users),
    /// What comes of an expectation, when it is known.
    Expect(Expectation, Duration),
    /// A line for each entry of the journal.
    Journal(Following),
}

/// Carries out the command of one line.
pub(super) async fn execute(estate: &Estate, line: &str) -> Answer {
    let done = match serde_json::from_str(line) {
        Ok(command) => carry_out(estate, command).await,
        Err(error) => Err(CliError::no_command(&error)),
    };
    match done {
        Ok(Answer::Line(Value::Object(mut fields))) => {
            fields.insert("v".to_owned(), json!(VERSION));
            Answer::Line(Value::Object(fields))
        }
        Ok(other) => other,
        Err(error) => Answer::Line(error.json(VERSION)),
    }
}

async fn carry_out(estate: &Estate, command: ControlCommand) -> Result<Answer, CliError> {
    let server = |name: &str| {
        estate.find_node(name).ok_or_else(|| CliError::from(EstateError::NoSuchNode(name.to_owned())))
    };
    let answer = match command {
        ControlCommand::Status => status(estate),
        ControlCommand::Users => return Ok(Answer::Users(users(estate).await?)),
        ControlCommand::Journal { since, follow } => {
            return Ok(Answer::Journal(Following::new(&estate.journal(), since, follow)));
        }
        ControlCommand::Fault(section) => {
            let node = server(&section.server)?;
            node.inject_fault(section.rule().map_err(|why| CliError::no_rule(&why))?);
            json!({ "server": section.server, "fault": true })
        }
        ControlCommand::ClearFaults { server: name } => {
            match &name {
                Some(name) => server(name)?.clear_faults(),
                None => estate.nodes().for_each(NodeHandle::clear_faults),
            }
            json!({ "server": name, "faults": 0 })
        }
        ControlCommand::PartyCalls(section) => party_calls(estate, &server(&section.server)?, &section)?,
        ControlCommand::Expect(section) => return expect(estate, section),
        ControlCommand::Move { user, home, why } => {
            let made = estate.move_user(&user, &home, &why).await?;
            json!({ "user": user, "home": made.home, "version": made.version, "why": made.why })
        }
        ControlCommand::Recall { user } => {
            if !estate.has_user(&user) {
                return Err(EstateError::NoSuchUser(user).into());
            }
            estate.recall(&user);
            json!({ "user": user, "recalled": true })
        }
        ControlCommand::Disable { user } => {
            estate.enable_user(&user, false)?;
            json!({ "user": user, "enabled": false })
        }
        ControlCommand::Enable { user } => {
            estate.enable_user(&user, true)?;
            json!({ "user": user, "enabled": true })
        }
        ControlCommand::Stop { server: name } => {
            server(&name)?.stop();
            json!({ "server": name, "stopped": true })
        }
        ControlCommand::Restart { server: name } => {
            server(&name)?.restart()?;
            json!({ "server": name, "running": true })
        }
    };
    Ok(Answer::Line(answer))
}

fn party_calls(estate: &Estate, node: &NodeHandle, call: &PartyCallSection) -> Result<Value, CliError> {
    let (party, callee) = (estate.address(&call.party), estate.address(&call.callee));
    if !node.has_party(&party) {
        return Err(CliError::no_party(&call.server, &call.party));
    }
    if !estate.has_user(&callee) {
        return Err(EstateError::NoSuchUser(call.callee.clone()).into());
    }
    node.party_calls(&party, &callee, call.manners());
    Ok(json!({ "server": call.server, "party": party, "calls": callee }))
}

fn status(estate: &Estate) -> Value {
    let servers: Vec<Value> = estate
        .nodes()
        .map(|node| {
            let ports = Transport::ALL.iter().filter_map(|transport| {
                Some((transport.uri_token(), node.find_address(*transport)?.to_string()))
            });
            let listens: BTreeMap<_, _> = ports.collect();
            let calls = node.calls();
            json!({ "server": node.name(), "name": node.fqdn(), "role": node.role(),
                    "running": node.is_running(), "listens": listens, "registered": node.bindings().len(),
                    "calls": { "unanswered": calls.unanswered, "answered": calls.answered } })
        })
        .collect();
    json!({ "domain": estate.domain(), "dns": estate.dns_address().to_string(), "servers": servers })
}

/// Every user as of one moment, to be written row by row: there may be hundreds of thousands.
pub(super) struct Users {
    rows: std::vec::IntoIter<(Key, Assignment)>,
    held: BTreeMap<String, Vec<HeldBinding>>,
    barred: BTreeSet<String>,
    begun: bool,
    ended: bool,
}

async fn users(estate: &Estate) -> Result<Users, CliError> {
    let rows = estate.assignments().await.map_err(EstateError::from)?.into_iter();
    let mut held: BTreeMap<String, Vec<HeldBinding>> = BTreeMap::new();
    for binding in estate.nodes().flat_map(|node| node.bindings()) {
        held.entry(binding.user.clone()).or_default().push(binding);
    }
    Ok(Users { rows, held, barred: estate.barred_users(), begun: false, ended: false })
}

impl Users {
    /// The next piece of the line; none after its end.
    pub(super) fn next_piece(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        let mut piece = String::new();
        if !self.begun {
            piece.push_str(&format!("{{\"v\":{VERSION},\"users\":["));
        }
        while piece.len() < PIECE {
            let Some((key, assignment)) = self.rows.next() else {
                self.ended = true;
                piece.push_str("]}\n");
                break;
            };
            if std::mem::replace(&mut self.begun, true) {
                piece.push(',');
            }
            piece.push_str(&self.row(&key, &assignment).to_string());
        }
        Some(piece)
    }

    fn row(&mut self, key: &Key, assignment: &Assignment) -> Value {
        let at: Vec<Value> =
            self.held.remove(&key.user).into_iter().flatten().map(|at| registered(&at)).collect();
        json!({ "user": key.user, "service": key.service, "home": assignment.home,
                "version": assignment.version, "who": assignment.who, "why": assignment.why,
                "when": assignment.when.unix_seconds(), "enabled": !self.barred.contains(&key.user),
                "registered": at })
    }
}

fn registered(binding: &HeldBinding) -> Value {
    json!({ "server": binding.node, "device": binding.device, "contact": binding.contact,
            "expires_in": binding.expires_in.as_secs(),
            "on_move": if binding.recalled_at_once { "at_once" } else { "at_refresh" } })
}

/// The entries of a journal, from one on.
pub(super) struct Following {
    kept: std::vec::IntoIter<Entry>,
    fresh: Option<Subscription>,
}

impl Following {
    fn new(journal: &Journal, since: u64, follow: bool) -> Self {
        let kept = journal.since(since);
        let newest = kept.last().map_or(since, |entry| entry.seq);
        let fresh = follow.then(|| journal.subscribe_from(newest));
        Self { kept: kept.into_iter(), fresh }
    }

    /// The next lines; none after the last entry, which never comes where the journal is followed.
    pub(super) async fn next_piece(&mut self) -> Option<String> {
        let mut piece = String::new();
        while piece.len() < PIECE
            && let Some(entry) = self.kept.next()
        {
            piece.push_str(&sanitize_json(&(entry.json().to_string() + "\n")));
        }
        if !piece.is_empty() {
            return Some(piece);
        }
        self.kept = self.fresh.as_mut()?.next().await?.into_iter();
        Box::pin(self.next_piece()).await
    }
}

fn expect(estate: &Estate, section: ExpectSection) -> Result<Answer, CliError> {
    let ExpectSection { message, times, within_ms, since } = section;
    if let Some(name) = message.server.as_ref().filter(|name| estate.find_node(name).is_none()) {
        return Err(EstateError::NoSuchNode(name.clone()).into());
    }
    let expectation = Expectation::since(&estate.journal(), message, since);
    let expectation = match times {
        Some(times) => expectation.times(times),
        None => expectation,
    };
    Ok(Answer::Expect(expectation, Duration::from_millis(within_ms).min(LONGEST_WAIT)))
}

/// Waits until an expectation is met or its time is over.
pub(super) async fn judge(expectation: Expectation, within: Duration) -> Value {
    match expectation.met(within).await {
        Ok(found) => json!({ "v": VERSION, "met": true, "found": found }),
        Err(unmet) => {
            let mut refused = CliError::unmet(&unmet).json(VERSION);
            if let Value::Object(fields) = &mut refused {
                fields.insert("found".to_owned(), json!(unmet.found));
                fields.insert("nearest".to_owned(), json!(unmet.nearest));
                fields.insert("ladder".to_owned(), json!(unmet.ladder));
            }
            refused
        }
    }
}

/// The longest an expectation may be waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// The version of the answers.
pub(super) const VERSION: u32 = 2;
/// Octets after which a piece of a long answer is sent.
const PIECE: usize = 64 << 10;
