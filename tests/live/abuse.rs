//! Bad input at a running estate: nothing is lost, nothing hangs, everything is counted, and the next phone
//! signs in.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use homing::{AccountState, Transport};
use homing_core::counter::Counter;
use homing_net::NetConfig;
use homing_server_mock::estate::{EstateBuilder, User};
use homing_server_mock::node::config::NodeConfig;

use crate::client::{alice, eventually, register, run, user_agent};
use crate::stranger::Stranger;
use homing_tests::test_bed::CANARY;

/// What a stranger sends before it closes, and the name it is counted by on a stream.
struct Abuse {
    name: &'static str,
    bytes: Vec<u8>,
    counted: Counted,
}

/// Where it is counted: by the sockets, or by the server behind them. Together with what it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    /// Nothing is wrong with it.
    Nowhere,
    /// A message without its end.
    Half,
    /// A stream that cannot be cut into messages.
    Unframed,
}

fn abuses() -> Vec<Abuse> {
    use Counted::{Half, Nowhere, Unframed};
    let head = "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKa\r\n\
                From: <sip:alice@network.com>;tag=1;epid=01\r\nTo: <sip:alice@network.com>\r\n\
                Call-ID: abuse\r\nCSeq: 1 REGISTER\r\nContact: <sip:alice@127.0.0.1:9>\r\n";
    let with = |rest: &str| format!("{head}{rest}\r\n\r\n").into_bytes();
    let abuse = |name, counted, bytes| Abuse { name, bytes, counted };
    vec![
        abuse("nothing", Nowhere, Vec::new()),
        abuse("twenty thousand pings", Nowhere, b"\r\n".repeat(20_000)),
        abuse("64 KiB of one letter", Unframed, vec![b'A'; 64 << 10]),
        abuse("64 KiB of zeros", Unframed, vec![0; 64 << 10]),
        abuse(
            "the first half of a start line",
            Half,
            b"REGISTER sip:network.com SIP/2.0\r\nVia: SI".to_vec(),
        ),
        abuse("a head without its end", Half, head.as_bytes().to_vec()),
        abuse("a body without its end", Half, with("Content-Length: 100\r\n\r\nhello")),
        abuse("a body of a hundred megabytes", Unframed, with("Content-Length: 99999999")),
        abuse("a body of less than nothing", Unframed, with("Content-Length: -1")),
        abuse("two lengths", Unframed, with("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")),
        abuse("a line of 300 KiB", Unframed, with(&format!("X: {}", "y".repeat(300_000)))),
        abuse("two thousand headers", Unframed, with(&"X: y\r\n".repeat(2_000))),
        abuse("a token of 64 KiB", Unframed, {
            with(&format!("Authorization: NTLM gssapi-data=\"{}\"", "A".repeat(64 << 10)))
        }),
    ]
}

fn estate_with_clear_roads(seed: u64) -> EstateBuilder {
    EstateBuilder::new()
        .domain("network.com")
        .home("hs104")
        .user(User::new("alice", CANARY).assigned("hs104"))
        .transports([Transport::Tls, Transport::Tcp, Transport::Udp])
        .seed(seed)
}

/// Sends it, hangs up, and gives what came back.
fn send_and_leave(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The estate may close before all of it is written; that is its right.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.take(1 << 20).read_to_end(&mut answer);
    answer
}

#[test]
fn strangers_on_the_tcp_port_disturb_nobody_and_are_counted() {
    run(async {
        let estate = estate_with_clear_roads(41).start().await.unwrap();
        let ua = user_agent(&estate);
        let account = alice(&ua);
        register(&estate, &account).await.unwrap();
        let node = estate.node("hs104");
        for Abuse { name, bytes, counted } in abuses() {
            let before = node.net_counters();
            let answer = send_and_leave(node.address(Transport::Tcp), &bytes);
            assert!(answer.len() < 10_000, "{name}: an answer of {} octets to a stranger", answer.len());
            let grown = || {
                let after = node.net_counters();
                [after.half_messages - before.half_messages, after.malformed - before.malformed]
            };
            let expected = match counted {
                Counted::Nowhere => [0, 0],
                Counted::Half => [1, 0],
                Counted::Unframed => [0, 1],
            };
            assert!(eventually(WAIT, || grown() == expected).await, "{name}: {:?}", grown());
            assert_eq!(account.state(), AccountState::Registered, "{name}");
        }
        let unframed = abuses().iter().filter(|abuse| abuse.counted == Counted::Unframed).count();
        assert_eq!(node.counters().of(Counter::Malformed), unframed as u64);
        assert_eq!(estate.bindings("alice").len(), 1);
        account.refresh().await.unwrap();
    });
}

