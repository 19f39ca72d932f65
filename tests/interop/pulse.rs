//! PulseAudio, a daemon of its own with a null sink: a call plays into it and records it, while both are taken away.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use homing::call::Call;
use homing::sound::{
    Audio, DeviceChoice, DeviceDirection, DeviceError, Devices, Loopback, SoundEvent, SoundEvents,
    list_devices, test_devices,
};
use homing::{AccountConfig, Aor, Password, Resolver, Roots, StaticCredentials, UserAgent};
use homing_server_mock::estate::Estate;
use homing_server_mock::node::party::Party;
use homing_server_mock::node::sound::{PartySound, Speech};
use homing_tests::test_bed;
use tokio::runtime::Runtime;

use crate::peer::{Peer, eventually, find, folder, runtime};

/// A running daemon with its own folder, socket and cookie.
struct Daemon {
    program: PathBuf,
    folder: PathBuf,
    peer: Peer,
}

impl Daemon {
    fn start(name: &str) -> Option<Self> {
        let program = find("pulseaudio", "sound devices by PulseAudio")?;
        find("pactl", "sound devices by PulseAudio")?;
        let folder = folder(name);
        let peer = Self::spawn(&program, &folder);
        Some(Self { program, folder, peer })
    }

    fn spawn(program: &Path, folder: &Path) -> Peer {
        let mut command = Command::new(program);
        let (socket, cookie) = (folder.join("native"), folder.join("cookie"));
        let _ = std::fs::remove_file(&socket);
        let native = format!(
            "module-native-protocol-unix socket={} auth-cookie={}",
            socket.display(),
            cookie.display()
        );
        command
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"])
            .args(["--disable-shm=yes", "--realtime=no", "--high-priority=no"])
            .args(["-L", &native, "-L", SINK])
            .env("XDG_RUNTIME_DIR", folder)
            .env("HOME", folder)
            .env_remove("PULSE_SERVER");
        let peer = Peer::start(&mut command).expect("the daemon starts");
        let is_up = eventually(Duration::from_secs(10), || socket.exists());
        assert!(is_up, "the daemon opened no socket");
        peer
    }

    fn restart(&mut self) {
        self.peer.stop();
        self.peer = Self::spawn(&self.program, &self.folder);
    }

    /// The null sink, and what it plays.
    fn devices(&self) -> Devices {
        Devices {
            input: DeviceChoice::Named("null.monitor".into()),
            output: DeviceChoice::Named("null".into()),
            server: Some(format!("unix:{}", self.folder.join("native").display())),
            cookie: Some(self.folder.join("cookie")),
        }
    }

    fn control(&self, arguments: &[&str]) {
        let server = format!("unix:{}", self.folder.join("native").display());
        let mut command = Command::new("pactl");
        command.args(["--server", &server]).args(arguments);
        command.env("PULSE_COOKIE", self.folder.join("cookie")).env("HOME", &self.folder);
        let said = command.output().expect("pactl runs");
        assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    }
}

/// A call to a party that says a tone. It goes to the null sink, and the monitor of that is what the call says.
struct Talk {
    runtime: Runtime,
    call: Call,
    events: SoundEvents,
    folder: PathBuf,
    _agent: UserAgent,
    _estate: Estate,
}

impl Talk {
    fn start(devices: Devices, folder: &Path) -> Self {
        let runtime = runtime();
        let (estate, agent, call) = runtime.block_on(async {
            let sound = Some(PartySound { speech: Speech::Tone(1_000), fault: None });
            let tone = Party { sound, after: Duration::ZERO, ..Party::new("tone") };
            let estate = test_bed::estate(71).party("hs102", tone).start().await.expect("the estate starts");
            let agent = UserAgent::builder()
                .resolver(Resolver::name_server(estate.dns_address()))
                .roots(Roots::pem(estate.ca_pem()).expect("a certificate"))
                .build()
                .expect("the user agent starts");
            let aor = Aor::parse("alice@network.com").expect("a name");
            let password = StaticCredentials::new("alice", "NETWORK", Password::new(test_bed::CANARY));
            let mut config = AccountConfig::new(aor, "01010101");
            config.calls = Some(Box::default());
            let account = agent.account(config, password).expect("an account");
            account.register().await.expect("it signs in");
            let call = account.call("tone@network.com").audio(Audio::Devices(devices)).place().await;
            let call = call.expect("it is placed");
            call.answered().await.expect("the party answers");
            (estate, agent, call)
        });
        let events = call.sound_events().expect("it has sound");
        Self { runtime, call, events, folder: folder.to_path_buf(), _agent: agent, _estate: estate }
    }

    /// Waits until the call tells so.
    fn wait_for(&mut self, wanted: SoundEvent) {
        let told = eventually(Duration::from_secs(20), || {
            std::iter::from_fn(|| self.events.try_next()).any(|event| event == wanted)
        });
        assert!(told, "never told: {wanted}");
    }

