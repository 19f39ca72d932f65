//! Calls through two home servers by Digest: SIPp and SIPp, SIPp and the SDK; answered and hung up, given up.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use homing::call::EndedBy;
use homing::{Account, AccountConfig, Aor, Password, Resolver, Roots, StaticCredentials, UserAgent};
use homing_core::transport::Transport;
use homing_server_mock::estate::{Estate, EstateBuilder, Schemes, User};

use crate::direct::{agrees, ended, messages, take, text, within};
use crate::peer::{beside, eventually, find, folder, free_ports, runtime};
use crate::site::{PASSWORD, alice, ladder};

#[test]
fn sipp_calls_sipp_through_two_home_servers() {
    let Some(sipp) = find("sipp", "SIPp's calls through our home servers") else { return };
    for transport in [Transport::Udp, Transport::Tcp] {
        let runtime = runtime();
        let estate = EstateBuilder::new()
            .domain("network.com")
            .home("hs102")
            .home("hs104")
            .user(alice())
            .user(User::new("bob", PASSWORD).assigned("hs102"))
            .schemes(Schemes::Md5)
            .transports([Transport::Udp, Transport::Tcp, Transport::Tls])
            .seed(4);
        let estate = runtime.block_on(estate.start()).expect("the estate starts");
        for (caller, called) in [("caller.xml", "answers.xml"), ("gives_up.xml", "rings.xml")] {
            call(&sipp, &estate, transport, (caller, called));
        }
    }
}

/// Alice's phone is the SDK's, Bob's is SIPp; each calls the other. Every INVITE and BYE is challenged.
#[test]
fn sipp_and_the_sdk_call_each_other_through_two_home_servers() {
    let Some(sipp) = find("sipp", "SIPp and the SDK through our home servers") else { return };
    let runtime = runtime();
    let builder = EstateBuilder::new().domain("network.com").home("hs102").home("hs104").user(alice());
    let builder = builder.user(User::new("bob", PASSWORD).assigned("hs102")).schemes(Schemes::Md5).seed(4);
    let transports = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let estate = runtime.block_on(builder.transports(transports).start()).expect("the estate starts");
    runtime.block_on(async {
        let (ua, account) = alice_signed_in(&estate).await;
        let mut calls = account.incoming();
        let home = estate.node("hs102").address(Transport::Udp).to_string();
        let [port] = free_ports::<1>().map(|port| port.to_string());
        let mut sign_in = scenario(&sipp, "sign_in.xml", ("bob", "u1", &port));
        let said = sign_in.args(["-m", "1"]).arg(&home).output().unwrap();
        assert!(said.status.success(), "{}\n{}", text(&said), ladder(&estate));
        let mut answers = scenario(&sipp, "answers.xml", ("bob", "u1", &port));
        let peer = answers.args(["-m", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(eventually(Duration::from_secs(5), || is_taken(&port)), "SIPp does not listen");
        let call = account.call("sip:bob@network.com").place().await.unwrap();
        let answered = within(call.answered()).await;
        assert!(matches!(answered, Some(Ok(_))), "{answered:?}\n{}", ladder(&estate));
        within(call.hang_up()).await.unwrap().unwrap();
        let said = ended(peer).await;
        assert!(said.status.success(), "{}\n{}", text(&said), ladder(&estate));

        // From the port of his registration, as a telephone does.
        let mut caller = scenario(&sipp, "caller.xml", ("bob", "u1", &port));
        let peer = caller.args(["-m", "1"]).arg(&home).stdout(Stdio::piped()).stderr(Stdio::piped());
        let peer = peer.spawn().unwrap();
        let end = within(take(&mut calls, false)).await;
        let said = ended(peer).await;
        assert!(said.status.success(), "{}\n{}", text(&said), ladder(&estate));
        let Some(Ok(end)) = end else { panic!("{end:?}\n{}\n{}", ladder(&estate), messages(&ua)) };
        assert_eq!(end.by, EndedBy::Peer);
    });
}

/// Alice's account of the SDK, signed in over TLS by MD5, which is all that SIPp knows.
async fn alice_signed_in(estate: &Estate) -> (UserAgent, Account) {
    let ua = UserAgent::builder()
        .resolver(Resolver::name_server(estate.dns_address()))
        .roots(Roots::pem(estate.ca_pem()).unwrap())
        .session_describer(agrees)
        .build()
        .unwrap();
    let mut config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "01010101");
    config.auth.allow_md5 = true;
    config.calls = Some(Box::default());
    let password = StaticCredentials::new("alice", "", Password::new(PASSWORD));
    let account = ua.account(config, password).unwrap();
    let registered = account.register().await;
    assert!(registered.is_ok(), "{registered:?}\n{}", ladder(estate));
    (ua, account)
}

/// Alice listens, and Bob calls her three times.
fn call(sipp: &Path, estate: &Estate, transport: Transport, (caller, called): (&str, &str)) {
    let home = estate.node("hs104").address(Transport::Udp).to_string();
    let [port] = free_ports::<1>().map(|port| port.to_string());
    let flag = "u1";
    let mut sign_in = scenario(sipp, "sign_in.xml", ("alice", flag, &port));
    let said = sign_in.args(["-m", "1"]).arg(&home).output().unwrap();
    assert!(said.status.success(), "{}\n{}", String::from_utf8_lossy(&said.stdout), ladder(estate));
    let mut listening = scenario(sipp, called, ("alice", flag, &port));
    let listens = Ended(listening.args(["-m", "3"]).stdout(Stdio::null()).spawn().unwrap());
    assert!(eventually(Duration::from_secs(5), || is_taken(&port)), "SIPp does not listen");
    let [from] = free_ports::<1>().map(|port| port.to_string());
    let server = estate.node("hs102").address(transport).to_string();
    let flag = if transport == Transport::Udp { "u1" } else { "t1" };
    let mut calls = scenario(sipp, caller, ("bob", flag, &from));
    let said = calls.args(["-m", "3", "-r", "5", "-l", "1"]).arg(server).output().unwrap();
    let words = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{transport} {caller}: {words}\n{}", ladder(estate));
    drop(listens);
}

/// A scenario of ours, for one user from one port.
fn scenario(sipp: &Path, file: &str, (user, flag, port): (&str, &str, &str)) -> Command {
    let mut command = Command::new(sipp);
    command
        .current_dir(folder("sipp"))
        .args(["-sf".as_ref(), beside(&format!("sipp/{file}")).as_os_str()])
        .args([
            "-t",
            flag,
            "-auth_uri",
            "network.com",
            "-key",
            "domain",
            "network.com",
            "-key",
            "callee",
            "alice",
        ])
        .args([
            "-s",
            user,
            "-au",
            user,
            "-ap",
            PASSWORD,
            "-timeout",
            "40s",
            "-deadcall_wait",
            "0",
            "-nostdin",
        ])
        .args(["-i", "127.0.0.1", "-p", port]);
    command
}

fn is_taken(port: &str) -> bool {
    std::net::UdpSocket::bind(format!("127.0.0.1:{port}")).is_err()
}

/// A program that is ended with its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
