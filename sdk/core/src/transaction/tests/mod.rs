//! Transactions in virtual time: timers to the millisecond, matching, bounds, and a lossy network.

mod abuse;
mod bounds;
mod following;
mod lossy;
mod matching;
mod timing;

use std::time::Duration;

use bytes::Bytes;
use homing_wire::{Builder, Message};

use super::*;
use crate::config::Timers;
use crate::ids::{FlowId, Seed, TxId};
use crate::time::{Moment, Now, Wall};
use crate::transport::Transport;

const CAPS: Caps = Caps { clients: 100, servers: 100, lingering_bytes: 1 << 20 };
const FLOW: FlowId = FlowId(1);
const UDP: FlowRef = FlowRef { flow: FLOW, transport: Transport::Udp };
const TLS: FlowRef = FlowRef { flow: FLOW, transport: Transport::Tls };

type Table = Transactions<u32>;

fn table() -> Table {
    Transactions::new(Timers::default(), CAPS, &Seed::from_number(1))
}

fn at(millis: u64) -> Now {
    Now::new(Duration::from_millis(millis), Duration::from_millis(millis))
}

fn when(moment: Moment) -> Now {
    Now { since_start: moment, wall: Wall(moment.0) }
}

fn parse(text: &str) -> Message {
    Message::parse(text.as_bytes().to_vec()).unwrap()
}

/// A request with everything a transaction looks at.
fn request(method: &str, branch: &str) -> Message {
    parse(&text(method, branch))
}

fn text(method: &str, branch: &str) -> String {
    format!(
        "{method} sip:bob@network.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 198.51.100.7:5060;branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@network.com>;tag=a1;epid=3344\r\n\
         To: <sip:bob@network.com>\r\n\
         Call-ID: call-1\r\n\
         CSeq: 7 {method}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// The same request with one piece of its text changed.
fn changed(request: &Message, from: &str, to: &str) -> Message {
    let text = String::from_utf8(request.bytes().to_vec()).unwrap();
    assert!(text.contains(from), "{from} is in {text}");
    parse(&text.replace(from, to))
}

fn answer(request: &Message, status: u16) -> Message {
    Message::parse(reply(request, status)).unwrap()
}

fn reply(request: &Message, status: u16) -> Bytes {
    Builder::reply_to(request, status, "Reason").to_tag("b1").finish()
}

fn drain(table: &mut Table) -> Vec<TxOutput<u32>> {
    std::iter::from_fn(|| table.poll_output()).collect()
}

/// An output in short: what went out by its start line, what was told by its name.
fn short(output: &TxOutput<u32>) -> String {
    match output {
        TxOutput::Send { bytes, .. } => {
            let text = String::from_utf8_lossy(bytes);
            text.split_whitespace().take(2).find(|word| *word != "SIP/2.0").unwrap_or_default().to_owned()
        }
        TxOutput::Provisional { message, .. } => format!("provisional {}", message.status().unwrap()),
        TxOutput::Final { message, .. } => format!("final {}", message.status().unwrap()),
        TxOutput::Another2xx { .. } => "another 2xx".to_owned(),
        TxOutput::TimedOut { .. } => "timed out".to_owned(),
        TxOutput::AckTimedOut { .. } => "ACK timed out".to_owned(),
        TxOutput::Unanswered { .. } => "unanswered".to_owned(),
        TxOutput::FlowFailed { .. } => "flow failed".to_owned(),
    }
}

fn shorts(table: &mut Table) -> Vec<String> {
    drain(table).iter().map(short).collect()
}

/// Lets time pass until nothing is due before `until`; every output with its millisecond.
fn pass(table: &mut Table, until: u64) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    while let Some(deadline) = table.deadline().filter(|deadline| deadline.at.0.as_millis() <= until.into()) {
        table.handle_deadline(when(deadline.at));
        let millis = u64::try_from(deadline.at.0.as_millis()).unwrap();
        seen.extend(shorts(table).into_iter().map(|what| (millis, what)));
    }
    seen
}

/// The milliseconds at which `what` happened.
fn times(seen: &[(u64, String)], what: &str) -> Vec<u64> {
    seen.iter().filter(|(_, name)| name == what).map(|(millis, _)| *millis).collect()
}

/// Accepts a request that is new.
fn accept(table: &mut Table, request: &Message, flow_ref: FlowRef, now: Now) -> TxId {
    let incoming = table.feed_request(request, flow_ref.flow, now);
    assert!(matches!(incoming, Incoming::New | Incoming::Cancel { .. }), "{incoming:?}");
    table.accept_request(request, flow_ref, 9, now).unwrap()
}
