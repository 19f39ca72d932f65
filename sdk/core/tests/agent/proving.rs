//! How an account proves itself: which challenges are answered, with what, and when it stops.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_core::auth::security_association::{Style, Version};
use homing_core::command::Command;
use homing_core::config::{
    AccountConfig, ExtendedProtection, RegisterUri, Scheme, ServerChoice, TargetNameRule, UnsignedRule,
};
use homing_core::counter::Counter;
use homing_core::error::{AuthError, Family};
use homing_core::event::AccountEvent;
use homing_core::outbox::{Answer, Input, Question};
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_wire::{Message, Name};

use super::world::server::{CHALLENGE, Fault, Gate, edited};
use super::world::{World, credentials};

fn one_server(config: impl FnOnce(&mut AccountConfig), gate: Gate) -> World {
    let mut world = World::new(config);
    world.srv(&[(10, "hs1.network.com")]);
    world.server("hs1.network.com").gate = gate;
    world
}

/// The sentence and code of a login that failed, and whether it is tried again by itself.
fn failed(world: &World, sentence: &str, code: &str, again: bool) {
    let failure = world.last_failure();
    assert_eq!(failure.error.to_string(), sentence);
    assert_eq!(failure.error.code(), code);
    assert_eq!(failure.error.family(), Family::Auth);
    assert!(!failure.error.hint().is_empty());
    // A password helps against these two only.
    let state = match code {
        "E0601" | "E0603" => AccountState::NeedsPassword,
        _ => AccountState::Rejected,
    };
    assert_eq!(world.state(), state, "{code}");
    assert_eq!(world.agent.deadline().is_some(), again);
    assert_eq!((world.agent.flows(), world.agent.transactions(), world.agent.questions()), (0, 0, 0));
}

#[test]
fn ntlm_in_every_version_and_both_header_styles() {
    for version in [Version::V2, Version::V3, Version::V4] {
        for style in [Style::Registrar, Style::Proxy] {
            let mut world = one_server(|_| {}, Gate::Ntlm);
            let server = world.at("hs1.network.com");
            (server.version, server.style) = (version, style);
            world.login();
            assert_eq!(world.state(), AccountState::Registered, "{version:?} {style:?}");
            let signed = |message: &Message| {
                message.auth(style.credentials()).next().unwrap().param("response").is_some()
            };
            assert_eq!(signed(world.registers("hs1.network.com")[2]), version == Version::V4);
            world.command(Command::Refresh);
            let registers = world.registers("hs1.network.com");
            let refresh = registers[3].auth(style.credentials()).next().unwrap();
            let number = if version == Version::V4 { "2" } else { "1" };
            assert_eq!(refresh.param("cnum"), Some(number));
            assert!(world.events.contains(&AccountEvent::Refreshed { expires: 7_200 }));
        }
    }
}

#[test]
fn the_answer_may_come_in_the_other_header_style() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.at("hs1.network.com").style = Style::Proxy;
    let other = |text: String| text.replace("Proxy-Authentication-Info:", "Authentication-Info:");
    world.at("hs1.network.com").spoil(Fault::Edit(other));
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn digest_with_every_hash_and_no_password_kept() {
    for algorithm in ["SHA-256", "SHA-512-256", "MD5"] {
        let mut world = one_server(|config| config.auth.allow_md5 = true, Gate::Digest(algorithm));
        world.login();
        assert_eq!(world.state(), AccountState::Registered, "{algorithm}");
        world.command(Command::Refresh);
        let registers = world.registers("hs1.network.com");
        assert_eq!(registers.len(), 3, "the nonce is used again");
        let refresh = registers[2].auth(Name::Authorization).next().unwrap();
        assert_eq!(refresh.param("nc"), Some("00000002"));
        let asked = |question: &&Question| matches!(question, Question::Credentials { .. });
        assert_eq!(world.asked.iter().filter(asked).count(), 1);
    }
}

