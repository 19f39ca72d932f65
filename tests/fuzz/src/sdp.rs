//! A session description: printed anew it is the same.

use homing_wire::sdp::Session;

/// Reads octets as a description and asks it everything.
pub fn check(octets: &[u8]) {
    let Ok(session) = Session::parse(octets) else { return };
    let _asked = (session.origin(), session.connection(), session.attributes().count());
    for media in &session.media {
        let _media = (session.connection_of(media), session.direction_of(media), media.direction());
    }
    let printed = session.to_string();
    let again = Session::parse(printed.as_bytes()).expect("what was printed can be read");
    assert_eq!(again.media.len(), session.media.len());
    // What would end a line inside it is printed as a blank, which may change how the line is read.
    let text = String::from_utf8_lossy(octets).replace("\r\n", "\n");
    if !text.contains(['\r', '\0']) {
        assert_eq!(again.to_string(), printed);
    }
    let _debug = format!("{session:?}");
}
