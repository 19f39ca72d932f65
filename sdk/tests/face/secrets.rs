//! What the trace, the errors and the debug texts never show.

use homing::trace::{Direction, TraceKind};
use homing::{Password, StaticCredentials, UserAgent};

use crate::registrar::{Registrar, alice, digest};

const CANARY: &str = "canary-7f3a9";

#[tokio::test]
async fn the_trace_shows_the_conversation_without_its_secrets() {
    let registrar = Registrar::start("hs1.network.com", digest);
    let ua = registrar.user_agent();
    let credentials = StaticCredentials::new("alice", "", Password::new(CANARY));
    assert!(!format!("{credentials:?}").contains(CANARY));
    let account = ua.account(alice(), credentials).unwrap();
    account.register().await.unwrap();
    let entries = ua.trace().entries(0);
    let mut seen = String::new();
    let mut kinds = Vec::new();
    for entry in &entries {
        assert_eq!(entry.server.as_ref().unwrap().host, "hs1.network.com");
        seen.push_str(&entry.text());
        seen.push_str(&format!("{entry:?}"));
        kinds.push(match &entry.kind {
            TraceKind::Open { verified_as, .. } => verified_as.clone().unwrap(),
            TraceKind::Request { method } if entry.direction == Direction::Out => method.clone(),
            TraceKind::Response { status } if entry.direction == Direction::In => status.to_string(),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(kinds, ["hs1.network.com", "REGISTER", "401", "REGISTER", "200"]);
    assert!(seen.contains("realm=\"network.com\"") && seen.contains("username=\"alice\""), "{seen}");
    assert!(seen.contains("response=\"•••"), "{seen}");
    for secret in [CANARY, "canary-nonce"] {
        assert!(!seen.contains(secret), "{seen}");
    }
}

#[tokio::test]
async fn a_user_agent_without_trace_keeps_nothing() {
    let registrar = Registrar::start("hs1.network.com", digest);
    let table = homing::dns::Table::default()
        .srv("_sipinternaltls._tcp.network.com", "hs1.network.com", registrar.address.port())
        .address("hs1.network.com", [127, 0, 0, 1]);
    let ua = UserAgent::builder()
        .resolver(homing::Resolver::custom(std::sync::Arc::new(table)))
        .roots(registrar.roots.clone())
        .trace_bytes(0)
        .build()
        .unwrap();
    let account = ua.account(alice(), StaticCredentials::new("alice", "", Password::new(CANARY))).unwrap();
    account.register().await.unwrap();
    assert!(ua.trace().entries(0).is_empty());
}
