//! Our home server and Kamailio side by side: the same requests to both in turn, and the ratio of their CPU.

use bytes::Bytes;
use homing::Transport;
use homing_core::auth::digest::{DigestChallenge, DigestSession};
use homing_core::secret::Password;
use homing_wire::{Message, Name};

use crate::estate::{Gate, PASSWORD, Server};
use crate::kamailio::Kamailio;
use crate::line::Line;
use crate::{Fallible, Peer, redirects};

/// The runtime and the flow that measured servers are asked by.
struct Client {
    runtime: tokio::runtime::Runtime,
    line: Line,
    transport: Transport,
    /// Makes every request another.
    sent: usize,
}

/// Prints, for each transport, what a REGISTER costs without and with Digest, and over TLS what a redirect costs.
pub(crate) fn ratios() -> Fallible<()> {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        compare(&format!("{transport}: REGISTER without authentication"), Gate::Trusting, |peer| {
            Client::new(peer, transport)?.refreshes(peer)
        })?;
        compare(&format!("{transport}: login by Digest MD5, two REGISTERs"), Gate::Digest, |peer| {
            Client::new(peer, transport)?.logins(peer)
        })?;
    }
    compare("TLS: unsigned redirect", Gate::Open, redirects::unsigned)
}

/// Registers ever more users of either server and prints what one costs as they grow, and what a binding takes.
pub(crate) fn growth() -> Fallible<()> {
    let mut peers: Vec<Box<dyn Peer>> = vec![Box::new(Server::start(BINDINGS, Gate::Trusting)?)];
    match Kamailio::start(Gate::Trusting)? {
        Some(kamailio) => peers.push(Box::new(kamailio)),
        None => println!("{SKIPPED}"),
    }
    for peer in &mut peers {
        let mut client = Client::new(&**peer, Transport::Tcp)?;
        let begun = peer.usage()?;
        println!("TCP: growth to {BINDINGS} bindings, {}", peer.name());
        for step in 0..BINDINGS / STEP {
            let before = peer.usage()?;
            for first in (step * STEP..(step + 1) * STEP).step_by(WINDOW) {
                client.register(first..first + WINDOW)?;
            }
            let cpu = peer.usage()?.cpu_since(&before, STEP);
            println!("  {cpu:>6.1} µs CPU per REGISTER up to {}", (step + 1) * STEP);
        }
        let bindings = BINDINGS / STEP * STEP;
        println!("  {:>6.2} KiB per binding", peer.usage()?.kib_since(&begun, bindings));
    }
    Ok(())
}

/// Measures both in turn and prints the medians and their ratio.
fn compare(what: &str, gate: Gate, mut measure: impl FnMut(&mut dyn Peer) -> Fallible<f64>) -> Fallible<()> {
    let mut ours = Server::start(USERS, gate)?;
    let mut peer = Kamailio::start(gate)?;
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        costs[0].push(measure(&mut ours)?);
        if let Some(peer) = &mut peer {
            costs[1].push(measure(peer)?);
        }
    }
    println!("{what}");
    let [ours, theirs] = costs.map(median);
    match theirs {
        Some(theirs) => {
            let ours = ours.unwrap_or_default();
            println!("  {ours:>6.1} µs, Kamailio {theirs:.1} µs CPU: {:.2} of it", ours / theirs);
        }
        None => println!("  {:>6.1} µs CPU; {SKIPPED}", ours.unwrap_or_default()),
    }
    Ok(())
}

