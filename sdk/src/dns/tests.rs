//! The resolver against a name server that says exactly what a test wants.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, SOA, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, RecordKind, Srv};
use tokio::net::UdpSocket;

use super::Resolver;

/// What the name server says to a question: code, answers, authority, additional records.
type Script = fn(&Name, RecordType) -> (ResponseCode, Vec<Record>, Vec<Record>, Vec<Record>);

/// What a test asks of every question before the script sees it.
#[derive(Clone, Copy)]
enum Habit {
    /// Answers all.
    Plain,
    /// Cannot read an OPT record: this code, with or without the question repeated.
    OldEdns(ResponseCode, bool),
    /// Says nothing to questions of this kind.
    Mute(RecordType),
}

async fn name_server(script: Script) -> (SocketAddr, Arc<AtomicUsize>) {
    name_server_with(Habit::Plain, script).await
}

async fn name_server_with(habit: Habit, script: Script) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut buffer = [0; 4_096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            count.fetch_add(1, Ordering::Relaxed);
            let request = Message::from_vec(&buffer[..length]).unwrap();
            let query = request.queries[0].clone();
            match habit {
                Habit::Mute(kind) if kind == query.query_type() => continue,
                Habit::OldEdns(code, repeats) if request.edns.is_some() => {
                    let mut reply = Message::response(request.metadata.id, request.metadata.op_code);
                    reply.metadata.response_code = code;
                    if repeats {
                        reply.add_query(query);
                    }
                    socket.send_to(&reply.to_vec().unwrap(), peer).await.unwrap();
                    continue;
                }
                Habit::Plain | Habit::OldEdns(..) | Habit::Mute(_) => {}
            }
            let (code, answers, authorities, additionals) = script(query.name(), query.query_type());
            let mut reply = Message::response(request.metadata.id, request.metadata.op_code);
            reply.metadata.response_code = code;
            reply.metadata.authoritative = true;
            reply.add_query(query);
            reply.add_answers(answers);
            reply.add_authorities(authorities);
            reply.add_additionals(additionals);
            socket.send_to(&reply.to_vec().unwrap(), peer).await.unwrap();
        }
    });
    (address, asked)
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn a(host: &str, last: u8) -> Record {
    Record::from_rdata(name(host), 300, RData::A(A(Ipv4Addr::new(192, 0, 2, last))))
}

async fn ask(resolver: &Resolver, name: &str, kind: RecordKind) -> Result<DnsAnswer, DnsError> {
    resolver.resolve(DnsQuestion { name: name.to_owned(), kind }).await
}

