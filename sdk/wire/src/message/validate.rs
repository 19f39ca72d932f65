//! What a server must object to in a message that could be read.

use crate::error::{Finding, HeaderError};
use crate::header::{Contact, Header, NameAddr, RecordRoute, Route, Via};
use crate::method::Method;
use crate::name::{Known, Name};
use crate::scan::number;
use crate::uri::Uri;

use super::Message;
use super::index::Flaws;

/// What [`Message::validate`] gives.
pub(super) fn findings(message: &Message) -> Vec<Finding> {
    let mut findings = Findings { found: Vec::new() };
    findings.start(message);
    findings.framing(message);
    findings.single(message);
    findings.mandatory(message);
    findings.lists(message);
    findings.scalars(message);
    findings.abilities(message);
    findings.found
}

struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, status: u16, header: Name<'static>, why: &'static str) {
        self.found.push(Finding { status, header, why });
    }

    fn start(&mut self, message: &Message) {
        let flaws = message.index().flaws;
        if flaws.has(Flaws::VERSION) {
            self.add(505, START_LINE, "version not supported");
        }
        if flaws.has(Flaws::START_LINE) {
            self.add(400, START_LINE, "malformed request line");
            return;
        }
        let Some(uri) = message.request_uri() else { return };
        match Uri::parse(uri) {
            Err(_) => self.add(400, START_LINE, "malformed Request-URI"),
            Ok(uri) if uri.has_headers() => self.add(400, START_LINE, "header fields in the Request-URI"),
            Ok(_) => {}
        }
    }

    fn framing(&mut self, message: &Message) {
        let flaws = message.index().flaws;
        if flaws.has(Flaws::OPEN_HEAD) {
            self.add(400, START_LINE, "no empty line behind the head");
        }
        if flaws.has(Flaws::NO_HEADER) {
            self.add(400, START_LINE, "a line that is no header");
        }
        if flaws.has(Flaws::LENGTH_MALFORMED) {
            self.add(400, Name::ContentLength, "Content-Length is not a number");
        }
        if flaws.has(Flaws::LENGTH_TWICE) {
            self.add(400, Name::ContentLength, "more than one Content-Length");
        }
        if flaws.has(Flaws::LENGTH_OVER) {
            self.add(400, Name::ContentLength, "Content-Length larger than the message");
        }
    }

    fn single(&mut self, message: &Message) {
        for known in SINGLE {
            if message.index().lines.iter().filter(|line| line.known == Some(known)).count() > 1 {
                self.add(400, known.name(), "stands more than once");
            }
        }
    }

    fn mandatory(&mut self, message: &Message) {
        let call_id = message.call_id().map(drop);
        let (from, to) = (address(message.from(), Name::From), address(message.to(), Name::To));
        for outcome in [from, to, call_id] {
            self.outcome(outcome);
        }
        match message.cseq() {
            Err(error) => self.outcome(Err(error)),
            Ok(cseq) if message.method().is_some_and(|method| method != cseq.method) => {
                self.add(400, Name::CSeq, "method differs from the request line");
            }
            Ok(_) => {}
        }
        if message.via_count() == 0 {
            self.outcome(Err(HeaderError::Missing(Name::Via)));
        }
    }

    fn lists(&mut self, message: &Message) {
        self.all::<Via<'_>>(message);
        self.all::<Contact<'_>>(message);
        self.all::<Route<'_>>(message);
        self.all::<RecordRoute<'_>>(message);
        for contact in message.all::<Contact<'_>>().flatten() {
            if contact.addr().is_some_and(|addr| addr.uri().is_err()) {
                self.add(400, Name::Contact, "malformed URI");
                return;
            }
        }
    }

    fn all<'m, H: Header<'m>>(&mut self, message: &'m Message) {
        if let Some(error) = message.all::<H>().find_map(Result::err) {
            self.outcome(Err(error));
        }
    }

    fn scalars(&mut self, message: &Message) {
        self.outcome(message.max_forwards().map(drop));
        if message.is_request() {
            return;
        }
        if message.first(Known::RetryAfter).is_some_and(|value| leading_number(value).is_none()) {
            self.add(400, Name::RetryAfter, "not a number");
        }
        if message.lines(Name::Warning).any(|value| leading_number(value).is_none_or(|code| code > 999)) {
            self.add(400, Name::Warning, "code out of range");
        }
    }

    fn abilities(&mut self, message: &Message) {
        if let Some(Method::Other(_)) = message.method() {
            self.add(501, START_LINE, "unknown method");
        }
        let uri = message.request_uri().map(Uri::parse);
        if let Some(Ok(uri)) = uri
            && !uri.is_sip()
            && !uri.is_sips()
            && !uri.scheme().eq_ignore_ascii_case("tel")
        {
            self.add(416, START_LINE, "unsupported URI scheme");
        }
    }

    fn outcome(&mut self, outcome: Result<(), HeaderError>) {
        match outcome {
            Ok(()) => {}
            Err(HeaderError::Missing(header)) => self.add(400, header, "missing"),
            Err(HeaderError::Malformed(header)) => self.add(400, header, "malformed"),
            Err(HeaderError::TooMany(header)) => self.add(400, header, "stands more than once"),
        }
    }
}

/// Whether the address and the URI in it are sound.
fn address(addr: Result<NameAddr<'_>, HeaderError>, name: Name<'static>) -> Result<(), HeaderError> {
    addr?.uri().map(drop).map_err(|_| HeaderError::Malformed(name))
}

