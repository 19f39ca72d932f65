//! Whatever DNS says, a search ends within its bounds and never lets security fall.

use super::*;
use crate::locate::Considered;
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

fn pick<'a>(chance: &mut Chance, from: &[&'a str]) -> &'a str {
    from[usize::try_from(chance.below(from.len() as u64)).unwrap()]
}

fn small(chance: &mut Chance, bound: u64) -> u16 {
    u16::try_from(chance.below(bound)).unwrap()
}

fn address(chance: &mut Chance) -> IpAddr {
    match chance.below(4) {
        0 => IpAddr::from([0, 0, 0, 0]),
        1 => IpAddr::from([224, 0, 0, 1]),
        2 => IpAddr::from([10, 0, 0, u8::try_from(chance.below(200)).unwrap()]),
        _ => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, small(chance, 200)]),
    }
}

fn naptr(chance: &mut Chance) -> Naptr {
    Naptr {
        order: small(chance, 3),
        preference: small(chance, 3),
        flags: pick(chance, &["s", "S", "a", "u", ""]).into(),
        service: pick(chance, &["SIPS+D2T", "sip+d2t", "SIP+D2U", "E2U+sip", "\u{7}"]).into(),
        replacement: pick(chance, &NAMES).into(),
    }
}

fn srv(chance: &mut Chance) -> Srv {
    Srv {
        priority: small(chance, 3),
        weight: small(chance, 4),
        port: small(chance, 3) * 5_061,
        target: pick(chance, &NAMES).into(),
    }
}

/// An answer of any kind to any question.
fn any_answer(chance: &mut Chance, kind: RecordKind) -> Result<DnsAnswer, DnsError> {
    let kind = match chance.below(12) {
        0 => return Err(DnsError::Timeout),
        1 => return Err(DnsError::NoRecord),
        2 => RecordKind::Srv,
        _ => kind,
    };
    let many = chance.below(40);
    let records = match kind {
        RecordKind::Naptr => DnsRecords::Naptr((0..many).map(|_| naptr(chance)).collect()),
        RecordKind::Srv => DnsRecords::Srv((0..many).map(|_| srv(chance)).collect()),
        RecordKind::Address => DnsRecords::Addresses((0..many).map(|_| address(chance)).collect()),
    };
    let glue = (0..chance.below(3)).map(|_| (pick(chance, &NAMES).to_owned(), address(chance))).collect();
    let ttl = Duration::from_secs(chance.below(1 << 33));
    Ok(DnsAnswer { records, glue, ttl, round_trips: u8::try_from(chance.below(256)).unwrap() })
}

/// `HOMING_SEEDS` raises the number of searches.
fn seeds() -> u64 {
    std::env::var("HOMING_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000)
}

#[test]
fn a_search_ends_in_bounds_whatever_dns_says() {
    for seed in 0..seeds() {
        let mut chance = Chance::new(&Seed::from_number(seed));
        let all: [&[Transport]; 6] = [&[Tls], &[Tls, Tcp], &[Tls, Tcp, Udp], &[Tcp, Tls], &[Udp], &[]];
        let transports = all[usize::try_from(chance.below(6)).unwrap()];
        let wanted = match chance.below(3) {
            0 => host("network.com", None, None),
            _ => Wanted::Domain("network.com".into()),
        };
        let request = Request::new(wanted, transports).at_most(usize::from(small(&mut chance, 12)));
        let bound = request.targets;
        let mut plan = Plan::new(request, &mut chance);
        let (mut targets, mut asked, mut idle) = (Vec::new(), 0, 0);
        let end = loop {
            for question in plan.questions() {
                asked += 1;
                plan.handle_answer(&question, any_answer(&mut chance, question.kind));
            }
            assert!(asked < 400, "seed {seed}: no end of questions");
            match plan.next_target() {
                Step::Target(target) => targets.push(*target),
                Step::Waiting => idle += 1,
                Step::Exhausted(why) => break why,
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
        let picked = picked.filter(|considered| matches!(considered, Considered::Picked(_))).count();
        assert_eq!(picked, targets.len(), "{}", report());
        assert!(!plan.explain().to_string().contains('\u{7}'), "{}", report());
    }
}
