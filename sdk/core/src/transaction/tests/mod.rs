//! Transactions in virtual time: timers to the millisecond, matching, bounds, and a lossy network.

mod abuse;
mod bounds;
mod following;
mod lossy;
mod matching;
mod timing;

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytes::Bytes;
use homing_wire::{Builder, Message};

use super::*;
use crate::auth::security_association::SignError;
use crate::auth::signed::{NoAssociation, Signed};
use crate::config::Timers;
use crate::error::Misuse;
use crate::ids::{FlowId, Seed, TxId};
use crate::time::{Moment, Now, Wall};
use crate::transport::Transport;

const CAPS: Caps = Caps { clients: 100, servers: 100, lingering_bytes: 1 << 20, lingering_invites: 100 };
const FLOW: FlowId = FlowId(1);
const UDP: FlowRef = FlowRef { flow: FLOW, transport: Transport::Udp };
const TLS: FlowRef = FlowRef { flow: FLOW, transport: Transport::Tls };

/// A table, with what its responses were among its outputs.
struct Table {
    inner: Transactions<u32>,
    seen: VecDeque<Seen>,
}

/// What a table put out, or said of a response that was fed.
#[derive(Debug)]
enum Seen {
    Wants(TxOutput<u32>),
    Heard { tx: TxId, user: u32, what: Response, message: Box<Message> },
}

impl Table {
    fn new(caps: Caps, seed: u64) -> Self {
        let inner = Transactions::new(Timers::default(), caps, &Seed::from_number(seed));
        Self { inner, seen: VecDeque::new() }
    }

    fn request(&mut self, request: &Message, flow_ref: FlowRef, user: u32, now: Now) -> Result<TxId, Misuse> {
        let request = as_is(request.clone()).unwrap();
        self.inner.request(&request, flow_ref, user, now)
    }

    fn feed_response(&mut self, id: TxId, response: &Message, now: Now) {
        self.feed_response_signed(id, response, &mut as_is, now);
    }

    fn feed_response_signed(&mut self, id: TxId, response: &Message, signer: &mut dyn Signer, now: Now) {
        let user = self.inner.user(id).copied().unwrap_or_default();
        let what = self.inner.feed_response(id, response, signer, now);
        self.seen.extend(std::iter::from_fn(|| self.inner.poll_output()).map(Seen::Wants));
        if what != Response::Absorbed {
            self.seen.push_back(Seen::Heard { tx: id, user, what, message: Box::new(response.clone()) });
        }
    }

    fn poll_seen(&mut self) -> Option<Seen> {
        self.seen.pop_front().or_else(|| self.inner.poll_output().map(Seen::Wants))
    }
}

impl Deref for Table {
    type Target = Transactions<u32>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

/// Signs nothing, as on a link without a challenge.
fn as_is(request: Message) -> Result<Signed, SignError> {
    Ok(Signed::without(request, NoAssociation::Unchallenged))
}

fn table() -> Table {
    Table::new(CAPS, 1)
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

fn drain(table: &mut Table) -> Vec<Seen> {
    std::iter::from_fn(|| table.poll_seen()).collect()
}

/// An output in short: what went out by its start line, what was told by its name.
fn short(seen: &Seen) -> String {
    match seen {
        Seen::Heard { what: Response::Provisional, message, .. } => {
            format!("provisional {}", message.status().unwrap())
        }
        Seen::Heard { what: Response::Final, message, .. } => format!("final {}", message.status().unwrap()),
        Seen::Heard { what: Response::Another2xx, .. } => "another 2xx".to_owned(),
        Seen::Heard { what: Response::Copied2xx, .. } => "copied 2xx".to_owned(),
        Seen::Heard { what: Response::Absorbed, .. } => "absorbed".to_owned(),
        Seen::Wants(TxOutput::Send { bytes, .. }) => {
            let text = String::from_utf8_lossy(bytes);
            text.split_whitespace().take(2).find(|word| *word != "SIP/2.0").unwrap_or_default().to_owned()
        }
        Seen::Wants(TxOutput::TimedOut { .. }) => "timed out".to_owned(),
        Seen::Wants(TxOutput::AckTimedOut { .. }) => "ACK timed out".to_owned(),
        Seen::Wants(TxOutput::CancelDue { .. }) => "cancel due".to_owned(),
        Seen::Wants(TxOutput::Unanswered { .. }) => "unanswered".to_owned(),
        Seen::Wants(TxOutput::FlowFailed { .. }) => "flow failed".to_owned(),
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
