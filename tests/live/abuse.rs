//! Bad input at a running estate: nothing is lost, nothing hangs, and the next phone signs in.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::time::Duration;

use homing::Transport;
use homing_server_mock::estate::{Estate, User};

use crate::place::{CANARY, alice, register, run, user_agent};

/// What strangers send: nothing, halves, lies about lengths, headers without end, tokens that point nowhere.
fn abuses() -> Vec<Vec<u8>> {
    let head = "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKa\r\n\
                From: <sip:alice@network.com>;tag=1;epid=01\r\nTo: <sip:alice@network.com>\r\n\
                Call-ID: abuse\r\nCSeq: 1 REGISTER\r\nContact: <sip:alice@127.0.0.1:9>\r\n";
    let auth =
        |value: &str| format!("{head}Authorization: {value}\r\nContent-Length: 0\r\n\r\n").into_bytes();
    let token =
        |tail: &str| auth(&format!("NTLM realm=\"SIP Communications Service\", gssapi-data=\"{tail}\""));
    vec![
        Vec::new(),
        vec![b'A'; 64 << 10],
        vec![0; 64 << 10],
        b"\r\n".repeat(20_000),
        b"REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/T".to_vec(),
        format!("{head}Content-Length: 99999999\r\n\r\n").into_bytes(),
        format!("{head}Content-Length: -1\r\n\r\n").into_bytes(),
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello").into_bytes(),
        format!("{head}X: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(300_000)).into_bytes(),
        format!("{head}{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(2_000)).into_bytes(),
        auth("NTLM"),
        auth("NTLM realm="),
        auth("NTLM realm=\"unclosed, targetname=\"x\", gssapi-data=\"\""),
        auth("NTLM opaque=\"FFFFFFFF\", crand=\"1\", cnum=\"4294967296\", response=\"00\""),
        auth("Digest username=\"alice\", nc=99999999, response=\"zz\""),
        auth(&"NTLM,".repeat(3_000)),
        token("TlRMTVNTUAADAAAA"),
        token("TlRMTVNTUAADAAAA/////////////////////////////////////////////w=="),
        token(&"A".repeat(12_000)),
    ]
}

fn estate_with_clear_roads(seed: u64) -> homing_server_mock::estate::EstateBuilder {
    Estate::builder()
        .domain("network.com")
        .home("hs104")
        .user(User::new("alice", CANARY).assigned("hs104"))
        .transports([Transport::Tls, Transport::Tcp, Transport::Udp])
        .seed(seed)
}

#[test]
fn strangers_on_tcp_and_tls_ports_disturb_nobody() {
    run(async {
        let estate = estate_with_clear_roads(41).start().await.unwrap();
        for transport in [Transport::Tcp, Transport::Tls] {
            let address = estate.node("hs104").address(transport);
            for abuse in abuses() {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                // The estate may close before all of it is written; that is its right.
                let _ = stream.write_all(&abuse);
                let _ = stream.shutdown(Shutdown::Write);
                let mut answer = Vec::new();
                let _ = stream.take(1 << 20).read_to_end(&mut answer);
                assert!(answer.len() < 100_000, "an answer of {} octets to a stranger", answer.len());
            }
        }
        let ua = user_agent(&estate);
        let registration = register(&estate, &alice(&ua)).await.unwrap();
        assert_eq!(registration.home().host, "hs104.network.com");
    });
}

#[test]
fn strangers_on_the_udp_port_disturb_nobody_and_gain_nothing() {
    run(async {
        let estate = estate_with_clear_roads(42).start().await.unwrap();
        let address = estate.node("hs104").address(Transport::Udp);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        for abuse in abuses().into_iter().filter(|abuse| abuse.len() < 60_000) {
            socket.send_to(&abuse, address).unwrap();
            let mut answer = vec![0; 65_536];
            let length = socket.recv(&mut answer).unwrap_or(0);
            // A forged source must not be flooded: an answer is hardly longer than what provoked it.
            let allowed = abuse.len() * 2 + 400;
            assert!(length <= allowed, "{length} octets for {}", abuse.len());
        }
        let ua = user_agent(&estate);
        register(&estate, &alice(&ua)).await.unwrap();
    });
}
