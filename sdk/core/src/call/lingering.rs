//! What an INVITE leaves behind when its call is over or was answered: forks that answer late are acknowledged and hung up,
//! and copies still find their ACK (RFC 3261 section 13.2.2.4).

use homing_wire::Message;

use super::line::{CallContext, Sent};
use super::negotiation::Negotiation;
use super::usage::{Fork, InviteUsage, Role};
use crate::account::server_link::Verified;
use crate::counter::Counter;
use crate::dialog::Dialog;
use crate::ids::{AskId, TxId};
use crate::time::{Deadline, Moment, Why};

/// The time after, until which a call keeps its flow.
pub(crate) struct Lingering {
    until: Moment,
    /// By then the BYE of the last late fork is answered or given up, whatever it waits for.
    last: Moment,
    /// The INVITE that was answered, of a call that was placed.
    invite: Option<Answered>,
    /// Forks that answered late.
    late_forks: Vec<InviteUsage>,
}

struct Answered {
    tx: TxId,
    message: Message,
    tag: Box<str>,
    fork: Fork,
    /// The highest number of a request in any of its dialogs: a fork that answers late may have had a PRACK.
    last_seq: u32,
}

impl Lingering {
    /// After the first 2xx to an INVITE of this side.
    pub(crate) fn of_invite(
        sent: &Sent,
        last_seq: u32,
        usage: &InviteUsage,
        cc: &CallContext<'_, '_, '_>,
    ) -> Self {
        let fork = Fork { role: Role::Caller, number: u8::MAX, wish: usage.wish() };
        let tag = usage.dialog.local_tag().into();
        let invite = Answered { tx: sent.tx, message: sent.message.clone(), tag, fork, last_seq };
        Self { invite: Some(invite), ..Self::of_flow(cc) }
    }

    /// A flow that copies may still come by.
    pub(crate) fn of_flow(cc: &CallContext<'_, '_, '_>) -> Self {
        let span = cc.at.cx.agent.timers.t1 * LINGER;
        let (until, last) = (cc.at.cx.now.after(span), cc.at.cx.now.after(span * 2));
        Self { until, last, invite: None, late_forks: Vec::new() }
    }

    /// When it is over: later while a late fork's BYE is still out.
    pub(crate) fn deadline(&self) -> Deadline {
        let is_busy = self.late_forks.iter().any(InviteUsage::is_talking);
        Deadline::new(if is_busy { self.last } else { self.until }, Why::LateForks)
    }

    /// True once nothing more can come.
    pub(crate) fn is_over(&self, cc: &CallContext<'_, '_, '_>) -> bool {
        cc.at.cx.now.reached(self.deadline().at)
    }

    /// A late fork's request that waits for that transaction.
    pub(crate) fn late_fork_of(&mut self, tx: TxId) -> Option<&mut InviteUsage> {
        self.late_forks.iter_mut().find(|late_fork| late_fork.is_of(tx))
    }

    /// A late fork whose BYE waits for the answer to that question.
    pub(crate) fn late_fork_that_asked(&mut self, id: AskId) -> Option<&mut InviteUsage> {
        self.late_forks.iter_mut().find(|late_fork| late_fork.has_asked(id))
    }

    /// True once: the BYE of a late fork waits for a new association.
    pub(crate) fn take_association_wish(&mut self) -> bool {
        self.late_forks
            .iter_mut()
            .filter_map(|late_fork| late_fork.take_association_wish().then_some(()))
            .count()
            > 0
    }

    /// Whether the association came that a BYE waits for.
    pub(crate) fn handle_news(&mut self, granted: bool, cc: &mut CallContext<'_, '_, '_>) {
        for late_fork in &mut self.late_forks {
            let _it_is_over = late_fork.handle_news(granted, cc);
        }
    }

    /// The first BYE that waits for an association makes the handshake.
    pub(crate) fn handshake(&mut self, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(late_fork) = self.late_forks.iter_mut().find(|one| one.awaits_association()) {
            let _it_is_over = late_fork.handshake(cc);
        }
    }

    /// True while a BYE waits for an association.
    pub(crate) fn awaits_association(&self) -> bool {
        self.late_forks.iter().any(InviteUsage::awaits_association)
    }

    /// True while a BYE makes the handshake for its link.
    pub(crate) fn is_establishing(&self) -> bool {
        self.late_forks.iter().any(InviteUsage::is_establishing)
    }

    /// The From tag of a late fork's BYE.
    pub(crate) fn caller_tag(&self) -> Option<&str> {
        self.invite.as_ref().map(|invite| &*invite.tag)
    }

    /// A further 2xx to the INVITE that is not of the dialog that won: acknowledged, and hung up.
    pub(crate) fn handle_success(&mut self, tx: TxId, success: &Message, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(late_fork) =
            self.late_forks.iter_mut().find(|late_fork| late_fork.knows_success(tx, success))
        {
            return late_fork.handle_success_again(cc);
        }
        // It may have come over the flow of an earlier login.
        cc.catch_up();
        let Some(Answered { message, fork, last_seq, .. }) =
            self.invite.as_ref().filter(|invite| invite.tx == tx)
        else {
            return;
        };
        if self.late_forks.len() >= MOST_LATE_FORKS {
            return cc.at.cx.counters.count(Counter::OverLimit);
        }
        let dialog = Dialog::of_caller(message, success).ok();
        let dialog = dialog.or_else(|| Dialog::of_bad_success(message, success));
        let Some(mut dialog) = dialog else { return };
        dialog.number_from(*last_seq);
        let mut late_fork = InviteUsage::new(dialog, Negotiation::default(), *fork, success);
        let sent = Sent { tx, message: message.clone(), answers: Vec::new() };
        late_fork.acknowledge(sent, None, cc);
        late_fork.hang_up(None, cc);
        self.late_forks.push(late_fork);
    }

    /// A copy of a late fork's 2xx. False if it is of none.
    pub(crate) fn handle_copy(&self, tx: TxId, success: &Message, cc: &mut CallContext<'_, '_, '_>) -> bool {
        let late_fork = self.late_forks.iter().find(|late_fork| late_fork.knows_success(tx, success));
        if let Some(late_fork) = late_fork {
            late_fork.handle_copied_success(cc);
        }
        late_fork.is_some()
    }

    /// The final response to a late fork's request. The response is given back if it is for none.
    pub(crate) fn handle_final(
        &mut self,
        tx: TxId,
        response: Verified,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Option<Verified> {
        let Some(late_fork) = self.late_fork_of(tx) else { return Some(response) };
        let _it_is_over = late_fork.handle_final(tx, response, cc);
        None
    }

    /// Takes everything back without a word.
    pub(crate) fn abandon(self, cc: &mut CallContext<'_, '_, '_>) {
        for late_fork in self.late_forks {
            late_fork.abandon(cc);
        }
    }
}

/// As long as a 2xx may come, in multiples of T1 (RFC 6026 timer M).
const LINGER: u32 = 64;
/// Late forks of one call that are hung up one by one.
const MOST_LATE_FORKS: usize = 32;
