//! Pumps: events and trace entries of the agent become messages for the phone.

use homing::{AccountId, Direction, Notice, TraceEntry, TraceKind, UserAgent};
use tokio::sync::mpsc::UnboundedSender;

use crate::msg::Msg;
use crate::screen::trace::{Entry, Tapped};
use crate::screen::{accounts, stage};
use crate::text::{ScreenText, screen_text};

/// Starts the pumps; they end with the agent or the phone.
pub(crate) fn start(agent: &UserAgent, told: &UnboundedSender<Msg>) {
    let (mut events, line) = (agent.events(), told.clone());
    tokio::spawn(async move {
        while let Some(notice) = events.next().await {
            let msg = match notice {
                Notice::Event(event) => happened(event.account, event.what),
                Notice::Lagged { dropped } => {
                    Msg::Stage(stage::Msg::Told(screen_text!("{dropped} events were missed")))
                }
            };
            if line.send(msg).is_err() {
                break;
            }
        }
    });
    let (mut trace, line) = (agent.trace(), told.clone());
    tokio::spawn(async move {
        let mut seen = 0;
        while trace.changed().await {
            let entries = trace.entries(seen);
            seen = entries.last().map_or(seen, |entry| entry.seq);
            if line.send(Msg::Traced(entries.iter().filter_map(traced).collect())).is_err() {
                break;
            }
        }
    });
}

/// A traced entry as the screen keeps it; none where there is nothing to see.
pub(crate) fn traced(entry: &TraceEntry) -> Option<Entry> {
    let server = match &entry.server {
        Some(server) => ScreenText::from_display(server),
        None => ScreenText::from_display(&entry.peer),
    };
    let text = match &entry.kind {
        TraceKind::Request { .. } | TraceKind::Response { .. } => entry.text(),
        TraceKind::KeepAlive => "keep-alive".to_owned(),
        TraceKind::Other => format!("{} bytes that are no SIP", entry.len()),
        TraceKind::Open { verified_as: Some(name) } => format!("{} open, cert {name}", entry.transport),
        TraceKind::Open { verified_as: None } => format!("{} open", entry.transport),
        TraceKind::Failed(why) => format!("{} {why}", why.code()),
        TraceKind::Close(Some(why)) => format!("closed: {why}"),
        TraceKind::Close(None) => "closed by us".to_owned(),
    };
    let tapped = Tapped {
        seq: entry.seq,
        at: entry.at,
        outgoing: entry.direction == Direction::Out,
        server,
        transport: entry.transport.via_token(),
        text: &text,
    };
    Some(match &entry.kind {
        TraceKind::Request { .. } | TraceKind::Response { .. } => Entry::message(&tapped),
        TraceKind::KeepAlive
        | TraceKind::Other
        | TraceKind::Open { .. }
        | TraceKind::Failed(_)
        | TraceKind::Close(_) => Entry::signal(&tapped),
    })
}

fn happened(id: AccountId, what: homing::AccountEvent) -> Msg {
    Msg::Account(accounts::Msg::Happened { id, what })
}