#[test]
fn a_stale_nonce_is_answered_anew_without_asking() {
    let mut world = one_server(|_| {}, Gate::Digest("SHA-256"));
    world.login();
    world.at("hs1.network.com").expire_nonce();
    world.command(Command::Refresh);
    assert!(world.events.contains(&AccountEvent::Refreshed { expires: 7_200 }));
    let asked = |question: &&Question| matches!(question, Question::Credentials { .. });
    assert_eq!(world.asked.iter().filter(asked).count(), 1);
    world.command(Command::Refresh);
    assert_eq!(world.agent.counters().of(Counter::Refreshes), 2);
}

#[test]
fn the_next_nonce_is_taken_up() {
    let mut world = one_server(|_| {}, Gate::Digest("SHA-256"));
    world.at("hs1.network.com").extra.push(("Authentication-Info".into(), "nextnonce=\"fresh\"".into()));
    world.login();
    world.command(Command::Refresh);
    let registers = world.registers("hs1.network.com");
    assert_eq!(registers[2].auth(Name::Authorization).next().unwrap().param("nonce"), Some("fresh"));
}

#[test]
fn md5_is_not_answered_unless_allowed() {
    let mut world = one_server(|_| {}, Gate::Digest("MD5"));
    world.login();
    let sentence = "hs1.network.com:5061 offers no login this account allows (offered: Digest MD5)";
    failed(&world, sentence, "E0602", true);
    assert_eq!(world.registers("hs1.network.com").len(), 1, "no credential left");
}

#[test]
fn the_accounts_order_decides_not_the_servers() {
    let offers = vec![
        "Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"".to_owned(),
        "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"".to_owned(),
        "Kerberos realm=\"r\", targetname=\"sip/hs1.network.com\"".to_owned(),
        "NTLM realm=\"r\", targetname=\"hs1.network.com\", version=4".to_owned(),
    ];
    let mut world = one_server(|_| {}, Gate::Raw(offers.clone()));
    world.login();
    let second = world.registers("hs1.network.com")[1];
    assert_eq!(second.auth(Name::Authorization).next().unwrap().scheme, "NTLM");
    let digest_first = |config: &mut AccountConfig| {
        config.auth.schemes = vec![Scheme::Digest, Scheme::Ntlm];
        config.auth.allow_md5 = true;
    };
    let mut world = one_server(digest_first, Gate::Raw(offers));
    world.login();
    let auth = world.registers("hs1.network.com")[1].auth(Name::Authorization).next().unwrap();
    assert_eq!((auth.scheme, auth.param("algorithm")), ("Digest", Some("SHA-256")), "the strongest");
}

#[test]
fn a_wrong_password_is_told_and_not_tried_again() {
    for gate in [Gate::NtlmRefusing, Gate::Digest("SHA-256")] {
        let mut world = one_server(|_| {}, gate);
        let mut wrong = credentials();
        wrong.password = homing_core::secret::Password::new("wrong");
        world.rules.credentials = Some(wrong);
        world.login();
        let sentence = "hs1.network.com:5061 does not accept this user name and password";
        failed(&world, sentence, "E0601", false);
        world.pass(Duration::from_secs(4_000));
        assert_eq!(world.failures().len(), 1, "no account is locked by trying on");
        world.login();
        let again = world.asked.iter().rev().find_map(|question| match question {
            Question::Credentials { refused_before, .. } => Some(*refused_before),
            _ => None,
        });
        assert_eq!(again, Some(true), "whoever is asked again learns why");
    }
}

#[test]
fn without_a_password_nothing_is_tried() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.rules.credentials = None;
    world.login();
    failed(&world, "no password was given for hs1.network.com:5061", "E0603", false);
    assert_eq!(world.registers("hs1.network.com").len(), 1);
}

#[test]
fn a_person_may_take_their_time() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.rules.hold_credentials = true;
    world.login();
    let (id, question) = world.held.pop().expect("a question");
    let Question::Credentials { server, realm, refused_before, .. } = question else {
        panic!("{question:?}")
    };
    assert_eq!(server.to_string(), "hs1.network.com:5061");
    assert_eq!((realm.as_str(), refused_before), ("SIP Communications Service", false));
    world.pass(Duration::from_secs(3_600));
    assert_eq!(world.state(), AccountState::Authenticating);
    world.answer(id, Answer::Credentials(Some(credentials())));
    assert_eq!(world.state(), AccountState::Registered);
    world.answer(id, Answer::Credentials(Some(credentials())));
    assert_eq!(world.agent.counters().of(Counter::LateAnswer), 1);
}

