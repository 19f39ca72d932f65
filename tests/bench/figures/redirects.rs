//! What a redirect costs the server: unsigned 301s to pipelined REGISTERs on one TLS connection.
//!
//! TLS, because the estate sends an unsigned redirect over nothing else (settled rule 6).

use bytes::Bytes;
use homing_net::{Dial, Expected, FlowId, RoadConfig, RoadEvent, Roads, Roots, TlsClient, Transport};
use homing_wire::{Frame, Message};

use crate::{Fallible, OPEN, Server};

/// Sends [`REDIRECTS`] REGISTERs of a user who belongs elsewhere and prints the server's CPU per 301.
pub(crate) fn measure() -> Fallible<()> {
    let mut server = Server::start(1, OPEN)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut roads = runtime.block_on(async { connect(&server).await })?;
    runtime.block_on(exchange(&mut roads, 0))?;
    let before = server.usage()?;
    for window in 1..=REDIRECTS / WINDOW {
        runtime.block_on(exchange(&mut roads, window * WINDOW))?;
    }
    let after = server.usage()?;
    println!("TLS: {REDIRECTS} unsigned redirects, {WINDOW} in flight on one connection");
    println!("  home server  {:>6.1} µs CPU per 301", after.cpu_since(&before, REDIRECTS));
    Ok(())
}

async fn connect(server: &Server) -> Fallible<Roads> {
    let mut roads = Roads::new(RoadConfig::default());
    let tls = TlsClient::new(Roots::pem(server.ca_pem())?);
    let identity = Expected::host("hs1.network.com");
    roads.connect(Dial { flow: FLOW, address: server.tls(), transport: Transport::Tls, identity }, &tls);
    match roads.next().await {
        RoadEvent::Connected { .. } => Ok(roads),
        other => Err(format!("no connection: {other:?}").into()),
    }
}

/// Sends a window of requests at once and waits for as many 301s.
async fn exchange(roads: &mut Roads, start: usize) -> Fallible<()> {
    for number in start..start + WINDOW {
        roads.send(FLOW, Bytes::from(request(number)));
    }
    let mut seen = 0;
    while seen < WINDOW {
        match roads.next().await {
            RoadEvent::Received { frame: Frame::Message(bytes), .. } => {
                let status = Message::parse(bytes)?.status();
                if status != Some(301) {
                    return Err(format!("a redirect was expected, not {status:?}").into());
                }
                seen += 1;
            }
            RoadEvent::Received { .. } => {}
            other => return Err(format!("the connection broke: {other:?}").into()),
        }
    }
    Ok(())
}

fn request(number: usize) -> String {
    format!(
        "REGISTER sip:network.com SIP/2.0\r\n\
         Via: SIP/2.0/TLS 127.0.0.1:5999;branch=z9hG4bKf{number}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:user0@network.com>;tag=f{number};epid=01010101\r\n\
         To: <sip:user0@network.com>\r\n\
         Call-ID: figures-{number}\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: <sip:user0@127.0.0.1:5999;transport=tls>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

const FLOW: FlowId = FlowId(1);
const REDIRECTS: usize = 51_200;
const WINDOW: usize = 64;
