//! UDP: one flow per peer, exact copies, keep-alives and STUN told apart.

use homing_net::{FIRST_ACCEPTED, FlowEvent, Transport};
use homing_wire::Frame;
use tokio::net::UdpSocket;

use crate::pair::{End, request};

#[tokio::test]
async fn peers_of_one_socket_have_flows_of_their_own() {
    let mut far = End::new();
    let listener = far.listen(Transport::Udp, None);
    let mut peers = Vec::new();
    for n in 0..3 {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(&request(n), listener.local_addr()).await.unwrap();
        let flow = far.accepted().await;
        assert!(flow >= FIRST_ACCEPTED);
        assert_eq!(far.message().await, request(n));
        peers.push((socket, flow));
    }
    for (n, (socket, flow)) in peers.iter().enumerate() {
        far.0.send(*flow, request(10 + n).into());
        let mut buffer = vec![0; 65_535];
        let length = socket.recv(&mut buffer).await.unwrap();
        assert_eq!(buffer[..length], request(10 + n));
    }
    let (socket, flow) = &peers[0];
    socket.send_to(b"\r\n\r\n", listener.local_addr()).await.unwrap();
    let event = far.event().await;
    assert!(matches!(event, FlowEvent::Received { frame: Frame::Ping, .. }) && event.flow() == *flow);
    far.0.close(*flow);
    socket.send_to(&request(0), listener.local_addr()).await.unwrap();
    assert_ne!(far.accepted().await, *flow, "a closed flow is not reused");
}

#[tokio::test]
async fn a_dialled_socket_hears_its_peer_only() {
    let (mut near, mut far) = (End::new(), End::new());
    let listener = far.listen(Transport::Udp, None);
    near.dial(1, listener.local_addr(), Transport::Udp);
    let FlowEvent::Connected { flow, local, .. } = near.event().await else { panic!() };
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    stranger.send_to(&request(66), ("127.0.0.1", local.port())).await.unwrap();
    near.0.send(flow, request(1).into());
    let back = far.accepted().await;
    assert_eq!(far.message().await, request(1));
    far.0.send(back, request(2).into());
    assert_eq!(near.message().await, request(2), "not the stranger's");
}

/// RFC 3261 sections 17.1.3 and 18.1.2 match a response by its branch, not by where it comes from.
#[tokio::test]
async fn a_response_from_another_port_of_the_peer_is_heard_and_nothing_else() {
    let (mut near, mut far) = (End::new(), End::new());
    let listener = far.listen(Transport::Udp, None);
    near.dial(1, listener.local_addr(), Transport::Udp);
    let FlowEvent::Connected { flow, local, .. } = near.event().await else { panic!() };
    let here = ("127.0.0.1", local.port());
    let response = |n: usize| format!("SIP/2.0 200 OK\r\nCSeq: {n} OPTIONS\r\n\r\n").into_bytes();
    let other_port = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let other_address = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    other_address.send_to(&response(1), here).await.unwrap();
    other_port.send_to(&request(0), here).await.unwrap();
    other_port.send_to(b"\r\n", here).await.unwrap();
    other_port.send_to(&response(2), here).await.unwrap();
    let FlowEvent::Received { flow: by, frame: Frame::Message(bytes) } = near.event().await else { panic!() };
    assert_eq!((by, &bytes[..]), (flow, &response(2)[..]));
    assert_eq!(near.0.counters().strangers, 3);
    // The peer itself is heard as before, whatever it says.
    near.0.send(flow, request(1).into());
    let back = far.accepted().await;
    assert_eq!(far.message().await, request(1));
    for n in 2..40 {
        far.0.send(back, request(n).into());
        assert_eq!(near.message().await, request(n));
    }
}

#[tokio::test]
async fn stun_is_told_from_sip() {
    let mut far = End::new();
    let listener = far.listen(Transport::Udp, None);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let binding: &[u8] = &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    socket.send_to(binding, listener.local_addr()).await.unwrap();
    far.accepted().await;
    let FlowEvent::Received { frame: Frame::Stun(bytes), .. } = far.event().await else { panic!() };
    assert_eq!(bytes, binding);
}

#[tokio::test]
async fn a_closed_port_is_told() {
    let mut near = End::new();
    let gone = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    near.dial(1, gone, Transport::Udp);
    let flow = near.connected().await;
    near.0.send(flow, request(0).into());
    assert!(matches!(near.event().await, FlowEvent::Closed { .. }));
}

#[tokio::test]
async fn strangers_displace_strangers_only_and_responses_may_go_to_another_port() {
    let mut far = End::with(|config| config.datagram_peers = 4);
    let listener = far.listen(Transport::Udp, None);
    let known = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    known.send_to(&request(0), listener.local_addr()).await.unwrap();
    let flow = far.accepted().await;
    far.message().await;
    far.0.hold(flow);
    let mut strangers = Vec::new();
    for n in 0..40 {
        let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        stranger.send_to(b"", listener.local_addr()).await.unwrap();
        let accepted = loop {
            match far.event().await {
                FlowEvent::Accepted { flow, .. } => break flow,
                FlowEvent::Closed { flow: gone, .. } => assert_ne!(gone, flow, "after {n} strangers"),
                _ => {}
            }
        };
        strangers.push((stranger, accepted));
    }
    known.send_to(&request(1), listener.local_addr()).await.unwrap();
    let event = loop {
        match far.event().await {
            event @ FlowEvent::Received { .. } if event.flow() == flow => break event,
            FlowEvent::Accepted { .. } => panic!("the known peer was forgotten"),
            _ => {}
        }
    };
    assert!(matches!(event, FlowEvent::Received { frame: Frame::Message(_), .. }));
    assert_eq!(far.0.counters().peers_forgotten, 36);
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    far.0.send_to_port(flow, request(7).into(), other.local_addr().unwrap().port());
    let mut buffer = vec![0; 65_535];
    let length = other.recv(&mut buffer).await.unwrap();
    assert_eq!(buffer[..length], request(7));
}
