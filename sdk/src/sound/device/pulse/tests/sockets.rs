//! The thread of the devices over a socket: a server that dies and comes back, a list, and the end of a call.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

use homing_media::FRAME;

use super::server::Server;
use crate::sound::device::choice::{DeviceState, Devices};
use crate::sound::device::ends::DeviceEnds;
use crate::sound::device::error::DeviceError;
use crate::sound::device::pulse::{list, open};
use crate::sound::error::SoundError;
use crate::sound::event::SoundEvent;
use crate::sound::workers::Workers;

/// A place for a server, removed with the test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("homing-pulse-{}-{name}", std::process::id())))
    }

    fn devices(&self) -> Devices {
        Devices { server: Some(format!("unix:{}", self.0.display())), ..Devices::default() }
    }

    /// Serves one client; its connection is given out, for the test to cut.
    fn serve(&self) -> Receiver<UnixStream> {
        let _ = std::fs::remove_file(&self.0);
        let listener = UnixListener::bind(&self.0).unwrap();
        let (tell, taken) = channel();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            drop(tell.send(socket.try_clone().unwrap()));
            let mut server = Server::new(&["speaker"], &["mic", "speaker.monitor"]);
            let mut octets = [0; 4_096];
            while let Ok(length @ 1..) = socket.read(&mut octets) {
                server.hear(&octets[..length]);
                server.tick(77);
                if socket.write_all(&server.take_out()).is_err() {
                    return;
                }
            }
        });
        taken
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Speaks until something is captured.
fn speak(ends: &mut DeviceEnds) {
    let mut frame = [0; FRAME];
    while ends.backend.capture(&mut frame) == 0 || frame[0] != 77 {
        ends.backend.play(&[5; FRAME]);
        std::thread::yield_now();
    }
}

fn wait(ends: &mut DeviceEnds) -> SoundEvent {
    loop {
        if let Ok(event) = ends.events.pop() {
            return event;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_dies_is_found_again_and_the_call_ends_the_thread() {
    let place = Place::new("dies");
    let workers = Workers::new(1);
    let connection = place.serve();
    let mut ends = open(place.devices(), &workers).unwrap();
    speak(&mut ends);
    connection.recv().unwrap().shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(wait(&mut ends), SoundEvent::SoundServerLost(DeviceError::Closed));
    let mut frame = [1; FRAME];
    assert_eq!((ends.backend.capture(&mut frame), frame), (FRAME, [0; FRAME]));
    let _connection = place.serve();
    assert!(matches!(wait(&mut ends), SoundEvent::DeviceBack { .. }));
    speak(&mut ends);
    assert!(matches!(workers.start(|| ()), Err(SoundError::TooMany)));
    drop(ends);
    while workers.start(|| ()).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn without_a_server_a_call_is_told_and_has_silence() {
    let place = Place::new("none");
    let mut ends = open(place.devices(), &Workers::new(1)).unwrap();
    assert_eq!(wait(&mut ends), SoundEvent::SoundServerLost(DeviceError::NoServer));
    let mut frame = [1; FRAME];
    assert_eq!((ends.backend.capture(&mut frame), frame), (FRAME, [0; FRAME]));
    assert_eq!(list(&place.devices()), Err(DeviceError::NoServer));
}

#[test]
fn garbage_from_a_socket_is_told() {
    let place = Place::new("garbage");
    let listener = UnixListener::bind(&place.0).unwrap();
    let mut ends = open(place.devices(), &Workers::new(1)).unwrap();
    let (mut socket, _) = listener.accept().unwrap();
    socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    assert_eq!(wait(&mut ends), SoundEvent::SoundServerLost(DeviceError::Garbled));
}

#[test]
fn devices_are_listed_with_what_a_person_needs_to_choose() {
    let place = Place::new("list");
    let _connection = place.serve();
    let devices = list(&place.devices()).unwrap();
    let rows: Vec<String> = devices
        .iter()
        .map(|one| format!("{} {} {} {:?}", one.direction, one.name, one.is_default, one.monitor_of))
        .collect();
    assert_eq!(
        rows,
        ["output speaker true None", "input mic true None", "input speaker.monitor false Some(\"speaker\")"]
    );
    assert_eq!((devices[1].description.as_str(), devices[0].state), ("A microphone", DeviceState::Idle));
}
