//! Octets from the server, cut into frames and looked at before anybody reads values in them.

use bytes::{Buf, Bytes, BytesMut};
use pulseaudio::protocol::{Command, CommandTag, DESCRIPTOR_SIZE, TagStructRead, TagStructReader};

use super::super::error::DeviceError;

/// What came and was not read yet; never more than a frame and what one read brings.
#[derive(Debug, Default)]
pub(super) struct Frames(BytesMut);

/// One frame of the server.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    Control(Bytes),
    Sound { channel: u32, octets: Bytes },
}

/// What a control frame says.
#[derive(Debug)]
pub(super) enum Message {
    Reply {
        sequence: u32,
        body: Bytes,
    },
    /// With the code as the server has it; there are newer ones than are known here.
    Error {
        sequence: u32,
        code: u32,
    },
    Event(Box<Command>),
    /// What no client needs to understand.
    Other,
}

impl Frames {
    pub(super) fn push(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }

    /// The next whole frame. `Garbled` for one that no server sends to a client without shared memory.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, DeviceError> {
        let Some(mut head) = self.0.get(..DESCRIPTOR_SIZE) else { return Ok(None) };
        let length = head.get_u32() as usize;
        let channel = head.get_u32();
        let (_offset, flags) = (head.get_u64(), head.get_u32());
        if length > MOST || flags & !SEEK != 0 {
            return Err(DeviceError::Garbled);
        }
        if self.0.len() < DESCRIPTOR_SIZE + length {
            return Ok(None);
        }
        self.0.advance(DESCRIPTOR_SIZE);
        let octets = self.0.split_to(length).freeze();
        Ok(Some(if channel == CONTROL { Frame::Control(octets) } else { Frame::Sound { channel, octets } }))
    }
}

impl Message {
    /// Reads a control frame.
    pub(super) fn read(octets: &Bytes, version: u16) -> Result<Self, DeviceError> {
        if !is_well_formed(octets) {
            return Err(DeviceError::Garbled);
        }
        let mut rest = octets.as_ref();
        let mut values = TagStructReader::new(&mut rest, version);
        let mut number = || values.read_u32().map_err(|_| DeviceError::Garbled);
        let (command, sequence) = (number()?, number()?);
        if command == CommandTag::Error as u32 {
            return Ok(Message::Error { sequence, code: number()? });
        }
        if command == CommandTag::Reply as u32 {
            let body = octets.slice(octets.len() - rest.len()..);
            return Ok(Message::Reply { sequence, body });
        }
        if !EVENTS.iter().any(|event| *event as u32 == command) {
            return Ok(Message::Other);
        }
        let read = Command::read_tag_prefixed(&mut octets.as_ref(), version);
        read.map(|(_, event)| Message::Event(Box::new(event))).map_err(|_| DeviceError::Garbled)
    }
}

/// Reads what a reply holds.
pub(super) fn read<T: TagStructRead>(body: &Bytes, version: u16) -> Result<T, DeviceError> {
    let mut rest = body.as_ref();
    TagStructReader::new(&mut rest, version).read().map_err(|_| DeviceError::Garbled)
}

