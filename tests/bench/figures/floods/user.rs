//! Users who are signed in and stay so, and what they feel.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use homing_core::auth::digest::{DigestChallenge, DigestSession};
use homing_core::secret::Password;
use homing_wire::{Message, Name};

use crate::Fallible;
use crate::estate::PASSWORD;

/// How a client and the server talk.
pub(crate) enum Line {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
}

/// Users over one flow, by number from `first` on.
pub(crate) struct Crowd {
    line: Line,
    first: usize,
    sessions: Vec<DigestSession>,
    sent: u64,
}

/// What became of refreshes.
pub(crate) struct Felt {
    pub(crate) asked: usize,
    /// Milliseconds of each that was answered, in order.
    millis: Vec<f64>,
}

impl Line {
    pub(crate) fn udp(server: SocketAddr) -> Fallible<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        Ok(Self::Udp(socket))
    }

    pub(crate) fn tcp(server: SocketAddr) -> Fallible<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream, Vec::new()))
    }

    fn send(&mut self, request: &[u8]) -> Fallible<()> {
        match self {
            Self::Udp(socket) => socket.send(request).map(drop)?,
            Self::Tcp(stream, _) => stream.write_all(request)?,
        }
        Ok(())
    }

    /// The next message that comes within `patience`; none if none does.
    fn receive(&mut self, patience: Duration) -> Fallible<Option<Message>> {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let mut octets = [0; 4_096];
            let read = match self {
                Self::Udp(socket) => {
                    socket.set_read_timeout(Some(left))?;
                    socket.recv(&mut octets)
                }
                Self::Tcp(stream, held) => {
                    if let Some(message) = whole(held)? {
                        return Ok(Some(message));
                    }
                    stream.set_read_timeout(Some(left))?;
                    stream.read(&mut octets)
                }
            };
            let read = match read {
                Ok(read) => read,
                Err(error) if is_timeout(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            match self {
                Self::Udp(_) => return Ok(Some(Message::parse(octets[..read].to_vec())?)),
                Self::Tcp(..) if read == 0 => return Err("the server closed the connection".into()),
                Self::Tcp(_, held) => held.extend_from_slice(&octets[..read]),
            }
        }
    }

    /// A request and its final response, sent again over UDP as RFC 3261 has it.
    fn exchange(&mut self, request: &str, call: &str) -> Fallible<Option<Message>> {
        let begun = Instant::now();
        let mut interval = T1;
        while begun.elapsed() < PATIENCE {
            self.send(request.as_bytes())?;
            let wait = match self {
                Self::Udp(_) => interval,
                Self::Tcp(..) => PATIENCE,
            };
            let end = Instant::now() + wait;
            while let Some(message) = self.receive(end.saturating_duration_since(Instant::now()))? {
                if message.call_id().is_ok_and(|id| id == call)
                    && message.status().is_some_and(|it| it >= 200)
                {
                    return Ok(Some(message));
                }
            }
            interval *= 2;
        }
        Ok(None)
    }

    fn token(&self) -> &'static str {
        match self {
            Self::Udp(_) => "UDP",
            Self::Tcp(..) => "TCP",
        }
    }
}

impl Crowd {
    /// Signs half of the users in, over one flow.
    pub(crate) fn sign_in(line: Line, first: usize) -> Fallible<Self> {
        let mut crowd = Self { line, first, sessions: Vec::new(), sent: 0 };
        for user in first..first + USERS / 2 {
            crowd.log_in(user)?;
        }
        Ok(crowd)
    }

    /// Signs one user in.
    pub(crate) fn one(line: Line, user: usize) -> Fallible<()> {
        Self { line, first: user, sessions: Vec::new(), sent: 0 }.log_in(user)
    }