impl Client {
    fn new(peer: &dyn Peer, transport: Transport) -> Fallible<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let line = runtime.block_on(Line::open(peer, transport))?;
        let sent = usize::try_from(std::time::UNIX_EPOCH.elapsed()?.as_micros())?;
        Ok(Self { runtime, line, transport, sent })
    }

    /// Registers every user without authentication and gives the server's CPU for one.
    fn refreshes(&mut self, peer: &mut dyn Peer) -> Fallible<f64> {
        self.register(0..WINDOW)?;
        let before = peer.usage()?;
        for first in (0..USERS).step_by(WINDOW) {
            self.register(first..first + WINDOW)?;
        }
        Ok(peer.usage()?.cpu_since(&before, USERS))
    }

    /// Signs every user in by Digest and gives the server's CPU for one.
    fn logins(&mut self, peer: &mut dyn Peer) -> Fallible<f64> {
        self.log_in(0..WINDOW)?;
        let before = peer.usage()?;
        for first in (0..USERS).step_by(WINDOW) {
            self.log_in(first..first + WINDOW)?;
        }
        Ok(peer.usage()?.cpu_since(&before, USERS))
    }

    fn register(&mut self, users: std::ops::Range<usize>) -> Fallible<()> {
        let requests = users.map(|user| self.request(user, None)).collect();
        let answers = self.runtime.block_on(self.line.exchange(requests))?;
        answers.iter().try_for_each(|answer| has_status(answer, 200))
    }

    fn log_in(&mut self, users: std::ops::Range<usize>) -> Fallible<()> {
        let requests = users.clone().map(|user| self.request(user, None)).collect();
        let challenges = self.runtime.block_on(self.line.exchange(requests))?;
        let password = Password::new(PASSWORD);
        // Over UDP the answers may come in another order; a nonce is good for every user.
        let mut requests = Vec::with_capacity(challenges.len());
        for (user, challenge) in users.zip(&challenges) {
            has_status(challenge, 401)?;
            let challenge = challenge.auth(Name::WwwAuthenticate).next().ok_or("no challenge")?;
            let challenge = DigestChallenge::parse(&challenge)?;
            let mut session = DigestSession::new(challenge, &format!("user{user}"), &password);
            let answer = session.authorization("REGISTER", URI, b"", "0a4f113b");
            requests.push(self.request(user, Some(answer.to_string())));
        }
        let answers = self.runtime.block_on(self.line.exchange(requests))?;
        answers.iter().try_for_each(|answer| has_status(answer, 200))
    }

    /// A REGISTER as a phone sends it, written by hand: what writes it is not measured.
    fn request(&mut self, user: usize, credentials: Option<String>) -> Bytes {
        self.sent += 1;
        let number = self.sent;
        let transport = self.transport;
        let token = transport.to_string().to_uppercase();
        let parameter = transport.to_string().to_lowercase();
        let credentials = credentials.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let cseq = 1 + u8::from(!credentials.is_empty());
        format!(
            "REGISTER {URI} SIP/2.0\r\n\
             Via: SIP/2.0/{token} 127.0.0.1:5999;branch=z9hG4bKb{number};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:user{user}@network.com>;tag=b{number}\r\n\
             To: <sip:user{user}@network.com>\r\n\
             Call-ID: beside-{number}\r\n\
             CSeq: {cseq} REGISTER\r\n\
             Contact: <sip:user{user}@127.0.0.1:5999;transport={parameter}>;expires=3600\r\n\
             Supported: path, outbound\r\n\
             User-Agent: figures\r\n\
             {credentials}\
             Content-Length: 0\r\n\r\n"
        )
        .into()
    }
}

fn has_status(answer: &Message, wanted: u16) -> Fallible<()> {
    match answer.status() {
        Some(status) if status == wanted => Ok(()),
        status => Err(format!("{wanted} was expected, not {status:?}").into()),
    }
}

fn median(mut costs: Vec<f64>) -> Option<f64> {
    costs.sort_unstable_by(f64::total_cmp);
    costs.get(costs.len() / 2).copied()
}

const URI: &str = "sip:network.com";
const USERS: usize = 9_600;
const ROUNDS: usize = 5;
const WINDOW: usize = 32;
const BINDINGS: usize = 200_000;
const STEP: usize = 24_992;
const SKIPPED: &str = "Kamailio is not installed (apt-get install kamailio kamailio-tls-modules)";
