//! The redirect table: every 301 there is, what becomes of it, and the sentence it is told with.

use std::time::Duration;

use homing_core::config::{Consent, IpNetwork, LoopRule, ServerChoice, SignaturePlaces, UnsignedRule};
use homing_core::connect::ConnectError;
use homing_core::counter::Counter;
use homing_core::dns::{DnsQuestion, DnsRecords, RecordKind, Srv};
use homing_core::error::{Family, LoginError, RedirectError, SignatureFault};
use homing_core::event::AccountEvent;
use homing_core::journey::{FoundBy, HopVerdict};
use homing_core::outbox::Decision;
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::Name;

use super::world::server::{Fault, Gate, Then};
use super::world::{World, answer, main_job};

const HOME: &str = "<sip:hs104.network.com:5061;transport=tls>";

/// The sentence the login failed with, its stable code, and that nothing else was dialled.
fn refused(world: &World, sentence: &str, code: &str) {
    assert_eq!(world.state(), AccountState::Rejected);
    let failure = world.last_failure();
    assert_eq!(failure.error.to_string(), sentence);
    assert_eq!(failure.error.code(), code);
    assert_eq!(failure.error.family(), Family::Redirect);
    assert!(!failure.error.hint().is_empty());
    let verdict = &failure.journey.last().unwrap().verdict;
    assert!(matches!(verdict, HopVerdict::RedirectRefused(_)), "{verdict:?}");
    assert!(world.agent.counters().of(Counter::RedirectRefused) >= 1);
    assert_eq!(world.agent.flows(), 0, "no connection is left");
    assert_eq!(world.agent.transactions(), 0);
    let again = world.agent.deadline().expect("it is tried again");
    assert!(again.at.0 >= Duration::from_secs(30), "not sooner than 30 s");
}

fn failing(
    config: impl FnOnce(&mut homing_core::config::AccountConfig),
    prepare: impl FnOnce(&mut World),
) -> World {
    let mut world = main_job(config);
    prepare(&mut world);
    world.login();
    world.pass(Duration::from_secs(2));
    world
}

#[test]
fn para_39_40_a_signed_301_is_followed() {
    let mut world = main_job(|_| {});
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    let registered = world.registered();
    assert_eq!(registered.home.to_string(), "hs104.network.com:5061");
    let hops = &registered.journey.hops;
    assert_eq!(hops.len(), 2);
    assert_eq!(
        hops[0].verdict,
        HopVerdict::Redirected { status: 301, signed: true, to: vec!["hs104.network.com:5061".into()] }
    );
    assert_eq!(hops[1].how, FoundBy::Redirected { candidate: 0 });
    assert_eq!(hops[1].verdict, HopVerdict::Accepted { expires: 7_200, signed: true });
    assert_eq!(hops[1].verified_as.as_deref(), Some("hs104.network.com"));
    assert_eq!(world.agent.flows(), 1, "the flow to the distributor is closed");
    let (before, after) = (world.registers("hs102.network.com"), world.registers("hs104.network.com"));
    assert_ne!(before[0].call_id().unwrap(), after[0].call_id().unwrap(), "a new Call-ID");
    assert_eq!(after[0].cseq().unwrap().seq, 1, "CSeq from 1");
    assert!(after[0].auth(Name::Authorization).next().is_none(), "and no credentials");
    assert_eq!(world.agent.counters().of(Counter::RedirectFollowed), 1);
}

#[test]
fn an_unsigned_301_is_refused_after_two_seconds() {
    let mut world = main_job(|_| {});
    world.at("hs102.network.com").spoil(Fault::Unsigned);
    world.login();
    assert_eq!(world.state(), AccountState::Authenticating, "a better answer is waited for");
    world.pass(Duration::from_millis(1_999));
    assert!(world.failures().is_empty());
    world.pass(Duration::from_millis(1));
    refused(&world, "redirect from hs102.network.com:5061 ignored: it is not signed", "E0703");
    assert_eq!(world.at("hs104.network.com").dials, 0);
    assert_eq!(world.agent.counters().of(Counter::Unsigned), 1);
}