    /// What the call says for two seconds, which went through the sink.
    fn said(&self) -> Vec<i16> {
        let path = self.folder.join("said.wav");
        let recording = self.call.audio().expect("it goes on").record(&path);
        std::thread::sleep(Duration::from_secs(2));
        self.runtime.block_on(recording.stop()).expect("it is written");
        let mut file = hound::WavReader::open(&path).expect("it is there");
        file.samples().map(|sample| sample.expect("it is whole")).step_by(2).collect()
    }

    /// The tone comes back within 1 Hz and as loud as it came. While a delay settles, sound is played a little faster or
    /// slower on its way, so that it may take some seconds.
    fn assert_tone(&self) {
        let mut last = measure(&[]);
        let is_whole = eventually(Duration::from_secs(40), || {
            last = measure(&self.said());
            (last.hertz - 1_000.0).abs() < 1.0 && (last.dbov + 16.0).abs() < 1.0
        });
        assert!(is_whole, "{} Hz, {} dBov", last.hertz, last.dbov);
    }

    fn assert_silence(&self) {
        let is_silent = || self.said().iter().all(|sample| sample.abs() < 8);
        assert!(eventually(Duration::from_secs(6), is_silent), "something is heard");
    }
}

/// Frequency by zero crossings, and level.
struct Measured {
    hertz: f64,
    dbov: f64,
}

fn measure(samples: &[i16]) -> Measured {
    let rising: Vec<f64> = samples
        .windows(2)
        .enumerate()
        .filter(|(_, two)| two[0] < 0 && two[1] >= 0)
        .map(|(at, two)| at as f64 + f64::from(two[0]) / (f64::from(two[0]) - f64::from(two[1])))
        .collect();
    let span = rising.last().unwrap_or(&1.0) - rising.first().unwrap_or(&0.0);
    let square = samples.iter().map(|one| f64::from(*one).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    let hertz = rising.len().saturating_sub(1) as f64 / span * 8_000.0;
    Measured { hertz, dbov: 10.0 * (square * 2.0 / 32_768_f64.powi(2)).log10() }
}

#[test]
fn a_call_by_pulseaudio_survives_its_sink_and_its_daemon() {
    let Some(mut daemon) = Daemon::start("pulse") else { return };
    let mut talk = Talk::start(daemon.devices(), &daemon.folder);
    talk.assert_tone();
    daemon.control(&["unload-module", "module-null-sink"]);
    let lost = |direction| SoundEvent::DeviceLost { direction, why: DeviceError::Removed };
    talk.wait_for(lost(DeviceDirection::Output));
    talk.assert_silence();
    daemon.control(&["load-module", "module-null-sink", "sink_name=null"]);
    talk.wait_for(SoundEvent::DeviceBack { direction: DeviceDirection::Input });
    talk.assert_tone();
    daemon.restart();
    talk.wait_for(SoundEvent::SoundServerLost(DeviceError::Closed));
    talk.wait_for(SoundEvent::DeviceBack { direction: DeviceDirection::Input });
    talk.assert_tone();
}

#[test]
fn a_call_by_pulseaudio_survives_a_daemon_that_stands_still() {
    let Some(daemon) = Daemon::start("pulse-still") else { return };
    let mut talk = Talk::start(daemon.devices(), &daemon.folder);
    talk.assert_tone();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &daemon.peer.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    };
    signal("-STOP");
    talk.wait_for(SoundEvent::DeviceLost { direction: DeviceDirection::Input, why: DeviceError::Stalled });
    talk.assert_silence();
    signal("-CONT");
    talk.wait_for(SoundEvent::DeviceBack { direction: DeviceDirection::Input });
    talk.assert_tone();
}

#[test]
fn the_devices_of_pulseaudio_are_listed_and_tried_out() {
    let Some(daemon) = Daemon::start("pulse-list") else { return };
    let runtime = runtime();
    let devices = runtime.block_on(list_devices(&daemon.devices())).expect("a list");
    let names: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["null", "null.monitor"]);
    assert!(devices[0].is_default && devices[1].monitor_of.as_deref() == Some("null"), "{devices:?}");
    let tried = runtime.block_on(test_devices(&daemon.devices())).expect("a trial");
    let Loopback::Heard { dbov, delay } = tried else { panic!("{tried}") };
    assert!((dbov + 16.0).abs() < 1.5, "{tried}");
    println!("a tone came back through PulseAudio after {} ms", delay.as_millis());
    daemon.control(&["set-sink-mute", "null", "1"]);
    let tried = runtime.block_on(test_devices(&daemon.devices())).expect("a trial");
    assert_eq!(tried, Loopback::Silent);
    let headless = Devices { input: DeviceChoice::Default, ..daemon.devices() };
    let error = runtime.block_on(test_devices(&headless)).expect_err("a monitor is no microphone");
    assert_eq!(error.code(), "E1638");
}

const SINK: &str = "module-null-sink sink_name=null";