/// Whether every value is whole. The reader of values trusts a length before it looks for the octets, and multiplies
/// microseconds: a frame that would have it reserve gigabytes or overflow ends here.
fn is_well_formed(octets: &[u8]) -> bool {
    let mut rest = octets;
    while let Some((tag, values)) = rest.split_first() {
        let length = match tag {
            // Booleans, the null string, and what only announces other values.
            b'1' | b'0' | b'N' | b'P' | b'f' => Some(0),
            b't' => values.iter().position(|octet| *octet == 0).map(|at| at + 1),
            b'B' => Some(1),
            b'L' | b'V' => Some(4),
            b'a' => Some(6),
            b'R' | b'r' | b'U' => Some(8),
            b'T' => {
                number(values.get(4..).unwrap_or_default()).filter(|micros| *micros < 1_000_000).map(|_| 8)
            }
            b'x' => number(values).map(|length| length + 4),
            b'm' => values.first().map(|channels| 1 + usize::from(*channels)),
            b'v' => values.first().map(|channels| 1 + 4 * usize::from(*channels)),
            _ => None,
        };
        match length.and_then(|length| values.get(length..)) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    true
}

fn number(octets: &[u8]) -> Option<usize> {
    octets.first_chunk().map(|octets| u32::from_be_bytes(*octets) as usize)
}

/// As the server itself has it: FRAME_SIZE_MAX_ALLOW of PulseAudio.
const MOST: usize = 1 << 20;
const CONTROL: u32 = u32::MAX;
/// How a frame of sound is placed; everything else speaks of shared memory, which was not offered.
const SEEK: u32 = 0xff;
/// What a stream and a subscriber listen to.
const EVENTS: [CommandTag; 8] = [
    CommandTag::Request,
    CommandTag::PlaybackStreamKilled,
    CommandTag::RecordStreamKilled,
    CommandTag::PlaybackStreamMoved,
    CommandTag::RecordStreamMoved,
    CommandTag::PlaybackStreamSuspended,
    CommandTag::RecordStreamSuspended,
    CommandTag::SubscribeEvent,
];

#[cfg(test)]
mod tests {
    use pulseaudio::protocol::{ServerInfo, SinkInfo, SourceInfo};

    use super::super::super::tests::random;
    use super::*;

    fn head(length: u32, channel: u32, flags: u32) -> Vec<u8> {
        let parts = [&length.to_be_bytes()[..], &channel.to_be_bytes(), &[0; 8], &flags.to_be_bytes()];
        parts.concat()
    }

    #[test]
    fn frames_are_cut_at_any_octet_and_refused_over_the_limit() {
        let mut octets = head(3, 7, 0);
        octets.extend([1, 2, 3]);
        octets.extend(head(0, CONTROL, 0));
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for octet in octets {
            frames.push(&[octet]);
            found.extend(frames.next().unwrap());
        }
        let sound = Frame::Sound { channel: 7, octets: Bytes::from_static(&[1, 2, 3]) };
        assert_eq!(found, [sound, Frame::Control(Bytes::new())]);
        for refused in [head(1 << 20 | 1, 7, 0), head(3, 7, 0x8000_0000), head(3, CONTROL, 0x4000_0000)] {
            let mut frames = Frames::default();
            frames.push(&refused);
            assert_eq!(frames.next(), Err(DeviceError::Garbled));
        }
    }

    #[test]
    fn a_length_is_not_believed_before_its_octets_are_there() {
        let mut octets = vec![b'L', 0, 0, 0, 2, b'L', 0, 0, 0, 9, b'x'];
        octets.extend(0xffff_fff0_u32.to_be_bytes());
        assert!(!is_well_formed(&octets));
        assert!(!is_well_formed(&[b'T', 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
        assert!(!is_well_formed(b"tno end") && !is_well_formed(b"?") && is_well_formed(b""));
        assert!(matches!(Message::read(&octets.into(), 20), Err(DeviceError::Garbled)));
    }

    /// Random octets, and whole messages with some octets changed: nothing panics.
    #[test]
    fn hostile_octets_are_an_error_and_never_a_panic() {
        let mut random = random(20);
        let kinds: Vec<u32> = (0..110).collect();
        for round in 0..60_000_usize {
            let mut octets = vec![b'L', 0, 0, 0, 0, b'L', 0, 0, 0, 0];
            octets[4] = u8::try_from(kinds[round % kinds.len()]).unwrap();
            for _ in 0..random(24) {
                let tag = b"tN10LVBRrUTxmvPfa"[random(17)];
                octets.push(tag);
                octets.extend((0..random(9)).map(|_| u8::try_from(random(256)).unwrap()));
            }
            let octets = Bytes::from(octets);
            if let Ok(Message::Reply { body, .. }) = Message::read(&octets, 20) {
                let _ = read::<ServerInfo>(&body, 20);
                let _ = read::<Vec<SinkInfo>>(&body, 20);
                let _ = read::<Vec<SourceInfo>>(&body, 20);
            }
            let mut frames = Frames::default();
            frames.push(&octets);
            let _ = frames.next();
        }
    }
}
