//! What a call gets of its devices when it is opened.

use crate::sound::backend::AudioBackend;
use crate::sound::event::SoundEvent;

/// Both directions, and what happens to them.
pub(in crate::sound) struct DeviceEnds {
    pub(in crate::sound) backend: Box<dyn AudioBackend>,
    pub(in crate::sound) events: rtrb::Consumer<SoundEvent>,
}
