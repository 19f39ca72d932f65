//! Ends: asked for, suffered, refused; each told once, with its reason, or not at all.

use std::time::Duration;

use homing_net::{ConnectError, FlowEvent, FlowId, Transport};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::pair::{End, request};

async fn pair() -> (End, FlowId, End, FlowId, homing_net::Listener) {
    let (mut near, mut far) = (End::new(), End::new());
    let listener = far.listen(Transport::Tcp, None);
    near.dial(1, listener.local_addr(), Transport::Tcp);
    let (here, there) = (near.connected().await, far.accepted().await);
    (near, here, far, there, listener)
}

#[tokio::test]
async fn what_was_sent_before_a_close_arrives() {
    let (mut near, here, mut far, _, _listener) = pair().await;
    let large = request(100 * 1024);
    near.0.send(here, large.clone().into());
    near.0.close(here);
    assert_eq!(near.0.flows(), 0);
    assert_eq!(far.message().await, large);
    assert!(matches!(far.event().await, FlowEvent::Closed { why: ConnectError::Closed, .. }));
}

#[tokio::test]
async fn what_was_sent_before_the_sockets_are_closed_arrives() {
    let (mut near, here, mut far, _, _listener) = pair().await;
    near.0.send(here, request(3).into());
    let leaving = tokio::spawn(near.0.leave(Duration::from_secs(10)));
    assert_eq!(far.message().await, request(3));
    assert!(matches!(far.event().await, FlowEvent::Closed { .. }));
    leaving.await.unwrap();
}

#[tokio::test]
async fn after_our_own_close_nothing_is_told() {
    let (mut near, here, mut far, there, _listener) = pair().await;
    far.0.send(there, request(0).into());
    // The message is on its way into the queue when the flow is closed.
    while near.0.flows() == 1 {
        tokio::task::yield_now().await;
        near.0.close(here);
    }
    near.dial(2, ([127, 0, 0, 1], 1).into(), Transport::Tcp);
    let event = near.event().await;
    assert_eq!(event.flow(), FlowId(2), "{event:?}");
}

#[tokio::test]
async fn a_cut_is_a_reset_for_the_peer() {
    let mut far = End::new();
    let listener = far.listen(Transport::Tcp, None);
    let mut stream = TcpStream::connect(listener.local_addr()).await.unwrap();
    let flow = far.accepted().await;
    far.0.cut(flow);
    let error = stream.read(&mut [0; 16]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_closed_port_refuses_and_a_silent_one_times_out() {
    let mut near = End::with(|config| config.connect = Duration::from_millis(100));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    near.dial(1, free, Transport::Tcp);
    let event = near.event().await;
    assert!(
        matches!(event, FlowEvent::ConnectFailed { why: ConnectError::ConnectionRefused, .. }),
        "{event:?}"
    );
    // Listens, but does not speak TLS: the handshake never ends.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    near.dial(2, silent.local_addr().unwrap(), Transport::Tls);
    let event = near.event().await;
    assert!(matches!(event, FlowEvent::ConnectFailed { why: ConnectError::Timeout, .. }), "{event:?}");
}

#[tokio::test]
async fn a_flow_closed_while_it_is_dialled_is_never_told_of() {
    let mut near = End::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    near.dial(1, silent.local_addr().unwrap(), Transport::Tls);
    near.0.close(FlowId(1));
    near.0.send(FlowId(1), request(0).into());
    assert_eq!((near.0.flows(), near.0.counters().stray_sends), (0, 1));
    near.0.leave(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_dropped_listener_refuses_and_keeps_what_it_accepted() {
    let (mut near, here, mut far, _, listener) = pair().await;
    let address = listener.local_addr();
    drop(listener);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    near.0.send(here, request(1).into());
    assert_eq!(far.message().await, request(1));
}

#[tokio::test]
async fn both_families_carry() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let (mut near, mut far) = (End::new(), End::new());
        let Ok(listener) = far.0.listen(any.parse().unwrap(), Transport::Tcp, None) else {
            continue; // A machine without IPv6.
        };
        near.dial(1, listener.local_addr(), Transport::Tcp);
        let flow = near.connected().await;
        near.0.send(flow, request(0).into());
        far.accepted().await;
        assert_eq!(far.message().await, request(0));
    }
}
