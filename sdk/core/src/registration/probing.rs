//! OPTIONS to the home server: asked, challenged at most once, and answered to the user.

use homing_wire::{Message, Uri};

use super::account::Account;
use super::challenge::{self, Offer};
use super::context::Context;
use super::exchange::Purpose;
use super::probe::{Phase, Probe};
use super::registered::{Activity, Registered};
use super::transition::Step;
use crate::counter::Counter;
use crate::error::Misuse;
use crate::ids::TxId;

impl Registered {
    /// Asks the server whether it is there, or through it the owner of `uri`.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] while another such question is open; [`Misuse::BadMessage`] for what is no
    /// SIP URI; [`Misuse::Limit`] if the agent has too many requests under way.
    pub(super) fn probe(
        &mut self,
        uri: Option<&str>,
        account: &Account,
        cx: &mut Context<'_>,
    ) -> Result<(), Misuse> {
        if self.probe.is_some() {
            return Err(Misuse::WrongState);
        }
        if uri.is_some_and(|uri| !Uri::parse(uri).is_ok_and(|uri| uri.is_sip() || uri.is_sips())) {
            return Err(Misuse::BadMessage);
        }
        let tx = self.link.options(uri, account, cx)?;
        let sent = cx.now.since_start;
        self.probe = Some(Box::new(Probe { uri: uri.map(Into::into), sent, step: Phase::Asked(tx) }));
        Ok(())
    }

    /// True if `tx` is the user's OPTIONS.
    pub(super) fn is_probe(&self, tx: TxId) -> bool {
        self.probe.as_deref().and_then(Probe::tx) == Some(tx)
    }

    /// The OPTIONS was answered, or nobody answered it. A first challenge is met like that of any request:
    /// the server proves itself anew, then the request is sent once more.
    pub(super) fn handle_probe(
        mut self,
        answer: Option<&Message>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let Some(mut probe) = self.probe.take() else { return Step::Stays(self) };
        let challenge = answer.filter(|message| matches!(message.status(), Some(401 | 407)));
        let (Phase::Asked(_), Some(challenge)) = (&probe.step, challenge) else {
            probe.tell(answer, cx);
            return Step::Stays(self);
        };
        probe.step = Phase::Challenged(Box::new(challenge.clone()));
        self.probe = Some(probe);
        if self.renews_digest(challenge, account, cx) {
            self.repeat_probe(account, cx);
            return Step::Stays(self);
        }
        match &self.activity {
            Activity::Busy(_) => Step::Stays(self),
            Activity::Quiet(_) if account.handshakes.admit(cx.agent.limits.challenges_per_minute, cx.now) => {
                self.register(Purpose::Renew, account, cx)
            }
            Activity::Quiet(_) => {
                cx.counters.count(Counter::ChallengeRate);
                self.end_probe(cx);
                Step::Stays(self)
            }
        }
    }

    /// A REGISTER is over: an OPTIONS that was challenged goes out again if that brought what it takes.
    pub(super) fn resume_probe(&mut self, granted: bool, account: &Account, cx: &mut Context<'_>) {
        let waits = self.probe.as_ref().is_some_and(|probe| probe.tx().is_none());
        match (waits, granted) {
            (false, _) => {}
            (true, true) => self.repeat_probe(account, cx),
            (true, false) => self.end_probe(cx),
        }
    }

    fn repeat_probe(&mut self, account: &Account, cx: &mut Context<'_>) {
        let Some(probe) = &mut self.probe else { return };
        match self.link.options(probe.uri.as_deref(), account, cx) {
            Ok(tx) => probe.step = Phase::Repeated(tx),
            Err(_) => self.end_probe(cx),
        }
    }

    /// The challenge itself is the answer.
    fn end_probe(&mut self, cx: &mut Context<'_>) {
        if let Some(probe) = self.probe.take()
            && let Phase::Challenged(challenge) = &probe.step
        {
            probe.tell(Some(challenge), cx);
        }
    }

    /// A nonce that was used for long is challenged anew: the secret is still at hand.
    fn renews_digest(&mut self, challenge: &Message, account: &Account, cx: &Context<'_>) -> bool {
        let offer = challenge::choose(challenge, &self.link, account, cx.now);
        let Ok(Offer::Digest(challenge, style)) = offer else { return false };
        let Some((session, _)) = self.link.take_digest() else { return false };
        match session.renew(challenge) {
            Ok(session) => {
                self.link.adopt_digest(Box::new(session), style);
                true
            }
            Err(_) => false,
        }
    }
}
