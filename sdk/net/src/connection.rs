//! The pump of one stream: reads and cuts it into frames, writes what is queued in batches.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::ids::FlowId;
use homing_wire::{FrameFault, Framer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::fault;
use crate::send_queue::{BATCH, Backlog, Write, Writes};
use crate::shared::Shared;
use homing_core::connect::FlowEvent;

/// A byte stream that can be broken off.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The TCP connection below.
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for tokio_rustls::client::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// How a pump came to its end.
enum End {
    /// The owner closed the flow; everything sent before is out.
    Asked,
    /// The owner broke it off, or the receiver of events is gone.
    Cut,
    /// The peer or the network ended it.
    Lost(ConnectError),
    /// The stream can no longer be cut into frames.
    Malformed,
}

/// Who opened a stream; it decides what a lone CR LF means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// We did: the peer answers our pings.
    Dialled,
    /// The peer did: we answer its pings.
    Accepted,
}

/// Carries a stream until it ends, then reports why, unless its owner ended it.
pub(crate) async fn run<S: Stream>(stream: S, flow: FlowId, side: Side, mut writes: Writes, shared: &Shared) {
    let (mut reader, mut writer) = split(stream);
    let backlog = writes.backlog();
    let end = tokio::select! {
        end = read(&mut reader, flow, side, &backlog, shared) => end,
        end = write(&mut writer, &mut writes) => end,
    };
    let why = match end {
        End::Asked => return part(reader, &mut writer, shared.config.close_timeout).await,
        End::Cut => return reset(&reader.unsplit(writer)),
        End::Malformed => {
            // A last word, such as a 400, may still go out; nothing more is read meanwhile.
            let last_word = timeout(shared.config.close_timeout, write(&mut writer, &mut writes)).await;
            if matches!(last_word, Ok(End::Asked)) {
                return part(reader, &mut writer, shared.config.close_timeout).await;
            }
            ConnectError::Closed
        }
        End::Lost(why) => why,
    };
    drop((reader, writer));
    shared.send(FlowEvent::Closed { flow, why }, None).await;
}

async fn read<S: Stream>(
    reader: &mut ReadHalf<S>,
    flow: FlowId,
    side: Side,
    backlog: &Backlog,
    shared: &Shared,
) -> End {
    let fresh = match side {
        Side::Dialled => Framer::new,
        Side::Accepted => Framer::answering,
    };
    let mut framer = fresh(shared.config.message);
    let mut begun: Option<Instant> = None;
    let mut share = shared.unfinished.share();
    loop {
        if side == Side::Accepted {
            // Who asks faster than it takes answers is heard no faster. Only one side of a connection may
            // wait like this, or both would wait for each other.
            tokio::select! {
                biased;
                () = share.is_evicted() => return evicted(shared),
                () = backlog.is_light() => {}
            }
        }
        let filled = match begun {
            None => fill(reader, &mut framer).await.map_err(|error| fault::of_io(&error)),
            Some(begun) => {
                let until = begun + shared.config.whole_message;
                tokio::select! {
                    biased;
                    () = share.is_evicted() => return evicted(shared),
                    filled = fill_until(until, reader, &mut framer) => filled,
                }
            }
        };
        match filled {
            Ok(filled) if filled > 0 => {}
            ended => {
                if framer.pending() > 0 && matches!(ended, Ok(_) | Err(ConnectError::Timeout)) {
                    shared.counters.half_messages.one();
                }
                return End::Lost(ended.err().unwrap_or(ConnectError::Closed));
            }
        }
        let delivered = tokio::select! {
            biased;
            delivered = deliver_whole(&mut framer, flow, shared) => delivered,
            () = share.is_evicted() => return evicted(shared),
        };
        let whole = match delivered {
            Ok(whole) => whole,
            Err(end) => return end,
        };
        // A peer that proved who it is is no stranger, and what we dialled is none.
        let is_stranger = side == Side::Accepted && !backlog.is_held();
        if whole {
            share.finish();
        }
        share.hold(if is_stranger { framer.pending() } else { 0 });
        if framer.pending() == 0 {
            // An idle connection holds no buffer, and the next message gets one of its own size.
            framer = fresh(shared.config.message);
            begun = None;
        } else if whole || begun.is_none() {
            begun = Some(Instant::now());
        }
    }
}

