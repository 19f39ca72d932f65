//! A session description: printed again it is the same.

use homing_wire::sdp::{Crypto, Session};

/// Reads octets as a description and asks it everything.
pub fn check(octets: &[u8]) {
    let Ok(session) = Session::parse(octets) else { return };
    let _asked = (session.origin(), session.connection(), session.attributes().count());
    for media in &session.media {
        let _media = (session.connection_of(media), session.direction_of(media), media.direction());
        let _times = (media.ptime(), media.maxptime(), media.rtcp(), media.rtcp_mux());
        media.formats().for_each(|format| {
            let _params = media.fmtp(format).map(|fmtp| fmtp.params().count());
        });
        for crypto in media.cryptos() {
            let _keys = crypto.keys();
            assert_eq!(Crypto::parse(&crypto.to_string()), Some(crypto));
        }
    }
    let _debug = format!("{session:?}");
    let printed = session.to_string();
    assert!(!printed.replace("\r\n", "").contains(['\r', '\n', '\0']), "{printed:?}");
    // What would end a line inside it is printed as a blank, and then it may be another line.
    let text = String::from_utf8_lossy(octets).replace("\r\n", "\n");
    if !text.contains(['\r', '\0']) {
        let again = Session::parse(printed.as_bytes()).expect("what was printed can be read");
        assert_eq!(again.to_string(), printed);
        assert_eq!(again, session.clone().into_owned());
    }
}
