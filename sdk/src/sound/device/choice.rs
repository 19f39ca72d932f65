//! Which devices a call's sound comes from and goes to, and what a list of devices says of each.

use std::fmt;
use std::path::PathBuf;

/// The devices of a call, and the server that has them.
///
/// ```
/// use homing::sound::{Audio, DeviceChoice, Devices};
///
/// // The system's microphone and loudspeaker, whichever these are as the call goes on.
/// let audio = Audio::Devices(Devices::default());
/// // A headset for what is heard.
/// let output = DeviceChoice::Named("alsa_output.usb-headset.analog-stereo".into());
/// let audio = Audio::Devices(Devices { output, ..Devices::default() });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// What is said comes from it.
    pub input: DeviceChoice,
    /// What is heard goes to it.
    pub output: DeviceChoice,
    /// Where the server listens, in the words of `PULSE_SERVER`; without, as the environment says.
    pub server: Option<String>,
    /// The file with the server's cookie; without, as the environment says.
    pub cookie: Option<PathBuf>,
}

/// One device, or whichever is the system's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceChoice {
    /// The system's default; when that changes, the call follows. A default that only records what loudspeakers play
    /// is silence.
    #[default]
    Default,
    /// The device with this [`name`](Device::name). When it is gone it is silence, and taken again when it is back.
    Named(String),
}

/// Which way the sound of a device goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceDirection {
    /// Microphones, and monitors of what is played.
    Input,
    /// Loudspeakers.
    Output,
}

/// A device as the server describes it. Names and descriptions are the server's own and not made for a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// What [`DeviceChoice::Named`] takes.
    pub name: String,
    /// For a person, such as `Built-in Audio Analog Stereo`; the name where there is none.
    pub description: String,
    /// Whether it records or plays.
    pub direction: DeviceDirection,
    /// True for the system's default in its direction.
    pub is_default: bool,
    /// The name of the output whose sound this input records; none for a microphone.
    pub monitor_of: Option<String>,
    /// True where the server has muted it.
    pub is_muted: bool,
    /// Whether it is in use.
    pub state: DeviceState,
}

/// What a device does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceState {
    /// Some program plays or records by it.
    Running,
    /// It is open and nobody uses it.
    Idle,
    /// It is closed until somebody uses it.
    Suspended,
}

impl fmt::Display for DeviceDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceDirection::Input => "input",
            DeviceDirection::Output => "output",
        })
    }
}

impl fmt::Display for DeviceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceState::Running => "running",
            DeviceState::Idle => "idle",
            DeviceState::Suspended => "suspended",
        })
    }
}
