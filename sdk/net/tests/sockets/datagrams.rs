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