#[tokio::test]
async fn srv_comes_with_the_addresses_of_its_own_targets_only() {
    let (address, asked) = name_server(|name_asked, _| {
        let srv = |target| RData::SRV(SRV::new(10, 60, 5061, name(target)));
        let answers = ["HS1.network.com.", "hs9.other.test."]
            .map(|target| Record::from_rdata(name_asked.clone(), 120, srv(target)))
            .into();
        let glue = vec![a("hs1.network.com.", 1), a("hs9.other.test.", 9), a("hs7.network.com.", 7)];
        (ResponseCode::NoError, answers, Vec::new(), glue)
    })
    .await;
    let resolver = Resolver::name_server(address);
    let name = "_sipinternaltls._tcp.network.com";
    let answer = ask(&resolver, name, RecordKind::Srv).await.unwrap();
    let srv = |target: &str| Srv { priority: 10, weight: 60, port: 5061, target: target.to_owned() };
    assert_eq!(answer.records, DnsRecords::Srv(vec![srv("hs1.network.com"), srv("hs9.other.test")]));
    let own = IpAddr::from([192, 0, 2, 1]);
    assert_eq!(answer.glue, [("hs1.network.com".to_owned(), own)], "nobody speaks for another's zone");
    assert_eq!(answer.round_trips, 1);
    assert!((110..=120).contains(&answer.ttl.as_secs()), "{:?}", answer.ttl);
    let again = ask(&resolver, name, RecordKind::Srv).await.unwrap();
    assert_eq!((again.round_trips, again.records), (0, answer.records));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn one_family_suffices() {
    let (address, _) = name_server(|_, kind| match kind {
        RecordType::A => (ResponseCode::NoError, vec![a("hs1.network.com.", 1)], Vec::new(), Vec::new()),
        _ => (ResponseCode::ServFail, Vec::new(), Vec::new(), Vec::new()),
    })
    .await;
    let answer = ask(&Resolver::name_server(address), "hs1.network.com", RecordKind::Address).await;
    assert_eq!(answer.unwrap().records, DnsRecords::Addresses(vec![[192, 0, 2, 1].into()]));
}

#[tokio::test]
async fn what_does_not_exist_is_asked_once() {
    let (address, asked) = name_server(|_, _| {
        let soa = SOA::new(name("ns.network.com."), name("admin.network.com."), 1, 60, 60, 60, 60);
        let authority = Record::from_rdata(name("network.com."), 60, RData::SOA(soa));
        (ResponseCode::NXDomain, Vec::new(), vec![authority], Vec::new())
    })
    .await;
    let resolver = Resolver::name_server(address);
    for _ in 0..3 {
        let answer = ask(&resolver, "_sip._tls.network.com", RecordKind::Srv).await;
        assert_eq!(answer, Err(DnsError::NoRecord));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let bad = ask(&resolver, "a..b", RecordKind::Srv).await;
    assert_eq!(bad, Err(DnsError::NoRecord), "a name that cannot be asked for");
}

#[tokio::test]
async fn a_failing_name_server_is_told_from_a_missing_name() {
    let (address, _) = name_server(|_, _| (ResponseCode::ServFail, Vec::new(), Vec::new(), Vec::new())).await;
    let answer = ask(&Resolver::name_server(address), "network.com", RecordKind::Naptr).await;
    assert_eq!(answer, Err(DnsError::ServerFailure));
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_at_most_five_seconds() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let begun = tokio::time::Instant::now();
    let resolver = Resolver::name_server(silent.local_addr().unwrap());
    let answer = ask(&resolver, "network.com", RecordKind::Srv).await;
    assert_eq!(answer, Err(DnsError::Timeout));
    assert!(begun.elapsed().as_secs_f32() <= 5.0, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_chain_of_names_that_never_ends_is_given_up() {
    use hickory_resolver::proto::rr::rdata::CNAME;
    let (address, _) = name_server(|asked, _| {
        let next = name(&format!("x{asked}"));
        let record = Record::from_rdata(asked.clone(), 60, RData::CNAME(CNAME(next)));
        (ResponseCode::NoError, vec![record], Vec::new(), Vec::new())
    })
    .await;
    let answer = ask(&Resolver::name_server(address), "network.com", RecordKind::Address).await;
    assert!(answer.is_err(), "{answer:?}");
}

fn both_families(asked: &Name, kind: RecordType) -> (ResponseCode, Vec<Record>, Vec<Record>, Vec<Record>) {
    let data = match kind {
        RecordType::AAAA => RData::AAAA(AAAA(Ipv6Addr::LOCALHOST)),
        _ => RData::A(A(Ipv4Addr::new(192, 0, 2, 1))),
    };
    (ResponseCode::NoError, vec![Record::from_rdata(asked.clone(), 300, data)], Vec::new(), Vec::new())
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_read_edns_is_asked_without() {
    for (code, repeats) in
        [(ResponseCode::FormErr, true), (ResponseCode::FormErr, false), (ResponseCode::NotImp, true)]
    {
        let (address, asked) = name_server_with(Habit::OldEdns(code, repeats), both_families).await;
        let resolver = Resolver::name_server(address);
        let answer = ask(&resolver, "hs1.network.com", RecordKind::Address).await.unwrap();
        // hickory drops a reply that does not repeat the question: then the first try is lost.
        let both: Vec<IpAddr> = vec![Ipv6Addr::LOCALHOST.into(), [192, 0, 2, 1].into()];
        assert_eq!(answer.records, DnsRecords::Addresses(both), "{code} {repeats}");
        let before = asked.load(Ordering::Relaxed);
        ask(&resolver, "hs2.network.com", RecordKind::Address).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed) - before, 2, "it is remembered");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_family_costs_50_ms_and_is_asked_again() {
    for (mute, came) in
        [(RecordType::AAAA, IpAddr::from([192, 0, 2, 1])), (RecordType::A, IpAddr::from(Ipv6Addr::LOCALHOST))]
    {
        let (address, asked) = name_server_with(Habit::Mute(mute), both_families).await;
        let resolver = Resolver::name_server(address);
        let begun = tokio::time::Instant::now();
        let answer = ask(&resolver, "hs1.network.com", RecordKind::Address).await.unwrap();
        assert_eq!(answer.records, DnsRecords::Addresses(vec![came]));
        assert!((50..=52).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
        assert!(answer.ttl.is_zero());
        let before = asked.load(Ordering::Relaxed);
        ask(&resolver, "hs1.network.com", RecordKind::Address).await.unwrap();
        assert!(asked.load(Ordering::Relaxed) >= before + 2, "half an answer is not kept");
    }
}

#[tokio::test]
async fn names_of_every_alphabet_and_with_underscores_are_asked_and_read() {
    let (address, _) = name_server(|asked, kind| {
        let target = name("XN--Bcher-KVA.example.");
        let srv = Record::from_rdata(asked.clone(), 120, RData::SRV(SRV::new(0, 0, 5061, target)));
        let answers = match kind {
            RecordType::SRV => vec![srv],
            RecordType::A if asked.to_ascii() == "sip_server." => vec![a("sip_server.", 7)],
            _ => Vec::new(),
        };
        (ResponseCode::NoError, answers, Vec::new(), Vec::new())
    })
    .await;
    let resolver = Resolver::name_server(address);
    let answer = ask(&resolver, "_sips._tcp.xn--bcher-kva.example", RecordKind::Srv).await.unwrap();
    let DnsRecords::Srv(records) = answer.records else { panic!("SRV records") };
    assert_eq!(records[0].target, "xn--bcher-kva.example");
    let answer = ask(&resolver, "sip_server", RecordKind::Address).await.unwrap();
    assert_eq!(answer.records, DnsRecords::Addresses(vec![[192, 0, 2, 7].into()]));
}
