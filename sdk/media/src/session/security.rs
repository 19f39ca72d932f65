//! The keys of a session, if it has any.

use super::statistics::Dropped;
use crate::description::Keys;
use crate::srtp::{Receiver, Rejection, Sender};

/// Whether packets are encrypted, and by what. With keys, nothing passes in the clear.
#[derive(Default)]
pub(super) struct Security(Option<Box<Secured>>);

struct Secured {
    keys: Keys,
    sender: Sender,
    receiver: Receiver,
}

impl Security {
    /// Takes the keys that were agreed on. True if ours are others than before, and there were some.
    pub(super) fn agree(&mut self, keys: Option<&Keys>) -> bool {
        let before = self.0.take();
        let Some(keys) = keys else { return before.is_some() };
        let is_changed = before.as_ref().is_some_and(|before| before.keys.send != keys.send);
        let (sender, receiver) = before.map_or((None, None), |before| {
            let sender = (before.keys.send == keys.send).then_some(before.sender);
            (sender, (before.keys.receive == keys.receive).then_some(before.receiver))
        });
        self.0 = Some(Box::new(Secured {
            sender: sender.unwrap_or_else(|| Sender::new(&keys.send)),
            receiver: receiver.unwrap_or_else(|| Receiver::new(&keys.receive)),
            keys: keys.clone(),
        }));
        is_changed
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// How long the packet is without its protection; none if it is not the peer's, which is counted.
    pub(super) fn unprotect(&mut self, packet: &mut [u8], dropped: &mut Dropped) -> Option<usize> {
        let Some(secured) = &mut self.0 else { return Some(packet.len()) };
        secured.receiver.unprotect(packet).map_err(|why| count(why, dropped)).ok()
    }

    pub(super) fn unprotect_rtcp(&mut self, packet: &mut [u8], dropped: &mut Dropped) -> Option<usize> {
        let Some(secured) = &mut self.0 else { return Some(packet.len()) };
        secured.receiver.unprotect_rtcp(packet).map_err(|why| count(why, dropped)).ok()
    }

    /// How long the packet is with its protection; none if it may not be sent.
    pub(super) fn protect(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        match &mut self.0 {
            Some(secured) => secured.sender.protect(buffer, length),
            None => Some(length),
        }
    }

    pub(super) fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        match &mut self.0 {
            Some(secured) => secured.sender.protect_rtcp(buffer, length),
            None => Some(length),
        }
    }
}

fn count(why: Rejection, dropped: &mut Dropped) {
    let counter = match why {
        Rejection::Malformed => &mut dropped.malformed,
        Rejection::Unauthenticated => &mut dropped.unauthenticated,
        Rejection::Replayed => &mut dropped.replayed,
        Rejection::TooManySources => &mut dropped.other_source,
    };
    *counter += 1;
}
