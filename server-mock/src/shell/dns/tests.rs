//! The name server asked by raw questions over UDP and TCP.

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use homing_core::transport::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::super::zone::{Service, Zone};
use super::*;

async fn server() -> NameServer {
    let mut zone = Zone::new("network.com").unwrap();
    zone.add_address("lb.network.com", "127.0.0.1".parse().unwrap()).unwrap();
    zone.add_address("lb.network.com", "::1".parse().unwrap()).unwrap();
    for (transport, port) in [(Transport::Tls, 5061), (Transport::Udp, 5060)] {
        let service = Service { fqdn: "LB.network.com".into(), transport, port, priority: 0, weight: 5 };
        zone.add_service("network.com", &service).unwrap();
    }
    NameServer::start(zone, "127.0.0.1:0".parse().unwrap()).await.unwrap()
}

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

async fn ask(server: &NameServer, name: &str, kind: RecordType) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&question(name, kind), server.address()).await.unwrap();
    let mut buffer = [0; 1500];
    let length = socket.recv(&mut buffer).await.unwrap();
    Message::from_vec(&buffer[..length]).unwrap()
}

#[tokio::test]
async fn naptr_leads_to_srv_and_srv_brings_both_addresses_along() {
    let server = server().await;
    let naptr = ask(&server, "network.com.", RecordType::NAPTR).await;
    assert_eq!(naptr.answers.len(), 2);
    for name in ["_sips._tcp", "_SipInternalTLS._tcp", "_sip._tls"] {
        let srv = ask(&server, &format!("{name}.network.com."), RecordType::SRV).await;
        let RData::SRV(data) = &srv.answers[0].data else { panic!("no SRV record") };
        assert_eq!((data.port, data.target.to_string().as_str()), (5061, "lb.network.com."));
        assert_eq!(srv.additionals.len(), 2, "A and AAAA of the target");
        assert!(srv.metadata.authoritative);
    }
    server.zone().change(|zone| zone.glue = false);
    assert!(ask(&server, "_sips._tcp.network.com.", RecordType::SRV).await.additionals.is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    let server = server().await;
    let code = async |name: &str, kind| ask(&server, name, kind).await.metadata.response_code;
    assert_eq!(code("nobody.network.com.", RecordType::A).await, ResponseCode::NXDomain);
    assert_eq!(code("lb.network.com.", RecordType::SRV).await, ResponseCode::NoError);
    assert_eq!(code("_tcp.network.com.", RecordType::SRV).await, ResponseCode::NoError);
    assert_eq!(code("elsewhere.org.", RecordType::A).await, ResponseCode::Refused);
    server.zone().change(|zone| zone.fault = DnsFault::ServerFailure);
    assert_eq!(code("lb.network.com.", RecordType::A).await, ResponseCode::ServFail);
    server.zone().change(|zone| zone.fault = DnsFault::NxDomain);
    assert_eq!(code("lb.network.com.", RecordType::A).await, ResponseCode::NXDomain);
}

#[tokio::test]
async fn tcp_is_answered_on_the_same_port() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let question = question("lb.network.com.", RecordType::A);
    stream.write_u16(u16::try_from(question.len()).unwrap()).await.unwrap();
    stream.write_all(&question).await.unwrap();
    let mut answer = vec![0; usize::from(stream.read_u16().await.unwrap())];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(Message::from_vec(&answer).unwrap().answers.len(), 1);
}
