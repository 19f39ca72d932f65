//! Peers that take too much: of memory, of descriptors, of time.

use std::time::Duration;

use bytes::Bytes;
use homing_net::{ConnectError, FlowEvent, Listener, Transport};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::authority::Authority;
use crate::pair::{End, request};

#[tokio::test]
async fn a_flooding_peer_is_slowed_and_memory_stays() {
    let mut far = End::with(|config| {
        config.unread_bytes = 64 * 1024;
        config.events = 16;
    });
    let listener = far.listen(Transport::Tcp, None);
    let mut stream = TcpStream::connect(listener.local_addr()).await.unwrap();
    let message = request(1_000);
    let flood = message.repeat(16);
    let mut written = 0usize;
    // No events are taken: the peer must come to a stand once its socket and ours are full.
    while let Ok(result) = timeout(Duration::from_millis(200), stream.write_all(&flood)).await {
        result.unwrap();
        written += flood.len();
        assert!(written < 64 << 20, "nothing slows the peer down");
    }
    far.accepted().await;
    for _ in 0..100 {
        assert_eq!(far.message().await, message);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off_and_told() {
    let mut far = End::with(|config| config.unwritten_bytes = 256 * 1024);
    let listener = far.listen(Transport::Tcp, None);
    let _deaf = TcpStream::connect(listener.local_addr()).await.unwrap();
    let flow = far.accepted().await;
    let chunk = Bytes::from(request(60 * 1024));
    for _ in 0..10_000 {
        far.0.send(flow, chunk.clone());
        if far.0.flows() == 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    let event = far.event().await;
    assert!(matches!(event, FlowEvent::Closed { why: ConnectError::Timeout, .. }), "{event:?}");
    assert_eq!(far.0.counters().slow_peers, 1);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_as_it_comes() {
    let mut far = End::with(|config| config.connections = 2);
    let listener = far.listen(Transport::Tcp, None);
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(TcpStream::connect(listener.local_addr()).await.unwrap());
        far.accepted().await;
    }
    let mut third = TcpStream::connect(listener.local_addr()).await.unwrap();
    assert_eq!(tokio::io::AsyncReadExt::read(&mut third, &mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!(far.0.counters().accept_refused, 1);
    drop(streams.pop());
    assert!(matches!(far.event().await, FlowEvent::Closed { .. }));
    // Its place is free again, at the latest when its task has ended.
    loop {
        let _again = TcpStream::connect(listener.local_addr()).await.unwrap();
        let told = timeout(Duration::from_millis(50), far.0.next()).await;
        if let Ok(FlowEvent::Accepted { .. }) = told {
            break;
        }
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_holds_no_place() {
    let authority = Authority::new();
    let mut far = End::with(|config| config.handshake = Duration::from_millis(50));
    let listener = far.listen(Transport::Tls, Some(authority.named("hs1.network.com")));
    let mut silent = TcpStream::connect(listener.local_addr()).await.unwrap();
    assert_eq!(tokio::io::AsyncReadExt::read(&mut silent, &mut [0; 1]).await.unwrap_or(0), 0);
    assert_eq!((far.0.counters().handshake_failed, far.0.flows()), (1, 0));
}

#[tokio::test]
async fn a_peer_that_asks_faster_than_it_hears_is_slowed_not_cut() {
    let mut far = End::new();
    let mut near = End::with(|config| config.unwritten_bytes = 64 << 20);
    let listener = far.listen(Transport::Tcp, None);
    near.dial(1, listener.local_addr(), Transport::Tcp);
    let here = near.connected().await;
    let there = far.accepted().await;
    let count = 6_000;
    for _ in 0..count {
        near.0.send(here, request(1_000).into());
    }
    // The server answers at once with more than it was asked; the client hears only later.
    let server = tokio::spawn(async move {
        for _ in 0..count {
            far.message().await;
            far.0.send(there, request(2_000).into());
        }
        far
    });
    for _ in 0..count {
        assert_eq!(near.message().await.len(), request(2_000).len());
    }
    let far = server.await.unwrap();
    assert_eq!((far.0.counters().slow_peers, near.0.counters().slow_peers), (0, 0));
}

#[tokio::test]
async fn what_strangers_leave_unfinished_is_bounded_in_all_and_costs_no_known_peer_its_connection() {
    let mut far = End::with(|config| config.unfinished_bytes = 64 * 1024);
    let listener = far.listen(Transport::Tcp, None);
    let half = &request(16 * 1024)[..15 * 1024];
    let mut known = TcpStream::connect(listener.local_addr()).await.unwrap();
    known.write_all(&request(0)).await.unwrap();
    let flow = far.accepted().await;
    far.message().await;
    far.0.hold(flow);
    known.write_all(half).await.unwrap();
    let mut strangers = Vec::new();
    let mut closed = 0;
    for _ in 0..40 {
        let mut stranger = TcpStream::connect(listener.local_addr()).await.unwrap();
        stranger.write_all(half).await.unwrap();
        strangers.push(stranger);
    }
    while closed < 36 {
        match far.event().await {
            FlowEvent::Accepted { .. } => {}
            FlowEvent::Closed { flow: gone, .. } => {
                assert_ne!(gone, flow, "the known peer goes on");
                closed += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(far.0.counters().unfinished_dropped, 36);
    known.write_all(&request(16 * 1024)[15 * 1024..]).await.unwrap();
    assert_eq!(far.message().await, request(16 * 1024));
}

/// Leaves four messages unfinished, with the one before just over the bound, and waits until that one is gone.
async fn overflow(far: &End, listener: &Listener) -> Vec<TcpStream> {
    let mut strangers = Vec::new();
    for _ in 0..4 {
        let mut stranger = TcpStream::connect(listener.local_addr()).await.unwrap();
        stranger.write_all(&request(16 * 1024)[..15 * 1024]).await.unwrap();
        strangers.push(stranger);
    }
    let dropped = async {
        while far.0.counters().unfinished_dropped == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), dropped).await.expect("one that has to go goes, whatever it waits for");
    strangers
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_has_to_go_goes_also_while_its_whole_message_waits_to_be_taken() {
    let mut far = End::with(|config| {
        config.unfinished_bytes = 64 * 1024;
        config.unread_bytes = 16 * 1024;
    });
    let listener = far.listen(Transport::Tcp, None);
    let (message, half) = (request(16 * 1024), 15 * 1024);
    let mut first = TcpStream::connect(listener.local_addr()).await.unwrap();
    first.write_all(&message).await.unwrap();
    first.write_all(&message[..half]).await.unwrap();
    far.accepted().await;
    settle().await;
    // Nobody takes the first message, so that there is no room for the second.
    first.write_all(&message[half..]).await.unwrap();
    settle().await;
    overflow(&far, &listener).await;
}

#[tokio::test]
async fn who_has_to_go_goes_also_while_it_takes_no_answers() {
    let mut far = End::with(|config| {
        config.unfinished_bytes = 64 * 1024;
        config.unwritten_bytes = 64 << 20;
    });
    let listener = far.listen(Transport::Tcp, None);
    let message = request(16 * 1024);
    let mut first = TcpStream::connect(listener.local_addr()).await.unwrap();
    first.write_all(&message[..14 * 1024]).await.unwrap();
    let flow = far.accepted().await;
    let chunk = Bytes::from(request(64 * 1024));
    (0..512).for_each(|_| far.0.send(flow, chunk.clone()));
    settle().await;
    first.write_all(&message[14 * 1024..15 * 1024]).await.unwrap();
    settle().await;
    overflow(&far, &listener).await;
}
