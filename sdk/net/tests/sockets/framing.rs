//! Streams as they really arrive: in pieces, in bulk, broken.

use homing_net::{ConnectError, FlowEvent, Transport};
use homing_wire::{Frame, FrameError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::pair::{End, request};

async fn raw(far: &mut End) -> (TcpStream, homing_net::Listener) {
    let listener = far.listen(Transport::Tcp, None);
    let stream = TcpStream::connect(listener.local_addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    (stream, listener)
}

#[tokio::test]
async fn a_message_torn_at_any_place_arrives_whole() {
    let mut far = End::new();
    let (mut stream, _listener) = raw(&mut far).await;
    far.accepted().await;
    let message = request(7);
    for place in 1..message.len() {
        stream.write_all(&message[..place]).await.unwrap();
        // The first piece is on its own way before the second is written.
        tokio::task::yield_now().await;
        stream.write_all(&message[place..]).await.unwrap();
        assert_eq!(far.message().await, message, "torn at {place}");
    }
}

#[tokio::test]
async fn many_messages_in_one_piece_arrive_in_order() {
    let (mut near, mut far) = (End::new(), End::new());
    let listener = far.listen(Transport::Tcp, None);
    near.dial(1, listener.local_addr(), Transport::Tcp);
    let flow = near.connected().await;
    far.accepted().await;
    for body in 0..200 {
        near.0.send(flow, request(body).into());
    }
    near.0.send(flow, "\r\n\r\n".into());
    for body in 0..200 {
        assert_eq!(far.message().await, request(body));
    }
    assert!(matches!(far.event().await, FlowEvent::Received { frame: Frame::Ping, .. }));
}

#[tokio::test]
async fn half_a_message_is_never_handed_on() {
    let message = request(5);
    for length in (1..message.len()).step_by(13) {
        let mut far = End::new();
        let (mut stream, _listener) = raw(&mut far).await;
        far.accepted().await;
        stream.write_all(&message[..length]).await.unwrap();
        drop(stream);
        let event = far.event().await;
        assert!(matches!(event, FlowEvent::Closed { why: ConnectError::Closed, .. }), "{length}: {event:?}");
        assert_eq!(far.0.counters().half_messages, 1);
    }
}

#[tokio::test]
async fn a_message_that_never_becomes_whole_holds_no_connection() {
    let mut far = End::with(|config| config.whole_message = std::time::Duration::from_millis(50));
    let (mut stream, _listener) = raw(&mut far).await;
    far.accepted().await;
    let message = request(0);
    // A whole message and the beginning of another: only what is begun is timed.
    stream.write_all(&[&message[..], &message[..20]].concat()).await.unwrap();
    assert_eq!(far.message().await, message);
    let event = far.event().await;
    assert!(matches!(event, FlowEvent::Closed { why: ConnectError::Timeout, .. }), "{event:?}");
    assert_eq!(far.0.counters().half_messages, 1);
}

#[tokio::test]
async fn a_stream_without_length_gets_a_last_word_and_ends() {
    let mut far = End::new();
    let (mut stream, _listener) = raw(&mut far).await;
    let flow = far.accepted().await;
    let head = b"OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n";
    stream.write_all(head).await.unwrap();
    stream.write_all(&request(0)).await.unwrap();
    let FlowEvent::Malformed { why, head: Some(told), .. } = far.event().await else { panic!() };
    assert_eq!((why.rule, why.octet, &told[..]), (FrameError::NoContentLength, head.len(), &head[..]));
    let answer = b"SIP/2.0 400 Content-Length Missing\r\nContent-Length: 0\r\n\r\n";
    far.0.send(flow, (&answer[..]).into());
    far.0.close(flow);
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, answer);
    assert_eq!(far.0.counters().malformed, 1);
}

#[tokio::test]
async fn what_is_too_large_ends_while_it_is_read() {
    let too_large: Vec<Vec<u8>> = vec![
        vec![b' '; 64 * 1024],
        vec![0; 64 * 1024],
        [b"OPTIONS sip:a SIP/2.0\r\nX: ".as_slice(), &[b'x'; 64 * 1024]].concat(),
        [b"OPTIONS sip:a SIP/2.0\r\n".as_slice(), &b"X: 1\r\n".repeat(10_000)].concat(),
        request(200 * 1024),
    ];
    for bytes in too_large {
        let mut far = End::with(|config| config.close_timeout = std::time::Duration::from_millis(50));
        let (mut stream, _listener) = raw(&mut far).await;
        far.accepted().await;
        // The other side may well stop listening before all is written.
        let _ = stream.write_all(&bytes).await;
        assert!(matches!(far.event().await, FlowEvent::Malformed { .. }));
        assert!(matches!(far.event().await, FlowEvent::Closed { .. }));
    }
}