#[test]
fn a_true_answer_after_a_forged_one_wins() {
    let mut world = main_job(|_| {});
    let forge = |text: String| text.replace("hs104", "evil").replace("rspauth=\"0100", "rspauth=\"0177");
    world.at("hs102.network.com").spoil(Fault::ForgedFirst(forge));
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.agent.counters().of(Counter::BadSignature), 1);
    let refused = AccountEvent::MessageRefused {
        server: homing_core::server::ServerName::new("hs102.network.com", 5061),
        why: SignatureFault::BadSignature,
    };
    assert!(world.events.contains(&refused));
}

#[test]
fn a_wrong_signature_is_refused() {
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").spoil(Fault::WrongSignature);
        },
    );
    refused(&world, "redirect from hs102.network.com:5061 ignored: its signature is wrong", "E0704");
}

#[test]
fn the_signature_of_another_association_is_refused() {
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").spoil(Fault::OtherAssociation);
        },
    );
    let sentence = "redirect from hs102.network.com:5061 ignored: another server's association signed it";
    refused(&world, sentence, "E0704");
}

#[test]
fn a_status_changed_after_signing_is_refused() {
    let world = failing(
        |config| config.redirect.also_302 = true,
        |world| {
            let edit = |text: String| text.replace("SIP/2.0 301", "SIP/2.0 302");
            world.at("hs102.network.com").spoil(Fault::Edit(edit));
        },
    );
    refused(&world, "redirect from hs102.network.com:5061 ignored: its signature is wrong", "E0704");
}

#[test]
fn a_contact_changed_after_signing_is_refused_where_the_tag_binds_it() {
    let world = failing(
        |_| {},
        |world| {
            let edit = |text: String| text.replace("sip:hs104.network.com", "sip:hs105.network.com");
            world.at("hs102.network.com").redirect(301, &[HOME], true).spoil(Fault::Edit(edit));
        },
    );
    let sentence = "redirect from hs102.network.com:5061 ignored: its Contact was changed on the way";
    refused(&world, sentence, "E0705");
}

#[test]
fn a_bound_contact_list_is_followed() {
    let mut world = main_job(|_| {});
    let backup = "<sip:hs105.network.com:5061;transport=tls>;q=0.3";
    world.at("hs102.network.com").redirect(
        301,
        &["<sip:hs104.network.com:5061;transport=tls>;q=0.7", backup],
        true,
    );
    world.login();
    assert_eq!(world.registered().home.host, "hs104.network.com");
}

#[test]
fn para_67_a_redirect_to_itself_is_a_loop() {
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").redirect_to("<sip:HS102.network.com:5061;transport=tls>");
        },
    );
    refused(&world, "redirect ignored: hs102.network.com:5061 was already visited (loop)", "E0702");
    let seen = RedirectError::Loop {
        server: homing_core::server::ServerName::new("hs102.network.com", 5061),
        first_seen: 1,
    };
    assert_eq!(world.last_failure().error, LoginError::Redirect(seen));
}

#[test]
fn para_67_a_redirect_to_the_servers_other_name_is_a_loop() {
    let mut world = World::new(|_| {});
    world.srv(&[(10, "sip.network.com")]);
    let distributor = world.server("sip.network.com");
    distributor.targetname = "hs102.network.com".into();
    distributor.certificate = vec!["network.com".into(), "hs102.network.com".into()];
    distributor.redirect_to("<sip:hs102.network.com:5061;transport=tls>");
    world.login();
    refused(&world, "redirect ignored: hs102.network.com:5061 was already visited (loop)", "E0702");
}

#[test]
fn para_67_loops_of_length_two_and_three_are_seen() {
    let world = failing(
        |_| {},
        |world| {
            world.at("hs104.network.com").redirect_to("<sip:hs102.network.com;transport=tls>");
            // Without a port SRV comes first; the name as dialled has the default port.
        },
    );
    refused(&world, "redirect ignored: hs102.network.com:5061 was already visited (loop)", "E0702");
    let world = failing(
        |_| {},
        |world| {
            world.at("hs104.network.com").redirect_to("<sip:hs105.network.com:5061;transport=tls>");
            world.server("hs105.network.com").redirect_to("<sip:hs102.network.com:5061;transport=tls>");
        },
    );
    refused(&world, "redirect ignored: hs102.network.com:5061 was already visited (loop)", "E0702");
    assert_eq!(world.last_failure().journey.hops.len(), 3);
}

