//! What strangers do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use homing_core::auth::digest::{DigestChallenge, DigestSession};
use homing_core::secret::Password;
use homing_wire::{Message, Name};

use super::user::{URI, register};
use crate::Fallible;

/// Floods the server's UDP and TCP addresses until it is over, and says how often.
pub(crate) type Attack = fn(SocketAddr, SocketAddr, &AtomicBool) -> Fallible<u64>;

/// Every flood by its name.
pub(crate) const ALL: [(&str, Attack); 5] = [
    ("empty datagrams", empty_datagrams),
    ("half-open NTLM", half_open),
    ("guesses", guesses),
    ("unfinished messages", unfinished),
    ("unknown users", unknown_users),
];

/// Each from another port, and from another address when the ports are used up.
fn empty_datagrams(udp: SocketAddr, _: SocketAddr, over: &AtomicBool) -> Fallible<u64> {
    let mut sent = 0;
    let addresses = (2..=254).cycle().map(|last| Ipv4Addr::new(127, 0, 1, last));
    for address in addresses {
        for port in 20_000..=32_000_u16 {
            if over.load(Ordering::Relaxed) {
                return Ok(sent);
            }
            // A port that something else uses is none of ours.
            if let Ok(socket) = UdpSocket::bind((address, port))
                && socket.send_to(b"", udp).is_ok()
            {
                sent += 1;
            }
        }
    }
    Ok(sent)
}

/// Handshakes that are begun and never ended, over one connection after another.
fn half_open(_: SocketAddr, tcp: SocketAddr, over: &AtomicBool) -> Fallible<u64> {
    let opening = "NTLM qop=\"auth\", realm=\"SIP Communications Service\", targetname=\"hs1.network.com\", \
                   gssapi-data=\"\", version=4";
    over_connections(tcp, over, |_, call| register("user1", "TCP", call, Some(opening)))
}

/// Wrong passwords of a known user, each to a nonce that was given to the guesser.
fn guesses(_: SocketAddr, tcp: SocketAddr, over: &AtomicBool) -> Fallible<u64> {
    over_connections(tcp, over, |challenge, call| {
        let answer = challenge.map(|challenge| {
            let mut session = DigestSession::new(challenge, "user1", &Password::new("a guess"));
            session.authorization("REGISTER", URI, b"", "0a4f113b").to_string()
        });
        register("user1", "TCP", call, answer.as_deref())
    })
}

/// Users that are not there.
fn unknown_users(_: SocketAddr, tcp: SocketAddr, over: &AtomicBool) -> Fallible<u64> {
    let mut number = 0_u64;
    over_connections(tcp, over, |challenge, call| {
        number += 1;
        let user = format!("nobody{number}");
        let answer = challenge.map(|challenge| {
            let mut session = DigestSession::new(challenge, &user, &Password::new("a guess"));
            session.authorization("REGISTER", URI, b"", "0a4f113b").to_string()
        });
        register(&user, "TCP", call, answer.as_deref())
    })
}

/// Sixteen requests at once and their answers, again and again, over a new connection whenever the server had enough.
fn over_connections(
    tcp: SocketAddr,
    over: &AtomicBool,
    mut request: impl FnMut(Option<DigestChallenge>, &str) -> String,
) -> Fallible<u64> {
    let mut sent = 0;
    while !over.load(Ordering::Relaxed) {
        let Ok(mut stream) = connect(tcp) else { continue };
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut challenge: Option<DigestChallenge> = None;
        while !over.load(Ordering::Relaxed) {
            let mut requests = String::new();
            for _ in 0..WINDOW {
                sent += 1;
                requests += &request(challenge.clone(), &format!("stranger-{sent}"));
            }
            if stream.write_all(requests.as_bytes()).is_err() {
                break;
            }
            let Some(answers) = read(&mut stream, WINDOW) else { break };
            let is_md5 = |one: &DigestChallenge| one.algorithm().name() == "MD5";
            for answer in answers {
                let offered = answer.auth(Name::WwwAuthenticate);
                let offered = offered.filter_map(|one| DigestChallenge::parse(&one).ok());
                challenge = offered.into_iter().find(is_md5).or(challenge);
            }
        }
    }
    Ok(sent)
}

/// A connection from the strangers' address.
fn connect(tcp: SocketAddr) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind((STRANGERS, 0).into())?;
        socket.connect(tcp).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}

/// As many answers; none once the connection is gone or nothing more comes.
fn read(stream: &mut TcpStream, count: usize) -> Option<Vec<Message>> {
    let (mut held, mut answers) = (Vec::new(), Vec::new());
    let mut octets = [0; 16_384];
    while answers.len() < count {
        let read = stream.read(&mut octets).ok().filter(|read| *read > 0)?;
        held.extend_from_slice(&octets[..read]);
        while let Some(end) = held.windows(4).position(|four| four == b"\r\n\r\n") {
            let message: Vec<u8> = held.drain(..end + 4).collect();
            answers.push(Message::parse(message).ok()?);
        }
    }
    Some(answers)
}

/// Requests of 56 KiB that never end, on as many connections as this process may have open.
fn unfinished(_: SocketAddr, tcp: SocketAddr, over: &AtomicBool) -> Fallible<u64> {
    let head = register("user1", "TCP", "unfinished", None);
    let head =
        format!("{}X-Filler: {}", head.trim_end_matches("Content-Length: 0\r\n\r\n"), "x".repeat(56 * 1_024));
    let mut held = std::collections::VecDeque::new();
    let mut sent = 0;
    while !over.load(Ordering::Relaxed) {
        if held.len() >= OPEN {
            held.pop_front();
        }
        let Ok(mut stream) = connect(tcp) else { continue };
        stream.set_nonblocking(true)?;
        // What does not fit into the socket's buffer stays unsent: it is unfinished anyway.
        if stream.write(head.as_bytes()).is_ok() {
            sent += 1;
        }
        held.push_back(stream);
    }
    Ok(sent)
}

/// Where they connect from; users do so from 127.0.0.1.
const STRANGERS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const WINDOW: usize = 16;
/// Below the number of files a process may have open by default, here and at the server.
const OPEN: usize = 900;
