//! The session description in a message, or what to answer where there is none that can be read (RFC 3261 section 8.2.3).

use bytes::Bytes;
use homing_wire::header::{ContentDisposition, ContentType};
use homing_wire::multipart::Multipart;
use homing_wire::sdp::{Direction, Session};
use homing_wire::{Message, Name};

use crate::description::{Description, SDP};
use crate::uas::Refusal;

/// The description that a message carries; none without a body, or with one that may be passed over.
///
/// # Errors
/// [`Refusal`]: 400 for SDP that cannot be read, 415 for a body of a type or coding that is not known here.
pub(crate) fn description(message: &Message) -> Result<Option<Description>, Refusal> {
    if message.body().is_empty() {
        return Ok(None);
    }
    let disposition = message.get::<ContentDisposition<'_>>().ok().flatten();
    let is_optional = disposition.as_ref().is_some_and(ContentDisposition::is_optional);
    let is_session = disposition.is_none_or(|one| one.kind.eq_ignore_ascii_case("session"));
    let is_coded =
        message.tokens(Name::ContentEncoding).any(|coding| !coding.eq_ignore_ascii_case("identity"));
    let body = match message.get::<ContentType<'_>>().ok().flatten().filter(|_| !is_coded) {
        Some(kind) if kind.is(SDP) && is_session => Some(message.body()),
        Some(kind) if kind.kind.eq_ignore_ascii_case("multipart") => within(&kind, message.body())?,
        Some(_) | None => None,
    };
    let Some(body) = body else {
        return if is_optional { Ok(None) } else { Err(Refusal::new(415, "")) };
    };
    if Session::parse(body).is_err() {
        return Err(Refusal::new(400, "its session description cannot be read"));
    }
    // The message around it is not kept.
    Ok(Some(Description::sdp(Bytes::copy_from_slice(body))))
}

/// The description among several parts (RFC 5621 section 3).
fn within<'m>(kind: &ContentType<'_>, body: &'m [u8]) -> Result<Option<&'m [u8]>, Refusal> {
    let parts = Multipart::parse(kind, body).map_err(|_| Refusal::new(400, "its parts cannot be read"))?;
    Ok(parts.find(SDP).map(|part| part.body))
}

/// True if who says this holds the call (RFC 3264 section 8.4): none of the media that are in use is received.
pub(crate) fn holds(description: &Description) -> bool {
    let Ok(session) = Session::parse(&description.body) else { return false };
    let mut used = session.media.iter().filter(|media| media.port != 0).peekable();
    used.peek().is_some()
        && used.all(|media| {
            let nowhere = session.connection_of(media).is_some_and(|at| at.is_nowhere());
            nowhere || matches!(session.direction_of(media), Direction::SendOnly | Direction::Inactive)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(head: &str, body: &str) -> Message {
        let length = body.len();
        let text = format!("SIP/2.0 200 OK\r\nCall-ID: c1\r\n{head}Content-Length: {length}\r\n\r\n{body}");
        Message::parse(text.into_bytes()).unwrap()
    }

    const BODY: &str =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

    fn status(head: &str, body: &str) -> Option<u16> {
        let refused = description(&message(head, body)).err()?;
        [400, 415].into_iter().find(|status| format!("{refused:?}").contains(&format!("status: {status},")))
    }

    #[test]
    fn a_description_is_sdp_that_can_be_read_and_nothing_else() {
        let read = |head: &str, body: &str| description(&message(head, body)).unwrap();
        assert_eq!(
            read("Content-Type: Application/SDP\r\n", BODY),
            Some(Description::sdp(BODY.as_bytes().to_vec()))
        );
        assert_eq!(read("Content-Type: application/sdp\r\n", ""), None);
        assert_eq!(status("Content-Type: application/sdp\r\n", "no description\r\n"), Some(400));
        assert_eq!(status("Content-Type: text/plain\r\n", "hello"), Some(415));
        assert_eq!(status("", BODY), Some(415), "a body without a type");
        assert_eq!(status("Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", BODY), Some(415));
        let render = "Content-Type: application/sdp\r\nContent-Disposition: render\r\n";
        assert_eq!(status(render, BODY), Some(415));
        let optional = "Content-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n";
        assert_eq!(read(optional, "hello"), None);
    }

    #[test]
    fn a_description_is_found_among_several_parts() {
        let parts = format!(
            "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\r\n{BODY}\r\n--b--\r\n"
        );
        let head = "Content-Type: multipart/mixed;boundary=b\r\n";
        assert_eq!(description(&message(head, &parts)).unwrap().unwrap().body, BODY.as_bytes());
        assert_eq!(status(head, "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"), Some(415));
        assert_eq!(status("Content-Type: multipart/mixed\r\n", &parts), Some(400), "without a boundary");
    }

    #[test]
    fn a_peer_holds_by_direction_or_by_the_address_of_nowhere() {
        let says = |change: &dyn Fn(&str) -> String| holds(&Description::sdp(change(BODY).into_bytes()));
        assert!(!says(&|body| body.to_owned()));
        for direction in ["sendonly", "inactive"] {
            assert!(says(&|body| format!("{body}a={direction}\r\n")), "{direction}");
        }
        for direction in ["sendrecv", "recvonly"] {
            assert!(!says(&|body| format!("{body}a={direction}\r\n")), "{direction}");
        }
        assert!(says(&|body| body.replace("c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0")));
        let one_of_two = |body: &str| format!("{body}a=sendonly\r\nm=audio 4002 RTP/AVP 0\r\n");
        assert!(!says(&one_of_two), "one of two is received");
        let refused = |body: &str| format!("{body}a=sendonly\r\nm=video 0 RTP/AVP 31\r\n");
        assert!(says(&refused), "what is refused does not count");
        assert!(!says(&|body| body.replace("m=audio 4000", "m=audio 0")), "nothing is in use");
    }
}
