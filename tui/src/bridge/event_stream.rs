//! Events and trace entries of the agent become messages for the phone.

use homing::trace::TraceEntry;
use homing::{AccountId, UserAgent};
use tokio::sync::mpsc::UnboundedSender;

use crate::msg::{AccountMsg, Msg};
use crate::screen::trace::{Captured, Entry};
use crate::text::ScreenText;
use crate::trace::{Record, Seen};

/// Starts a task for each of the two; both end with the agent or the phone.
pub(crate) fn start(agent: &UserAgent, told: &UnboundedSender<Msg>) {
    let (mut events, line) = (agent.events(), told.clone());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let msg = match event {
                Ok(event) => happened(event.account, event.what),
                Err(lagged) => Msg::Account(AccountMsg::Missed {
                    id: lagged.account,
                    state: lagged.state,
                    what: ScreenText::from_display(&lagged),
                }),
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
            if line.send(Msg::Traced(entries.iter().map(traced).collect())).is_err() {
                break;
            }
        }
    });
}

/// A traced entry as the screen keeps it.
pub(crate) fn traced(entry: &TraceEntry) -> Entry {
    let record = Record::of(entry);
    let tapped = Captured {
        seq: record.seq,
        flow: record.flow,
        at: record.at,
        outgoing: record.outgoing,
        server: ScreenText::of(&record.server),
        transport: record.transport.via_token(),
        text: &record.text,
    };
    match record.seen {
        Seen::Message => Entry::message(&tapped),
        Seen::KeepAlive | Seen::Other | Seen::Open | Seen::Failed | Seen::Dropped | Seen::Close => {
            Entry::signal(&tapped)
        }
    }
}

fn happened(id: AccountId, what: homing::AccountEvent) -> Msg {
    Msg::Account(AccountMsg::Happened { id, what })
}
