//! What a transaction costs: a REGISTER from client to server and back, over UDP and over TLS.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use homing_core::auth::security_association::SignError;
use homing_core::auth::signed::{NoAssociation, Signed};
use homing_core::config::Timers;
use homing_core::ids::{FlowId, Seed};
use homing_core::time::Now;
use homing_core::transaction::{Caps, FlowRef, Incoming, Transactions, TxOutput};
use homing_core::transport::Transport;
use homing_wire::{Builder, Message};

const CAPS: Caps =
    Caps { clients: 100_000, servers: 100_000, lingering_bytes: 256 << 20, lingering_invites: 1 };

/// Both ends of a wire, and how many requests went over it.
struct Pair {
    client: Transactions<u32>,
    server: Transactions<u32>,
    flow_ref: FlowRef,
    count: u64,
}

impl Pair {
    fn new(transport: Transport) -> Self {
        let table = |n| Transactions::new(Timers::default(), CAPS, &Seed::from_number(n));
        Self { client: table(1), server: table(2), flow_ref: FlowRef::new(FlowId(1), transport), count: 0 }
    }

    /// A request of its own branch and Call-ID, as bytes that come from the network.
    fn next_request(&mut self) -> Bytes {
        self.count += 1;
        let branch = self.client.branch();
        let count = self.count;
        Bytes::from(format!(
            "REGISTER sip:network.com SIP/2.0\r\n\
             Via: SIP/2.0/{} 198.51.100.7:5060;branch={branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: \"Alice\" <sip:alice@network.com>;tag=a{count};epid=0123456789\r\n\
             To: <sip:alice@network.com>\r\n\
             Call-ID: {count}@198.51.100.7\r\n\
             CSeq: {count} REGISTER\r\n\
             Contact: <sip:198.51.100.7:5060>;expires=600\r\n\
             Supported: gruu-10, adhoclist, ms-cluster-failover\r\n\
             User-Agent: Homing\r\n\
             Content-Length: 0\r\n\r\n",
            self.flow_ref.transport
        ))
    }

    /// One exchange, with time passing as at ten thousand a second.
    fn exchange(&mut self, request: Bytes) {
        let millis = Duration::from_micros(self.count * 100);
        let now = Now::new(millis, millis);
        self.server.handle_deadline(now);
        self.client.handle_deadline(now);
        let request = Message::parse(request).expect("the request is well formed");
        self.client
            .request(&as_is(request).expect("nothing signs it"), self.flow_ref, 1, now)
            .expect("there is room");
        let Some(TxOutput::Send { bytes, .. }) = self.client.poll_output() else { return };
        let received = Message::parse(bytes).expect("the request is well formed");
        assert_eq!(self.server.feed_request(&received, self.flow_ref.flow, now), Incoming::New);
        let id = self.server.accept_request(&received, self.flow_ref, 2, now).expect("there is room");
        let response = Builder::reply_to(&received, 200, "OK").to_tag("b1").finish();
        self.server.respond(id, response, 200, now);
        let Some(TxOutput::Send { bytes, .. }) = self.server.poll_output() else { return };
        let response = Message::parse(bytes).expect("the response is well formed");
        let (id, ..) = self.client.peek_client(&response).expect("the response is ours");
        self.client.feed_response(id, &response, &mut as_is, now);
        black_box(self.client.poll_output());
    }
}

fn as_is(request: Message) -> Result<Signed, SignError> {
    Ok(Signed::without(request, NoAssociation::Unchallenged))
}

fn register_pair(criterion: &mut Criterion) {
    for transport in [Transport::Tls, Transport::Udp] {
        let mut pair = Pair::new(transport);
        criterion.bench_function(&format!("register client+server {transport}"), |bencher| {
            bencher.iter(|| {
                let request = pair.next_request();
                pair.exchange(request);
            });
        });
    }
}

fn copies(criterion: &mut Criterion) {
    let mut pair = Pair::new(Transport::Udp);
    for _ in 0..30_000 {
        let request = pair.next_request();
        pair.exchange(request);
    }
    let request = pair.next_request();
    pair.exchange(request.clone());
    let millis = Duration::from_micros(pair.count * 100);
    let now = Now::new(millis, millis);
    criterion.bench_function("copy of a request among 30,000 lingering", |bencher| {
        let message = || Message::parse(request.clone()).expect("the request is well formed");
        bencher.iter_batched(
            message,
            |message| {
                assert_eq!(pair.server.feed_request(&message, FlowId(1), now), Incoming::Retransmission);
                black_box(pair.server.poll_output())
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, register_pair, copies);
criterion_main!(benches);
