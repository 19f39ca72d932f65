//! Asking the owner of a SIP URI without an account: found by DNS, dialled directly, asked once.

use std::time::Instant;

use homing_core::answer::Answered;
use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::config::AgentConfig;
use homing_core::connect::ConnectError;
use homing_core::dns::DnsError;
use homing_core::error::{LoginError, Misuse};
use homing_core::ids::{FlowId, Rng, Seed};
use homing_core::journey::{Journey, LoginFailure};
use homing_core::locate::{NoCandidate, Request, Target};
use homing_core::server::ServerName;
use homing_core::transaction::{Caps, FlowRef, Response, Transactions, TxOutput};
use homing_core::transport::Transport;
use homing_net::{Dial, NetConfig, NetEvent, Roots, Sockets, TlsClient};
use homing_wire::{Builder, Frame, Message, Method, Name, NameAddrBuf, Uri, UriBuf, ViaBuf};
use tokio::time::sleep_until;

use crate::clock::{self, Clock};
use crate::dns::Resolver;
use crate::dns::locate;
use crate::driver::Tap;
use crate::error::Error;
use crate::trace::Trace;

/// Asks whether somebody is there (RFC 3261 section 11), without an account and without credentials.
///
/// It dials what DNS names for the URI, in order; the first server that takes the connection is asked.
/// Needs a tokio runtime.
#[derive(Clone, Debug)]
pub struct Probe {
    resolver: Resolver,
    tls: TlsClient,
    transports: Vec<Transport>,
    trace_bytes: usize,
}

/// What a probe brought.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Who was asked; none if nobody could be dialled.
    pub server: Option<ServerName>,
    /// What was answered.
    pub outcome: Result<Answered, Error>,
    /// What was sent and received.
    pub trace: Trace,
}

impl Probe {
    /// A probe by TLS, else TCP, else UDP, as DNS and the URI say; 1 MiB of trace.
    pub fn new(resolver: Resolver, roots: Roots) -> Self {
        let transports = vec![Transport::Tls, Transport::Tcp, Transport::Udp];
        Self { resolver, tls: TlsClient::new(roots), transports, trace_bytes: 1 << 20 }
    }

    /// Allows these transports only, best first.
    #[must_use]
    pub fn transports(mut self, transports: Vec<Transport>) -> Self {
        self.transports = transports;
        self
    }

    /// True for a URI whose owner can be asked.
    pub fn accepts(uri: &str) -> bool {
        Uri::parse(uri).is_ok_and(|uri| uri.is_sip() || uri.is_sips())
    }

    /// Asks the owner of `uri`. Cancel-safe: a dropped future hangs up.
    pub async fn options(&self, uri: &str) -> Probed {
        let (recorder, trace) = crate::trace::trace(self.trace_bytes);
        let mut server = None;
        let outcome = self.ask(uri, Tap::new(recorder), &mut server).await;
        Probed { server, outcome, trace }
    }

    async fn ask(&self, uri: &str, tap: Tap, server: &mut Option<ServerName>) -> Result<Answered, Error> {
        let parsed = Uri::parse(uri).map_err(|_| Misuse::BadMessage)?;
        let request = Request::for_uri(&parsed, &self.transports).ok_or(Misuse::BadMessage)?;
        let located = locate(request, &self.resolver).await;
        let why = match located.end {
            NoCandidate::NoServer(why) => why,
            _ => DnsError::NoRecord,
        };
        let mut fault = LoginError::Resolve { domain: parsed.host().to_string(), why };
        let mut call = Call::new(uri, tap)?;
        for (number, target) in (1..).zip(&located.targets) {
            match call.dial(FlowId(number), target, &self.tls).await {
                Ok(()) => {
                    *server = Some(target.name.clone());
                    return call.answer(target).await;
                }
                Err(why) => fault = LoginError::Connect { server: target.name.clone(), why },
            }
        }
        Err(failed(fault))
    }
}

/// One question and the connection it goes over.
struct Call<'u> {
    uri: &'u str,
    config: AgentConfig,
    clock: Clock,
    rng: Rng,
    sockets: Sockets,
    transactions: Transactions<()>,
    tap: Tap,
}

impl<'u> Call<'u> {
    fn new(uri: &'u str, tap: Tap) -> Result<Self, Error> {
        let config = AgentConfig::default();
        // Without randomness nobody could tell our branch from another's.
        let seed = clock::seed().map_err(|_| Misuse::Limit)?;
        let mut rng = Rng::new(&seed);
        let seed: Seed = rng.fork();
        let sockets = NetConfig { connect: config.limits.connect, ..NetConfig::default() };
        Ok(Self {
            uri,
            clock: Clock::start(),
            sockets: Sockets::new(sockets),
            transactions: Transactions::new(config.timers, Caps::from(&config.limits), &seed),
            rng,
            tap,
            config,
        })
    }

