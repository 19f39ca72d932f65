//! An offer, or an answer, of sound: what is agreed to is answered alike twice, and no key leaves in the clear.

use homing_media::{LocalAddress, Negotiation, Policy, Security};
use homing_wire::sdp::Session;

/// Reads octets as an offer and as an answer, under every policy.
pub fn check(octets: &[u8]) {
    for security in [Security::Off, Security::Optional, Security::Required] {
        for secure_signalling in [false, true] {
            let policy = Policy { security, secure_signalling, ..Policy::default() };
            let local = LocalAddress { ip: [192, 0, 2, 1].into(), rtp_port: 4000, rtcp_port: Some(4001) };
            let negotiation = Negotiation::new(policy, local, &[1; 32]);
            answer(negotiation.clone(), octets, secure_signalling);
            offer(negotiation, octets);
        }
    }
}

fn answer(mut negotiation: Negotiation, offer: &[u8], secure_signalling: bool) {
    let answer = match negotiation.answer(offer, false) {
        Ok(answer) => answer,
        Err(refusal) => {
            assert!((300..400).contains(&refusal.warning()) && !refusal.hint().is_empty());
            return;
        }
    };
    assert_eq!(negotiation.answer(offer, false).as_ref(), Ok(&answer), "the same offer again");
    assert!(secure_signalling || (answer.agreed.keys.is_none() && !answer.body.contains("a=crypto")));
    let (offered, answered) = (Session::parse(offer), Session::parse(answer.body.as_bytes()));
    let (offered, answered) = (offered.expect("it was answered"), answered.expect("ours can be read"));
    assert_eq!(offered.media.len(), answered.media.len(), "as many media as were offered");
    assert_eq!(answered.media.iter().filter(|media| media.port != 0).count(), 1, "one of them is taken");
    let hold = negotiation.offer(true).expect("a policy that answers can offer");
    assert_eq!(Session::parse(hold.as_bytes()).map(|session| session.media.len()), Ok(offered.media.len()));
}

fn offer(mut negotiation: Negotiation, answer: &[u8]) {
    let Ok(offer) = negotiation.offer(false) else { return };
    let taken = negotiation.take_answer(answer);
    assert_eq!(negotiation.take_answer(answer), taken, "the same answer again");
    if let Ok(agreed) = taken {
        assert!(agreed.receive.contains(&agreed.send));
        assert!(agreed.keys.is_none() || offer.contains("a=crypto"));
    }
}
