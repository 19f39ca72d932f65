//! The offers of RFC 4317 are answered as it does, as far as one stream of sound goes.

use std::time::Duration;

use homing_media::{Codec, LocalAddress, Negotiation, Policy, Refusal, Security};
use homing_wire::sdp::{Media, Session};

/// iLBC is not spoken here; A-law stands in its place, in offers and answers alike.
fn read(name: &str) -> Option<String> {
    let path = super::suites().join("sdp-rfc4317").join(name);
    std::fs::read_to_string(path).ok().map(|text| text.replace("iLBC/8000", "PCMA/8000"))
}

fn codec(media: &Media<'_>) -> Option<String> {
    let payload: u8 = media.formats().next()?.parse().ok()?;
    Some(media.rtpmap(payload)?.encoding.to_owned()).filter(|_| media.port != 0)
}

/// The place of the sound in the RFC's answer, and its codec.
fn sound<'a>(session: &'a Session<'_>) -> Option<(usize, String, &'a Media<'a>)> {
    let mut media = session.media.iter().enumerate();
    media.find_map(|(at, media)| {
        codec(media).filter(|codec| codec.starts_with("PCM")).map(|codec| (at, codec, media))
    })
}

#[test]
fn every_offer_is_answered_as_the_rfc_does() {
    let mut seen = 0;
    for name in std::fs::read_dir(super::suites().join("sdp-rfc4317")).unwrap() {
        let name = name.unwrap().file_name().into_string().unwrap();
        let Some((example, role)) = name.rsplit_once('-').filter(|(_, role)| role.ends_with("Offer.sdp"))
        else {
            continue;
        };
        let (section, number) = example.split_once('-').unwrap();
        let of_answer = role.replace("Offer", "Answer");
        let reply = format!("{section}-{}-{of_answer}", number.parse::<u8>().unwrap() + 1);
        let (offer, expected) = (read(&name).unwrap(), read(&reply).unwrap());
        // That answer names a codec that was not offered, and leaves its direction out.
        if name == "3.2-3-SecondOffer.sdp" {
            assert!(answer(&offer, vec![Codec::Pcma], false).is_ok());
        } else {
            check(&name, &offer, &Session::parse(expected.as_bytes()).unwrap());
        }
        seen += 1;
    }
    assert_eq!(seen, 27);
}

fn check(name: &str, offer: &str, expected: &Session<'_>) {
    let Some((place, codec, media)) = sound(expected) else {
        assert_eq!(expected.media.len(), 0, "{name}: only the answers without media have no sound");
        assert_eq!(answer(offer, vec![Codec::Pcma], false), Err(Refusal::NoAudio), "{name}");
        return;
    };
    let codecs = if codec == "PCMA" { vec![Codec::Pcma] } else { vec![Codec::Pcmu, Codec::Pcma] };
    let is_held = expected.direction_of(media).to_string() == "sendonly" && media.direction().is_some();
    let body = answer(offer, codecs, is_held).unwrap_or_else(|why| panic!("{name}: {why}"));
    let ours = Session::parse(body.as_bytes()).unwrap();
    assert_eq!(ours.media.len(), expected.media.len(), "{name}");
    let (our_place, our_codec, our_media) = sound(&ours).unwrap();
    assert_eq!((our_place, our_codec), (place, codec), "{name}");
    // To an offer from nowhere we say that we send nothing, which RFC 4317 leaves unsaid.
    if name != "5.2-1-Offer.sdp" {
        assert_eq!(ours.direction_of(our_media), expected.direction_of(media), "{name}");
    }
    let others = ours.media.iter().enumerate().filter(|(at, _)| *at != place);
    assert!(others.clone().all(|(_, media)| media.port == 0), "{name}: {body}");
}

fn answer(offer: &str, codecs: Vec<Codec>, is_held: bool) -> Result<String, Refusal> {
    let policy = Policy {
        codecs,
        packet_time: Duration::from_millis(20),
        security: Security::Off,
        secure_signalling: false,
    };
    let local = LocalAddress { ip: [192, 0, 2, 1].into(), rtp_port: 4000, rtcp_port: Some(4001) };
    Negotiation::new(policy, local, &[1; 32]).answer(offer.as_bytes(), is_held).map(|answer| answer.body)
}