/// A chain of servers, each redirecting to the next; the last accepts.
fn chain(redirects: usize, config: impl FnOnce(&mut homing_core::config::AccountConfig)) -> World {
    let mut world = World::new(config);
    world.srv(&[(10, "s0.network.com")]);
    for n in 0..redirects {
        let next = format!("<sip:s{}.network.com:5061;transport=tls>", n + 1);
        world.server(&format!("s{n}.network.com")).redirect_to(&next);
    }
    world.server(&format!("s{redirects}.network.com"));
    world.login();
    world
}

#[test]
fn para_67_five_redirects_are_followed_and_the_sixth_fails() {
    let world = chain(5, |_| {});
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.registered().journey.redirects(), 5);
    let world = chain(6, |_| {});
    refused(&world, "stopped after 5 redirects", "E0701");
    assert_eq!(world.last_failure().journey.hops.len(), 6);
}

#[test]
fn a_limit_of_zero_follows_none() {
    let world = chain(1, |config| config.redirect.limit = 0);
    refused(&world, "stopped after 0 redirects", "E0701");
}

#[test]
fn the_patent_read_literally_refuses_the_second_redirect() {
    let strict =
        |config: &mut homing_core::config::AccountConfig| config.redirect.loops = LoopRule::StrictPatent;
    assert_eq!(chain(1, strict).state(), AccountState::Registered);
    refused(&chain(2, strict), "redirect ignored: s2.network.com:5061 was already visited (loop)", "E0702");
}

#[test]
fn tls_is_never_left() {
    let tcp = failing(
        |config| config.transports.push(Transport::Tcp),
        |world| {
            world.at("hs102.network.com").redirect_to("<sip:hs104.network.com:5060;transport=tcp>");
        },
    );
    refused(&tcp, "redirect drops TLS (tls to TCP) and was refused", "E0706");
    let udp = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").redirect_to("<sip:hs104.network.com;transport=udp>");
        },
    );
    refused(&udp, "redirect drops TLS (tls to UDP) and was refused", "E0706");
}

#[test]
fn a_redirect_does_not_bring_register_over_udp_where_that_is_off() {
    let to_udp = |udp_register: bool| {
        let mut world = World::new(|config| {
            config.transports = vec![Transport::Tcp, Transport::Udp];
            config.auth.udp_register = udp_register;
            config.redirect.require_tls = false;
            let host = "hs102.network.com".into();
            config.server = ServerChoice::Fixed { host, port: Some(5061), transport: Transport::Tcp };
        });
        world.server("hs102.network.com").redirect_to("<sip:hs104.network.com:5061;transport=udp>");
        world.server("hs104.network.com");
        world.login();
        world
    };
    let mut world = to_udp(false);
    assert_eq!(world.last_failure().error.code(), "E0706");
    assert_eq!(world.at("hs104.network.com").dials, 0);
    assert_eq!(to_udp(true).registered().home.host, "hs104.network.com");
}

#[test]
fn the_domain_is_not_left_unless_the_account_trusts_the_other() {
    let evil = "<sip:hs104.network.com.evil.test:5061;transport=tls>";
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").redirect_to(evil);
        },
    );
    let sentence = "redirect to hs104.network.com.evil.test refused: it lies outside network.com";
    refused(&world, sentence, "E0707");
    let partner = "<sip:hs1.partner.test:5061;transport=tls>";
    let world = failing(
        |config| config.redirect.domains.push("partner.test".into()),
        |world| {
            world.at("hs102.network.com").redirect_to(partner);
            world.server("hs1.partner.test");
        },
    );
    assert_eq!(world.registered().home.host, "hs1.partner.test");
}

#[test]
fn an_address_literal_needs_a_rule() {
    let literal = "<sip:192.0.2.2:5061;transport=tls>";
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").redirect_to(literal);
        },
    );
    refused(&world, "redirect to the address 192.0.2.2 refused", "E0708");
    let allowed = IpNetwork { address: "192.0.2.0".parse().unwrap(), prefix: 24 };
    let world = failing(
        |config| config.redirect.ip_literals.push(allowed),
        |world| {
            world.at("hs102.network.com").redirect_to(literal);
        },
    );
    assert_eq!(world.registered().home.host, "192.0.2.2");
    assert_eq!(world.registered().journey.hops[1].verified_as.as_deref(), Some("hs104.network.com"));
    let other = IpNetwork { address: "198.51.100.0".parse().unwrap(), prefix: 24 };
    let world = failing(
        |config| config.redirect.ip_literals.push(other),
        |world| {
            world.at("hs102.network.com").redirect_to(literal);
        },
    );
    refused(&world, "redirect to the address 192.0.2.2 refused", "E0708");
}

