//! The start line: taken apart leniently, so that a breach can be answered instead of dropped.

use std::ops::Range;

use super::{Flaws, Span, StartAt};
use crate::class::Class;
use crate::error::{Bound, ParseError};
use crate::limits::Limits;
use crate::scan::{is_token, number};

pub(in crate::message) fn read(
    bytes: &[u8],
    line: Range<usize>,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Result<StartAt, ParseError> {
    let text = &bytes[line.clone()];
    if text.len() + LINE_END > limits.line {
        return Err(ParseError::TooLarge(if text.starts_with(b"SIP/") { Bound::Line } else { Bound::Uri }));
    }
    match text {
        [b'S' | b's', b'I' | b'i', b'P' | b'p', b'/', ..] => status_line(bytes, line, flaws),
        _ => request_line(bytes, line, limits, flaws),
    }
}

/// `SIP/2.0 200 OK`; the blank before an empty reason may be missing.
fn status_line(bytes: &[u8], line: Range<usize>, flaws: &mut Flaws) -> Result<StartAt, ParseError> {
    let text = &bytes[line.clone()];
    let blank = memchr::memchr(b' ', text).ok_or(ParseError::StartLine)?;
    check_version(&text[..blank], flaws)?;
    let digits = text[blank + 1..].iter().take_while(|octet| octet.is_ascii_digit()).count();
    let behind = blank + 1 + digits;
    let status = number(&text[blank + 1..behind])
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| digits == 3 && (100..700).contains(status))
        .ok_or(ParseError::StatusCode)?;
    let reason = match text.get(behind) {
        None => behind,
        Some(b' ') => behind + 1,
        Some(_) => return Err(ParseError::StatusCode),
    };
    Ok(StartAt::Response { status, reason: Span::new(line.start + reason, line.end) })
}

/// `INVITE sip:alice@example.com SIP/2.0`: the version is what stands behind the last blank.
fn request_line(
    bytes: &[u8],
    line: Range<usize>,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Result<StartAt, ParseError> {
    let text = &bytes[line.clone()];
    let method = text.iter().position(|octet| !is_token(*octet)).ok_or(ParseError::StartLine)?;
    if method == 0 || text[method] != b' ' {
        return Err(ParseError::StartLine);
    }
    let trimmed = trim_blanks(text);
    let blank = memchr::memrchr2(b' ', b'\t', trimmed).ok_or(ParseError::StartLine)?;
    check_version(&trimmed[blank + 1..], flaws)?;
    let between = text.get(method + 1..blank).ok_or(ParseError::StartLine)?;
    let uri = trim_blanks(between);
    let lead = between.len() - between.iter().skip_while(|octet| is_blank(**octet)).count();
    let uri = uri.get(lead..).filter(|uri| !uri.is_empty()).ok_or(ParseError::StartLine)?;
    if uri.len() > limits.uri {
        return Err(ParseError::TooLarge(Bound::Uri));
    }
    if str::from_utf8(uri).is_err() {
        return Err(ParseError::StartLine);
    }
    if trimmed.len() != text.len() || uri.len() != between.len() || Class::NO_URI.has_any(uri) {
        flaws.add(Flaws::START_LINE);
    }
    let uri_start = line.start + method + 1 + lead;
    Ok(StartAt::Request {
        method: Span::new(line.start, line.start + method),
        uri: Span::new(uri_start, uri_start + uri.len()),
    })
}

/// `SIP/2.0`; another number is a flaw, another protocol is no SIP message.
fn check_version(version: &[u8], flaws: &mut Flaws) -> Result<(), ParseError> {
    if version == b"SIP/2.0" {
        return Ok(());
    }
    let (protocol, number) = version.split_at_checked(4).ok_or(ParseError::StartLine)?;
    if !protocol.eq_ignore_ascii_case(b"SIP/") {
        return Err(ParseError::StartLine);
    }
    let dot = memchr::memchr(b'.', number).ok_or(ParseError::StartLine)?;
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if !is_number(&number[..dot]) || !is_number(&number[dot + 1..]) {
        return Err(ParseError::StartLine);
    }
    if number != b"2.0" {
        flaws.add(Flaws::VERSION);
    }
    Ok(())
}

fn trim_blanks(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Octets of CR and LF, which count as part of their line.
const LINE_END: usize = 2;
