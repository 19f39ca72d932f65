//! A client made of a bare socket: it says what it is told to, right or wrong, and reads what comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_core::auth::digest::{DigestChallenge, DigestSession};
use homing_core::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, authenticate};
use homing_core::auth::security_association::{Association, SigningChallenge, Style};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_wire::{Message, Name};

/// A connection to a server, and what was said on it.
pub(crate) struct Stranger {
    stream: TcpStream,
    cseq: u32,
    /// Whose address stands in From and To.
    pub(crate) user: &'static str,
    /// Everything the server said.
    pub(crate) heard: String,
}

/// The second challenge of NTLM, and the name of the half-open association it belongs to.
pub(crate) struct Offer {
    pub(crate) challenge: SigningChallenge,
    pub(crate) opaque: String,
}

impl Stranger {
    pub(crate) fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_millis(400))).expect("a time limit is set");
        Self { stream, cseq: 0, user: "alice", heard: String::new() }
    }

    /// A REGISTER of a device of Microsoft's kind, with these credentials.
    pub(crate) fn register(&mut self, credentials: &str) -> Vec<u8> {
        self.device(";epid=beef", "ms-keep-alive: UAC;hop-hop=yes\r\n", credentials)
    }

    /// A REGISTER of a device that knows the RFCs only.
    pub(crate) fn plain_register(&mut self, credentials: &str) -> Vec<u8> {
        self.device("", "", credentials)
    }

    fn device(&mut self, epid: &str, marks: &str, credentials: &str) -> Vec<u8> {
        self.cseq += 1;
        let (cseq, user) = (self.cseq, self.user);
        let auth =
            if credentials.is_empty() { String::new() } else { format!("Authorization: {credentials}\r\n") };
        format!(
            "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKs{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@network.com>;tag=1{epid}\r\nTo: <sip:{user}@network.com>\r\n\
             Call-ID: stranger\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@127.0.0.1:9>\r\n\
             Expires: 600\r\n{marks}{auth}Content-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    /// Says it. The server may have closed already; that is its right.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next answer; none if the server stays silent for a moment or closes.
    pub(crate) fn answer(&mut self) -> Option<Message> {
        let mut bytes = Vec::new();
        let mut one = [0];
        while !bytes.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut one) {
                Ok(1) => bytes.push(one[0]),
                _ => return None,
            }
        }
        self.heard += &String::from_utf8_lossy(&bytes);
        Some(Message::parse(bytes).expect("a server answers in SIP"))
    }

    /// True if the server closes the connection within that time, whatever it says before.
    pub(crate) fn is_closed(&mut self, within: Duration) -> bool {
        self.stream.set_read_timeout(Some(within)).expect("a time limit is set");
        loop {
            match self.stream.read(&mut [0; 4096]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::ConnectionReset,
            }
        }
    }

    /// Says it and takes the answer.
    pub(crate) fn ask(&mut self, bytes: &[u8]) -> Option<Message> {
        self.say(bytes);
        self.answer()
    }

    /// Shows the empty token and takes the second challenge.
    pub(crate) fn open(&mut self, names: &str) -> Offer {
        let request = self.register(&format!("NTLM {names}, gssapi-data=\"\", version=3"));
        let challenged = self.ask(&request).expect("a challenge");
        let auth = challenged.auth(Name::WwwAuthenticate).next().expect("a challenge of NTLM");
        let challenge = SigningChallenge::parse(&auth).expect("a good challenge");
        let opaque = challenge.opaque.as_deref().expect("an opaque").to_owned();
        Offer { challenge, opaque }
    }

    /// Alice's session, signed in with her password.
    pub(crate) fn sign_in(&mut self, names: &str, password: &str) -> Association {
        let offer = self.open(names);
        let (token, association) = offer.answered("alice", password);
        let request = self.register(&offer.credentials(names, &token));
        let answer = self.ask(&request).expect("an answer");
        assert_eq!(answer.status(), Some(200), "{}", self.heard);
        association
    }

    /// A session of Digest: the second of the challenges a device of the RFCs is given (SHA-256).
    pub(crate) fn digest(&mut self, password: &str) -> DigestSession {
        let request = self.plain_register("");
        let challenged = self.ask(&request).expect("a challenge");
        let auth = challenged.auth(Name::WwwAuthenticate).nth(1).expect("two challenges of Digest");
        let challenge = DigestChallenge::parse(&auth).expect("a good challenge");
        DigestSession::new(challenge, "alice", &Password::new(password))
    }
}

impl Offer {
    /// The token that proves `user`, and the association it would establish.
    pub(crate) fn answered(&self, user: &str, password: &str) -> (Vec<u8>, Association) {
        let who = NtlmIdentity {
            user,
            domain: "NETWORK",
            workstation: "STRANGER",
            password: &Password::new(password),
        };
        let rng = ClientRandom { client_challenge: [3; 8], exported_session_key: [5; 16] };
        let challenge = self.challenge.token.as_deref().expect("a token");
        let since_1601 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let wall = since_1601.expect("the clock is later than 1970");
        let now = Now::new(Duration::ZERO, wall);
        let (token, keys) =
            authenticate(challenge, &who, &Binding::plain(), &rng, now.wall.filetime()).expect("a token");
        let name = self.challenge.name.clone();
        (token, Association::new(name, &self.opaque, Style::Registrar, keys.into(), now))
    }

    /// Credentials with this token.
    pub(crate) fn credentials(&self, names: &str, token: &[u8]) -> String {
        self.with_data(names, &STANDARD.encode(token))
    }

    /// Credentials with this in place of a token.
    pub(crate) fn with_data(&self, names: &str, data: &str) -> String {
        format!("NTLM {names}, opaque=\"{}\", gssapi-data=\"{data}\", version=3", self.opaque)
    }
}
