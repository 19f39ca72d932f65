//! A whole estate on loopback.

use std::time::{Duration, Instant};

use super::*;

fn described() -> EstateBuilder {
    EstateBuilder::new()
        .domain("network.com")
        .distributor("lb")
        .home("hs102")
        .home("hs104")
        .user(User::new("alice", "secret").assigned("hs104"))
        .transports([Transport::Tls, Transport::Tcp, Transport::Udp])
        .seed(42)
}

#[tokio::test]
async fn an_estate_starts_stops_and_starts_again() {
    let begun = Instant::now();
    let estate = described().start().await.unwrap();
    println!("started in {:?}", begun.elapsed());
    assert!(estate.ca_pem().contains("BEGIN CERTIFICATE"));
    let home = estate.node("hs104");
    let before = home.address(Transport::Tls);
    let connect = || std::net::TcpStream::connect_timeout(&before, Duration::from_secs(2));
    connect().unwrap();
    home.stop();
    assert!(connect().is_err(), "a stopped server refuses");
    assert!(!home.is_running());
    home.restart().unwrap();
    assert!(home.is_running());
    connect().unwrap();
    drop(estate);
    assert!(connect().is_err(), "a dropped estate leaves no listener");
}

#[tokio::test]
async fn moving_a_user_keeps_who_why_and_the_former_home() {
    let estate = described().start().await.unwrap();
    let made = estate.move_user("alice", "hs102", "maintenance").await.unwrap();
    assert_eq!(
        (made.version, made.home.as_str(), made.why.as_str()),
        (2, "hs102.network.com", "maintenance")
    );
    assert_eq!(estate.history("sip:alice@network.com").await.unwrap()[0].home, "hs104.network.com");
    assert!(matches!(estate.move_user("alice", "hs9", "").await, Err(EstateError::NoSuchNode(_))));
    let nobody = estate.move_user("nobody", "hs102", "").await;
    assert!(matches!(nobody, Err(EstateError::NoSuchUser(_))), "{nobody:?}");
    assert!(estate.journal().ladder().contains("alice@network.com → hs102.network.com"));
}

#[tokio::test]
async fn an_estate_that_makes_no_sense_does_not_start() {
    let error = |builder: EstateBuilder| async { builder.start().await.err().unwrap().to_string() };
    assert!(error(EstateBuilder::new()).await.contains("at least one"));
    assert!(error(described().home("lb")).await.contains("two servers named `lb`"));
    let user = User::new("bob", "x").assigned("lb");
    assert!(error(described().user(user)).await.contains("no home server"));
    assert!(error(described().published("hs9")).await.contains("hs9"));
}
