//! The example file is a good one, and orders do what they say.

mod wrong;

use super::*;
use crate::estate::{
    BehindProxy, Dialect, Estate, ExtendedProtection, Mode, NoAssociation, OnMove, Role, Schemes, User,
};
use crate::node::config::NodeConfig;
use crate::node::destinations::Destinations;
use crate::node::party::{Party, Then};
use crate::node::sound::{PartySound, SoundFault, Speech};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("homing-estate-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn written(name: &str, text: &str) -> PathBuf {
    let path = folder(name).join("estate.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_example_is_a_good_configuration_also_with_every_comment_opened() {
    let config = EstateConfig::read(&written("example", config::EXAMPLE)).unwrap();
    config.builder().unwrap();
    assert_eq!(config.control, Some(folder("example").join("estate.sock")));
    let is_option =
        |line: &str| line.strip_prefix("# ").is_some_and(|rest| rest.split(' ').nth(1) == Some("="));
    let opened: Vec<String> = config::EXAMPLE
        .lines()
        .map(|line| if is_option(line) { line[2..].to_owned() } else { line.to_owned() })
        .collect();
    EstateConfig::read(&written("opened", &opened.join("\n"))).unwrap().builder().unwrap();
}

#[test]
fn a_key_of_an_earlier_version_is_refused_with_its_new_name() {
    let text = "domain = \"network.com\"\n[routing]\nstranger_cap = 9\n";
    let error = EstateConfig::read(&written("renamed", text)).unwrap_err().to_string();
    assert!(error.ends_with("line 3: `stranger_cap` is called `rate_limit` now"), "{error}");
}

#[test]
fn every_key_of_the_file_reaches_the_servers() {
    let text = r#"
        domain = "network.com"
        [authentication]
        schemes = "ntlm"
        realm = "NetworkCo"
        dialect = "sip2"
        extended_protection = "require"
        patent_literal_headers = true
        logins_per_second = 7
        association_life = 3600
        [routing]
        mode = "always_proxy"
        no_association = "403"
        behind_proxy = "rechallenge"
        service = "im"
        backup = "HS105"
        contact_binding = false
        rate_limit = 9
        [registrar]
        expires = 700
        min_expires = 70
        max_expires = 7000
        keep_alive = 77
        flow_timer = 66
        on_move = "at_refresh"
        [[server]]
        name = "hs105"
        role = "home"
    "#;
    let builder = EstateConfig::read(&written("keys", text)).unwrap().builder().unwrap();
    let config = builder.changed(NodeConfig::new("hs104", "network.com", Role::Home));
    let (authentication, routing, registrar) = (&config.authentication, &config.routing, &config.registrar);
    assert_eq!((authentication.schemes, authentication.dialect), (Schemes::Ntlm, Dialect::Sip2));
    assert_eq!(authentication.realm, "NetworkCo");
    assert_eq!(authentication.extended_protection, ExtendedProtection::Require);
    assert!(authentication.patent_literal_headers);
    assert_eq!(
        (authentication.limits.logins_per_second, authentication.limits.association.as_secs()),
        (7, 3600)
    );
    assert_eq!((routing.mode, routing.no_association), (Mode::AlwaysProxy, NoAssociation::Forbid));
    assert_eq!(routing.behind_proxy, BehindProxy::Rechallenge);
    assert_eq!((routing.service.as_str(), routing.backup.as_deref()), ("im", Some("hs105.network.com")));
    assert_eq!((routing.contact_binding, routing.rate_limit), (false, 9));
    let times = [registrar.default_expires, registrar.min_expires, registrar.max_expires];
    assert_eq!((times, registrar.keep_alive, registrar.flow_timer), ([700, 70, 7000], 77, 66));
    assert_eq!(registrar.on_move, OnMove::AtRefresh);
}

#[test]
fn every_key_about_calls_reaches_the_servers() {
    let text = r#"
        domain = "network.com"
        [calls]
        may_call = ["*@network.com"]
        requests = 5
        requests_of_user = 4
        breadth = 6
        unanswered_from_user = 7
        unanswered_to_user = 8
        calls_of_device = 9
        calls = 10
        [[server]]
        name = "hs104"
        role = "home"
        [[server]]
        name = "hs105"
        role = "home"
        [[user]]
        name = "alice"
        password = "secret"
        [[user]]
        name = "clerk"
        password = "secret"
        may_call = ["+49*"]
        [[party]]
        name = "storm"
        home = "hs104"
        plays = "answers"
        after = 3
        then = { reinvites = 50 }
        sound = { tone = 440 }
        sound_fault = "new_source"
        [[party]]
        name = "moved"
        home = "hs105"
        plays = { redirects = "sip:storm@network.com" }
    "#;
    let read = EstateConfig::read(&written("calls", text)).unwrap();
    let may_call: Vec<Destinations> =
        read.users().unwrap().into_iter().map(|user| user.destinations).collect();
    assert_eq!(may_call, [Destinations::only(["*@network.com"]), Destinations::only(["+49*"])]);
    let builder = read.builder().unwrap();
    let config = builder.changed(NodeConfig::new("hs104", "network.com", Role::Home));
    let calls = &config.calls;
    assert_eq!((calls.contexts, calls.requests_of_user, calls.breadth), (5, 4, 6));
    assert_eq!((calls.from_user, calls.to_user), (7, 8));
    assert_eq!((calls.dialogs_of_endpoint, calls.dialogs), (9, 10));
    let storm = Party {
        after: std::time::Duration::from_secs(3),
        then: Then::Reinvites(50),
        sound: Some(PartySound { speech: Speech::Tone(440), fault: Some(SoundFault::NewSource) }),
        ..Party::new("storm@network.com")
    };
    assert_eq!(config.parties, [storm], "those of this server only");
}

#[tokio::test]
async fn a_party_is_made_to_call_by_the_socket() {
    let text = "domain = \"network.com\"\n[[server]]\nname = \"hs104\"\nrole = \"home\"\n\
                [[user]]\nname = \"alice\"\npassword = \"x\"\nhome = \"hs104\"\n\
                [[party]]\nname = \"storm\"\nhome = \"hs104\"\n";
    let config = EstateConfig::read(&written("party", text)).unwrap();
    let estate = config.builder().unwrap().start().await.unwrap();
    for (ack, offers) in
        [("", ""), (",\"ack\":\"never\"", ""), (",\"ack\":{\"late\":5}", ",\"offers\":false")]
    {
        let line = format!(
            "{{\"do\":\"party_calls\",\"server\":\"hs104\",\"party\":\"storm\",\"callee\":\"alice\"{ack}{offers}}}"
        );
        let said = ask(&estate, &line).await;
        assert_eq!(said["calls"], "alice@network.com", "{said}");
    }
    let wrong = r#"{"do":"party_calls","server":"hs104","party":"storm","callee":"nobody"}"#;
    assert_eq!(ask(&estate, wrong).await["code"], "S0210");
}

/// One distributor, two home servers, and alice and the party at one of them.
const WITH_PARTY: &str = "domain = \"network.com\"\n[[server]]\nname = \"lb\"\nrole = \"distributor\"\n\
    [[server]]\nname = \"hs102\"\nrole = \"home\"\n[[server]]\nname = \"hs104\"\nrole = \"home\"\n\
    [[user]]\nname = \"alice\"\npassword = \"x\"\nhome = \"hs104\"\n\
    [[party]]\nname = \"Echo\"\nhome = \"hs104\"\n";

#[tokio::test]
async fn nobody_is_let_in_as_a_party() {
    let config = EstateConfig::read(&written("barred", WITH_PARTY)).unwrap();
    // A person of that name is none.
    let builder = config.builder().unwrap().user(User::new("echo", "known"));
    let estate = builder.start().await.unwrap();
    for order in ["enable", "disable"] {
        for name in ["echo", "Echo", "echo@network.com", "sip:ECHO@network.com"] {
            let said = ask(&estate, &format!("{{\"do\":\"{order}\",\"user\":\"{name}\"}}")).await;
            assert_eq!(said["code"], "S0212", "{said}");
            assert!(said["error"].as_str().unwrap().contains("is a party"), "{said}");
        }
        assert!(estate.barred_users().contains("echo@network.com"), "{order}");
    }
}

#[tokio::test]
async fn only_the_server_of_a_party_makes_its_calls() {
    let config = EstateConfig::read(&written("callers", WITH_PARTY)).unwrap();
    let estate = config.builder().unwrap().start().await.unwrap();
    let order = |server: &str, party: &str| {
        format!(
            "{{\"do\":\"party_calls\",\"server\":\"{server}\",\"party\":\"{party}\",\"callee\":\"alice\"}}"
        )
    };
    for (server, party) in [("lb", "alice"), ("hs104", "alice"), ("hs102", "echo"), ("hs104", "nobody")] {
        let said = ask(&estate, &order(server, party)).await;
        assert_eq!(said["code"], "S0409", "{said}");
        assert!(said["cure"].as_str().unwrap().contains("[[party]]"), "{said}");
    }
    for party in ["echo", "ECHO@network.com", "sip:echo@network.com"] {
        let said = ask(&estate, &order("hs104", party)).await;
        assert_eq!(said["party"], "echo@network.com", "{said}");
    }
}

#[test]
fn every_dialect_has_its_word() {
    for (word, dialect) in [
        ("auto", Dialect::Auto),
        ("sip2", Dialect::Sip2),
        ("sip2_401", Dialect::Sip2By401),
        ("sipae3", Dialect::Sipae3),
        ("sipae4", Dialect::Sipae4),
    ] {
        let text = format!("domain = \"a.b\"\n[authentication]\ndialect = \"{word}\"\n");
        let builder = EstateConfig::read(&written(word, &text)).unwrap().builder().unwrap();
        let config = builder.changed(NodeConfig::new("hs104", "a.b", Role::Home));
        assert_eq!(config.authentication.dialect, dialect);
    }
}

#[test]
fn a_wrong_file_is_refused_with_the_place_of_the_fault() {
    for (text, told) in [
        ("domain = 5", "line 1"),
        ("domain = \"a.b\"\ncolour = 1", "colour"),
        ("domain = \"a.b\"\n[authentication]\ndialect = \"klingon\"", "line 3: unknown variant `klingon`"),
        ("domain = \"a.b\"\n[[server]]\nname = \"x\"\nrole = \"king\"", "king"),
    ] {
        let error = EstateConfig::read(&written("wrong", text)).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let nobody = "domain = \"a.b\"\n[[user]]\nname = \"x\"";
    let error = EstateConfig::read(&written("nobody", nobody)).unwrap_err().to_string();
    assert!(error.contains("line 3: user `x`"), "{error}");
    assert!(EstateConfig::read(Path::new("/nowhere/estate.toml")).is_err());
}

/// The one line that a command is answered with.
async fn ask(estate: &Estate, line: &str) -> Value {
    match control::execute(estate, line).await {
        control::Answer::Line(answer) => answer,
        control::Answer::Users(mut users) => {
            let line: String = std::iter::from_fn(|| users.next_piece()).collect();
            serde_json::from_str(&line).unwrap()
        }
        control::Answer::Expect(expectation, within) => control::judge(expectation, within).await,
        control::Answer::Journal(_) => Value::Null,
    }
}

#[tokio::test]
async fn orders_are_obeyed_and_refused_in_words() {
    let text = config::EXAMPLE.replace("5061", "0").replace("5060", "0").replace("5300", "0");
    let builder = EstateConfig::read(&written("orders", &text)).unwrap().builder().unwrap();
    let estate = builder.start().await.unwrap();
    let status = ask(&estate, r#"{"do":"status"}"#).await;
    assert_eq!(status["servers"].as_array().unwrap().len(), 3);
    assert!(table::render(&status).contains("load") || table::render(&status).contains("distributor"));
    let moved = ask(&estate, r#"{"do":"move","user":"alice","home":"hs102","why":"test"}"#).await;
    assert_eq!((moved["version"].as_u64(), moved["home"].as_str()), (Some(2), Some("hs102.network.com")));
    let users = ask(&estate, r#"{"do":"users"}"#).await;
    assert!(table::render_user(&users["users"][0]).contains("by operator: test"), "{users}");
    for wrong in [
        "{",
        r#"{"do":"dance"}"#,
        r#"{"do":"stop","server":"hs9"}"#,
        r#"{"do":"move","user":"alice","home":"lb2","why":""}"#,
    ] {
        assert!(ask(&estate, wrong).await["error"].is_string(), "{wrong}");
    }
    assert_eq!(ask(&estate, r#"{"do":"stop","server":"hs102"}"#).await["stopped"], true);
    assert_eq!(ask(&estate, r#"{"do":"restart","server":"hs102"}"#).await["running"], true);
}

#[test]
fn the_command_to_sign_in_names_name_server_certificate_and_password() {
    let told = |users: &str| {
        let text = format!("domain = \"network.com\"\nca_file = \"it's ca.pem\"\n{users}");
        let path = written("login", &text);
        let config = EstateConfig::read(&path).unwrap();
        (config.login(&path, "127.0.0.1:5300".parse().unwrap()), path)
    };
    assert_eq!(told("").0, None);
    let (by_value, path) = told("[[user]]\nname = \"alice\"\npassword = \"secret\"\n");
    let by_value = by_value.unwrap();
    assert!(
        by_value.contains("homing login alice@network.com --name-server 127.0.0.1:5300 --ca-file '"),
        "{by_value}"
    );
    assert!(by_value.contains("it'\\''s ca.pem'"), "{by_value}");
    assert!(by_value.contains(&path.display().to_string()) && !by_value.contains("secret"), "{by_value}");
    let (by_file, _) = told("[[user]]\nname = \"bob\"\npassword_file = \"bob.txt\"\n");
    assert!(by_file.unwrap().contains(" --password-file /"));
}

#[test]
fn what_cannot_work_is_refused_with_its_line_and_cure() {
    let text = "domain = \"network.com\"\n[registrar]\nmin_expires = 0\n";
    let error = EstateConfig::read(&written("unworkable", text)).unwrap_err();
    let told = CliError::from(error).to_string();
    assert!(told.starts_with("S0104 ") && told.contains("line 3: `min_expires` is 0"), "{told}");
    assert!(told.ends_with("or leave it out."), "{told}");
}

#[test]
fn every_limit_of_the_file_reaches_the_servers() {
    let text = "domain = \"network.com\"\n[limits]\nassociations_per_connection = 9\n\
                challenges_per_connection = 8\nchallenges_per_source = 7\nnonces = 6\nwrong_answers = 5\n\
                udp_clients = 4\nudp_strangers = 3\nunfinished_bytes = 2\n";
    let builder = EstateConfig::read(&written("limits", text)).unwrap().builder().unwrap();
    let limits = builder.changed(NodeConfig::new("hs104", "network.com", Role::Home)).authentication.limits;
    assert_eq!(
        (limits.associations, limits.half_open_of_connection, limits.half_open_of_source, limits.nonces),
        (9, 8, 7, 6)
    );
    assert_eq!((limits.wrong_answers, limits.datagram_peers), (5, 4));
}

#[tokio::test]
async fn a_stopped_server_and_a_barred_user_are_shown_as_such() {
    let text = config::EXAMPLE.replace("5061", "0").replace("5060", "0")
        + "[[user]]\nname = \"carol\"\n\
                password = \"c\"\nhome = \"hs102\"\nenabled = false\n";
    let estate =
        EstateConfig::read(&written("barred", &text)).unwrap().builder().unwrap().start().await.unwrap();
    ask(&estate, r#"{"do":"stop","server":"hs102"}"#).await;
    let status = table::render(&ask(&estate, r#"{"do":"status"}"#).await);
    let stopped: Vec<&str> = status.lines().filter(|line| line.contains("stopped")).collect();
    assert!(stopped.len() == 1 && stopped[0].contains("hs102"), "{status}");
    let barred = async || -> Vec<bool> {
        let users = ask(&estate, r#"{"do":"users"}"#).await;
        users["users"].as_array().unwrap().iter().map(|user| user["enabled"] == false).collect()
    };
    assert_eq!(barred().await, [false, false, true]);
    ask(&estate, r#"{"do":"disable","user":"alice"}"#).await;
    ask(&estate, r#"{"do":"enable","user":"carol@network.com"}"#).await;
    assert_eq!(barred().await, [true, false, false]);
}

#[tokio::test]
async fn hundreds_of_thousands_of_users_come_in_pieces_and_whole() {
    let users: String = (0..2_000)
        .map(|n| format!("[[user]]\nname = \"user{n:04}\"\npassword = \"x\"\nhome = \"hs102\"\n"))
        .collect();
    let text = format!("domain = \"a.b\"\n[[server]]\nname = \"hs102\"\nrole = \"home\"\n{users}");
    let estate =
        EstateConfig::read(&written("many", &text)).unwrap().builder().unwrap().start().await.unwrap();
    let control::Answer::Users(mut users) = control::execute(&estate, r#"{"do":"users"}"#).await else {
        panic!("users come row by row")
    };
    let pieces: Vec<String> = std::iter::from_fn(|| users.next_piece()).collect();
    assert!(pieces.len() > 3 && pieces.iter().all(|piece| piece.len() < 66 << 10), "{}", pieces.len());
    let whole: Value = serde_json::from_str(&pieces.concat()).unwrap();
    assert_eq!(whole["users"].as_array().unwrap().len(), 2_000);
    assert_eq!(whole["users"][1_999]["user"], "user1999@a.b");
}