#[test]
fn a_person_slower_than_a_half_open_handshake_still_signs_in() {
    for wait in [3, 61, 3_600] {
        let mut world = one_server(|_| {}, Gate::Ntlm);
        world.login();
        world.command(Command::Unregister);
        world.rules.hold_credentials = true;
        world.login();
        let (id, _) = world.held.pop().expect("a question");
        assert_eq!(world.registered().journey.hops[0].price.register, 3);
        world.pass(Duration::from_secs(wait));
        world.answer(id, Answer::Credentials(Some(credentials())));
        assert_eq!(world.state(), AccountState::Registered, "after {wait} s");
        assert!(world.failures().is_empty());
        let tries = if wait < 5 { 2 } else { 3 };
        assert_eq!(world.registered().journey.hops[0].price.register, tries, "after {wait} s");
    }
}

#[test]
fn a_slow_person_with_a_wrong_password_counts_once() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.login();
    world.command(Command::Unregister);
    world.rules.hold_credentials = true;
    world.at("hs1.network.com").gate = Gate::NtlmRefusing;
    world.login();
    let before = world.registers("hs1.network.com").len();
    let (id, _) = world.held.pop().expect("a question");
    world.pass(Duration::from_secs(61));
    world.answer(id, Answer::Credentials(Some(credentials())));
    assert_eq!(world.last_failure().error.code(), "E0601");
    assert_eq!(world.registers("hs1.network.com").len() - before, 2, "an empty token and one that counts");
}

/// The questions for credentials put so far.
fn questions(world: &World) -> usize {
    world.asked.iter().filter(|question| matches!(question, Question::Credentials { .. })).count()
}

#[test]
fn an_answer_after_the_server_closed_the_connection_is_used_by_the_next_attempt() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.rules.hold_credentials = true;
    world.login();
    world.cut("hs1.network.com");
    assert_eq!(world.last_failure().error.code(), "E0504");
    let (id, _) = world.held.pop().expect("the question is still open");
    world.pass(Duration::from_secs(7));
    world.answer(id, Answer::Credentials(Some(credentials())));
    assert_eq!(world.state(), AccountState::Registered, "at once");
    assert_eq!((questions(&world), world.agent.questions()), (1, 0));
}

#[test]
fn a_question_outlives_any_number_of_connections_and_is_not_put_twice() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.rules.hold_credentials = true;
    world.login();
    for _ in 0..3 {
        world.cut("hs1.network.com");
        world.pass_until(AccountState::Authenticating, Duration::from_secs(600));
    }
    world.input(Input::NetworkChanged { online: true });
    assert_eq!((questions(&world), world.held.len(), world.agent.questions()), (1, 1, 1));
    let (id, _) = world.held.pop().unwrap();
    world.answer(id, Answer::Credentials(Some(credentials())));
    assert_eq!(world.state(), AccountState::Registered);
    assert_eq!(world.agent.questions(), 0);
}

#[test]
fn a_question_is_taken_back_when_nobody_will_use_the_answer() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.rules.hold_credentials = true;
    world.login();
    world.cut("hs1.network.com");
    world.command(Command::Unregister);
    assert_eq!((world.held.len(), world.agent.questions()), (0, 0));
    world.login();
    world.cut("hs1.network.com");
    let (id, _) = world.held.pop().unwrap();
    world.answer(id, Answer::Credentials(None));
    assert_eq!(world.last_failure().error.code(), "E0603");
    assert_eq!(world.agent.deadline(), None, "a no is a no");
    assert_eq!(world.agent.questions(), 0);
}

#[test]
fn an_answer_for_one_domain_is_not_given_to_another() {
    let mut world = one_server(
        |config| {
            config.redirect.domains.push("partner.test".into());
            config.redirect.unsigned = UnsignedRule::FollowOverTls;
        },
        Gate::Ntlm,
    );
    world.rules.hold_credentials = true;
    world.login();
    world.cut("hs1.network.com");
    world.at("hs1.network.com").gate = Gate::Open;
    world.at("hs1.network.com").redirect_to("<sip:hs1.partner.test:5061;transport=tls>");
    world.server("hs1.partner.test");
    world.pass(Duration::from_secs(61));
    assert_eq!(world.state(), AccountState::Authenticating);
    assert_eq!((questions(&world), world.held.len()), (2, 1), "asked anew, and the old question taken back");
}