#[test]
fn an_allowed_address_needs_a_certificate_of_the_domain_and_is_remembered() {
    let allow = |config: &mut homing_core::config::AccountConfig| {
        config.redirect.ip_literals.push(IpNetwork { address: "192.0.2.0".parse().unwrap(), prefix: 24 });
    };
    let literal = "<sip:192.0.2.2:5061;transport=tls>";
    let mut world = main_job(allow);
    world.at("hs102.network.com").redirect_to(literal);
    world.at("hs104.network.com").certificate = vec!["hs104.other.test".into()];
    world.login();
    assert_eq!(world.last_failure().error.code(), "E0509");
    world.at("hs104.network.com").certificate = vec!["network.com".into(), "hs104.network.com".into()];
    world.pass_until(AccountState::Registered, Duration::from_secs(120));
    world.command(homing_core::command::Command::Unregister);
    world.login();
    let hops = &world.registered().journey.hops;
    assert_eq!((hops.len(), &hops[0].how), (1, &FoundBy::Remembered));
    assert_eq!(world.registered().home.host, "192.0.2.2");
}

/// A redirect to a pool without a port, whose SRV record names node7.
fn pool_with_node(config: impl FnOnce(&mut homing_core::config::AccountConfig)) -> World {
    let mut world = main_job(config);
    world.at("hs102.network.com").redirect_to("<sip:pool.network.com;transport=tls>");
    let question = DnsQuestion { name: "_sips._tcp.pool.network.com".into(), kind: RecordKind::Srv };
    let target = Srv { priority: 10, weight: 10, port: 5061, target: "node7.network.com".into() };
    world.dns.insert(question, answer(DnsRecords::Srv(vec![target])));
    let node = world.server("node7.network.com");
    node.certificate = vec!["pool.network.com".into()];
    node.targetname = "pool.network.com".into();
    world
}

#[test]
fn para_67_a_pool_that_redirects_to_itself_is_a_loop() {
    let mut world = pool_with_node(|config| config.redirect.unsigned = UnsignedRule::FollowOverTls);
    // With Digest it has no target name to be known by.
    world.at("node7.network.com").gate = Gate::Digest("SHA-256");
    world.at("node7.network.com").redirect_to("<sip:pool.network.com;transport=tls>");
    world.login();
    refused(&world, "redirect ignored: pool.network.com:5061 was already visited (loop)", "E0702");
}

#[test]
fn a_pool_is_remembered_as_the_redirect_named_it() {
    let mut world = pool_with_node(|_| {});
    world.login();
    assert_eq!(world.registered().home.host, "node7.network.com");
    let learned = world.events.iter().rev().find_map(|event| match event {
        AccountEvent::Learned(learned) => Some(learned.clone()),
        _ => None,
    });
    let learned = learned.unwrap();
    assert_eq!((learned.host.as_str(), learned.port, learned.exact), ("pool.network.com", None, true));
    world.command(homing_core::command::Command::Unregister);
    world.login();
    let hops = &world.registered().journey.hops;
    assert_eq!((hops.len(), &hops[0].how), (1, &FoundBy::Remembered), "{hops:?}");
    assert_eq!(hops[0].price.register, 2, "with the shortcut");
}

#[test]
fn a_contact_with_instructions_of_its_own_is_refused() {
    for contact in [
        "<sip:hs104.network.com:5061;transport=tls;maddr=evil.test>",
        "<sip:hs104.network.com:5061;transport=tls?Route=%3Csip:evil.test%3E>",
    ] {
        let world = failing(
            |_| {},
            |world| {
                world.at("hs102.network.com").redirect_to(contact);
            },
        );
        let sentence = "redirect to hs104.network.com refused: its address carries instructions of its own";
        refused(&world, sentence, "E0709");
    }
}

