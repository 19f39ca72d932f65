//! Events that wait to be fetched.

use super::event::SessionEvent;
use super::statistics::Dropped;

/// A bounded row of events.
pub(super) struct Events {
    waiting: [Option<SessionEvent>; MOST],
    first: usize,
    count: usize,
}

impl Events {
    pub(super) fn new() -> Self {
        Self { waiting: [None; MOST], first: 0, count: 0 }
    }

    /// Queues an event, or counts it as lost.
    pub(super) fn push(&mut self, event: SessionEvent, dropped: &mut Dropped) {
        let at = (self.first + self.count) % MOST;
        match self.waiting.get_mut(at).filter(|_| self.count < MOST) {
            Some(place) => {
                *place = Some(event);
                self.count += 1;
            }
            None => dropped.events += 1,
        }
    }

    pub(super) fn pop(&mut self) -> Option<SessionEvent> {
        let event = self.waiting.get_mut(self.first)?.take()?;
        self.first = (self.first + 1) % MOST;
        self.count -= 1;
        Some(event)
    }
}

const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_and_the_65th_is_counted() {
        let (mut events, mut dropped) = (Events::new(), Dropped::default());
        for _ in 0..2 {
            (0..64).for_each(|_| events.push(SessionEvent::PeerHeard, &mut dropped));
            assert!((0..64).all(|_| events.pop() == Some(SessionEvent::PeerHeard)));
        }
        (0..66).for_each(|_| events.push(SessionEvent::PeerLeft, &mut dropped));
        assert_eq!(dropped.events, 2);
        assert_eq!(std::iter::from_fn(|| events.pop()).count(), 64);
    }
}