#[test]
fn strangers_on_the_tls_port_fail_the_handshake_and_disturb_nobody() {
    run(async {
        let estate = estate_with_clear_roads(46).start().await.unwrap();
        let node = estate.node("hs104");
        let all = abuses();
        for abuse in &all {
            let answer = send_and_leave(node.address(Transport::Tls), &abuse.bytes);
            assert!(answer.len() < 100, "{}: a TLS alert at most", abuse.name);
        }
        let failed = || node.net_counters().handshake_failed;
        assert!(eventually(WAIT, || failed() == all.len() as u64).await, "{} of {}", failed(), all.len());
        assert!(node.journal().iter().all(|entry| !entry.is_received()), "not one octet of it is SIP");
        let ua = user_agent(&estate);
        register(&estate, &alice(&ua)).await.unwrap();
    });
}

/// One octet at a time, for ever: the message has its time, and then the connection is cut.
#[test]
fn a_message_that_never_ends_is_cut_off_in_time() {
    run(async {
        let patience = Duration::from_millis(300);
        let sockets = NetConfig { whole_message: patience, ..NetConfig::default() };
        let estate = estate_with_clear_roads(47).sockets(sockets).start().await.unwrap();
        let node = estate.node("hs104");
        let mut stream = TcpStream::connect(node.address(Transport::Tcp)).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let begun = Instant::now();
        let mut head = b"REGISTER sip:network.com SIP/2.0\r\nX: ".iter().chain(std::iter::repeat(&b'y'));
        let cut = eventually(WAIT, || {
            let octet = *head.next().unwrap();
            stream.write_all(&[octet]).is_err() || matches!(stream.read(&mut [0]), Ok(0))
        });
        assert!(cut.await, "still open after {:?}", begun.elapsed());
        assert!(begun.elapsed() >= patience, "{:?}", begun.elapsed());
        assert_eq!(node.net_counters().half_messages, 1);
        let ua = user_agent(&estate);
        register(&estate, &alice(&ua)).await.unwrap();
    });
}

/// A client that connects and proves nothing has to make room, even if it pings; a signed-in one stays.
#[test]
fn a_connection_on_which_nobody_authenticates_is_closed_in_time() {
    run(async {
        let short = |config: &mut NodeConfig| {
            config.authentication.limits.unauthenticated = Duration::from_millis(300)
        };
        let estate = estate_with_clear_roads(48).configure(short).start().await.unwrap();
        let node = estate.node("hs104");
        let ua = user_agent(&estate);
        let account = alice(&ua);
        register(&estate, &account).await.unwrap();
        let mut strangers: Vec<Stranger> =
            (0..3).map(|_| Stranger::connect(node.address(Transport::Tcp))).collect();
        strangers[1].say(b"\r\n\r\n");
        let request = strangers[2].register("");
        assert_eq!(strangers[2].ask(&request).and_then(|answer| answer.status()), Some(401));
        for stranger in &mut strangers {
            assert!(stranger.is_closed(WAIT));
        }
        assert_eq!(node.counters().of(Counter::FlowTimedOut), 3);
        let why = node.journal().into_iter().filter_map(|entry| entry.decision().cloned());
        assert_eq!(why.filter(|said| said.reason.contains("no client authenticated")).count(), 3);
        assert_eq!((account.state(), estate.bindings("alice").len()), (AccountState::Registered, 1));
    });
}

#[test]
fn strangers_on_the_udp_port_disturb_nobody_and_gain_nothing() {
    run(async {
        let estate = estate_with_clear_roads(42).start().await.unwrap();
        let node = estate.node("hs104");
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        for Abuse { name, bytes, .. } in abuses().into_iter().filter(|abuse| abuse.bytes.len() < 60_000) {
            socket.send_to(&bytes, node.address(Transport::Udp)).unwrap();
            let mut answer = vec![0; 65_536];
            let length = socket.recv(&mut answer).unwrap_or(0);
            // A forged source must not be flooded: an answer is hardly longer than what provoked it.
            let allowed = bytes.len() * 2 + 400;
            assert!(length <= allowed, "{name}: {length} octets for {}", bytes.len());
        }
        let ua = user_agent(&estate);
        register(&estate, &alice(&ua)).await.unwrap();
    });
}

const WAIT: Duration = Duration::from_secs(10);