#[test]
fn a_301_without_a_usable_contact_is_refused() {
    let sentence = "redirect from hs102.network.com:5061 names no usable server";
    for contacts in [&[][..], &["<tel:+420123456>"], &["*"], &["<sip:hs104.network.com;transport=sctp>"]] {
        let world = failing(
            |_| {},
            |world| {
                world.at("hs102.network.com").redirect(301, contacts, false);
            },
        );
        refused(&world, sentence, "E0710");
    }
}

#[test]
fn a_bad_contact_beside_a_good_one_is_passed_over() {
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").redirect(
                301,
                &["<sip:evil.test>;q=0.9", "<sip:hs104.network.com:5061;transport=tls>;q=0.1"],
                false,
            );
        },
    );
    assert_eq!(world.registered().home.host, "hs104.network.com");
}

#[test]
fn of_two_contacts_the_second_is_tried_when_the_first_is_dead() {
    let mut world = main_job(|_| {});
    let contacts = [
        "<sip:hs104.network.com:5061;transport=tls>;q=0.3",
        "<sip:hs103.network.com:5061;transport=tls>;q=0.7",
    ];
    world.at("hs102.network.com").redirect(301, &contacts, false);
    world.server("hs103.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    world.login();
    assert_eq!(world.state(), AccountState::Fallback);
    let journey = &world.registered().journey;
    assert_eq!(journey.redirects(), 1, "the whole list is one hop");
    assert_eq!(journey.hops[1].verdict, HopVerdict::Unreachable(ConnectError::ConnectionRefused));
    assert_eq!(journey.hops[2].how, FoundBy::Redirected { candidate: 1 });
}

/// A redirect leads to one server; a second one that is alive is not even dialled.
#[test]
fn of_two_contacts_that_live_only_the_better_one_is_dialled() {
    for (first, second) in [("hs103", "hs104"), ("hs104", "hs103")] {
        let mut world = main_job(|_| {});
        world.server("hs103.network.com");
        let contact = |name: &str, q| format!("<sip:{name}.network.com:5061;transport=tls>;q={q}");
        let (worse, better) = (contact(second, "0.3"), contact(first, "0.7"));
        world.at("hs102.network.com").redirect(301, &[&worse, &better], false);
        world.login();
        world.pass(Duration::from_secs(60));
        assert_eq!(world.state(), AccountState::Registered);
        assert_eq!(world.registered().home.host, format!("{first}.network.com"));
        assert_eq!(world.at(&format!("{second}.network.com")).dials, 0);
    }
}

#[test]
fn a_candidate_that_answered_in_sip_is_the_last_one_tried() {
    let mut world = main_job(|_| {});
    let contacts = [
        "<sip:hs103.network.com:5061;transport=tls>;q=0.7",
        "<sip:hs104.network.com:5061;transport=tls>;q=0.3",
    ];
    world.at("hs102.network.com").redirect(301, &contacts, false);
    world.server("hs103.network.com").answer(503, "Service Unavailable");
    world.login();
    assert_eq!(world.state(), AccountState::Rejected);
    assert_eq!(world.at("hs104.network.com").dials, 0);
}

#[test]
fn candidates_that_are_all_dead_lead_back_to_discovery_after_a_pause() {
    let mut world = main_job(|_| {});
    world.at("hs104.network.com").unreachable = Some(ConnectError::ConnectionRefused);
    world.login();
    assert_eq!(world.last_failure().error.code(), "E0501");
    world.at("hs104.network.com").unreachable = None;
    world.pass_until(AccountState::Registered, Duration::from_secs(120));
    assert_eq!(world.registers("hs102.network.com").len(), 5, "3 cold, then 2 with the remembered realm");
}

#[test]
fn para_67_a_301_on_refresh_is_a_logout_and_a_whole_login() {
    let mut world = main_job(|_| {});
    world.login();
    world.server("hs105.network.com");
    world.at("hs104.network.com").redirect_to("<sip:hs105.network.com:5061;transport=tls>");
    world.at("hs102.network.com").redirect_to("<sip:hs105.network.com:5061;transport=tls>");
    let asked = world.asked.len();
    world.command(homing_core::command::Command::Refresh);
    let moved = AccountEvent::LoggedOut { why: homing_core::event::LogoutReason::Moved };
    assert!(world.events.contains(&moved));
    assert!(world.events.contains(&AccountEvent::Forgotten));
    assert_eq!(world.state(), AccountState::Registered);
    let registered = world.registered();
    assert_eq!(registered.home.host, "hs105.network.com");
    assert_eq!(registered.journey.hops[0].server.host, "hs102.network.com", "from discovery");
    assert!(world.asked.len() > asked, "DNS was asked again");
    let changed = world.events.iter().any(|event| {
        matches!(event, AccountEvent::HomeServerChanged { old: Some(old), new, cause }
            if old.host == "hs104.network.com" && new.host == "hs105.network.com"
                && *cause == homing_core::event::MoveCause::Moved)
    });
    assert!(changed);
    assert_eq!(world.agent.flows(), 1);
}

#[test]
fn a_spoiled_301_on_refresh_changes_nothing() {
    for faults in [Fault::Unsigned, Fault::WrongSignature, Fault::OtherAssociation] {
        let mut world = main_job(|_| {});
        world.login();
        world.at("hs104.network.com").redirect_to("<sip:evil.test:5061;transport=tls>").spoil(faults);
        world.command(homing_core::command::Command::Refresh);
        world.pass(Duration::from_secs(3));
        assert!(world.state().is_reachable(), "{:?}", world.state());
        assert!(!world.events.iter().any(|event| matches!(event, AccountEvent::LoggedOut { .. })));
        world.at("hs104.network.com").then = Then::Accept { expires: 7_200 };
        world.pass_until(AccountState::Registered, Duration::from_secs(90));
        assert_eq!(world.registered().home.host, "hs104.network.com");
    }
}

#[test]
fn a_301_during_renewal_of_the_association_moves_too() {
    let mut world = main_job(|config| config.expires = 86_400);
    world.at("hs104.network.com").then = Then::Accept { expires: 86_400 };
    world.login();
    world.at("hs104.network.com").redirect_to("<sip:hs105.network.com:5061;transport=tls>");
    world.server("hs105.network.com").then = Then::Accept { expires: 86_400 };
    world.at("hs102.network.com").redirect_to("<sip:hs105.network.com:5061;transport=tls>");
    world.pass(Duration::from_secs(8 * 3_600));
    assert!(world.events.contains(&AccountEvent::LoggedOut { why: homing_core::event::LogoutReason::Moved }));
    assert_eq!(world.registered().home.host, "hs105.network.com");
}

#[test]
fn a_302_is_followed_only_by_policy() {
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").redirect(302, &[HOME], false);
        },
    );
    refused(&world, "redirect with status 302 is not followed", "E0711");
    let world = failing(
        |config| config.redirect.also_302 = true,
        |world| {
            world.at("hs102.network.com").redirect(302, &[HOME], false);
        },
    );
    assert_eq!(world.registered().home.host, "hs104.network.com");
}

