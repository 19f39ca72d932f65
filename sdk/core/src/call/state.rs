//! How far a call is, and what its states become of one another.

use super::body;
use super::inviting::{Answered, InviteStep, Inviting};
use super::line::{CallContext, Sought};
use super::lingering::Lingering;
use super::plan::Plan;
use super::ringing::{Rejection, RingStep, Ringing};
use super::session_timer::SessionTimer;
use super::usage::{InviteUsage, Verdict};
use crate::call_event::{CallEnd, CallEvent, EndReason, EndedBy};

/// How far a call is.
pub(super) enum State {
    /// Its INVITE has no final response.
    Inviting(Box<Inviting>),
    /// Nor has this one, but it was given up.
    Cancelling(Box<Inviting>),
    /// It came in.
    Ringing(Box<Ringing>),
    /// It was answered.
    Answered(Stage, Box<InviteUsage>),
    /// Nothing is left but what may come late.
    Over,
}

/// How far a call is that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The 2xx of this side waits for its ACK.
    Unacknowledged,
    /// So does this one, to be hung up with it (RFC 3261 section 15).
    Unwanted,
    /// Both sides know it.
    Talking,
    /// A BYE of this side has no final response.
    Leaving,
}

/// What becomes of a state after an input.
pub(super) enum Next {
    /// It goes on.
    Stays(State),
    /// It goes on once its link has a new association.
    NeedsAssociation(State),
    /// Its INVITE goes out again to a server that is to be looked for.
    Locate(Plan),
    /// Nothing is left but what may come late.
    Finished,
}

impl State {
    /// The dialog that was answered.
    pub(super) fn usage(&mut self) -> Option<&mut InviteUsage> {
        match self {
            State::Answered(_, usage) => Some(usage),
            State::Inviting(_) | State::Cancelling(_) | State::Ringing(_) | State::Over => None,
        }
    }

    /// True while a request of it waits for an association of the link.
    pub(super) fn awaits_association(&self) -> bool {
        match self {
            State::Inviting(inviting) | State::Cancelling(inviting) => inviting.awaits_association(),
            State::Answered(_, usage) => usage.awaits_association(),
            State::Ringing(_) | State::Over => false,
        }
    }

    /// True while a request of it makes the handshake for the link.
    pub(super) fn is_establishing(&self) -> bool {
        match self {
            State::Inviting(inviting) | State::Cancelling(inviting) => inviting.is_establishing(),
            State::Answered(_, usage) => usage.is_establishing(),
            State::Ringing(_) | State::Over => false,
        }
    }

