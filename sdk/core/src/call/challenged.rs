//! What follows a 401 or 407 to a request of a call: before the dialog as outside of dialogs, inside one for the realms
//! of its server alone (decisions 12, 39, 44).
//!
//! Where a request makes a handshake for its link, what comes of it is noted for the other calls over that link.

use homing_wire::Message;

use super::line::{CallContext, Handshake};
use crate::account::answerer::{Answerer, Next};
use crate::account::challenge::{self, Offer};
use crate::account::link_context::LinkContext;
use crate::account::server_link::Judgement;
use crate::config::{InDialogChallenge, ServerChoice};
use crate::counter::Counter;
use crate::outbox::Credentials;

/// Which request was challenged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The INVITE that is to found a dialog, where it was first sent.
    Initial,
    /// The same, after a redirect: credentials never travel along (decision 3).
    Redirected,
    /// A request inside a dialog.
    InDialog,
}

/// What follows.
pub(crate) enum Demand {
    /// It goes out again.
    Send(Answerer, crate::account::server_link::Proof),
    /// A person is asked for credentials.
    Ask(Answerer),
    /// It goes out again once the link has a new association.
    Associate(Answerer),
    /// The challenge is the answer.
    Refused,
}

/// Judges a challenge.
pub(crate) fn judge(
    challenge: &Message,
    answerer: Answerer,
    place: Place,
    cc: &mut CallContext<'_, '_, '_>,
) -> Demand {
    let establishes = answerer.is_establishing();
    let demand = demanded(challenge, answerer, place, &mut cc.at);
    if establishes && matches!(demand, Demand::Refused) {
        cc.line.handshake = Some(Handshake::Refused);
    }
    demand
}

fn demanded(challenge: &Message, answerer: Answerer, place: Place, at: &mut LinkContext<'_, '_>) -> Demand {
    let Ok(answerer) = answerer.challenged(at) else { return Demand::Refused };
    let offer = match challenge::choose(challenge, at.link, at.account, at.cx.now) {
        Ok(offer) => offer,
        Err(_) => {
            at.cx.counters.count(Counter::RefusedChallenge);
            return Demand::Refused;
        }
    };
    match &offer {
        // After a redirect it may be that of a stranger: only what the link's own association proves is renewed.
        Offer::Signing(..) if place == Place::Redirected && at.link.association().is_none() => {
            Demand::Refused
        }
        Offer::Signing(..) if answerer.is_first() => Demand::Associate(answerer),
        Offer::Digest(_) if !may_answer(&offer, &answerer, place, at) => {
            at.cx.counters.count(Counter::RefusedChallenge);
            Demand::Refused
        }
        Offer::Signing(..) | Offer::Digest(_) => Demand::of(answerer.answer(offer, at)),
    }
}

/// The link has no registration that renews its association: the request itself draws the handshake (decision 39).
pub(crate) fn handshake(challenge: &Message, answerer: Answerer, cc: &mut CallContext<'_, '_, '_>) -> Demand {
    let at = &mut cc.at;
    let demand = match challenge::choose(challenge, at.link, at.account, at.cx.now) {
        Ok(offer) => Demand::of(answerer.answer(offer, at)),
        Err(_) => Demand::Refused,
    };
    if matches!(demand, Demand::Refused) {
        cc.line.handshake = Some(Handshake::Refused);
    }
    demand
}

/// The world answered the question for credentials.
pub(crate) fn answer(
    answerer: Answerer,
    credentials: Option<Credentials>,
    cc: &mut CallContext<'_, '_, '_>,
) -> Demand {
    let establishes = answerer.is_establishing();
    let demand = Demand::of(answerer.handle_credentials(credentials, &mut cc.at));
    if establishes && matches!(demand, Demand::Refused) {
        cc.line.handshake = Some(Handshake::Refused);
    }
    demand
}

/// A final response came that is no challenge: what the handshake brought is kept.
pub(crate) fn settle(
    answerer: &Answerer,
    judged: Judgement,
    response: &Message,
    cc: &mut CallContext<'_, '_, '_>,
) {
    let before = cc.at.link.associations();
    answerer.settle(judged.by_pending, response, &mut cc.at);
    if answerer.is_establishing() {
        let is_granted = cc.at.link.associations() > before;
        cc.line.handshake = Some(if is_granted { Handshake::Granted } else { Handshake::Refused });
    }
}

/// No final response came in time.
pub(crate) fn time_out(answerer: Answerer, cc: &mut CallContext<'_, '_, '_>) {
    if answerer.is_establishing() {
        cc.line.handshake = Some(Handshake::Refused);
    }
    answerer.abandon(cc.at.link, cc.at.cx);
}

impl Demand {
    fn of(next: Next) -> Self {
        match next {
            Next::Send(answerer, proof) => Demand::Send(answerer, proof),
            Next::Wait(answerer) => Demand::Ask(answerer),
            Next::Failed(_) => Demand::Refused,
        }
    }
}

fn may_answer(offer: &Offer, answerer: &Answerer, place: Place, at: &mut LinkContext<'_, '_>) -> bool {
    let Offer::Digest(realms) = offer else { return true };
    match place {
        Place::Initial => true,
        Place::Redirected => false,
        // Accounts without registrar answer none inside a dialog: there is no server of theirs.
        Place::InDialog if at.account.config.server == ServerChoice::NoRegistrar => false,
        Place::InDialog => match at.account.config.call_rules().answer_in_dialog {
            InDialogChallenge::Never => false,
            InDialogChallenge::OwnRealm => {
                let known = at.link.digest();
                answerer.is_first()
                    && known.is_some_and(|known| realms.iter().all(|one| known.knows(&one.challenge)))
            }
        },
    }
}
