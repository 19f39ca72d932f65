//! Whatever DNS says, a search ends within its bounds and never lets security fall.

use super::*;
use crate::locate::Candidate;
use Transport::{Tcp, Tls, Udp};

const NAMES: [&str; 10] = [
    "network.com",
    "hs1.network.com",
    "HS1.network.com.",
    "other.test",
    ".",
    "",
    "192.0.2.1",
    "bad name",
    "_sip._udp.network.com",
    "_sips._tcp.other.test",
];

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[usize::try_from(rng.below(from.len() as u64)).unwrap()]
}

fn small(rng: &mut Rng, bound: u64) -> u16 {
    u16::try_from(rng.below(bound)).unwrap()
}

fn address(rng: &mut Rng) -> IpAddr {
    match rng.below(4) {
        0 => IpAddr::from([0, 0, 0, 0]),
        1 => IpAddr::from([224, 0, 0, 1]),
        2 => IpAddr::from([10, 0, 0, u8::try_from(rng.below(200)).unwrap()]),
        _ => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, small(rng, 200)]),
    }
}

fn naptr(rng: &mut Rng) -> Naptr {
    Naptr {
        order: small(rng, 3),
        preference: small(rng, 3),
        flags: pick(rng, &["s", "S", "a", "u", ""]).into(),
        service: pick(rng, &["SIPS+D2T", "sip+d2t", "SIP+D2U", "E2U+sip", "\u{7}"]).into(),
        replacement: pick(rng, &NAMES).into(),
    }
}

fn srv(rng: &mut Rng) -> Srv {
    Srv {
        priority: small(rng, 3),
        weight: small(rng, 4),
        port: small(rng, 3) * 5_061,
        target: pick(rng, &NAMES).into(),
    }
}

/// An answer of any kind to any question.
fn any_answer(rng: &mut Rng, kind: RecordKind) -> Result<DnsAnswer, DnsError> {
    let kind = match rng.below(12) {
        0 => return Err(DnsError::Timeout),
        1 => return Err(DnsError::NoRecord),
        2 => RecordKind::Srv,
        _ => kind,
    };
    let many = rng.below(40);
    let records = match kind {
        RecordKind::Naptr => DnsRecords::Naptr((0..many).map(|_| naptr(rng)).collect()),
        RecordKind::Srv => DnsRecords::Srv((0..many).map(|_| srv(rng)).collect()),
        RecordKind::Address => DnsRecords::Addresses((0..many).map(|_| address(rng)).collect()),
    };
    let glue = (0..rng.below(3)).map(|_| (pick(rng, &NAMES).to_owned(), address(rng))).collect();
    let ttl = Duration::from_secs(rng.below(1 << 33));
    Ok(DnsAnswer { records, glue, ttl, round_trips: u8::try_from(rng.below(256)).unwrap() })
}

/// `HOMING_SEEDS` raises the number of searches.
fn seeds() -> u64 {
    std::env::var("HOMING_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

#[test]
fn a_search_ends_in_bounds_whatever_dns_says() {
    for seed in 0..seeds() {
        let mut rng = Rng::new(&Seed::from_number(seed));
        let all: [&[Transport]; 6] = [&[Tls], &[Tls, Tcp], &[Tls, Tcp, Udp], &[Tcp, Tls], &[Udp], &[]];
        let transports = all[usize::try_from(rng.below(6)).unwrap()];
        let wanted = match rng.below(3) {
            0 => host("network.com", None, None),
            _ => Wanted::Domain("network.com".into()),
        };
        let request = Request::new(wanted, transports).at_most(usize::from(small(&mut rng, 12)));
        let bound = request.targets;
        let mut plan = Plan::new(request, ServerOrder::new(rng.fork()));
        let (mut targets, mut asked, mut idle) = (Vec::new(), 0, 0);
        let end = loop {
            for question in plan.questions() {
                asked += 1;
                plan.handle_answer(&question, any_answer(&mut rng, question.kind));
            }
            assert!(asked < 400, "seed {seed}: no end of questions");
            match plan.next_target() {
                Step::Target(target) => targets.push(*target),
                Step::Waiting => idle += 1,
                Step::NoCandidate(why) => break why,
            }
            assert!(targets.len() <= bound, "seed {seed}");
            assert!(idle <= asked, "seed {seed}: stuck\n{}", plan.explain());
        };
        let report = || format!("seed {seed}, {transports:?}, {end}:\n{}", plan.explain());
        let first_secure = targets.iter().position(|target| target.transport == Tls);
        let clear_after = first_secure.is_some_and(|at| targets[at..].iter().any(|t| t.transport != Tls));
        assert!(!clear_after, "{}", report());
        assert!(targets.iter().all(|target| transports.contains(&target.transport)), "{}", report());
        let places: std::collections::BTreeSet<_> =
            targets.iter().map(|target| (&target.name, target.addr, target.transport)).collect();
        assert_eq!(places.len(), targets.len(), "{}", report());
        let picked = plan.explain().considered.into_iter();
        let picked = picked.filter(|considered| matches!(considered, Candidate::Picked(_))).count();
        assert_eq!(picked, targets.len(), "{}", report());
        assert!(!plan.explain().to_string().contains('\u{7}'), "{}", report());
    }
}
