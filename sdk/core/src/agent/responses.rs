//! Responses: parse, find the transaction, verify, feed, and only then the login. The order is law.

use homing_wire::Message;

use super::Agent;
use crate::counter::Counter;
use crate::flow::{FlowNews, FlowOutput};
use crate::ids::{AccountId, FlowId, TxId};
use crate::registration::redirect::SignatureVerdict;
use crate::time::Now;
use crate::transaction::TxOutput;

impl Agent {
    /// A response on a flow.
    pub(super) fn handle_response(&mut self, flow: FlowId, message: &Message, now: Now) {
        let found = self.tables.transactions.peek_client(message).map(|(tx, user, by)| (tx, *user, by));
        let Some((tx, account, _)) = found.filter(|(_, _, by)| *by == flow) else {
            return self.tables.counters.count(Counter::StrayResponse);
        };
        if self.tables.transactions.is_copy(tx, message) {
            self.tables.transactions.feed_response(tx, message, now);
            return self.pump(None, now);
        }
        let mut judged = None;
        self.turn(account, now, |login, cx| judged = login.judge_response(tx, message, cx));
        if let Some(verdict) = judged {
            self.tables.transactions.feed_response(tx, message, now);
            self.pump(Some((tx, verdict)), now);
        }
    }

    /// Takes what transactions and flows want to where it belongs, until they want nothing more.
    /// `judged` is the response that was just fed.
    pub(super) fn pump(&mut self, judged: Option<(TxId, SignatureVerdict)>, now: Now) {
        loop {
            if let Some(output) = self.tables.transactions.poll_output() {
                self.carry(output, judged, now);
            } else if let Some(output) = self.tables.flows.poll_output() {
                self.carry_flow(output, now);
            } else {
                return;
            }
        }
    }

    fn carry(&mut self, output: TxOutput<AccountId>, judged: Option<(TxId, SignatureVerdict)>, now: Now) {
        match output {
            TxOutput::Send { flow, bytes } => {
                self.tables.flows.note_sent(flow, now);
                self.tables.outbox.send(flow, bytes);
            }
            TxOutput::Provisional { tx, user, .. } => {
                self.turn(user, now, |login, _| login.handle_provisional(tx));
            }
            TxOutput::Final { tx, user, message } => {
                let verdict = judged.filter(|(fed, _)| *fed == tx).map(|(_, verdict)| verdict);
                let verdict = verdict.unwrap_or(SignatureVerdict::Unsignable);
                self.turn(user, now, |login, cx| login.handle_final(tx, message, verdict, cx));
            }
            TxOutput::TimedOut { tx, user } => {
                self.turn(user, now, |login, cx| login.handle_timeout(tx, cx));
            }
            // The loss of a flow reaches its users by itself; calls are not made here.
            TxOutput::FlowFailed { .. }
            | TxOutput::Another2xx { .. }
            | TxOutput::AckTimedOut { .. }
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
