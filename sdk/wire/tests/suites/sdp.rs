//! The offers and answers of RFC 4317 come back as they were, and mean what another parser says.

use homing_wire::sdp::Session;

#[test]
fn every_body_comes_back_and_means_the_same() {
    let suites = super::suites();
    let mut seen = 0;
    for file in std::fs::read_dir(suites.join("sdp-rfc4317")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "sdp") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n").replace('\n', "\r\n");
        let session = Session::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(session.to_string(), text, "{path:?}");
        compare(&session, &text, &path.display().to_string());
        seen += 1;
    }
    assert_eq!(seen, 54);
}

fn compare(session: &Session<'_>, text: &str, name: &str) {
    let Ok(other) = sdp_types::Session::parse(text.as_bytes()) else { return };
    let origin = session.origin().unwrap();
    assert_eq!(
        (origin.session.to_string(), origin.version),
        (other.origin.sess_id.clone(), other.origin.sess_version)
    );
    assert_eq!(origin.address, other.origin.unicast_address, "{name}");
    assert_eq!(session.media.len(), other.medias.len(), "{name}");
    for (ours, theirs) in session.media.iter().zip(&other.medias) {
        assert_eq!(
            (&*ours.kind, ours.port, &*ours.proto),
            (&*theirs.media, theirs.port, &*theirs.proto),
            "{name}"
        );
        assert_eq!(ours.formats, theirs.fmt, "{name}");
        let attributes: Vec<_> = ours.attributes().collect();
        let expected: Vec<_> =
            theirs.attributes.iter().map(|a| (&*a.attribute, a.value.as_deref().unwrap_or(""))).collect();
        assert_eq!(attributes, expected, "{name}");
    }
}
