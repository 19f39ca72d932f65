//! The payload of an event (RFC 4733 section 2.3).

/// What a packet says of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Event {
    /// The code; 0 to 15 are keys.
    pub(super) code: u8,
    /// The key was let go.
    pub(super) is_end: bool,
    /// Since the timestamp of the packet, in ticks of the codec's clock.
    pub(super) duration: u16,
}

impl Event {
    /// The first event of a payload. What may follow it repeats earlier ones.
    pub(super) fn parse(payload: &[u8]) -> Option<Event> {
        let [code, flags, high, low] = *payload.first_chunk::<4>()?;
        Some(Event { code, is_end: flags & 0x80 != 0, duration: u16::from_be_bytes([high, low]) })
    }

    pub(super) fn to_octets(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code, (if self.is_end { 0x80 } else { 0 }) | VOLUME, high, low]
    }
}

/// −10 dBm0, as telephones send keys.
const VOLUME: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_printed() {
        let event = Event { code: 11, is_end: true, duration: 0x1234 };
        assert_eq!(event.to_octets(), [11, 0x8a, 0x12, 0x34]);
        assert_eq!(Event::parse(&event.to_octets()), Some(event));
        assert_eq!(Event::parse(&[1, 2, 3]), None);
        assert_eq!(
            Event::parse(&[1, 0x4a, 0, 160, 9]),
            Some(Event { code: 1, is_end: false, duration: 160 })
        );
    }
}
