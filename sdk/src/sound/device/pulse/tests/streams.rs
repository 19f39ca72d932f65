//! Streams as they should be: sound both ways in time, the system's default followed, monitors left alone.

use std::time::Duration;

use pulseaudio::protocol::{Command, SubscriptionEventFacility};

use super::server::Server;
use super::world::World;
use crate::sound::device::choice::{DeviceChoice, DeviceDirection, Devices};
use crate::sound::device::error::DeviceError;
use crate::sound::event::SoundEvent;

fn creates(command: &Command) -> bool {
    matches!(command, Command::CreatePlaybackStream(_))
}

fn named(input: &str, output: &str) -> Devices {
    let name = |name: &str| DeviceChoice::Named(name.into());
    Devices { input: name(input), output: name(output), ..Devices::default() }
}

#[test]
fn sound_goes_both_ways_and_waits_for_no_more_than_a_frame() {
    let mut world = World::new(&Devices::default(), Server::new(&["speaker"], &["mic"]));
    world.seconds(60);
    let heard = world.heard();
    // A frame of the microphone is taken 5 ms after it came, or with the 10 ms of slack a slot later.
    assert!(heard.now - heard.by_call <= 2, "{heard:?}");
    // What is said is at the server within its slot, and the server has no more than it asked for.
    assert_eq!(heard.now, heard.by_loudspeaker);
    assert!(world.server.played.windows(2).all(|two| two[1] - two[0] <= 1), "no frame is lost");
    assert!(world.late <= 3, "{}", world.late);
    assert_eq!(world.told(), []);
    assert_eq!(world.server.count(creates), 1);
}

#[test]
fn an_output_that_asks_for_less_adds_no_delay() {
    let mut world = World::new(&Devices::default(), Server::new(&["speaker"], &["mic"]));
    world.seconds(1);
    // Nothing is asked for: the ring may not become a store of old sound.
    world.stands = true;
    world.run(Duration::from_secs(3)).unwrap();
    world.stands = false;
    world.seconds(2);
    let heard = world.heard();
    assert!(heard.now - heard.by_loudspeaker <= 1, "{heard:?}");
}

#[test]
fn the_default_is_followed_where_the_server_does_not_move_the_stream() {
    let mut world = World::new(&Devices::default(), Server::new(&["speaker", "headset"], &["mic"]));
    world.seconds(1);
    world.server.sinks.reverse();
    world.server.tell_change(SubscriptionEventFacility::Server);
    world.run(Duration::from_millis(400)).unwrap();
    assert_eq!(world.server.count(creates), 1);
    world.run(Duration::from_millis(300)).unwrap();
    assert_eq!(world.server.playback.as_ref().unwrap().device, "headset");
    assert_eq!(world.server.count(creates), 2);
    assert_eq!(world.told(), []);
    // Where the server moves it, it is left where it is.
    world.server.sinks.reverse();
    world.server.tell_change(SubscriptionEventFacility::Server);
    world.server.move_playback("speaker");
    world.seconds(2);
    assert_eq!(world.server.count(creates), 2);
    // A person moved it elsewhere: it is no default's any more.
    world.server.move_playback("kitchen");
    world.server.sinks.reverse();
    world.server.tell_change(SubscriptionEventFacility::Server);
    world.seconds(2);
    assert_eq!(world.server.count(creates), 2);
}

#[test]
fn a_device_that_was_named_is_not_exchanged_for_another() {
    let server = Server::new(&["speaker", "headset"], &["mic", "headset-mic"]);
    let mut world = World::new(&named("headset-mic", "headset"), server);
    world.seconds(1);
    assert_eq!(world.server.playback.as_ref().unwrap().device, "headset");
    assert_eq!(world.server.record.as_ref().unwrap().device, "headset-mic");
    let fixed = |command: &Command| match command {
        Command::CreatePlaybackStream(wanted) => wanted.flags.no_move,
        Command::CreateRecordStream(wanted) => wanted.flags.no_move,
        _ => false,
    };
    assert_eq!(world.server.count(fixed), 2);
    world.server.sinks = vec!["other"];
    world.server.tell_change(SubscriptionEventFacility::Server);
    world.seconds(2);
    assert_eq!(world.server.count(creates), 1);
}

#[test]
fn a_monitor_is_no_microphone_unless_it_is_named() {
    let mut world = World::new(&Devices::default(), Server::new(&["speaker"], &["speaker.monitor"]));
    world.seconds(2);
    assert!(world.captured.iter().all(|sample| *sample == 0));
    let lost = SoundEvent::DeviceLost { direction: DeviceDirection::Input, why: DeviceError::NoMicrophone };
    assert_eq!(world.told(), [lost]);
    let server = Server::new(&["speaker"], &["speaker.monitor"]);
    let mut world = World::new(&named("speaker.monitor", "speaker"), server);
    world.seconds(2);
    assert!(world.captured.iter().any(|sample| *sample > 0));
    assert_eq!(world.told(), []);
}

#[test]
fn the_void_is_no_loudspeaker() {
    let mut world = World::new(&Devices::default(), Server::new(&["auto_null"], &["mic"]));
    world.seconds(1);
    let direction = DeviceDirection::Output;
    let lost = SoundEvent::DeviceLost { direction, why: DeviceError::Missing };
    assert_eq!(world.told(), [lost]);
    world.server.move_playback("speaker");
    world.seconds(1);
    assert_eq!(world.told(), [SoundEvent::DeviceBack { direction }]);
}
