//! The two ends of a call that is refused: a caller, and a callee that discards what is not signed.

use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::ntlm::{SessionKeys, Side, flags};
use homing_core::auth::security_association::SignError;
use homing_core::auth::security_association::{
    Association, AssociationName, Mechanism, Style, Verdict, Version,
};
use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::config::Timers;
use homing_core::ids::{FlowId, Rng, Seed, TxId};
use homing_core::time::Now;
use homing_core::transaction::{Caps, FlowRef, Incoming, Response, Transactions, TxOutput};
use homing_core::transport::Transport;
use homing_wire::{Builder, Message, Method, Name};

/// Something an end sent.
pub(super) struct Sent {
    pub(super) at: Duration,
    pub(super) bytes: Bytes,
}

/// Whether the caller signs what its transactions send by themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    Always,
    NotFollowUps,
}

/// Who calls, with an association of its server.
pub(super) struct Caller {
    table: Transactions<()>,
    association: Association,
    rng: Rng,
    signing: Signing,
    flow_ref: FlowRef,
    invite: Option<TxId>,
    pub(super) sent: Vec<Sent>,
    pub(super) final_status: Option<u16>,
    pub(super) ended: usize,
    pub(super) timed_out: bool,
    /// Responses refused for their signature.
    pub(super) distrusted: usize,
}

/// Who is called.
pub(super) struct Callee {
    table: Transactions<()>,
    association: Association,
    rng: Rng,
    flow_ref: FlowRef,
    invite: Option<(TxId, Message)>,
    pub(super) sent: Vec<Sent>,
    /// Requests discarded for their signature.
    pub(super) discarded: usize,
    /// When the ACK came.
    pub(super) acknowledged: Option<Duration>,
    /// The refusal was not acknowledged.
    pub(super) unacknowledged: bool,
}

impl Sent {
    pub(super) fn is(&self, method: Method<'_>) -> bool {
        self.message().method() == Some(method)
    }

    /// True for a response to a request of this method.
    pub(super) fn is_for(&self, method: Method<'_>) -> bool {
        self.message().cseq().is_ok_and(|cseq| cseq.method == method)
    }

    fn message(&self) -> Message {
        Message::parse(self.bytes.clone()).expect("both ends send messages")
    }
}

impl Caller {
    pub(super) fn new(version: Version, transport: Transport, signing: Signing, seed: u64) -> Self {
        Self {
            table: table(seed),
            association: association(version),
            rng: Rng::new(&Seed::from_number(seed)),
            signing,
            flow_ref: FlowRef::new(FLOW, transport),
            invite: None,
            sent: Vec::new(),
            final_status: None,
            ended: 0,
            timed_out: false,
            distrusted: 0,
        }
    }

    /// Sends the INVITE.
    pub(super) fn call(&mut self, now: Now) -> Vec<Bytes> {
        let branch = self.table.branch();
        let via =
            format!("SIP/2.0/{} 198.51.100.7:5060;branch={branch}", self.flow_ref.transport.via_token());
        let invite = Builder::request(Method::Invite, "sip:bob@network.com")
            .header(Name::Via, via)
            .header(Name::MaxForwards, 70)
            .header(Name::From, "<sip:alice@network.com>;tag=a1;epid=3344")
            .header(Name::To, "<sip:bob@network.com>")
            .header(Name::CallId, "call-1")
            .header(Name::CSeq, "7 INVITE");
        let salt = self.rng.next_u32();
        let invite = self.association.sign_request(&invite.message(), salt).expect("signable");
        self.invite = self.table.request(&invite, self.flow_ref, (), now).ok();
        self.drain(now)
    }

    /// Hangs up, perhaps too late.
    pub(super) fn hang_up(&mut self, now: Now) -> Vec<Bytes> {
        let Self { table, association, rng, signing, .. } = self;
        let mut sign = |message: Message| signed(association, rng, *signing, message);
        if let Some(invite) = self.invite {
            // Answered already and gone: nothing is left to cancel.
            let _too_late = table.cancel(invite, &mut sign, now);
        }
        self.drain(now)
    }

    /// Takes a response: find its transaction, verify it unless it is a copy, feed it.
    pub(super) fn hear(&mut self, bytes: Bytes, now: Now) -> Vec<Bytes> {
        let response = Message::parse(bytes).expect("the callee sends messages");
        let Some((tx, ..)) = self.table.peek_client(&response) else { return Vec::new() };
        if self.table.is_copy(tx, &response) {
            let mut nothing = |_| Err(SignError::UsedUp);
            self.table.feed_response(tx, &response, &mut nothing, now);
            return self.drain(now);
        }
        let provisional = response.status().is_some_and(|status| status < 200);
        match self.association.verify(&response, Side::Server, false) {
            Verdict::Good { .. } => {}
            Verdict::Unsigned | Verdict::Replayed if provisional => {}
            _ => {
                self.distrusted += 1;
                return Vec::new();
            }
        }
        let Self { table, association, rng, signing, .. } = self;
        let mut sign = |message: Message| signed(association, rng, *signing, message);
        if table.feed_response(tx, &response, &mut sign, now) == Response::Final {
            self.ended += 1;
            self.final_status = response.status();
        }
        self.drain(now)
    }

    pub(super) fn wake(&mut self, now: Now) -> Vec<Bytes> {
        self.table.handle_deadline(now);
        self.drain(now)
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.table.deadline().map(|deadline| deadline.at.0)
    }

    pub(super) fn is_over(&self) -> bool {
        self.table.is_empty()
    }