#[test]
fn a_digest_registrar_redirects_only_by_policy() {
    let prepare = |world: &mut World| {
        world.at("hs102.network.com").gate(Gate::Digest("SHA-256"));
    };
    let world = failing(|_| {}, prepare);
    refused(&world, "redirect from hs102.network.com:5061 ignored: it is not signed", "E0703");
    let world = failing(|config| config.redirect.unsigned = UnsignedRule::FollowOverTls, prepare);
    let journey = &world.registered().journey;
    assert!(matches!(journey.hops[0].verdict, HopVerdict::Redirected { signed: false, .. }));
    assert_eq!(world.registered().home.host, "hs104.network.com");
}

#[test]
fn an_unsigned_301_is_not_followed_by_policy_where_an_association_could_have_signed_it() {
    let world = failing(
        |config| config.redirect.unsigned = UnsignedRule::FollowOverTls,
        |world| {
            world.at("hs102.network.com").spoil(Fault::Unsigned);
        },
    );
    refused(&world, "redirect from hs102.network.com:5061 ignored: it is not signed", "E0703");
}

#[test]
fn over_tcp_a_redirect_needs_a_rule() {
    let over_tcp = |require_tls: bool| {
        let mut world = World::new(|config| {
            config.transports = vec![Transport::Tcp];
            config.redirect.require_tls = require_tls;
            let host = "hs102.network.com".into();
            config.server = ServerChoice::Fixed { host, port: Some(5061), transport: Transport::Tcp };
        });
        world.server("hs102.network.com").redirect_to("<sip:hs104.network.com:5061;transport=tcp>");
        world.server("hs104.network.com");
        world.login();
        world
    };
    let world = over_tcp(true);
    refused(&world, "redirect from hs102.network.com:5061 ignored: the connection is not TLS", "E0712");
    assert_eq!(over_tcp(false).registered().home.host, "hs104.network.com");
}

