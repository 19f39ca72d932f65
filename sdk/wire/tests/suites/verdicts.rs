//! What a server answers to each message, as far as the parser has to object.

use homing_wire::header::{ContentType, Date};
use homing_wire::{Message, Name};

/// What becomes of a message.
#[derive(Debug, Eq, PartialEq)]
enum Verdict {
    /// Nothing to object to here.
    Sound,
    /// A request to refuse; the first finding's status.
    Refuse(u16),
    /// A response to drop, or octets that are no message.
    Drop,
}

fn judge(bytes: Vec<u8>) -> Verdict {
    match Message::parse(bytes) {
        Err(_) => Verdict::Drop,
        Ok(message) => match message.validate().first() {
            None => Verdict::Sound,
            Some(_) if !message.is_request() => Verdict::Drop,
            Some(finding) => Verdict::Refuse(finding.status),
        },
    }
}

/// Per name what RFC 4475 and RFC 5118 want; messages that are not named here are sound.
fn expected(name: &str) -> Verdict {
    match name {
        "intmeth" | "esc02" => Verdict::Refuse(501),
        "badvers" => Verdict::Refuse(505),
        "unkscm" | "novelsc" => Verdict::Refuse(416),
        "badinv01" | "clerr" | "ncl" | "scalar02" | "quotbal" | "ltgtruri" | "lwsruri" | "lwsstart"
        | "trws" | "escruri" | "regbadct" | "badaspec" | "baddn" | "mismatch01" | "mismatch02" | "insuf"
        | "multi01" | "mcl01" | "ipv6-bad" => Verdict::Refuse(400),
        "scalarlg" | "bigcode" | "test" => Verdict::Drop,
        _ => Verdict::Sound,
    }
}

#[test]
fn every_message_gets_its_verdict() {
    let suites = super::suites();
    let torture = super::torture(&suites);
    let wrong: Vec<_> = torture
        .into_iter()
        .filter_map(|(entry, bytes)| {
            let name = entry["name"].as_str().unwrap().to_owned();
            let (expected, judged) = (expected(&name), judge(bytes));
            (judged != expected).then(|| format!("{name}: {judged:?}, expected {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Messages the parser takes and somebody else refuses: what that somebody needs to see is visible.
#[test]
fn what_others_object_to_is_visible() {
    let suites = super::suites();
    let message =
        |name: &str| Message::parse(std::fs::read(suites.join("rfc4475").join(name)).unwrap()).unwrap();
    let bext = message("bext01.dat");
    let tags: Vec<_> = bext.unsupported(Name::Require, &["replaces"]).collect();
    assert_eq!(tags, ["nothingSupportsThis", "nothingSupportsThisEither"], "420");
    assert_eq!(bext.unsupported(Name::ProxyRequire, &[]).count(), 2, "420 of a proxy");
    let invut = message("invut.dat");
    let kind: ContentType<'_> = invut.get().unwrap().unwrap();
    assert!(kind.is("application/unknownformat"), "415");
    assert_eq!(
        message("regaut01.dat").auth(Name::Authorization).next().unwrap().scheme,
        "NoOneKnowsThisScheme"
    );
    assert_eq!(message("bcast.dat").via_count(), 2, "a response for somebody else");
    assert_eq!(message("zeromf.dat").max_forwards(), Ok(Some(0)), "483");
    assert_eq!(message("badbranch.dat").via().unwrap().unique_branch(), None, "matched as RFC 2543 has it");
    assert!(message("baddate.dat").get::<Date>().is_err(), "only who uses the date objects");
    assert!(message("scalar02.dat").expires().is_err(), "the default applies");
    let sdp = message("sdp01.dat");
    assert!(!sdp.has_token(Name::Accept, "application/sdp"), "406");
}