#[test]
fn a_login_for_another_server_is_a_relay() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.at("hs1.network.com").targetname = "hs2.network.com".into();
    world.login();
    failed(&world, "hs1.network.com:5061 asks for a login at hs2.network.com", "E0605", true);
    assert!(!world.asked.iter().any(|question| matches!(question, Question::Credentials { .. })));
}

#[test]
fn a_server_may_call_itself_by_any_name_its_certificate_carries() {
    for names in [["hs1.network.com", "pool.network.com"], ["pool.network.com", "hs1.network.com"]] {
        for targetname in names {
            let mut world = one_server(|_| {}, Gate::Ntlm);
            let server = world.at("hs1.network.com");
            server.certificate = names.map(str::to_owned).to_vec();
            server.targetname = targetname.to_uppercase();
            world.login();
            assert_eq!(world.state(), AccountState::Registered, "{names:?} {targetname}");
        }
    }
}

#[test]
fn a_proxy_passes_its_home_servers_challenges_on_only_where_the_account_says_so() {
    let pool = |rule: TargetNameRule, targetname: &str| {
        let mut world = World::new(|config| config.auth.target_name = rule);
        world.srv(&[(10, "pool.network.com")]);
        world.server("pool.network.com").targetname = targetname.into();
        world.login();
        world
    };
    let world = pool(TargetNameRule::Verified, "fe03.network.com");
    let sentence = "pool.network.com:5061 asks for a login at fe03.network.com";
    failed(&world, sentence, "E0605", true);
    assert!(world.last_failure().error.hint().contains("target_name = \"in_domain\""));
    let world = pool(TargetNameRule::InDomain, "fe03.network.com");
    assert_eq!(world.state(), AccountState::Registered);
    let world = pool(TargetNameRule::InDomain, "fe03.evil.test");
    failed(&world, "pool.network.com:5061 asks for a login at fe03.evil.test", "E0605", true);
}

#[test]
fn clocks_that_differ_by_more_than_a_quarter_of_an_hour_are_told() {
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.at("hs1.network.com").skew = -1_200;
    world.login();
    let sentence = "the clock of this machine and that of hs1.network.com:5061 differ by 20 minutes";
    failed(&world, sentence, "E0606", true);
    let mut world = one_server(|_| {}, Gate::Ntlm);
    world.at("hs1.network.com").skew = 840;
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
}

#[test]
fn broken_and_weak_tokens_are_told() {
    let with = |token: &str| {
        vec![format!(
            "NTLM opaque=\"1\", gssapi-data=\"{token}\", targetname=\"hs1.network.com\", realm=\"r\", version=4"
        )]
    };
    let mut weak = STANDARD.decode(CHALLENGE).unwrap();
    weak[22] &= !0x08; // extended session security, bit 19 of the flags
    let weak = STANDARD.encode(weak);
    let rows = [
        ("!!!!", "it is not base64"),
        ("AAAA", "its structure is broken"),
        ("TlRMTVNTUAACAAAA", "its structure is broken"),
        (weak.as_str(), "it asks for weak security"),
    ];
    for (token, why) in rows {
        let mut world = one_server(|_| {}, Gate::Raw(with(token)));
        world.login();
        failed(&world, &format!("hs1.network.com:5061 sent an unusable login token: {why}"), "E0604", true);
    }
}

#[test]
fn required_protection_needs_tls() {
    let required = |config: &mut AccountConfig| {
        config.auth.extended_protection = ExtendedProtection::Require;
    };
    let mut world = one_server(required, Gate::Ntlm);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    let mut world = World::new(|config| {
        required(config);
        config.transports = vec![Transport::Tcp];
        let host = "hs1.network.com".into();
        config.server = ServerChoice::Fixed { host, port: Some(5061), transport: Transport::Tcp };
    });
    world.server("hs1.network.com").gate = Gate::Ntlm;
    world.login();
    assert_ne!(world.state(), AccountState::Registered, "there is nothing to be bound to");
    let why = world.last_failure().error.to_string();
    assert!(why.contains("it does not take part in extended protection"), "{why}");
    let proof = |(_, message): &(_, Message)| {
        let mut shown = message.auth(Name::Authorization);
        shown.any(|auth| auth.param("gssapi-data").is_some_and(|token| !token.is_empty()))
    };
    assert!(!world.sent.iter().any(proof), "and nothing is proved to it");
}

