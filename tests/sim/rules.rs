//! The standing rules themselves: each of them fails when it is broken.

use std::time::Duration;

use homing_core::identity::CertNames;
use homing_tests::town::{self, Town};
use homing_tests::world::WALL;

#[test]
#[should_panic(expected = "which proved nothing")]
fn a_credential_for_a_server_that_must_not_see_one_ends_the_story() {
    let mut world = Town::default().build(1);
    let lb = world.server("lb");
    world.servers[lb].honest = false;
    town::sign_in(&mut world);
}

#[test]
fn the_same_seed_tells_the_same_story_and_another_seed_another() {
    let tell = |seed| {
        let mut world = Town::default().build(seed);
        town::must_sign_in(&mut world, "not registered");
        let answers = world.ladder.to_string();
        (answers, world.phones[0].registered().map(|registered| format!("{registered:?}")))
    };
    assert_eq!(tell(5), tell(5));
    assert_eq!(WALL.as_secs(), 1_705_564_800);
}

#[test]
fn a_certificate_is_proved_by_the_same_rule_as_over_real_tls() {
    let mut world = Town::default().build(6);
    let lb = world.server("lb");
    world.servers[lb].certificate =
        CertNames { dns: vec!["*.network.com".to_owned()], ..CertNames::default() };
    town::login(&mut world);
    world.run_to(Duration::from_secs(60), |world| world.phones[0].failure().is_some());
    let said = world.phones[0].failure().map(homing_core::error::LoginError::code);
    world.require(said == Some("E0509"), &format!("{said:?}"));
}
