//! When two URIs name the same resource (RFC 3261 19.1.4).

use super::{Uri, escape};

pub(super) fn equivalent(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    if !one.scheme().eq_ignore_ascii_case(two.scheme()) {
        return false;
    }
    if let (Some(one), Some(two)) = (one.opaque(), two.opaque()) {
        return one == two;
    }
    same_part(one.user(), two.user())
        && same_part(one.password(), two.password())
        && one.host() == two.host()
        && one.port() == two.port()
        && same_params(one, two)
        && same_headers(one, two)
}

fn same_part(one: Option<&str>, two: Option<&str>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => escape::same_exact(one, two),
        (one, two) => one.is_none() && two.is_none(),
    }
}

/// A parameter in both must have the same value; one that stands alone matters only where it changes what is reached.
fn same_params(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    let (left, right) = (sorted(one), sorted(two));
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (None, None) => return true,
            (Some((name, value)), Some((other, against))) if name == other => {
                if value != against {
                    return false;
                }
                left.next();
                right.next();
            }
            (Some((name, _)), other) if other.is_none_or(|(other, _)| name < other) => {
                if must_be_in_both(name) {
                    return false;
                }
                left.next();
            }
            (_, Some((name, _))) => {
                if must_be_in_both(name) {
                    return false;
                }
                right.next();
            }
            (Some(_), None) => return false,
        }
    }
}

fn sorted(uri: &Uri<'_>) -> Vec<(String, Option<String>)> {
    let plain = |text: &str| escape::undo(text).to_ascii_lowercase();
    let mut params: Vec<_> = uri.params().map(|(name, value)| (plain(name), value.map(plain))).collect();
    params.sort();
    params.dedup_by(|later, first| later.0 == first.0);
    params
}

fn same_headers(one: &Uri<'_>, two: &Uri<'_>) -> bool {
    let fields = |uri: &Uri<'_>| {
        let mut fields: Vec<_> = uri
            .headers()
            .map(|(name, value)| (escape::undo(name).to_ascii_lowercase(), escape::undo(value).into_owned()))
            .collect();
        fields.sort();
        fields
    };
    fields(one) == fields(two)
}

fn must_be_in_both(name: &str) -> bool {
    matches!(name, "transport" | "user" | "ttl" | "method" | "maddr")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3261 19.1.4.
    #[test]
    fn the_examples_of_the_rfc_hold() {
        let same = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ];
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com:6000;transport=tcp", "sip:bob@biloxi.com"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@b", "sips:a@b"),
            ("sip:a@b", "sip:b"),
            ("sip:a@b;ttl=1", "sip:a@b"),
        ];
        for (pairs, expected) in [(&same[..], true), (&different[..], false)] {
            for (one, two) in pairs {
                let (one, two) = (Uri::parse(one).unwrap(), Uri::parse(two).unwrap());
                assert_eq!(one.equivalent(&two), expected, "{one} {two}");
                assert_eq!(two.equivalent(&one), expected, "{two} {one}");
            }
        }
    }

    #[test]
    fn other_schemes_compare_as_text() {
        let uri = |text| Uri::parse(text).unwrap();
        assert!(uri("TEL:+1").equivalent(&uri("tel:+1")));
        assert!(!uri("tel:+1").equivalent(&uri("tel:+2")));
        assert!(!uri("tel:1").equivalent(&uri("sip:1")));
    }
}
