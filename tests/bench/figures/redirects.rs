//! What a redirect costs the server: 301s to pipelined REGISTERs on one TLS connection.
//!
//! TLS, because the estate sends an unsigned redirect over nothing else (decision 6). Unsigned is compared with
//! unsigned; the signed redirect of an association, which no peer has, is a figure of its own (decision 25).

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use homing::Transport;
use homing_core::auth::ntlm::{Binding, ClientRandom, NtlmIdentity, Side, authenticate};
use homing_core::auth::security_association::{Association, SigningChallenge, Style};
use homing_core::secret::Password;
use homing_core::time::Now;
use homing_wire::{Message, Name};

use crate::estate::PASSWORD;
use crate::line::Line;
use crate::{Fallible, Peer};

/// Sends [`REDIRECTS`] REGISTERs of a user who belongs elsewhere and gives the server's CPU per 301.
pub(crate) fn unsigned(peer: &mut dyn Peer) -> Fallible<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut line = runtime.block_on(Line::open(peer, Transport::Tls))?;
    let mut window = |start: usize| -> Fallible<()> {
        let requests = (start..start + WINDOW).map(|number| Bytes::from(request(number))).collect();
        let answers = runtime.block_on(line.exchange(requests))?;
        answers.iter().try_for_each(is_redirect)
    };
    window(0)?;
    let before = peer.usage()?;
    for number in 1..=REDIRECTS / WINDOW {
        window(number * WINDOW)?;
    }
    let after = peer.usage()?;
    Ok(after.cpu_since(&before, REDIRECTS))
}

/// The same with an association: every REGISTER is signed and every 301 too, and each is held against its signature.
pub(crate) fn signed(peer: &mut dyn Peer) -> Fallible<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut line = runtime.block_on(Line::open(peer, Transport::Tls))?;
    let mut association = runtime.block_on(associate(&mut line))?;
    let mut window = |start: usize| -> Fallible<()> {
        let mut requests = Vec::with_capacity(WINDOW);
        for number in start..start + WINDOW {
            let request = Message::parse(request(number))?;
            requests.push(association.sign_request(&request, u32::try_from(number)?)?.into());
        }
        for answer in runtime.block_on(line.exchange(requests))? {
            is_redirect(&answer)?;
            if !association.verify(&answer, Side::Server, false).is_good() {
                return Err("a 301 without a good signature".into());
            }
        }
        Ok(())
    };
    window(WINDOW)?;
    let before = peer.usage()?;
    for number in 2..=SIGNED / WINDOW + 1 {
        window(number * WINDOW)?;
    }
    let after = peer.usage()?;
    println!("TLS: {SIGNED} signed redirects, {WINDOW} in flight on one connection");
    println!("  {:<12} {:>6.1} µs CPU per signed 301", peer.name(), after.cpu_since(&before, SIGNED));
    Ok(())
}

/// The handshake of NTLM: three REGISTERs, the last of which is redirected.
async fn associate(line: &mut Line) -> Fallible<Association> {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let now = Now::new(Duration::ZERO, wall);
    let first = challenge(line, Message::parse(request(0))?).await?;
    let opening =
        Message::parse(request(1))?.with_header(Style::Registrar.credentials(), first.name.opening());
    let second = challenge(line, opening).await?;
    let password = Password::new(PASSWORD);
    let who = NtlmIdentity { user: "user0", domain: "network.com", workstation: "", password: &password };
    let rng = ClientRandom { client_challenge: [0xaa; 8], exported_session_key: [0x55; 16] };
    let token = second.token.as_deref().ok_or("a challenge without a token")?;
    let (token, keys) = authenticate(token, &who, &Binding::plain(), &rng, now.wall.filetime())?;
    let opaque = second.opaque.as_deref().unwrap_or_default();
    let mut association = Association::new(second.name, opaque, Style::Registrar, keys.into(), now);
    let last = association.establish(&Message::parse(request(2))?, &token, 2)?;
    let answers = line.exchange(vec![last.into()]).await?;
    answers.iter().try_for_each(is_redirect)?;
    Ok(association)
}

/// Sends a request and reads the challenge it is answered with.
async fn challenge(line: &mut Line, request: Message) -> Fallible<SigningChallenge> {
    let answers = line.exchange(vec![request.bytes().clone()]).await?;
    let auth = answers.first().and_then(|answer| answer.auth(Name::WwwAuthenticate).next());
    Ok(SigningChallenge::parse(&auth.ok_or("no challenge")?)?)
}

fn is_redirect(answer: &Message) -> Fallible<()> {
    match answer.status() {
        Some(301) => Ok(()),
        status => Err(format!("a redirect was expected, not {status:?}").into()),
    }
}

fn request(number: usize) -> String {
    format!(
        "REGISTER sip:network.com SIP/2.0\r\n\
         Via: SIP/2.0/TLS 127.0.0.1:5999;branch=z9hG4bKf{number}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:user0@network.com>;tag=f{number};epid=01010101\r\n\
         To: <sip:user0@network.com>\r\n\
         Call-ID: figures-{number}\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: <sip:user0@127.0.0.1:5999;transport=tls>\r\n\
         Supported: gruu-10\r\n\
         Event: registration\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

const REDIRECTS: usize = 51_200;
const SIGNED: usize = 25_600;
const WINDOW: usize = 64;