    /// Opens a flow and sends the question over it.
    async fn dial(&mut self, flow: FlowId, target: &Target, tls: &TlsClient) -> Result<(), ConnectError> {
        let Target { addr: address, transport, .. } = *target;
        self.tap.dialling(flow, address, transport, &target.expected);
        let identity = target.expected.clone();
        self.sockets.connect(Dial { flow, address, transport, identity }, tls);
        loop {
            let event = self.sockets.next().await;
            let (now, _) = self.clock.read();
            self.tap.arrival(&event, now);
            match event {
                NetEvent::Connected { local, .. } => {
                    let request = self.question(local, transport);
                    let flow_ref = FlowRef::new(flow, transport);
                    // What was built here has branch, Call-ID and CSeq.
                    let request = Signed::without(request, NoAssociation::NoRegistrar);
                    return self
                        .transactions
                        .request(&request, flow_ref, (), now)
                        .map(|_| ())
                        .map_err(|_| ConnectError::Local);
                }
                NetEvent::ConnectFailed { why, .. } => return Err(why),
                _ => {}
            }
        }
    }

    /// Waits for the final answer, 64·T1 at most.
    async fn answer(mut self, target: &Target) -> Result<Answered, Error> {
        let sent = Instant::now();
        let millis = || u32::try_from(sent.elapsed().as_millis()).unwrap_or(u32::MAX);
        loop {
            while let Some(output) = self.transactions.poll_output() {
                match output {
                    TxOutput::Send { flow, bytes } => {
                        self.tap.departure(flow, &bytes, self.clock.read().0);
                        self.sockets.send(flow, bytes);
                    }
                    TxOutput::TimedOut { .. } => return Ok(Answered::nobody(millis())),
                    TxOutput::FlowFailed { .. } => {
                        let (server, why) = (target.name.clone(), ConnectError::Closed);
                        return Err(failed(LoginError::Connect { server, why }));
                    }
                    _ => {}
                }
            }
            let wake = self.transactions.deadline().map(|deadline| self.clock.instant(deadline.at));
            tokio::select! {
                event = self.sockets.next() => if let Some(message) = self.receive(&event) {
                    return Ok(Answered::of(&message, millis()));
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()) => {
                    self.transactions.handle_deadline(self.clock.read().0);
                }
            }
        }
    }

    fn receive(&mut self, event: &NetEvent) -> Option<Message> {
        let (now, _) = self.clock.read();
        self.tap.arrival(event, now);
        match event {
            NetEvent::Received { frame: Frame::Message(bytes), .. } => {
                let message = Message::parse(bytes.clone()).ok()?;
                let (tx, ..) = self.transactions.peek_client(&message)?;
                let mut as_it_is = |request| Ok(Signed::without(request, NoAssociation::NoRegistrar));
                let what = self.transactions.feed_response(tx, &message, &mut as_it_is, now);
                (what == Response::Final).then_some(message)
            }
            NetEvent::Closed { flow, .. } | NetEvent::Malformed { flow, .. } => {
                self.transactions.flow_failed(*flow);
                None
            }
            _ => None,
        }
    }

    fn question(&mut self, local: std::net::SocketAddr, transport: Transport) -> Message {
        let host = local.ip().to_string();
        let via = ViaBuf::new(transport.via_token(), &host)
            .port(local.port())
            .branch(&self.transactions.branch())
            .param("rport", None);
        let contact =
            UriBuf::sip(None, &host).port(local.port()).param("transport", Some(transport.uri_token()));
        Builder::request(Method::Options, self.uri)
            .header(Name::Via, via)
            .header(Name::MaxForwards, 70)
            .header(Name::From, NameAddrBuf::new(ANONYMOUS).param("tag", Some(&self.rng.token(10))))
            .header(Name::To, NameAddrBuf::new(self.uri))
            .header(Name::CallId, self.rng.token(32))
            .header(Name::CSeq, "1 OPTIONS")
            .header(Name::Contact, NameAddrBuf::new(contact))
            .header(Name::Accept, "application/sdp")
            .header(Name::UserAgent, &self.config.user_agent)
            .message()
    }
}

fn failed(error: LoginError) -> Error {
    let journey = Journey::default();
    let failure = Box::new(LoginFailure { error, journey });
    Error::Login { failure, retry_in: None }
}

/// Nobody in particular (RFC 3261 section 8.1.1.3).
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";
