//! Devices and servers that go away, say nothing, or say what nobody understands.

use std::time::Duration;

use pulseaudio::protocol::{Command, SubscriptionEventFacility};

use super::server::Server;
use super::world::{World, cookie};
use crate::sound::device::choice::{DeviceDirection, Devices};
use crate::sound::device::error::DeviceError;
use crate::sound::device::pulse::conversation::Conversation;
use crate::sound::device::pulse::listing::Listing;
use crate::sound::device::tests::random;
use crate::sound::event::SoundEvent;

const INPUT: DeviceDirection = DeviceDirection::Input;
const OUTPUT: DeviceDirection = DeviceDirection::Output;

fn world() -> World {
    World::new(&Devices::default(), Server::new(&["speaker"], &["mic"]))
}

fn lost(direction: DeviceDirection, why: DeviceError) -> SoundEvent {
    SoundEvent::DeviceLost { direction, why }
}

fn back(direction: DeviceDirection) -> SoundEvent {
    SoundEvent::DeviceBack { direction }
}

fn creates(command: &Command) -> bool {
    matches!(command, Command::CreatePlaybackStream(_))
}

#[test]
fn devices_that_are_unplugged_are_told_once_tried_seldom_and_taken_back_at_once() {
    let mut world = world();
    world.seconds(6);
    world.server.unplug();
    world.seconds(120);
    assert_eq!(world.told(), [lost(OUTPUT, DeviceError::Removed), lost(INPUT, DeviceError::Removed)]);
    let tried = world.server.count(creates);
    assert!((5..=15).contains(&tried), "{tried}");
    let captured = world.captured.len();
    world.server.plug("speaker", "mic");
    world.run(Duration::from_millis(600)).unwrap();
    assert_eq!(world.told(), [back(INPUT), back(OUTPUT)]);
    assert!(world.captured[captured..].iter().any(|sample| *sample > 0));
}

#[test]
fn a_server_that_tells_without_end_is_asked_a_few_times() {
    let mut world = world();
    world.server.sinks.clear();
    for _ in 0..2_000 {
        world.server.tell_change(SubscriptionEventFacility::Sink);
        world.run(Duration::from_millis(5)).unwrap();
    }
    // In ten seconds: the defaults ten times a second, a stream twice.
    assert!(world.server.count(|command| *command == Command::GetServerInfo) <= 101);
    assert!(world.server.count(creates) <= 21, "{}", world.server.count(creates));
}

#[test]
fn devices_that_stand_still_are_let_go_and_tried_again() {
    let mut world = world();
    world.seconds(1);
    world.stands = true;
    world.seconds(5);
    world.seconds(60);
    assert_eq!(world.told(), [lost(INPUT, DeviceError::Stalled), lost(OUTPUT, DeviceError::Stalled)]);
    world.stands = false;
    world.seconds(20);
    assert_eq!(world.told(), [back(INPUT), back(OUTPUT)]);
}

#[test]
fn a_suspended_device_is_lost_until_it_is_resumed() {
    let mut world = world();
    world.seconds(1);
    world.server.suspend_playback(true);
    world.seconds(60);
    assert_eq!(world.told(), [lost(OUTPUT, DeviceError::Suspended)]);
    world.server.suspend_playback(false);
    world.seconds(1);
    assert_eq!(world.told(), [back(OUTPUT)]);
    assert_eq!(world.server.count(creates), 1);
}

#[test]
fn a_mute_server_is_given_up_after_four_seconds_in_every_state() {
    let silences: [fn(&Command) -> bool; 4] = [
        |command| matches!(command, Command::Auth(_)),
        |command| matches!(command, Command::SetClientName(_)),
        |command| matches!(command, Command::GetServerInfo),
        |command| matches!(command, Command::CreateRecordStream(_)),
    ];
    for ignores in silences {
        let mut world = world();
        world.server.ignores = ignores;
        let ended = world.run(Duration::from_secs(10));
        assert_eq!((ended, world.now), (Err(DeviceError::Mute), Duration::from_secs(4)));
    }
}

#[test]
fn a_list_that_does_not_come_is_given_up_after_four_seconds() {
    let mut listing = Listing::new(&cookie(), Duration::ZERO);
    assert_eq!(listing.handle_timeout(Duration::from_millis(3_999)), Ok(()));
    assert_eq!(listing.handle_timeout(Duration::from_secs(4)), Err(DeviceError::Mute));
}

#[test]
fn every_state_has_a_deadline_that_is_not_over() {
    let mut world = world();
    for second in 0..100 {
        match second {
            10 => world.server.unplug(),
            40 => world.server.plug("speaker", "mic"),
            50 => world.server.suspend_playback(true),
            60 => world.server.suspend_playback(false),
            _ => {}
        }
        world.seconds(1);
        assert!(world.deadline().is_none_or(|deadline| deadline >= world.now - Duration::from_millis(5)));
    }
}

#[test]
fn a_server_that_knows_another_cookie_refuses() {
    let mut world = world();
    world.server.refuses = true;
    assert_eq!(world.exchange(), Err(DeviceError::Refused));
}

#[test]
fn garbage_ends_the_conversation_and_never_panics() {
    let mut random = random(33);
    for round in 0..400 {
        let mut world = world();
        if round % 2 == 0 {
            world.run(Duration::from_millis(100)).unwrap();
        }
        // Frames of a likely length, with anything in them.
        for _ in 0..20 {
            let length = random(40);
            let mut octets = u32::try_from(length).unwrap().to_be_bytes().to_vec();
            octets.extend(if random(3) == 0 { [0, 0, 0, 2] } else { [0xff; 4] });
            octets.extend([0; 12]);
            octets.extend([b'L', 0, 0, 0, u8::try_from(random(104)).unwrap(), b'L', 0, 0, 0, 2]);
            octets.extend((0..40).map(|_| b"LtN10B\0\x01"[random(8)]));
            octets.truncate(20 + length);
            if world.receive(&octets).is_err() {
                break;
            }
        }
        let noise: Vec<u8> = (0..200).map(|_| u8::try_from(random(256)).unwrap()).collect();
        let _ = world.receive(&noise);
    }
    assert_eq!(world().receive(&[0xff; 64]), Err(DeviceError::Garbled));
}