/// The connection goes because strangers hold too much of messages that they do not finish.
fn evicted(shared: &Shared) -> End {
    shared.counters.unfinished_dropped.one();
    End::Lost(ConnectError::Closed)
}

/// Hands on every message that is whole; true if there was one.
async fn deliver_whole(framer: &mut Framer, flow: FlowId, shared: &Shared) -> Result<bool, End> {
    let mut whole = false;
    loop {
        match framer.next() {
            Ok(Some(frame)) => {
                whole = true;
                if !shared.deliver(flow, frame).await {
                    return Err(End::Cut);
                }
            }
            Ok(None) => return Ok(whole),
            Err(why) => {
                shared.counters.malformed.one();
                let head = framer.refused();
                let why = framer.fault().unwrap_or(FrameFault { rule: why, octet: 0 });
                shared.send(FlowEvent::Malformed { flow, why, head }, None).await;
                return Err(End::Malformed);
            }
        }
    }
}

/// Reads on in the midst of a message, which takes only so long.
async fn fill_until<S: Stream>(
    until: Instant,
    reader: &mut ReadHalf<S>,
    framer: &mut Framer,
) -> Result<usize, ConnectError> {
    match timeout_at(until, fill(reader, framer)).await {
        Ok(filled) => filled.map_err(|error| fault::of_io(&error)),
        Err(_) => Err(ConnectError::Timeout),
    }
}

/// Reads once into the framer. The buffer lives on the stack of the poll: an idle connection holds none.
async fn fill<S: Stream>(reader: &mut ReadHalf<S>, framer: &mut Framer) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut scratch = [const { MaybeUninit::<u8>::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut scratch);
        std::task::ready!(Pin::new(&mut *reader).poll_read(cx, &mut buffer))?;
        framer.push(buffer.filled());
        std::task::Poll::Ready(Ok(buffer.filled().len()))
    })
    .await
}

async fn write<S: Stream>(writer: &mut WriteHalf<S>, writes: &mut Writes) -> End {
    let mut batch = Vec::new();
    let mut chunks: Vec<Bytes> = Vec::new();
    loop {
        if writes.take(&mut batch).await == 0 {
            return End::Asked;
        }
        for write in batch.drain(..) {
            match write {
                Write::Bytes(bytes, _) => chunks.push(bytes),
                Write::Cut => return End::Cut,
            }
        }
        if let Err(error) = write_all(writer, &chunks).await {
            return End::Lost(fault::of_io(&error));
        }
        writes.done(&chunks);
        chunks.clear();
        chunks.shrink_to(BATCH);
    }
}

/// Writes all chunks, as many at a time as the system takes.
async fn write_all<S: Stream>(writer: &mut WriteHalf<S>, chunks: &[Bytes]) -> io::Result<()> {
    if let [one] = chunks {
        writer.write_all(one).await?;
        return writer.flush().await;
    }
    let mut slices: Vec<IoSlice<'_>> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
    let mut left: &mut [IoSlice<'_>] = &mut slices;
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        let written = writer.write_vectored(left).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut left, written);
    }
    writer.flush().await
}

/// Ends a stream politely: what was sent arrives before the end does.
async fn part<S: Stream>(mut reader: ReadHalf<S>, writer: &mut WriteHalf<S>, patience: Duration) {
    let close_timeout = async {
        writer.shutdown().await?;
        // What the peer still sends is read and dropped: closing over unread bytes would reset the
        // connection and take our own last bytes with it.
        while skip(&mut reader).await? > 0 {}
        io::Result::Ok(())
    };
    // A peer that does not part in time is left.
    let _ = timeout(patience, close_timeout).await;
}

async fn skip<S: Stream>(reader: &mut ReadHalf<S>) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut scratch = [const { MaybeUninit::<u8>::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut scratch);
        std::task::ready!(Pin::new(&mut *reader).poll_read(cx, &mut buffer))?;
        std::task::Poll::Ready(Ok(buffer.filled().len()))
    })
    .await
}

/// Lets the peer see a reset when the stream is dropped.
fn reset<S: Stream>(stream: &S) {
    if let Err(error) = SockRef::from(stream.tcp()).set_linger(Some(Duration::ZERO)) {
        tracing::trace!(%error, "a connection is closed, not reset");
    }
}

/// Bytes read at once.
const READ: usize = 16 * 1024;
