//! SIPp and the SDK call each other directly, by UDP and TCP: every feature of a call that SIPp can play.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use homing::account::{AccountConfig, Aor, ServerChoice};
use homing::call::{
    Call, CallEnd, CallRules, Description, DescriptionQuestion, DescriptionRefusal, EndReason, EndedBy,
    FirstOffer, IncomingCall, IncomingCalls,
};
use homing::{Account, Error, Password, StaticCredentials, Transport, UserAgent};
use tokio::time::{sleep, timeout};

use crate::peer::{beside, find, folder, free_ports, runtime};

const PURPOSE: &str = "SIPp and the SDK's calls without a server";

#[test]
fn sipp_calls_the_sdk_directly() {
    let Some(sipp) = find("sipp", PURPOSE) else { return };
    for scenario in
        ["calls", "calls_100rel", "calls_without_offer", "calls_and_updates", "calls_with_timer", "gives_up"]
    {
        for transport in [Transport::Udp, Transport::Tcp] {
            runtime().block_on(sipp_calls(&sipp, scenario, transport));
        }
    }
}

async fn sipp_calls(sipp: &Path, scenario: &str, transport: Transport) {
    let (ua, account) = phone();
    let mut calls = account.incoming();
    let here = account.listen_address().await.unwrap();
    let [port] = free_ports();
    let mut peer = command(sipp, scenario, transport, port);
    let peer = peer.arg(here.to_string()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let end = within(take(&mut calls, scenario == "gives_up")).await;
    let said = ended(peer).await;
    assert!(said.status.success(), "{scenario} {transport}: {}\n{}", text(&said), messages(&ua));
    let Some(Ok(end)) = end else { panic!("{scenario} {transport}: {end:?}\n{}", messages(&ua)) };
    let why = if scenario == "gives_up" { EndReason::Cancelled } else { EndReason::HungUp };
    assert_eq!((end.by, end.why), (EndedBy::Peer, why), "{scenario} {transport}");
}

/// Takes one call as a telephone does, and tells how it ended.
pub(crate) async fn take(calls: &mut IncomingCalls, rings_on: bool) -> Result<CallEnd, Error> {
    let incoming: IncomingCall = calls.next().await.unwrap();
    incoming.ring().await?;
    if rings_on {
        return Ok(incoming.ended().await);
    }
    sleep(Duration::from_millis(100)).await;
    Ok(incoming.answer().await?.ended().await)
}

#[test]
fn the_sdk_calls_sipp_directly() {
    let Some(sipp) = find("sipp", PURPOSE) else { return };
    for scenario in [
        "answers",
        "answers_100rel",
        "answers_and_updates",
        "answers_an_empty_invite",
        "wants_longer",
        "rings",
        "answers_too_late",
    ] {
        for transport in [Transport::Udp, Transport::Tcp] {
            runtime().block_on(calls_sipp(&sipp, scenario, transport));
        }
    }
}

async fn calls_sipp(sipp: &Path, scenario: &str, transport: Transport) {
    let (ua, account) = phone();
    let [port] = free_ports();
    let mut peer = command(sipp, scenario, transport, port);
    let peer = peer.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    listens(port, transport).await;
    let to = format!("sip:bob@127.0.0.1:{port};transport={}", transport.uri_token());
    let offers = if scenario == "answers_an_empty_invite" { FirstOffer::Called } else { FirstOffer::Caller };
    let call = account.call(to).first_offer(offers).place().await.unwrap();
    let end = within(talk(&call, scenario)).await;
    let said = ended(peer).await;
    assert!(said.status.success(), "{scenario} {transport}: {end:?}: {}\n{}", text(&said), messages(&ua));
    assert_eq!(end.map(|end| end.by), Some(EndedBy::Us), "{scenario} {transport}");
}

/// Gives up while it rings, or talks for a while.
async fn talk(call: &Call, scenario: &str) -> CallEnd {
    if ["rings", "answers_too_late"].contains(&scenario) {
        let mut events = call.events();
        while call.state() != homing::call::CallState::Ringing {
            events.next().await.unwrap().unwrap();
        }
    } else {
        call.answered().await.unwrap();
        sleep(Duration::from_millis(300)).await;
    }
    call.hang_up().await.unwrap()
}

/// An account without registrar that listens at a port of its own.
fn phone() -> (UserAgent, Account) {
    let ua = UserAgent::builder().session_describer(agrees).build().unwrap();
    let mut config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101");
    config.server = ServerChoice::NoRegistrar;
    config.transports = vec![Transport::Udp, Transport::Tcp];
    let mut rules = CallRules::default();
    rules.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    config.calls = Some(Box::new(rules));
    let account = ua.account(config, StaticCredentials::new("alice", "", Password::new("none"))).unwrap();
    (ua, account)
}

pub(crate) fn agrees(_: &DescriptionQuestion) -> Result<Description, DescriptionRefusal> {
    let session = "v=0\r\no=- 7 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                   m=audio 40000 RTP/AVP 0\r\n";
    Ok(Description::sdp(session))
}

fn command(sipp: &Path, scenario: &str, transport: Transport, port: u16) -> Command {
    let file: PathBuf = beside(&format!("sipp/direct/{scenario}.xml"));
    let flag = if transport == Transport::Udp { "u1" } else { "t1" };
    let mut command = Command::new(sipp);
    command
        .current_dir(folder(&format!("sipp-{scenario}")))
        .args(["-sf".as_ref(), file.as_os_str()])
        .args(["-t", flag, "-m", "1", "-timeout", "20s", "-deadcall_wait", "0", "-nostdin"])
        .args(["-trace_err", "-i", "127.0.0.1", "-p", &port.to_string()]);
    command
}

/// Waits until SIPp has its port.
async fn listens(port: u16, transport: Transport) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    for _ in 0..500 {
        let is_taken = match transport {
            Transport::Udp => std::net::UdpSocket::bind(address).is_err(),
            _ => std::net::TcpListener::bind(address).is_err(),
        };
        if is_taken {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("SIPp does not listen");
}

pub(crate) async fn within<T>(happening: impl Future<Output = T>) -> Option<T> {
    timeout(Duration::from_secs(20), happening).await.ok()
}

pub(crate) async fn ended(peer: Child) -> Output {
    tokio::task::spawn_blocking(move || peer.wait_with_output().unwrap()).await.unwrap()
}

pub(crate) fn text(said: &Output) -> String {
    String::from_utf8_lossy(&said.stderr).into_owned()
}

/// The conversation as the SDK saw it.
pub(crate) fn messages(ua: &UserAgent) -> String {
    ua.trace().entries(0).iter().map(|entry| entry.text().to_string() + "\n").collect()
}