/// The number a value begins with.
fn leading_number(value: &[u8]) -> Option<u32> {
    let digits = value.iter().take_while(|octet| octet.is_ascii_digit()).count();
    number(&value[..digits])
}

const START_LINE: Name<'static> = Name::Other("");

/// Headers that stand at most once (RFC 3261 7.3.1); Content-Length is judged with the framing.
const SINGLE: [Known; 8] = [
    Known::From,
    Known::To,
    Known::CallId,
    Known::CSeq,
    Known::MaxForwards,
    Known::Expires,
    Known::ContentType,
    Known::Event,
];

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn statuses(text: &str) -> Vec<u16> {
        Message::parse(Bytes::copy_from_slice(text.as_bytes()))
            .unwrap()
            .validate()
            .iter()
            .map(|f| f.status)
            .collect()
    }

    fn request(start: &str, change: impl Fn(&mut Vec<String>)) -> String {
        let method = start.split(' ').next().unwrap();
        let mut lines = vec![
            "Via: SIP/2.0/UDP a;branch=z9hG4bKx".to_owned(),
            "From: <sip:a@b>;tag=1".to_owned(),
            "To: <sip:c@d>".to_owned(),
            "Call-ID: 1".to_owned(),
            format!("CSeq: 1 {method}"),
            "Max-Forwards: 70".to_owned(),
        ];
        change(&mut lines);
        format!("{start}\r\n{}\r\n\r\n", lines.join("\r\n"))
    }

    #[test]
    fn a_sound_request_has_no_finding() {
        assert_eq!(statuses(&request("INVITE sip:a@b SIP/2.0", |_| {})), []);
        assert_eq!(statuses(&request("INVITE tel:+1 SIP/2.0", |_| {})), []);
        assert_eq!(
            statuses(&request("INVITE sip:a@b SIP/2.0", |lines| drop(lines.pop()))),
            [],
            "no Max-Forwards: RFC 2543"
        );
    }

    #[test]
    fn the_start_line_is_judged() {
        for (start, expected) in [
            ("INVITE sip:a@b SIP/7.0", &[505][..]),
            ("INVITE <sip:a@b> SIP/2.0", &[400]),
            ("INVITE sip:a@b; lr SIP/2.0", &[400]),
            ("INVITE  sip:a@b  SIP/2.0", &[400]),
            ("INVITE sip:a@b SIP/2.0  ", &[400]),
            ("INVITE sip:a@b?Route=%3Csip:x%3E SIP/2.0", &[400]),
            ("INVITE sip:2001:db8::10 SIP/2.0", &[400]),
            ("INVITE nobodyKnows:x SIP/2.0", &[416]),
            ("NEWMETHOD sip:a@b SIP/2.0", &[501]),
        ] {
            assert_eq!(statuses(&request(start, |_| {})), expected, "{start}");
        }
    }

    #[test]
    fn every_mandatory_header_is_missed_and_none_may_stand_twice() {
        for line in 0..5 {
            assert_eq!(
                statuses(&request("BYE sip:a@b SIP/2.0", |lines| drop(lines.remove(line)))),
                [400],
                "{line}"
            );
        }
        for line in 1..6 {
            let twice = |lines: &mut Vec<String>| lines.push(lines[line].clone());
            assert_eq!(statuses(&request("BYE sip:a@b SIP/2.0", twice)), [400], "{line}");
        }
    }

    #[test]
    fn malformed_headers_are_named() {
        for (index, line, header) in [
            (0, "Via: SIP/2.0/UDP 192.0.2.15;;,;,,", Name::Via),
            (1, "From: Bell, Alexander <sip:a@b>;tag=43", Name::From),
            (2, "To: \"Mr. J. User <sip:j@e.com>", Name::To),
            (2, "To: <unquoted", Name::To),
            (2, "To: <otto>", Name::To),
            (1, "From: <sip:a@b:port>", Name::From),
            (0, "Via: ,", Name::Via),
            (5, "Route: <sip:a;lr", Name::Route),
            (5, "Record-Route: <sip:a;lr>, b", Name::RecordRoute),
            (4, "CSeq: 36893488147419103232 BYE", Name::CSeq),
            (4, "CSeq: 1 INVITE", Name::CSeq),
            (5, "Max-Forwards: 300", Name::MaxForwards),
            (5, "Contact: sip:u@e.com?Route=%3Csip:x%3E", Name::Contact),
            (5, "Contact: <alice>", Name::Contact),
            (5, "Content-Length: -999", Name::ContentLength),
            (5, "Content-Length: 1", Name::ContentLength),
            (5, "Content-Length: 0\r\nl: 0", Name::ContentLength),
        ] {
            let text = request("BYE sip:a@b SIP/2.0", |lines| lines[index] = line.to_owned());
            let findings = Message::parse(text).unwrap().validate();
            assert!(findings.iter().any(|f| f.header == header && f.status == 400), "{line}: {findings:?}");
        }
    }

    #[test]
    fn a_response_with_overlarge_numbers_is_found_out() {
        let ok = "SIP/2.0 503 x\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b>\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n";
        assert_eq!(
            statuses(&format!("{ok}Retry-After: 120 (busy);duration=3\r\nWarning: 399 x \"y\"\r\n\r\n")),
            []
        );
        assert_eq!(statuses(&format!("{ok}Retry-After: 949302838503028349304023988\r\n\r\n")), [400]);
        assert_eq!(statuses(&format!("{ok}Warning: 1812 overture \"In Progress\"\r\n\r\n")), [400]);
    }
}