    pub(super) fn is_same(sent: &[&Sent]) -> bool {
        sent.windows(2).all(|pair| pair[0].bytes == pair[1].bytes)
    }

    fn drain(&mut self, now: Now) -> Vec<Bytes> {
        let mut out = Vec::new();
        while let Some(output) = self.table.poll_output() {
            match output {
                TxOutput::Send { bytes, .. } => out.push(bytes),
                TxOutput::TimedOut { .. } => self.timed_out = true,
                _ => {}
            }
        }
        self.sent.extend(out.iter().map(|bytes| Sent { at: now.since_start.0, bytes: bytes.clone() }));
        out
    }
}

impl Callee {
    pub(super) fn new(version: Version, transport: Transport, seed: u64) -> Self {
        Self {
            table: table(seed + 1_000),
            association: association(version),
            rng: Rng::new(&Seed::from_number(seed + 1_000)),
            flow_ref: FlowRef::new(FLOW, transport),
            invite: None,
            sent: Vec::new(),
            discarded: 0,
            acknowledged: None,
            unacknowledged: false,
        }
    }

    /// Takes a request: copies get the stored bytes, everything else must be signed, ACK included.
    pub(super) fn hear(&mut self, bytes: Bytes, now: Now) -> Vec<Bytes> {
        let request = Message::parse(bytes).expect("the caller sends messages");
        if request.method() == Some(Method::Ack) {
            self.acknowledge(&request, now);
            return self.drain(now);
        }
        match self.table.feed_request(&request, FLOW, now) {
            Incoming::New | Incoming::Cancel { .. } if !self.is_signed(&request) => {}
            Incoming::New if request.method() == Some(Method::Invite) => {
                let tx = self.table.accept_request(&request, self.flow_ref, (), now).expect("new");
                self.respond(tx, &request, 180, now);
                self.invite = Some((tx, request));
            }
            Incoming::New | Incoming::Cancel { .. } => {
                let tx = self.table.accept_request(&request, self.flow_ref, (), now).expect("new");
                self.respond(tx, &request, 200, now);
                self.end_invite(487, now);
            }
            _ => {}
        }
        self.drain(now)
    }

    /// Refuses the INVITE, unless that is done.
    pub(super) fn refuse(&mut self, status: u16, now: Now) -> Vec<Bytes> {
        self.end_invite(status, now);
        self.drain(now)
    }

    pub(super) fn wake(&mut self, now: Now) -> Vec<Bytes> {
        self.table.handle_deadline(now);
        self.drain(now)
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.table.deadline().map(|deadline| deadline.at.0)
    }

    pub(super) fn is_over(&self) -> bool {
        self.table.is_empty()
    }

    /// A copy of the ACK fails as replayed, which is as good: nothing waits for it.
    fn acknowledge(&mut self, ack: &Message, now: Now) {
        if self.table.peek_server(ack).is_none() || self.acknowledged.is_some() || !self.is_signed(ack) {
            return;
        }
        if matches!(self.table.feed_request(ack, FLOW, now), Incoming::Acknowledged { .. }) {
            self.acknowledged = Some(now.since_start.0);
        }
    }

    fn end_invite(&mut self, status: u16, now: Now) {
        if let Some((tx, invite)) = self.invite.take() {
            self.respond(tx, &invite, status, now);
        }
    }

    fn is_signed(&mut self, request: &Message) -> bool {
        let good = self.association.verify(request, Side::Client, false).is_good();
        self.discarded += usize::from(!good);
        good
    }

    fn respond(&mut self, tx: TxId, request: &Message, status: u16, now: Now) {
        let response = Builder::reply_to(request, status, "As it is").to_tag("b1").message();
        let signed = self.association.sign_response(&response, self.rng.next_u32()).expect("signable");
        self.table.respond(tx, signed.into(), status, now);
    }

    fn drain(&mut self, now: Now) -> Vec<Bytes> {
        let mut out = Vec::new();
        while let Some(output) = self.table.poll_output() {
            match output {
                TxOutput::Send { bytes, .. } => out.push(bytes),
                TxOutput::AckTimedOut { .. } => self.unacknowledged = true,
                _ => {}
            }
        }
        self.sent.extend(out.iter().map(|bytes| Sent { at: now.since_start.0, bytes: bytes.clone() }));
        out
    }
}

fn signed(
    association: &mut Association,
    rng: &mut Rng,
    signing: Signing,
    message: Message,
) -> Result<Signed, SignError> {
    if signing == Signing::NotFollowUps {
        return Ok(Signed::without(message, NoAssociation::Unchallenged));
    }
    association.sign_request(&message, rng.next_u32())
}

fn table(seed: u64) -> Transactions<()> {
    let caps = Caps { clients: 10, servers: 10, lingering_bytes: 1 << 20, lingering_invites: 10 };
    Transactions::new(Timers::default(), caps, &Seed::from_number(seed))
}

fn association(version: Version) -> Association {
    let name = AssociationName {
        mechanism: Mechanism::Ntlm,
        realm: "SIP Communications Service".into(),
        targetname: "hs1.network.com".into(),
        version,
    };
    let agreed = flags::EXTENDED_SESSION_SECURITY | flags::STRONG_KEYS | flags::KEY_EXCHANGE;
    let keys = SessionKeys::derive(&[0x55; 16], agreed);
    Association::new(
        name,
        "ACDC1230",
        Style::Registrar,
        keys.into(),
        Now::new(Duration::ZERO, Duration::ZERO),
    )
}

const FLOW: FlowId = FlowId(1);
