//! The example file is a good one, and orders do what they say.

use super::*;
use crate::estate::{BehindProxy, Dialect, ExtendedProtection, Mode, NoAssociation, OnMove, Role, Schemes};
use crate::node::config::NodeConfig;

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
        stranger_cap = 9
        [registrar]
        expires = 700
        min_expires = 70
        max_expires = 7000
        keep_alive = 77
        flow_timer = 66
        on_move = "at_refresh"
    "#;
    let builder = EstateConfig::read(&written("keys", text)).unwrap().builder().unwrap();
    let config = builder.changed(NodeConfig::new("hs104", "network.com", Role::Home));
    let (gate, signpost, registrar) = (&config.gate, &config.signpost, &config.registrar);
    assert_eq!((gate.schemes, gate.dialect), (Schemes::Ntlm, Dialect::Sip2));
    assert_eq!(gate.realm, "NetworkCo");
    assert_eq!(gate.extended_protection, ExtendedProtection::Require);
    assert!(gate.patent_literal_headers);
    assert_eq!((gate.limits.logins_per_second, gate.limits.association.as_secs()), (7, 3600));
    assert_eq!((signpost.mode, signpost.no_association), (Mode::AlwaysProxy, NoAssociation::Forbid));
    assert_eq!(signpost.behind_proxy, BehindProxy::Rechallenge);
    assert_eq!((signpost.service.as_str(), signpost.backup.as_deref()), ("im", Some("hs105.network.com")));
    assert_eq!((signpost.contact_binding, signpost.stranger_cap), (false, 9));
    let times = [registrar.default_expires, registrar.min_expires, registrar.max_expires];
    assert_eq!((times, registrar.keep_alive, registrar.flow_timer), ([700, 70, 7000], 77, 66));
    assert_eq!(registrar.on_move, OnMove::AtRefresh);
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
    let error = EstateConfig::read(&written("nobody", nobody)).unwrap().builder().err().unwrap();
    assert!(error.to_string().contains("`x`"));
    assert!(EstateConfig::read(std::path::Path::new("/nowhere/estate.toml")).is_err());
}

#[tokio::test]
async fn orders_are_obeyed_and_refused_in_words() {
    let text = config::EXAMPLE.replace("5061", "0").replace("5060", "0");
    let builder = EstateConfig::read(&written("orders", &text)).unwrap().builder().unwrap();
    let estate = builder.start().await.unwrap();
    let status = control::obey(&estate, r#"{"do":"status"}"#).await;
    assert_eq!(status["servers"].as_array().unwrap().len(), 3);
    assert!(table::render(&status).contains("load") || table::render(&status).contains("distributor"));
    let moved = control::obey(&estate, r#"{"do":"move","user":"alice","home":"hs102","why":"test"}"#).await;
    assert_eq!((moved["version"].as_u64(), moved["home"].as_str()), (Some(2), Some("hs102.network.com")));
    let users = control::obey(&estate, r#"{"do":"users"}"#).await;
    assert!(table::render(&users).contains("by operator: test"), "{users}");
    for wrong in [
        "{",
        r#"{"do":"dance"}"#,
        r#"{"do":"stop","server":"hs9"}"#,
        r#"{"do":"move","user":"alice","home":"lb2","why":""}"#,
    ] {
        assert!(control::obey(&estate, wrong).await["error"].is_string(), "{wrong}");
    }
    assert_eq!(control::obey(&estate, r#"{"do":"stop","server":"hs102"}"#).await["stopped"], true);
    assert_eq!(control::obey(&estate, r#"{"do":"restart","server":"hs102"}"#).await["running"], true);
}
