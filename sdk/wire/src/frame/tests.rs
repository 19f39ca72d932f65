//! How a stream is cut, wherever its segments end.

use super::*;

const ONE: &[u8] = b"MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c\r\n ;branch=x\r\nl : 3\r\n\r\na\r\n";
const TWO: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length:\r\n 0\r\n\r\n";

fn all(framer: &mut Framer) -> Result<Vec<Frame>, FrameError> {
    std::iter::from_fn(|| framer.next().transpose()).collect()
}

fn message(bytes: &'static [u8]) -> Frame {
    Frame::Message(Bytes::from_static(bytes))
}

fn error(stream: &[u8]) -> FrameError {
    let mut framer = Framer::new(Limits::default());
    framer.push(stream);
    let error = all(&mut framer).unwrap_err();
    assert_eq!(framer.next(), Err(error), "the error stays");
    error
}

#[test]
fn every_split_gives_the_same_frames() {
    let stream = [b"\r\n\r\n", ONE, TWO, b"\r\n\r\n", ONE].concat();
    let expected = [Frame::Ping, message(ONE), message(TWO), Frame::Ping, message(ONE)];
    for one in 0..stream.len() {
        for two in [one, (one + 7).min(stream.len()), stream.len()] {
            let mut framer = Framer::answering(Limits::default());
            let mut frames = Vec::new();
            for part in [&stream[..one], &stream[one..two], &stream[two..]] {
                framer.push(part);
                frames.extend(all(&mut framer).unwrap());
            }
            assert_eq!(frames, expected, "split at {one} and {two}");
            assert_eq!(framer.pending(), 0);
        }
    }
}

#[test]
fn octet_by_octet_is_no_different() {
    let mut framer = Framer::new(Limits::default());
    let mut frames = Vec::new();
    for octet in [ONE, TWO].concat() {
        framer.push(&[octet]);
        frames.extend(all(&mut framer).unwrap());
    }
    assert_eq!(frames, [message(ONE), message(TWO)]);
}

#[test]
fn a_lone_line_end_is_a_pong_at_once() {
    let mut framer = Framer::new(Limits::default());
    for _ in 0..3 {
        framer.push(b"\r\n");
        assert_eq!(all(&mut framer), Ok(vec![Frame::Pong]));
    }
}

#[test]
fn a_torn_ping_reaches_the_side_that_answers() {
    let mut framer = Framer::answering(Limits::default());
    framer.push(b"\r\n");
    assert_eq!(framer.next(), Ok(None));
    framer.push(b"\r\n");
    assert_eq!(framer.next(), Ok(Some(Frame::Ping)));
}

