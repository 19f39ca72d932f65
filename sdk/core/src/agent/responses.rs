//! Responses: parse, find the transaction, verify, feed, and only then the login. The order is law.

use homing_wire::{Message, Method};

use super::Agent;
use crate::counter::Counter;
use crate::flow::KeepTerms;
use crate::ids::{FlowId, TxId};
use crate::login::redirect::Standing;
use crate::time::Now;
use crate::transaction::TxOutput;

impl Agent {
    /// A response on a flow.
    pub(super) fn handle_response(&mut self, flow: FlowId, message: &Message, now: Now) {
        let found = self.tables.transactions.peek_client(message).map(|(tx, user, by)| (tx, *user, by));
        let Some((tx, account, _)) = found.filter(|(_, _, by)| *by == flow) else {
            return self.tables.counters.count(Counter::StrayResponse);
        };
        let mut judged = None;
        self.turn(account, now, |login, desk| judged = login.judge_response(tx, message, desk));
        if let Some(standing) = judged {
            self.tables.transactions.feed_response(tx, message, now);
            self.keep_alive(flow, message, now);
            self.pump(Some((tx, standing)), now);
        }
    }

    /// A server that accepts a registration says with it how the flow is kept alive.
    fn keep_alive(&mut self, flow: FlowId, message: &Message, now: Now) {
        let accepted = message.status().is_some_and(|status| (200..300).contains(&status));
        if accepted && message.cseq().is_ok_and(|cseq| cseq.method == Method::Register) {
            self.tables.flows.keep_alive(flow, KeepTerms::of(message), now);
        }
    }

    /// Takes what the transactions want sent and told to where it belongs. `judged` is the response
    /// that was just fed.
    pub(super) fn pump(&mut self, judged: Option<(TxId, Standing)>, now: Now) {
        while let Some(output) = self.tables.transactions.poll_output() {
            match output {
                TxOutput::Send { flow, bytes } => {
                    self.tables.outbox.send(flow, bytes);
                    self.tables.flows.note_sent(flow, now);
                }
                TxOutput::Provisional { tx, user, .. } => {
                    self.turn(user, now, |login, _| login.handle_provisional(tx));
                }
                TxOutput::Final { tx, user, message } => {
                    let standing = judged.filter(|(fed, _)| *fed == tx).map(|(_, standing)| standing);
                    let standing = standing.unwrap_or(Standing::Unsignable);
                    self.turn(user, now, |login, desk| login.handle_final(tx, message, standing, desk));
                }
                TxOutput::TimedOut { tx, user } => {
                    self.turn(user, now, |login, desk| login.handle_timeout(tx, desk));
                }
                // The loss of a flow reaches its users by itself; calls are not made here.
                TxOutput::FlowFailed { .. }
                | TxOutput::Another2xx { .. }
                | TxOutput::AckTimedOut { .. }
                | TxOutput::Unanswered { .. } => {}
            }
        }
    }
}
