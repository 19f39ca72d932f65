//! Why a sound device, or the server that has it, gives no sound: each with a code, a sentence and a next step.

use thiserror::Error;

/// Why there is no sound of a device. In a call it is silence, is told by a
/// [`SoundEvent`](crate::sound::SoundEvent), and is tried again; only a list or a test of devices ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// Devices are built for Linux only, by the protocol of PulseAudio.
    #[error("this build has no sound devices")]
    Unsupported,
    /// Nobody listens where the environment says that PulseAudio or PipeWire does.
    #[error("there is no sound server here")]
    NoServer,
    /// The server wants another cookie, or its user is another.
    #[error("the sound server does not let this program in")]
    Refused,
    /// The server takes the connection, and answers nothing for four seconds.
    #[error("the sound server does not answer")]
    Mute,
    /// The connection to the server ended, as when it is restarted.
    #[error("the sound server ended the connection")]
    Closed,
    /// What the server says is not PulseAudio's protocol, or over its limits.
    #[error("the sound server says what nobody understands")]
    Garbled,
    /// No device has the name that was chosen, or there is none at all.
    #[error("there is no such sound device")]
    Missing,
    /// All that could be recorded is what the loudspeakers play, and that would be the other side's own voice.
    #[error("there is no microphone")]
    NoMicrophone,
    /// The device was unplugged or switched off.
    #[error("the sound device was taken away")]
    Removed,
    /// The server laid the device to rest, such as for another session of this machine.
    #[error("the sound device is suspended")]
    Suspended,
    /// The device neither takes nor gives sound, although it is there.
    #[error("the sound device stands still")]
    Stalled,
    /// The server takes no stream to or from the device.
    #[error("the sound server refuses the sound device")]
    Denied,
}

impl DeviceError {
    /// The stable code, such as `E1631`.
    pub fn code(self) -> &'static str {
        match self {
            DeviceError::Unsupported => "E1631",
            DeviceError::NoServer => "E1632",
            DeviceError::Refused => "E1633",
            DeviceError::Mute => "E1634",
            DeviceError::Closed => "E1635",
            DeviceError::Garbled => "E1636",
            DeviceError::Missing => "E1637",
            DeviceError::NoMicrophone => "E1638",
            DeviceError::Removed => "E1639",
            DeviceError::Suspended => "E1640",
            DeviceError::Stalled => "E1641",
            DeviceError::Denied => "E1642",
        }
    }

    /// What the person can do next, one sentence.
    pub fn hint(self) -> &'static str {
        match self {
            DeviceError::Unsupported => "Use a file or a pipe for sound, or a backend of the application.",
            DeviceError::NoServer => "Start PulseAudio or PipeWire, or name the server in PULSE_SERVER.",
            DeviceError::Refused => "Run as the server's user, or name its cookie in PULSE_COOKIE.",
            DeviceError::Mute => "Restart the sound server.",
            DeviceError::Closed => "Look whether the sound server still runs.",
            DeviceError::Garbled => "Look whether PULSE_SERVER names a sound server.",
            DeviceError::Missing => "List the devices and choose one of them.",
            DeviceError::NoMicrophone => "Plug in a microphone, or choose a device by its name.",
            DeviceError::Removed => "Plug it in again, or choose another.",
            DeviceError::Suspended => "Look which other session or program holds it.",
            DeviceError::Stalled => "Unplug it and plug it in again, or choose another.",
            DeviceError::Denied => "Look whether another program holds it for itself.",
        }
    }
}