#[test]
fn a_server_that_never_stops_asking_is_left() {
    let empty = vec!["NTLM realm=\"r\", targetname=\"hs1.network.com\", version=4".to_owned()];
    let mut world = one_server(|_| {}, Gate::Raw(empty));
    world.login();
    failed(&world, "hs1.network.com:5061 keeps asking for the same login", "E0607", true);
    assert!(world.registers("hs1.network.com").len() <= 3);
}

#[test]
fn a_server_whose_nonces_are_always_stale_is_left() {
    let stale = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\", stale=true".to_owned();
    let mut world = one_server(|_| {}, Gate::Raw(vec![stale]));
    world.login();
    failed(&world, "hs1.network.com:5061 keeps asking for the same login", "E0607", true);
    assert_eq!(world.registers("hs1.network.com").len(), 2, "the same nonce again ends it");
}

#[test]
fn three_nonces_at_most_are_taken_for_stale() {
    let stale = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\", stale=true".to_owned();
    let mut world = one_server(|_| {}, Gate::Raw(vec![stale]));
    let mut nonces = 0;
    world.rules.mangle = Some(Box::new(move |answer| {
        nonces += 1;
        vec![edited(&answer, |text| text.replace("nonce=\"n\"", &format!("nonce=\"n{nonces}\"")))]
    }));
    world.login();
    failed(&world, "hs1.network.com:5061 keeps asking for the same login", "E0607", true);
    assert_eq!(world.registers("hs1.network.com").len(), 5, "asked, answered, and three times more");
}

#[test]
fn a_realm_that_offered_better_is_not_answered_with_less_before_the_account_signs_out() {
    let allow = |config: &mut AccountConfig| config.auth.allow_md5 = true;
    let mut world = one_server(allow, Gate::Digest("SHA-256"));
    world.login();
    world.cut("hs1.network.com");
    world.at("hs1.network.com").gate(Gate::Digest("MD5"));
    world.pass(Duration::from_secs(3));
    let sentence =
        "hs1.network.com:5061 asks for a weaker login for \"SIP Communications Service\" than before";
    failed(&world, sentence, "E0610", true);
    world.command(Command::Unregister);
    world.login();
    assert_eq!(world.state(), AccountState::Registered, "signing out ends it");
}

#[test]
fn a_request_line_names_the_server_where_the_account_says_so() {
    for (uri, line) in
        [(RegisterUri::Domain, "sip:network.com"), (RegisterUri::Server, "sip:hs1.network.com")]
    {
        let mut world = one_server(|config| config.register_uri = uri, Gate::Digest("SHA-256"));
        world.login();
        assert_eq!(world.state(), AccountState::Registered, "the answer is computed over the same URI");
        let registers = world.registers("hs1.network.com");
        assert!(registers.iter().all(|register| register.request_uri() == Some(line)), "{line}");
    }
}

#[test]
fn an_answer_that_is_not_believed_is_the_reason_after_two_seconds() {
    let rows = [
        (Fault::Unsigned, "hs1.network.com:5061 answered, but the answer is not signed", "E0608"),
        (Fault::WrongSignature, "hs1.network.com:5061 answered, but its signature is wrong", "E0609"),
    ];
    for (faults, sentence, code) in rows {
        let mut world = one_server(|_| {}, Gate::Ntlm);
        world.at("hs1.network.com").spoil(faults);
        world.login();
        assert_eq!(world.state(), AccountState::Authenticating);
        world.pass(Duration::from_secs(2));
        failed(&world, sentence, code, true);
    }
}

#[test]
fn para_31_a_network_without_authentication_is_joined() {
    let mut world = one_server(|_| {}, Gate::Open);
    world.login();
    assert_eq!(world.state(), AccountState::Registered);
    assert!(world.asked.iter().all(|question| matches!(question, Question::Resolve(_))));
}