#[test]
fn exactly_one_valid_content_length_is_needed() {
    assert_eq!(error(b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n"), FrameError::NoContentLength);
    assert_eq!(error(b"SIP/2.0 200 OK\r\n\r\n"), FrameError::NoContentLength);
    assert_eq!(error(b"SIP/2.0 200 OK\r\nl: 1\r\nContent-Length: 1\r\n\r\n"), FrameError::ManyContentLengths);
    for wrong in ["", "-1", "+1", "1 2", "0x1", "1,1", "99999999999"] {
        let stream = format!("SIP/2.0 200 OK\r\nContent-Length: {wrong}\r\n\r\n");
        assert_eq!(error(stream.as_bytes()), FrameError::BadContentLength, "{wrong}");
    }
    assert_eq!(
        error(b"SIP/2.0 200 OK\r\nContent-Length: 4294967295\r\n\r\n"),
        FrameError::TooLarge(Bound::Body)
    );
}

#[test]
fn bare_line_ends_break_the_stream() {
    for wrong in [
        "SIP/2.0 200 OK\nl: 0\n\n",
        "SIP/2.0 200 OK\r\nX: a\rl: 0\r\n\r\n",
        "SIP/2.0 200 OK\r\nl: 0\r\n\rx",
        "\n",
    ] {
        assert_eq!(error(wrong.as_bytes()), FrameError::BareLineEnd, "{wrong:?}");
    }
    assert_eq!(error(b"SIP/2.0 200 OK\r\n x\r\n\r\n"), FrameError::StrayFold);
}

#[test]
fn what_can_be_answered_is_handed_out() {
    let mut framer = Framer::new(Limits::default());
    framer.push(b"OPTIONS sip:a@b SIP/2.0\r\nl: x\r\n\r\nSIP/2.0");
    assert!(framer.refused().is_none());
    assert!(framer.next().is_err());
    assert_eq!(framer.refused().unwrap(), &b"OPTIONS sip:a@b SIP/2.0\r\nl: x\r\n\r\n"[..]);
}

#[test]
fn limits_are_counted_while_reading() {
    let limits = Limits { line: 64, auth_line: 128, headers: 3, message: 300, ..Limits::default() };
    let refuse = |stream: &str| {
        let mut framer = Framer::answering(limits);
        for octet in stream.bytes() {
            framer.push(&[octet]);
            match framer.next() {
                Ok(_) => {}
                Err(FrameError::TooLarge(bound)) => return bound,
                Err(other) => panic!("{other}"),
            }
        }
        panic!("accepted: {stream}");
    };
    assert_eq!(refuse(&"x".repeat(100)), Bound::Line);
    assert_eq!(refuse(&format!("SIP/2.0 200 OK\r\nX: {}", "x".repeat(80))), Bound::Line);
    assert_eq!(refuse(&format!("SIP/2.0 200 OK\r\nX: {}", "x\r\n ".repeat(80))), Bound::Line);
    assert_eq!(refuse(&format!("SIP/2.0 200 OK\r\nAuthorization: {}", "x".repeat(150))), Bound::Line);
    assert_eq!(refuse("SIP/2.0 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5"), Bound::Headers);
    assert_eq!(refuse(&format!("SIP/2.0 200 OK\r\nl: 290\r\n\r\n{}", "x".repeat(300))), Bound::Message);
    let mut framer = Framer::new(limits);
    framer.push(format!("SIP/2.0 200 OK\r\nAuthorization: {}\r\nl: 0\r\n\r\n", "x".repeat(90)).as_bytes());
    assert!(matches!(framer.next(), Ok(Some(Frame::Message(_)))));
}

/// A side that dialled takes such a message whole: its end is known, and the parser names the limit.
#[test]
fn a_long_line_does_not_end_a_stream_that_we_dialled() {
    let limits = Limits { line: 64, headers: 3, ..Limits::default() };
    for lines in [format!("X: {}\r\n", "x".repeat(500)), "X: 1\r\n".repeat(9)] {
        let stream = format!("SIP/2.0 200 OK\r\n{lines}l: 0\r\n\r\n");
        let mut framer = Framer::new(limits);
        framer.push(stream.as_bytes());
        assert_eq!(framer.next(), Ok(Some(Frame::Message(stream.into()))));
    }
    let mut framer = Framer::new(limits);
    framer.push("X".repeat(limits.message + 1).as_bytes());
    assert_eq!(framer.next(), Err(FrameError::TooLarge(Bound::Message)), "nothing grows for ever");
}

#[test]
fn a_start_line_that_never_ends_breaks_a_stream_on_both_sides() {
    for mut framer in [Framer::new(Limits::default()), Framer::answering(Limits::default())] {
        framer.push(&vec![b'0'; Limits::default().line + 1]);
        assert_eq!(framer.next(), Err(FrameError::TooLarge(Bound::Line)));
    }
}

#[test]
fn a_fault_names_its_octet() {
    for (stream, rule, octet) in [
        ("SIP/2.0 200 OK\r\nVia: x\r\n\r\n", FrameError::NoContentLength, 26),
        ("SIP/2.0 200 OK\r\nl: 1\r\nl: 1\r\n\r\n", FrameError::ManyContentLengths, 22),
        ("SIP/2.0 200 OK\r\nl: x\r\n\r\n", FrameError::BadContentLength, 16),
        ("SIP/2.0 200 OK\r\nX: a\rb", FrameError::BareLineEnd, 20),
    ] {
        let mut framer = Framer::new(Limits::default());
        framer.push(format!("SIP/2.0 100 Trying\r\nl: 0\r\n\r\n{stream}").as_bytes());
        assert!(all(&mut framer).is_err() && framer.next().is_err());
        assert_eq!(framer.fault(), Some(FrameFault { rule, octet }), "{stream:?}");
    }
}

#[test]
fn a_datagram_shows_what_it_is() {
    let stun = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    assert!(matches!(Frame::from_datagram(stun.clone().into()), Frame::Stun(_)));
    assert!(matches!(Frame::from_datagram(stun[..19].to_vec().into()), Frame::Message(_)));
    assert_eq!(Frame::from_datagram("\r\n\r\n".into()), Frame::Ping);
    assert_eq!(Frame::from_datagram("\r\n".into()), Frame::Pong);
    assert_eq!(Frame::from_datagram(ONE.into()), message(ONE));
}