#[test]
fn consent_is_asked_for_and_heeded() {
    let mut world = main_job(|config| config.redirect.consent = Consent::Ask);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    assert!(
        world
            .asked
            .iter()
            .any(|question| matches!(question, homing_core::outbox::Question::Redirect(attempt)
        if attempt.signed && attempt.targets[0].host == "hs104.network.com"))
    );
    let mut world = main_job(|config| config.redirect.consent = Consent::Ask);
    world.rules.decision = Decision::Stop;
    world.login();
    assert_eq!(world.last_failure().error.to_string(), "redirect to hs104.network.com:5061 declined");
    assert_eq!(world.last_failure().error.code(), "E0713");
    assert_eq!(world.agent.deadline(), None, "a no is a no");
}

#[test]
fn para_39_signatures_in_the_patents_places_count_only_by_option() {
    let literal = |text: String| text.replace("Authentication-Info: NTLM", "Proxy-Authenticate: NTLM");
    let world = failing(
        |_| {},
        |world| {
            world.at("hs102.network.com").spoil(Fault::Edit(literal));
        },
    );
    refused(&world, "redirect from hs102.network.com:5061 ignored: it is not signed", "E0703");
    let world = failing(
        |config| config.auth.signature_places = SignaturePlaces::PatentToo,
        |world| {
            world.at("hs102.network.com").spoil(Fault::Edit(literal));
        },
    );
    assert_eq!(world.registered().home.host, "hs104.network.com");
}

#[test]
fn servers_that_send_an_account_to_and_fro_do_not_keep_it_running_for_ever() {
    let mut world = main_job(|_| {});
    world.server("hs105.network.com");
    world.login();
    let (mut here, mut there) = ("hs104.network.com", "hs105.network.com");
    for _ in 0..5 {
        let contact = format!("<sip:{there}:5061;transport=tls>");
        world.at("hs102.network.com").redirect_to(&contact);
        world.at(here).redirect_to(&contact);
        world.at(there).then = Then::Accept { expires: 7_200 };
        world.command(homing_core::command::Command::Refresh);
        assert_eq!(world.registered().home.host, there);
        assert_eq!(world.state(), AccountState::Registered);
        (here, there) = (there, here);
    }
    world.at(here).redirect_to(&format!("<sip:{there}:5061;transport=tls>"));
    world.at(there).then = Then::Accept { expires: 7_200 };
    world.command(homing_core::command::Command::Refresh);
    assert_eq!(world.state(), AccountState::Rejected, "the sixth in a minute waits");
    assert_eq!(world.last_failure().error.code(), "E0701");
    let wait = world.agent.deadline().unwrap().at.0 - world.clock;
    assert!(wait >= Duration::from_secs(30), "{wait:?}");
    world.pass(wait);
    assert_eq!(world.state(), AccountState::Registered);
}

/// The To tag is judged over all Contacts, of which the best eight are tried.
#[test]
fn of_64_contacts_the_best_is_dialled_and_65_are_refused_by_name() {
    for (dead, code) in [(63, None), (64, Some("E0714"))] {
        let mut world = main_job(|_| {});
        let mut contacts: Vec<String> =
            (0..dead).map(|n| format!("<sip:dead{n}.network.com:5061;transport=tls>;q=0.1")).collect();
        contacts.push("<sip:hs104.network.com:5061;transport=tls>;q=0.9".to_owned());
        let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
        world.at("hs102.network.com").redirect(301, &contacts, true);
        world.login();
        match code {
            None => assert_eq!(world.registered().home.host, "hs104.network.com"),
            Some(code) => {
                let error = &world.last_failure().error;
                assert_eq!(error.code(), code);
                assert!(error.to_string().contains("more than 64 servers"), "{error}");
                assert_eq!(world.at("hs104.network.com").dials, 0);
            }
        }
    }
}
