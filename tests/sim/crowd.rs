//! Many phones at once: a server is lost and everybody comes back, spread and without a second home.

use std::time::Duration;

use homing_core::state::AccountState;
use homing_tests::scenario::{self, Scenario};
use homing_tests::world::World;

const PEOPLE: u16 = 120;

fn everybody_is_in(world: &World) -> bool {
    world.phones.iter().all(|phone| phone.state() == AccountState::Registered)
}

fn crowd(seed: u64) -> World {
    let mut world =
        Scenario { expires: 900, crowd: PEOPLE, homes: 4, ..Scenario::default() }.without_phones(seed);
    for number in 0..PEOPLE {
        let phone = scenario::add_somebody(&mut world, number);
        scenario::login_of(&mut world, phone);
    }
    let all = world.run_to(Duration::from_secs(60), everybody_is_in);
    world.require(all, "not everybody is in");
    world
}

#[test]
fn everybody_finds_home_through_one_distributor() {
    let world = crowd(1);
    for short in ["hs101", "hs102", "hs103", "hs104"] {
        let server = &world.servers[world.server(short)];
        let held: usize = world
            .phones
            .iter()
            .map(|phone| server.bindings(&format!("{}@{}", phone.config.aor.user, phone.config.aor.domain)))
            .sum();
        world.require(held == usize::from(PEOPLE) / 4, &format!("{short} holds {held}"));
    }
}

#[test]
fn after_the_loss_of_a_server_everybody_is_back_within_two_minutes_and_not_all_at_once() {
    let mut world = crowd(2);
    let lost = world.server("hs102");
    world.crash(lost);
    world.run_for(Duration::from_secs(3));
    world.revive(lost);
    world.ladder.clear();
    let back = world.run_to(Duration::from_secs(117), everybody_is_in);
    world.require(back, "not everybody is back within 120 s");
    let comers: usize =
        world.phones.iter().map(|phone| world.ladder.count(&phone.name, "hs102", "REGISTER")).sum();
    let most = usize::from(PEOPLE) / 4 * 4;
    world.require(comers <= most, &format!("{comers} REGISTERs for {} phones", PEOPLE / 4));
}

#[test]
fn para_66_a_drained_server_loses_everybody_to_the_others_and_nobody_to_nowhere() {
    let mut world = crowd(3);
    for number in (0..PEOPLE).filter(|number| number % 4 == 1) {
        let user = format!("{}@{}", scenario::somebody(number), scenario::DOMAIN);
        world.assign(&user, "hs103.network.com", "hs102 is drained");
    }
    world.run_for(Duration::from_secs(900));
    world.require(everybody_is_in(&world), "somebody was lost");
    let drained = &world.servers[world.server("hs102")];
    let left = (0..PEOPLE).filter(|number| {
        drained.bindings(&format!("{}@{}", scenario::somebody(*number), scenario::DOMAIN)) > 0
    });
    world.require(left.count() == 0, "somebody still sits on the drained server");
}
