//! Responses: parse, find the transaction, verify, feed, and only then the login. The order is law.

use homing_wire::Message;

use super::Agent;
use crate::counter::Counter;
use crate::flow::{FlowNews, FlowOutput};
use crate::ids::{AccountId, FlowId};
use crate::registration::redirect::SignatureVerdict;
use crate::time::Now;
use crate::transaction::{Response, TxOutput};

impl Agent {
    /// A response on a flow.
    pub(super) fn handle_response(&mut self, flow: FlowId, message: &Message, now: Now) {
        let found = self.tables.transactions.peek_client(message).map(|(tx, user, by)| (tx, *user, by));
        let Some((tx, account, _)) = found.filter(|(_, _, by)| *by == flow) else {
            return self.tables.counters.count(Counter::StrayResponse);
        };
        if self.tables.transactions.is_copy(tx, message) {
            self.tables.transactions.feed_response(tx, message, &mut interim, now);
            return self.pump(now);
        }
        let mut judged = None;
        self.turn(account, now, |login, cx| judged = login.judge_response(tx, message, cx));
        let Some(verdict) = judged else { return };
        let what = self.tables.transactions.feed_response(tx, message, &mut interim, now);
        self.pump(now);
        match what {
            Response::Provisional => self.turn(account, now, |login, _| login.handle_provisional(tx)),
            Response::Final => {
                let message = message.clone();
                self.turn(account, now, |login, desk| login.handle_final(tx, message, verdict, desk));
            }
            Response::Absorbed | Response::Copied2xx | Response::Another2xx => {}
        }
        self.pump(now);
    }

    /// Takes what transactions and flows want to where it belongs, until they want nothing more.
    pub(super) fn pump(&mut self, now: Now) {
        loop {
            if let Some(output) = self.tables.transactions.poll_output() {
                self.carry(output, now);
            } else if let Some(output) = self.tables.flows.poll_output() {
                self.carry_flow(output, now);
            } else {
                return;
            }
        }
    }

    fn carry(&mut self, output: TxOutput<AccountId>, now: Now) {
        match output {
            TxOutput::Send { flow, bytes } => {
                self.tables.flows.note_sent(flow, now);
                self.tables.outbox.send(flow, bytes);
            }
            TxOutput::TimedOut { tx, user } => {
                self.turn(user, now, |login, cx| login.handle_timeout(tx, cx));
            }
            // The loss of a flow reaches its users by itself; calls are not made here.
            TxOutput::FlowFailed { .. }
            | TxOutput::AckTimedOut { .. }
            | TxOutput::CancelDue { .. }
            | TxOutput::Unanswered { .. } => {}
        }
    }

    fn carry_flow(&mut self, output: FlowOutput<AccountId>, now: Now) {
        if let FlowOutput::Close { flow } = &output {
            self.tables.transactions.flow_failed(*flow);
        }
        match output.effect() {
            Ok(effect) => self.tables.outbox.push(effect),
            Err(FlowNews::Lost { flow, why, users }) => self.tell_lost(flow, why, &users, now),
            Err(FlowNews::Moved { users, .. }) => {
                for account in users {
                    self.turn(account, now, |login, cx| login.handle_network(true, cx));
                }
            }
        }
    }
}

fn interim(request: Message) -> Result<crate::auth::Signed, crate::auth::security_association::SignError> {
    Ok(crate::auth::Signed::without(request, crate::auth::NoAssociation::Unchallenged))
}
