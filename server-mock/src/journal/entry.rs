//! One line of a journal: a message as it was on the wire, or a decision with its reason.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_wire::{Message, Name, Redacted};
use serde_json::{Value, json};

use super::sanitize::sanitize;

/// One message or decision, with its place and time.
#[derive(Clone)]
pub struct Entry {
    /// Number within its journal, from 1; 0 before it is recorded.
    pub seq: u64,
    /// Time since the estate started.
    pub at: Duration,
    /// The node's short name.
    pub node: Arc<str>,
    /// The other end, where there is one.
    pub peer: Option<SocketAddr>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone)]
pub enum What {
    /// A message or keep-alive arrived.
    Received(Bytes),
    /// A message or keep-alive left.
    Sent(Bytes),
    /// Something was decided.
    Decided(Decision),
}

/// What a server decided, about whom, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub verdict: Verdict,
    /// About whom: an address of record without scheme; empty where no user is named.
    pub user: String,
    /// Towards which server; empty where none is meant.
    pub target: String,
    /// The reason, in words.
    pub reason: Cow<'static, str>,
}

/// What a node decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Credentials were asked for.
    Challenged,
    /// The user proved who they are.
    Authenticated,
    /// Credentials proved nothing.
    LogonRefused,
    /// This server takes the request on itself (patent step 508).
    Accepted,
    /// The client is sent to its home server (patent step 516).
    Redirected,
    /// The request is passed on for the client (patent step 514).
    Proxied,
    /// A binding came or was renewed.
    Registered,
    /// A binding went.
    Unregistered,
    /// A request was answered with an error.
    Refused,
    /// A message was dropped without an answer.
    Discarded,
    /// A retransmission got the stored answer again.
    Repeated,
    /// A request of the server's own went out.
    Notified,
    /// A call began, was answered, or ended.
    Call,
    /// A fault was played.
    Fault,
    /// A connection opened, closed or failed.
    Flow,
    /// An assignment changed, a node stopped or started.
    Estate,
}

impl Entry {
    /// The message, with everything secret blanked; none for a decision.
    pub fn text(&self) -> Option<String> {
        self.bytes().map(|bytes| Redacted::new(bytes).to_string())
    }

    /// The decision; none for a message.
    pub fn decision(&self) -> Option<&Decision> {
        match &self.what {
            What::Decided(decision) => Some(decision),
            What::Received(_) | What::Sent(_) => None,
        }
    }

    /// The first line of the message, fit for a console, such as `SIP/2.0 301 Moved Permanently`; empty for a decision.
    pub fn start_line(&self) -> String {
        let Some(bytes) = self.bytes() else { return String::new() };
        match bytes.as_ref() {
            b"\r\n\r\n" => "keep-alive (ping)".to_owned(),
            b"\r\n" => "keep-alive (pong)".to_owned(),
            other => {
                let line = other.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
                sanitize(&Redacted::new(line).to_string())
            }
        }
    }

    /// The message as it was on the wire; none for a decision and for what is no SIP.
    pub fn message(&self) -> Option<Message> {
        Message::parse(self.bytes()?.clone()).ok()
    }

    /// The method; of a response that of the request it answers.
    pub fn method(&self) -> Option<String> {
        let message = self.message()?;
        let named = message.method().map(|method| method.as_str().to_owned());
        named.or_else(|| message.cseq().ok().map(|cseq| cseq.method.as_str().to_owned()))
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        self.message()?.status()
    }

    /// The value of a header field, by any of its names; of several the first. What is secret stands in it.
    pub fn header(&self, name: &str) -> Option<String> {
        self.message()?.text(Name::parse(name)).map(|value| value.into_owned())
    }

    /// True for a message that arrived.
    pub fn is_received(&self) -> bool {
        matches!(self.what, What::Received(_))
    }

    /// The entry as one JSON object; `v` is the version of this form.
    pub fn json(&self) -> Value {
        let mut object = json!({
            "v": 2, "seq": self.seq, "at_us": u64::try_from(self.at.as_micros()).unwrap_or(u64::MAX),
            "node": &*self.node, "peer": self.peer.map(|peer| peer.to_string()),
        });
        let fields = match &self.what {
            What::Received(bytes) => json!({ "kind": "received", "text": Redacted::new(bytes).to_string() }),
            What::Sent(bytes) => json!({ "kind": "sent", "text": Redacted::new(bytes).to_string() }),
            What::Decided(decision) => json!({
                "kind": "decided", "verdict": decision.verdict, "user": decision.user,
                "target": decision.target, "reason": decision.reason,
            }),
        };
        if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
            object.extend(fields);
        }
        object
    }

    /// Bytes this entry holds on to.
    pub(super) fn size(&self) -> usize {
        let own = match &self.what {
            What::Received(bytes) | What::Sent(bytes) => bytes.len(),
            What::Decided(Decision { user, target, reason, .. }) => {
                let written = if let Cow::Owned(text) = reason { text.capacity() } else { 0 };
                user.capacity() + target.capacity() + written
            }
        };
        size_of::<Self>() + own
    }

    /// The message or keep-alive as it was on the wire; none for a decision.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match &self.what {
            What::Received(bytes) | What::Sent(bytes) => Some(bytes),
            What::Decided(_) => None,
        }
    }
}

impl Decision {
    /// A decision with its reason.
    pub fn new(verdict: Verdict, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { verdict, user: String::new(), target: String::new(), reason: reason.into() }
    }

    /// Names the user it is about.
    #[must_use]
    pub fn about(mut self, user: impl fmt::Display) -> Self {
        self.user = written(user);
        self
    }

    /// Names the server it leads to.
    #[must_use]
    pub fn towards(mut self, target: impl fmt::Display) -> Self {
        self.target = written(target);
        self
    }
}

/// What names a user or a server, written at once: most are shorter than this.
fn written(name: impl fmt::Display) -> String {
    let mut text = String::with_capacity(48);
    // Writing to a String cannot fail.
    let _ = write!(text, "{name}");
    text
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {} ", self.seq, self.node)?;
        match &self.what {
            What::Received(_) => write!(f, "received {}", self.start_line()),
            What::Sent(_) => write!(f, "sent {}", self.start_line()),
            What::Decided(decision) => write!(f, "{decision}"),
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict)?;
        if !self.user.is_empty() {
            write!(f, " {}", sanitize(&self.user))?;
        }
        if !self.target.is_empty() {
            write!(f, " → {}", sanitize(&self.target))?;
        }
        write!(f, ": {}", sanitize(&self.reason))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Challenged => "challenged",
            Verdict::Authenticated => "authenticated",
            Verdict::LogonRefused => "logon refused",
            Verdict::Accepted => "accepted",
            Verdict::Redirected => "redirected",
            Verdict::Proxied => "proxied",
            Verdict::Registered => "registered",
            Verdict::Unregistered => "unregistered",
            Verdict::Refused => "refused",
            Verdict::Discarded => "discarded",
            Verdict::Repeated => "repeated",
            Verdict::Notified => "notified",
            Verdict::Call => "call",
            Verdict::Fault => "fault",
            Verdict::Flow => "flow",
            Verdict::Estate => "estate",
        })
    }
}
