//! Reads what was recorded: packet captures, message logs and our own trace become SIP messages in order.

mod capture;
mod cut;
mod log;
mod packet;
mod stream;
mod trace;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use homing::offline::{Limits, Message, ParseError};
use thiserror::Error;

/// Everything a file held.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    /// The messages, in the order they were sent.
    pub(crate) messages: Vec<Recorded>,
    /// The links they went over; [`Recorded::link`] counts into this list.
    pub(crate) links: Vec<Link>,
    /// What could not be read, and what else is worth knowing.
    pub(crate) remarks: Vec<Remark>,
    /// Which kind of file it was.
    pub(crate) kind: Kind,
}

/// One message and where it was found.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) place: Place,
    pub(crate) link: usize,
    /// Who sent it, if the file says so.
    pub(crate) sender: Option<String>,
    /// Since the first packet, if the file says when.
    pub(crate) at: Option<Duration>,
    pub(crate) message: Message,
}

/// One connection, one pair of addresses, or one server of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// What it is called in the report.
    pub(crate) name: String,
    /// Datagrams may come twice; a stream repeats nothing.
    pub(crate) repeats: Repeats,
}

/// Whether the same message twice is the network's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// Datagrams: a copy is a retransmission.
    AreRetransmissions,
    /// A stream: a copy was sent again on purpose.
    AreReplays,
    /// A log: the message's Via tells.
    AsViaTells,
}

/// Which kind of file it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Classic or next-generation packet capture.
    Capture,
    /// Our own trace, whose secrets are masked.
    Trace,
    /// Text with messages in it.
    #[default]
    Log,
}

/// Where in the file something stands, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Packet(u64),
    Line(u64),
    Entry(u64),
}

/// What could not be read, and what else is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// So many connections are TLS.
    Encrypted { connections: usize },
    /// The capture ends in the middle of a packet.
    CutOff { packets: u64 },
    /// Bytes of a connection are missing in the capture.
    Gap { place: Place, link: usize },
    /// Packets were recorded shorter than they were.
    Snapped { packets: u64 },
    /// A stream could not be cut into messages here.
    Uncut { place: Place, link: usize, why: homing::offline::FrameError },
    /// Something that begins like a message is none.
    NoMessage { place: Place, why: ParseError },
    /// Only so many messages are looked at.
    TooMany { messages: usize },
}

/// Why a file could not be read at all.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error("the file cannot be read: {0}")]
    Io(io::ErrorKind),
    #[error("the file is larger than {} MiB", FILE_LIMIT >> 20)]
    TooLarge,
    #[error("the file is compressed")]
    Compressed,
    #[error("the packet capture is damaged at its very beginning")]
    NoCapture,
    #[error("the capture was taken on a kind of network that is not read here (link type {0})")]
    UnknownLink(i32),
    #[error("the capture holds only encrypted connections ({connections} with TLS)")]
    OnlyEncrypted { connections: usize },
    #[error("there is no SIP message in the file")]
    NoMessages,
}

impl ReadError {
    /// Stable.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            ReadError::Io(_) => "E0120",
            ReadError::TooLarge => "E0121",
            ReadError::Compressed => "E0122",
            ReadError::NoCapture => "E0123",
            ReadError::UnknownLink(_) => "E0124",
            ReadError::OnlyEncrypted { .. } => "E0125",
            ReadError::NoMessages => "E0126",
        }
    }

    /// What can be done next.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            ReadError::Io(_) => "Check the name and that you may read the file.",
            ReadError::TooLarge => "Keep only the signalling, for instance with a filter on the SIP port.",
            ReadError::Compressed => "Unpack it first.",
            ReadError::NoCapture => "Record it again, or give a message log.",
            ReadError::UnknownLink(_) => "Record on an Ethernet, loopback, raw IP or Linux `any` interface.",
            ReadError::OnlyEncrypted { .. } => {
                "Give a message log of one of the two ends, or a capture of the decrypted traffic."
            }
            ReadError::NoMessages => "Give a packet capture, a log with whole messages, or a saved trace.",
        }
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Recording, ReadError> {
    let file = File::open(path).map_err(|error| ReadError::Io(error.kind()))?;
    let mut bytes = Vec::new();
    let most = FILE_LIMIT + 1;
    file.take(most).read_to_end(&mut bytes).map_err(|error| ReadError::Io(error.kind()))?;
    if bytes.len() as u64 == most {
        return Err(ReadError::TooLarge);
    }
    read_bytes(&bytes)
}

/// Reads the bytes of a file; their beginning tells what it is.
pub(crate) fn read_bytes(bytes: &[u8]) -> Result<Recording, ReadError> {
    let recording = match bytes.first_chunk::<4>() {
        Some(magic) if CAPTURE_MAGICS.contains(magic) => capture::read(bytes)?,
        Some([0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd] | [b'P', b'K', 3, 4] | [b'B', b'Z', b'h', _]) => {
            return Err(ReadError::Compressed);
        }
        _ if trace::is_trace(bytes) => trace::read(bytes),
        _ => log::read(bytes),
    };
    if recording.messages.is_empty() {
        return Err(match recording.remarks.iter().find_map(Remark::encrypted) {
            Some(connections) => ReadError::OnlyEncrypted { connections },
            None => ReadError::NoMessages,
        });
    }
    Ok(recording)
}

impl Recording {
    /// Takes a message in, unless there are too many already.
    fn push(&mut self, recorded: Recorded) {
        if self.messages.len() < MESSAGE_LIMIT {
            self.messages.push(recorded);
        } else if !self.remarks.iter().any(|remark| matches!(remark, Remark::TooMany { .. })) {
            self.remarks.push(Remark::TooMany { messages: MESSAGE_LIMIT });
        }
    }

    /// Notes what could not be read, as long as anybody would read the note.
    fn remark(&mut self, remark: Remark) {
        if self.remarks.len() < REMARK_LIMIT {
            self.remarks.push(remark);
        }
    }
}

impl Remark {
    fn encrypted(&self) -> Option<usize> {
        match self {
            Remark::Encrypted { connections } => Some(*connections),
            _ => None,
        }
    }
}

/// Bounds wide enough for what another stack let pass.
fn limits() -> Limits {
    Limits { line: 64 * 1024, ..Limits::kerberos() }
}

/// A file of signalling is far below this, in bytes.
const FILE_LIMIT: u64 = 512 << 20;
const MESSAGE_LIMIT: usize = 100_000;
const REMARK_LIMIT: usize = 1_000;
const CAPTURE_MAGICS: [[u8; 4]; 5] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0x0a, 0x0d, 0x0d, 0x0a],
];
