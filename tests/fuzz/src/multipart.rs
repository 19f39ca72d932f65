//! A body of several parts: they lie within it, in order, and are few.

use homing_wire::header::{ContentType, Header};
use homing_wire::multipart::{Multipart, Part};

/// Reads octets as a body of several parts; the first line names their type.
pub fn check(octets: &[u8]) {
    let end = octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len());
    let (line, body) = octets.split_at(end);
    let Some((content_type, _)) = ContentType::read(line) else { return };
    let Ok(multipart) = Multipart::parse(&content_type, body) else { return };
    assert!(!multipart.parts.is_empty());
    let parts = count(&multipart.parts, body.len(), 3);
    assert!(parts <= 16, "{parts} parts");
    if let Some(found) = multipart.find("application/sdp") {
        super::sdp::check(found.body);
    }
    let _debug = format!("{multipart:?}");
}

fn count(parts: &[Part<'_>], most: usize, depth: usize) -> usize {
    assert!(depth > 0, "too deep");
    let octets: usize = parts.iter().map(|part| part.body.len()).sum();
    assert!(octets <= most, "parts overlap");
    let within = |part: &Part<'_>| {
        let _asked = (part.content_type().is_some(), part.disposition().is_some(), part.header("x"));
        part.inner.as_ref().map_or(0, |inner| count(&inner.parts, part.body.len(), depth - 1))
    };
    parts.len() + parts.iter().map(within).sum::<usize>()
}