    /// The flow is lost.
    pub(super) fn lose_line(
        self,
        waits: bool,
        lingering: &mut Option<Box<Lingering>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Next {
        match self {
            State::Inviting(inviting) => after_invite(inviting.lose_line(cc), lingering, cc),
            State::Ringing(mut ringing) => {
                ringing.lose_line(cc);
                let is_answering = ringing.is_answering();
                let state = State::Ringing(ringing);
                if is_answering { state.seek_flow(waits, lingering, cc) } else { Next::Stays(state) }
            }
            State::Answered(stage, mut usage) => {
                // The INVITE's transaction and those of late forks went with the flow: nothing of theirs ends any more.
                if let Some(late) = lingering.take() {
                    late.abandon(cc);
                }
                usage.lose_line(cc);
                if cc.is_direct() {
                    cc.tell_lost();
                    let sought = cc.seek(usage.dialog.next_hop());
                    return State::Answered(stage, usage).after_search(sought, lingering, cc);
                }
                State::Answered(stage, usage).seek_flow(waits, lingering, cc)
            }
            State::Cancelling(inviting) => {
                inviting.abandon(cc);
                Next::Finished
            }
            State::Over => {
                if let Some(late) = lingering.take() {
                    late.abandon(cc);
                }
                Next::Finished
            }
        }
    }

    /// The flow of an answered call is lost, before or after its 2xx: another is waited for, or opened (decisions 39, 41).
    pub(super) fn seek_flow(
        self,
        waits: bool,
        lingering: &mut Option<Box<Lingering>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Next {
        cc.tell_lost();
        // A direct caller is not reached over another flow.
        if cc.is_direct() || !cc.lose(waits) {
            return self.end_without_flow(cc);
        }
        self.after_dial(lingering, cc)
    }

    /// The link has another flow by a new login at the same server: what is under way over the present one goes again,
    /// or ends the call. A call that was given up ends where it was sent, as long as that flow stands.
    pub(super) fn change_flow(
        mut self,
        lingering: &mut Option<Box<Lingering>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Next {
        match &mut self {
            State::Cancelling(_) | State::Over => return Next::Stays(self),
            State::Inviting(inviting) => {
                if !inviting.leave_flow(cc) {
                    return self.end_without_flow(cc);
                }
            }
            State::Ringing(ringing) => ringing.lose_line(cc),
            State::Answered(_, usage) => {
                if let Some(late) = lingering.take() {
                    late.abandon(cc);
                }
                usage.lose_line(cc);
            }
        }
        cc.catch_up();
        self.regain_line(lingering, cc)
    }

    /// The line waits for a login no longer: one that was answered opens a flow itself, another call is over.
    pub(super) fn dial(
        self,
        lingering: &mut Option<Box<Lingering>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Next {
        let is_answered = match &self {
            State::Answered(..) => true,
            State::Ringing(ringing) => ringing.is_answering(),
            State::Inviting(_) | State::Cancelling(_) | State::Over => false,
        };
        if is_answered && cc.dial() { self.after_dial(lingering, cc) } else { self.end_without_flow(cc) }
    }

    /// The search for the next hop of the dialog came further.
    pub(super) fn after_search(
        self,
        sought: Sought,
        lingering: &mut Option<Box<Lingering>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Next {
        match sought {
            Sought::Waits => Next::Stays(self),
            Sought::Found => self.regain_line(lingering, cc),
            Sought::Nowhere => self.end_without_flow(cc),
        }
    }

    /// There may be another flow already.
    fn after_dial(self, lingering: &mut Option<Box<Lingering>>, cc: &mut CallContext<'_, '_, '_>) -> Next {
        if cc.line.is_up() { self.regain_line(lingering, cc) } else { Next::Stays(self) }
    }

    /// There is another flow.
    pub(super) fn regain_line(
        self,
        lingering: &mut Option<Box<Lingering>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Next {
        match self {
            State::Inviting(inviting) => after_invite(inviting.regain_line(cc), lingering, cc),
            State::Answered(stage, mut usage) => {
                usage.regain_line(cc);
                after_usage(Verdict::Stays, stage, usage, cc)
            }
            State::Ringing(ringing) => after_ring(ringing.regain_line(cc), cc),
            other @ (State::Cancelling(_) | State::Over) => Next::Stays(other),
        }
    }

    /// No flow is to be had.
    pub(super) fn end_without_flow(self, cc: &mut CallContext<'_, '_, '_>) -> Next {
        cc.tell_end(CallEnd::of(EndedBy::Network, EndReason::ConnectionLost));
        self.abandon(cc);
        Next::Finished
    }

    /// Ends it, whatever it is.
    pub(super) fn hang_up(self, end: CallEnd, cc: &mut CallContext<'_, '_, '_>) -> Next {
        match self {
            State::Inviting(mut inviting) => {
                let invite = inviting.give_up(cc);
                cc.tell_end(end);
                match invite {
                    Some(invite) => {
                        cc.cancel(invite);
                        Next::Stays(State::Cancelling(inviting))
                    }
                    None => {
                        inviting.abandon(cc);
                        Next::Finished
                    }
                }
            }
            State::Ringing(ringing) => {
                // Only a person declines for every device of the called user.
                let status = if end.why == EndReason::Declined { 603 } else { 480 };
                ringing.reject(&Rejection { status, text: String::new() }, cc);
                cc.tell_end(end);
                Next::Finished
            }
            State::Answered(Stage::Unacknowledged, usage) => {
                cc.tell_end(end);
                Next::Stays(State::Answered(Stage::Unwanted, usage))
            }
            State::Answered(Stage::Talking, usage) => {
                cc.tell_end(end);
                leave(usage, cc)
            }
            other => Next::Stays(other),
        }
    }

    /// Takes everything back without a word.
    pub(super) fn abandon(self, cc: &mut CallContext<'_, '_, '_>) {
        match self {
            State::Inviting(inviting) | State::Cancelling(inviting) => inviting.abandon(cc),
            State::Ringing(ringing) => ringing.abandon(cc),
            State::Answered(_, usage) => usage.abandon(cc),
            State::Over => {}
        }
    }
}

impl Next {
    /// True while a request of the state makes the handshake for its link.
    pub(super) fn is_establishing(&self) -> bool {
        match self {
            Next::Stays(state) | Next::NeedsAssociation(state) => state.is_establishing(),
            Next::Locate(_) | Next::Finished => false,
        }
    }

    /// What is left once a state is finished: late forks, and over UDP without a registration copies, for a while.
    pub(super) fn rest(
        self,
        lingering: &mut Option<Box<Lingering>>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Self {
        match self {
            Next::Finished => {
                let is_open = cc.line.is_up() && cc.at.cx.flows.find(cc.line.flow).is_some();
                // Without the flow nothing can come late.
                if let Some(late) = lingering.take_if(|_| !is_open) {
                    late.abandon(cc);
                }
                let may_repeat = !cc.at.link.flow_ref.transport.is_reliable();
                if lingering.is_none() && cc.is_direct() && is_open && may_repeat {
                    *lingering = Some(Box::new(Lingering::of_flow(cc)));
                }
                if lingering.is_some() { Next::Stays(State::Over) } else { Next::Finished }
            }
            Next::Stays(State::Over) if lingering.is_none() => Next::Finished,
            other => other,
        }
    }
}

/// One input of the dialog that was answered.
pub(super) fn feed_usage<'a, 'b, 'c>(
    state: State,
    cc: &mut CallContext<'a, 'b, 'c>,
    act: impl FnOnce(&mut InviteUsage, &mut CallContext<'a, 'b, 'c>) -> Verdict,
) -> Next {
    match state {
        State::Answered(stage, mut usage) => {
            let verdict = act(&mut usage, cc);
            after_usage(verdict, stage, usage, cc)
        }
        other => Next::Stays(other),
    }
}

/// A dialog that both sides know is refreshed from the address where the server sees this side now.
pub(super) fn refresh_target(state: State, cc: &mut CallContext<'_, '_, '_>) -> Next {
    cc.line.is_moved = false;
    match state {
        State::Answered(Stage::Talking, mut usage) => {
            usage.refresh_target(cc);
            after_usage(Verdict::Stays, Stage::Talking, usage, cc)
        }
        other => Next::Stays(other),
    }
}

/// What becomes of a call that was answered.
pub(super) fn after_usage(
    verdict: Verdict,
    stage: Stage,
    mut usage: Box<InviteUsage>,
    cc: &mut CallContext<'_, '_, '_>,
) -> Next {
    let needs = usage.take_association_wish();
    let stage = match (verdict, stage) {
        (Verdict::Ends(end), _) => {
            cc.tell_end(end);
            usage.abandon(cc);
            return Next::Finished;
        }
        (Verdict::HangsUp(end), Stage::Unacknowledged | Stage::Unwanted | Stage::Talking) => {
            cc.tell_end(end);
            return leave(usage, cc);
        }
        // Who asks for more has the 2xx, whatever became of its ACK.
        (Verdict::Stays, Stage::Unacknowledged) if !usage.awaits_ack() => {
            cc.tell(CallEvent::Answered { fork: 0 });
            Stage::Talking
        }
        (Verdict::Stays, Stage::Unwanted) if !usage.awaits_ack() => return leave(usage, cc),
        (Verdict::Stays | Verdict::HangsUp(_), Stage::Leaving) if !usage.is_talking() => {
            usage.abandon(cc);
            return Next::Finished;
        }
        (Verdict::Stays | Verdict::HangsUp(_), stage) => stage,
    };
    let state = State::Answered(stage, usage);
    if needs { Next::NeedsAssociation(state) } else { Next::Stays(state) }
}

/// What becomes of a call that is being placed.
pub(super) fn after_invite(
    step: InviteStep,
    lingering: &mut Option<Box<Lingering>>,
    cc: &mut CallContext<'_, '_, '_>,
) -> Next {
    match step {
        // An early dialog ended it.
        InviteStep::Stays(inviting) | InviteStep::NeedsAssociation(inviting) if cc.line.is_over() => {
            State::Inviting(Box::new(inviting)).hang_up(CallEnd::ours(EndReason::Cancelled), cc)
        }
        InviteStep::Stays(inviting) => Next::Stays(State::Inviting(Box::new(inviting))),
        InviteStep::NeedsAssociation(inviting) => Next::NeedsAssociation(State::Inviting(Box::new(inviting))),
        InviteStep::Locate(plan) => Next::Locate(plan),
        InviteStep::Answered(answered) => after_success(*answered, lingering, cc),
        InviteStep::Failed(end) => {
            cc.tell_end(end);
            Next::Finished
        }
    }
}

/// What becomes of a call that was given up: one that was answered all the same is acknowledged and hung up.
pub(super) fn after_cancelled(
    step: InviteStep,
    lingering: &mut Option<Box<Lingering>>,
    cc: &mut CallContext<'_, '_, '_>,
) -> Next {
    match step {
        InviteStep::Stays(inviting) => Next::Stays(State::Cancelling(Box::new(inviting))),
        InviteStep::NeedsAssociation(inviting) => {
            inviting.abandon(cc);
            Next::Finished
        }
        InviteStep::Answered(answered) => after_success(*answered, lingering, cc),
        InviteStep::Locate(_) | InviteStep::Failed(_) => Next::Finished,
    }
}

/// A 2xx came: it is acknowledged, at once or with the world's answer to its offer.
fn after_success(
    answered: Answered,
    lingering: &mut Option<Box<Lingering>>,
    cc: &mut CallContext<'_, '_, '_>,
) -> Next {
    let Answered { mut usage, sent, response, preview, is_usable, last_seq } = answered;
    // One that was given up may be answered over the flow of an earlier login.
    cc.catch_up();
    *lingering = Some(Box::new(Lingering::of_invite(&sent, last_seq, &usage, cc)));
    let description = body::description(&response);
    if cc.line.is_over() || !is_usable || description.is_err() {
        usage.acknowledge(sent, None, cc);
        cc.tell_end(CallEnd::of(EndedBy::Peer, EndReason::NoDescription));
        return leave(Box::new(usage), cc);
    }
    usage.set_timer(SessionTimer::agreed(&response, cc.at.cx.now));
    let verdict = match description.ok().flatten().or(preview) {
        Some(answer) if usage.media.take_answer() => {
            usage.acknowledge(sent, None, cc);
            usage.note_described(answer, cc);
            Verdict::Stays
        }
        Some(offer) if usage.media.agreed().is_none() && usage.media.take_offer() => {
            usage.ask_for_ack(sent, offer, cc);
            Verdict::Stays
        }
        None if usage.media.agreed().is_none() => {
            usage.acknowledge(sent, None, cc);
            Verdict::HangsUp(CallEnd::of(EndedBy::Peer, EndReason::NoDescription))
        }
        Some(_) | None => {
            usage.acknowledge(sent, None, cc);
            Verdict::Stays
        }
    };
    if matches!(verdict, Verdict::Stays) {
        cc.tell(CallEvent::Answered { fork: usage.fork() });
    }
    after_usage(verdict, Stage::Talking, Box::new(usage), cc)
}

/// What becomes of a call that came in.
pub(super) fn after_ring(step: RingStep, cc: &mut CallContext<'_, '_, '_>) -> Next {
    match step {
        RingStep::Stays(ringing) => Next::Stays(State::Ringing(ringing)),
        RingStep::Answered(usage) => Next::Stays(State::Answered(Stage::Unacknowledged, usage)),
        RingStep::Ended(end) => {
            cc.tell_end(end);
            Next::Finished
        }
    }
}

/// Says BYE; gone at once where nothing can be said.
pub(super) fn leave(mut usage: Box<InviteUsage>, cc: &mut CallContext<'_, '_, '_>) -> Next {
    usage.give_up_asking(487, cc);
    usage.hang_up(cc.line.reason, cc);
    if usage.is_talking() {
        return Next::Stays(State::Answered(Stage::Leaving, usage));
    }
    usage.abandon(cc);
    Next::Finished
}
