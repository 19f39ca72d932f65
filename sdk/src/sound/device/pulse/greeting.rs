//! The first two questions of every conversation: the cookie, and the name of this program.

use std::time::Duration;

use pulseaudio::protocol::{AuthParams, AuthReply, Command, Prop, Props};

use super::super::error::DeviceError;
use super::address::Cookie;
use super::frame::{Message, read};
use super::outbound::{Asked, Outbound, VERSION};

/// Who waits for what, until the server knows this program.
#[derive(Debug)]
pub(super) enum Greeting {
    Authenticating(Asked),
    Naming(Asked),
}

/// Where a greeting is after a message.
pub(super) enum Greeted {
    NotYet(Greeting),
    Done,
}

impl Greeting {
    /// Opens the conversation.
    pub(super) fn begin(cookie: &Cookie, out: &mut Outbound, now: Duration) -> Self {
        // Shared memory is refused: sound comes by the socket, and every frame carries its octets.
        let auth = AuthParams { version: VERSION, cookie: cookie.to_octets(), ..AuthParams::default() };
        Greeting::Authenticating(out.ask(&Command::Auth(auth), now))
    }

    /// # Errors
    /// `Refused` for a wrong cookie, `Garbled` for a server of before 2009.
    pub(super) fn hear(
        self,
        message: Message,
        out: &mut Outbound,
        now: Duration,
    ) -> Result<Greeted, DeviceError> {
        let asked = self.asked();
        match message {
            Message::Error { sequence, .. } if sequence == asked.sequence => Err(DeviceError::Refused),
            Message::Reply { sequence, body } if sequence == asked.sequence => match self {
                Greeting::Authenticating(_) => {
                    let version = read::<AuthReply>(&body, VERSION)?.version;
                    if version < OLDEST {
                        return Err(DeviceError::Garbled);
                    }
                    out.version = version.min(VERSION);
                    let mut names = Props::new();
                    names.set(Prop::ApplicationName, c"Homing");
                    Ok(Greeted::NotYet(Greeting::Naming(out.ask(&Command::SetClientName(names), now))))
                }
                Greeting::Naming(_) => Ok(Greeted::Done),
            },
            _ => Ok(Greeted::NotYet(self)),
        }
    }

    /// When a silent server is mute.
    pub(super) fn until(&self) -> Duration {
        self.asked().until
    }

    fn asked(&self) -> Asked {
        match self {
            Greeting::Authenticating(asked) | Greeting::Naming(asked) => *asked,
        }
    }
}

/// Lists of properties came with this version.
const OLDEST: u16 = 13;