#[test]
fn a_realm_of_the_peer_is_cut_and_clean() {
    let realm = "r".repeat(500);
    let offer = format!("Digest realm=\"{realm}\u{1b}[31m\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"");
    let mut world = one_server(|_| {}, Gate::Raw(vec![offer]));
    world.login();
    let realm = world.asked.iter().find_map(|question| match question {
        Question::Credentials { realm, .. } => Some(realm.clone()),
        _ => None,
    });
    assert_eq!(realm.unwrap().chars().count(), 128);
}

#[test]
fn errors_name_their_server() {
    let mut world = one_server(|_| {}, Gate::NtlmRefusing);
    world.login();
    let error = world.last_failure().error.clone();
    assert!(matches!(error, homing_core::error::LoginError::Auth(AuthError::Rejected { server })
        if server.host == "hs1.network.com"));
}

fn realm_challenge(realm: &str, nonce: &str) -> String {
    format!(r#"Digest realm="{realm}", nonce="{nonce}", algorithm=SHA-256, qop="auth""#)
}

/// The realms a request is answered for, and the nonces.
fn answered(message: &Message) -> Vec<(String, String)> {
    let value = |auth: &homing_wire::Auth<'_>, name| auth.param(name).unwrap_or_default().to_owned();
    message.auth(Name::Authorization).map(|auth| (value(&auth, "realm"), value(&auth, "nonce"))).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(realm, nonce)| ((*realm).to_owned(), (*nonce).to_owned())).collect()
}

/// RFC 3261 section 22.3: several realms in one answer are asked for one after the other and answered together.
#[test]
fn two_realms_in_one_answer_are_both_answered() {
    let gate = Gate::Raw(vec![realm_challenge("proxy", "p1"), realm_challenge("registrar", "r1")]);
    let mut world = one_server(|_| {}, gate);
    world.login();
    let realms: Vec<&str> = world
        .asked
        .iter()
        .filter_map(|question| match question {
            Question::Credentials { realm, .. } => Some(realm.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(realms, ["proxy", "registrar"]);
    let registers = world.registers("hs1.network.com");
    assert_eq!(registers.len(), 2, "the second challenge of the same realms refuses what they were given");
    assert_eq!(answered(registers[1]), pairs(&[("proxy", "p1"), ("registrar", "r1")]));
    assert_eq!(world.last_failure().error.code(), "E0601");
}

fn give_held(world: &mut World) {
    let (id, _) = world.held.pop().expect("a question");
    world.answer(id, Answer::Credentials(Some(credentials())));
}

/// A realm that demands a proof after another one was answered is no refusal: both go along from then on.
#[test]
fn a_realm_after_another_is_answered_beside_it() {
    let mut world = one_server(|_| {}, Gate::Raw(vec![realm_challenge("proxy", "p1")]));
    world.rules.hold_credentials = true;
    world.login();
    // While the first realm's credentials are fetched the next demand is prepared.
    world.at("hs1.network.com").gate = Gate::Raw(vec![realm_challenge("registrar", "r1")]);
    give_held(&mut world);
    world.at("hs1.network.com").gate = Gate::Open;
    give_held(&mut world);
    let registers = world.registers("hs1.network.com");
    assert_eq!(answered(registers[1]), pairs(&[("proxy", "p1")]));
    assert_eq!(answered(registers[2]), pairs(&[("proxy", "p1"), ("registrar", "r1")]));
    assert_eq!(world.state(), AccountState::Registered);
    world.command(Command::Refresh);
    let registers = world.registers("hs1.network.com");
    assert_eq!(answered(registers[3]).len(), 2, "the link keeps the credentials of both");
}

#[test]
fn a_fifth_realm_is_too_many() {
    let challenges = ["a", "b", "c", "d", "e"].map(|realm| realm_challenge(realm, "n"));
    let mut world = one_server(|_| {}, Gate::Raw(challenges.to_vec()));
    world.login();
    let registers = world.registers("hs1.network.com");
    assert_eq!(answered(registers[1]).len(), 4, "four realms of one link are answered");
}