    fn log_in(&mut self, user: usize) -> Fallible<()> {
        let (request, call) = self.request(user, None);
        let answer = self.line.exchange(&request, &call)?.ok_or("no answer")?;
        let is_md5 = |challenge: &DigestChallenge| challenge.algorithm().name() == "MD5";
        let challenges =
            answer.auth(Name::WwwAuthenticate).filter_map(|one| DigestChallenge::parse(&one).ok());
        let challenge = challenges.into_iter().find(is_md5).ok_or("no challenge")?;
        self.sessions.push(DigestSession::new(challenge, &format!("user{user}"), &Password::new(PASSWORD)));
        let last = self.sessions.len() - 1;
        match self.refresh(last)? {
            Some(200) => Ok(()),
            status => Err(format!("user{user} is not signed in: {status:?}").into()),
        }
    }

    /// Refreshes the users in turn, each flow twenty-five times a second.
    pub(crate) fn refresh_for(&mut self, span: Duration) -> Fallible<Felt> {
        let begun = Instant::now();
        let mut felt = Felt { asked: 0, millis: Vec::new() };
        while begun.elapsed() < span {
            let asked = Instant::now();
            let status = self.refresh(felt.asked % self.sessions.len())?;
            felt.asked += 1;
            if status == Some(200) {
                felt.millis.push(asked.elapsed().as_secs_f64() * 1_000.0);
            }
            std::thread::sleep(PACE.saturating_sub(asked.elapsed()));
        }
        felt.millis.sort_unstable_by(f64::total_cmp);
        Ok(felt)
    }

    fn refresh(&mut self, at: usize) -> Fallible<Option<u16>> {
        let cnonce = format!("{:08x}", self.sent);
        let answer = self.sessions[at].authorization("REGISTER", URI, b"", &cnonce).to_string();
        let (request, call) = self.request(self.first + at, Some(&answer));
        let Some(answer) = self.line.exchange(&request, &call)? else { return Ok(None) };
        // A nonce that grew old is answered anew the next time.
        for challenge in answer.auth(Name::WwwAuthenticate) {
            if let Ok(challenge) = DigestChallenge::parse(&challenge) {
                // One for another algorithm is not taken.
                let _ = self.sessions[at].renew(challenge);
            }
        }
        Ok(answer.status())
    }

    fn request(&mut self, user: usize, credentials: Option<&str>) -> (String, String) {
        self.sent += 1;
        let call = format!("user{user}-{}", self.sent);
        (register(&format!("user{user}"), self.line.token(), &call, credentials), call)
    }
}

impl Felt {
    /// How many of the refreshes were answered, of 1.
    pub(crate) fn share(&self) -> f64 {
        self.millis.len() as f64 / self.asked.max(1) as f64
    }

    /// Milliseconds within which that part of the answers came.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part of a small count"
        )]
        let at = (self.millis.len() as f64 * part) as usize;
        self.millis.get(at.min(self.millis.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// A REGISTER, written by hand: what writes it is not measured.
pub(crate) fn register(user: &str, transport: &str, call: &str, credentials: Option<&str>) -> String {
    let credentials = credentials.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    format!(
        "REGISTER {URI} SIP/2.0\r\n\
         Via: SIP/2.0/{transport} 127.0.0.1:5999;branch=z9hG4bK{call};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{user}@network.com>;tag={call}\r\n\
         To: <sip:{user}@network.com>\r\n\
         Call-ID: {call}\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: <sip:{user}@127.0.0.1:5999>;expires=3600\r\n\
         {credentials}\
         User-Agent: a phone that has much to say about itself and says it in every request it sends\r\n\
         Supported: path, outbound, gruu\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, NOTIFY, REFER, UPDATE, PRACK, INFO\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// The first message of a stream, if it is whole. None of ours has a body.
fn whole(held: &mut Vec<u8>) -> Fallible<Option<Message>> {
    let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let message: Vec<u8> = held.drain(..end + 4).collect();
    Ok(Some(Message::parse(message)?))
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

pub(crate) const URI: &str = "sip:network.com";
/// Users who are signed in, by UDP and TCP together.
pub(crate) const USERS: usize = 50;
/// Between two refreshes over one flow.
const PACE: Duration = Duration::from_millis(40);
const T1: Duration = Duration::from_millis(500);
/// Longer nobody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(4);
