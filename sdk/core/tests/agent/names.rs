//! Names as people and domains write them: users, domains that are addresses, and why nothing was found.

use homing_core::config::{AccountConfig, Aor, ConfigError, ServerChoice};
use homing_core::dns::{DnsQuestion, DnsRecords, RecordKind, Srv};
use homing_core::error::Family;
use homing_core::outbox::Question;
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::{Contact, Name, Uri};

use super::world::{World, answer, main_job};

/// From, To and Contact carry one spelling of the user, whatever was typed.
#[test]
fn a_user_is_written_as_a_uri_writes_it() {
    for (typed, user) in [
        ("9901#1@network.com", "9901%231"),
        ("100%@network.com", "100%25"),
        ("[x]@network.com", "%5Bx%5D"),
        ("ä#b@network.com", "%C3%A4%23b"),
        ("a%2Fb@network.com", "a%2Fb"),
        ("+1;ext=2@network.com", "+1;ext=2"),
    ] {
        let mut world = main_job(|config| config.aor = Aor::parse(typed).unwrap());
        world.login();
        assert_eq!(world.state(), AccountState::Registered, "{typed}");
        for register in world.registers("hs102.network.com") {
            let aor = format!("sip:{user}@network.com");
            assert_eq!(register.from().unwrap().uri_str(), aor);
            assert_eq!(register.to().unwrap().uri_str(), aor);
            let contact = register.get::<Contact<'_>>().unwrap().unwrap();
            assert_eq!(contact.addr().unwrap().uri().unwrap().user(), Some(user), "{typed}");
        }
    }
}

#[test]
fn a_domain_that_is_an_address_is_signed_in_at() {
    let mut world = World::new(|config| config.aor = Aor::parse("alice@192.0.2.1").unwrap());
    world.server("192.0.2.1");
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    let looked_up = world.asked.iter().any(|asked| matches!(asked, Question::Resolve(_)));
    assert!(!looked_up);
    let registers = world.registers("192.0.2.1");
    assert_eq!(registers[0].request_uri(), Some("sip:192.0.2.1"));
    assert!(registers[0].text(Name::To).unwrap().contains("alice@192.0.2.1"));
}

#[test]
fn an_ipv6_domain_stands_in_brackets_on_the_wire() {
    let aor = Aor::parse("alice@[2001:DB8::1]").unwrap();
    assert_eq!(aor.to_string(), "sip:alice@[2001:db8::1]");
    assert!(Uri::parse(&format!("sip:{}", aor.domain)).is_ok());
}

#[test]
fn what_a_search_passed_over_is_the_reason_of_the_login() {
    let question = |name: &str| DnsQuestion { name: name.into(), kind: RecordKind::Srv };
    let record = |port, target: &str| Srv { priority: 0, weight: 0, port, target: target.into() };
    for (service, transport, record, sentence, code) in [
        ("_sip._tls", Transport::Tls, record(0, "."), "(SRV .) that it offers no such service", "E0405"),
        ("_sip._tcp", Transport::Tcp, record(5060, "x.other.test"), "outside the domain", "E0407"),
        ("_sip._tls", Transport::Tls, record(5061, "gone.network.com"), "gone.network.com", "E0407"),
    ] {
        let mut world = World::new(|config| config.transports = vec![transport]);
        let records = answer(DnsRecords::Srv(vec![record]));
        world.dns.insert(question(&format!("{service}.network.com")), records);
        world.login();
        let error = &world.last_failure().error;
        assert!(error.to_string().contains(sentence), "{error}");
        assert_eq!((error.code(), error.family()), (code, Family::Resolve));
    }
}

#[test]
fn a_named_server_without_address_is_a_failure_of_name_resolution() {
    let mut world = World::new(|config| {
        config.server = ServerChoice::Fixed {
            host: "hs9.network.com".into(),
            port: Some(5061),
            transport: Transport::Tls,
        };
    });
    world.login();
    let error = &world.last_failure().error;
    assert_eq!((error.code(), error.family()), ("E0401", Family::Resolve), "{error}");
}

/// Each would take the other's place at the server, and signing one out would remove the other's binding.
#[test]
fn one_endpoint_is_one_account() {
    let account = |aor: &str, epid: &str| AccountConfig::new(Aor::parse(aor).unwrap(), epid);
    let mut world = World::new(|_| {});
    let now = world.now();
    let again = world.agent.add_account(account("sip:User@Network.com", "3344"), now);
    assert!(matches!(again, Err(ConfigError::Duplicate { .. })), "{again:?}");
    assert!(world.agent.add_account(account("user@network.com", "3345"), now).is_ok(), "another device");
    assert!(world.agent.add_account(account("other@network.com", "3344"), now).is_ok(), "another user");
}
