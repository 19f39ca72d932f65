//! What transactions, flows and registrations produced goes to the world or to its owner, until nothing is left.

use super::outgoing::Outgoing;
use super::{Agent, calls, requests};
use crate::account::context::{LinkChange, LinkNews};
use crate::account::server_link::LinkSigner;
use crate::account::waiting::Woken;
use crate::call::Call;
use crate::flow::{FlowNews, FlowOutput, LostFlow};
use crate::ids::{Owner, RequestId};
use crate::time::Now;
use crate::transaction::TxOutput;

/// Carries everything to where it belongs.
pub(super) fn pump(agent: &mut Agent, now: Now) {
    loop {
        if let Some(output) = agent.tables.transactions.poll_output() {
            carry(agent, output, now);
        } else if let Some(output) = agent.tables.flows.poll_output() {
            carry_flow(agent, output, now);
        } else if !agent.tables.news.is_empty() {
            let news = agent.tables.news.remove(0);
            tell_requests(agent, news, now);
        } else {
            let woken = agent.tables.waiting.take_woken();
            if woken.is_empty() {
                return;
            }
            for Woken { account, at } in woken {
                agent.registration(account, now, |registration, _, _| registration.wake(at));
            }
        }
    }
}

/// A flow is gone: its transactions end, and its users hear of it.
pub(super) fn tell_lost(agent: &mut Agent, lost: &LostFlow, users: &[Owner], now: Now) {
    agent.tables.transactions.flow_failed(lost.flow);
    for owner in users {
        match *owner {
            Owner::Registration(account) => agent.registration(account, now, |registration, account, cx| {
                registration.handle_lost(lost, account, cx);
            }),
            // One that is looked for may go out over another flow at once.
            Owner::Request(request) if requests::is_locating(agent, request) => {
                requests::feed_locating(agent, request, now, |locating, cx| {
                    locating.handle_lost(lost.flow, lost.why.clone(), cx)
                });
            }
            Owner::Request(request) => {
                requests::feed_sent(agent, request, now, |request, at| request.handle_silence(at.cx));
            }
            Owner::Call(call) => calls::handle_lost(agent, call, lost, now),
        }
    }
}

fn carry(agent: &mut Agent, output: TxOutput<Owner>, now: Now) {
    match output {
        TxOutput::Send { flow, bytes } => {
            agent.tables.flows.note_sent(flow, now);
            agent.tables.outbox.send(flow, bytes);
        }
        TxOutput::TimedOut { tx, user: Owner::Registration(account) } => {
            agent.registration(account, now, |registration, account, cx| {
                registration.handle_timeout(tx, account, cx);
            });
        }
        TxOutput::TimedOut { user: Owner::Request(request), .. }
        | TxOutput::FlowFailed { user: Owner::Request(request), .. } => {
            requests::feed_sent(agent, request, now, |request, at| request.handle_silence(at.cx));
        }
        TxOutput::TimedOut { tx, user: Owner::Call(call) } => {
            calls::feed(agent, call, now, |call, at| call.handle_timeout(tx, at));
        }
        TxOutput::CancelDue { user: Owner::Call(call), .. } => {
            calls::feed(agent, call, now, Call::handle_cancel_due);
        }
        TxOutput::CancelDue { tx, user } => {
            if let Some(flow) = agent.flow_of(user)
                && let Some((_, link, tables)) = agent.link_of(user, flow)
            {
                let mut signer = LinkSigner { link, flow, reason: None, random: tables.random.as_mut() };
                // It is an INVITE of ours in hand, or it would not be due.
                let _answered_meanwhile = tables.transactions.cancel(tx, &mut signer, now);
            }
        }
        // A registration and a call hear of the loss of their flow themselves; and what is answered with a refusal is
        // over with the answer, whether or not its ACK comes.
        TxOutput::FlowFailed { user: Owner::Registration(_) | Owner::Call(_), .. }
        | TxOutput::AckTimedOut { .. }
        | TxOutput::Unanswered { .. } => {}
    }
}

fn carry_flow(agent: &mut Agent, output: FlowOutput<Owner>, now: Now) {
    if let FlowOutput::Close { flow } = &output {
        agent.tables.transactions.flow_failed(*flow);
    }
    match output.effect() {
        Ok(effect) => agent.tables.outbox.push(effect),
        Err(FlowNews::Lost { flow, why, users }) => {
            tell_lost(agent, &LostFlow { flow, why, destination: None }, &users, now);
        }
        Err(FlowNews::Moved { users, .. }) => {
            for owner in users {
                match owner {
                    Owner::Registration(account) => {
                        agent.registration(account, now, |registration, account, cx| {
                            registration.handle_network(true, account, cx);
                        });
                    }
                    Owner::Call(call) => calls::handle_moved(agent, call, now),
                    // Its answer comes by the Via of the request, wherever that leads.
                    Owner::Request(_) => {}
                }
            }
        }
    }
}

/// A registration says what became of its REGISTER to the requests that wait over its link.
fn tell_requests(agent: &mut Agent, news: LinkNews, now: Now) {
    let waiting = |(id, request): (&RequestId, &Outgoing)| {
        let Outgoing::Sent(request) = request else { return None };
        let subject = request.subject();
        (subject.account == news.account && subject.link == news.link).then_some(*id)
    };
    let waiting: Vec<RequestId> = match news.what {
        LinkChange::Registered(_) => agent.requests.iter().filter_map(waiting).collect(),
        LinkChange::Moved => Vec::new(),
    };
    for id in waiting {
        let granted = news.what == LinkChange::Registered(true);
        requests::feed_sent(agent, id, now, |request, at| request.handle_news(granted, at));
    }
    for id in calls::of_account(agent, news.account) {
        calls::handle_news(agent, id, news, now);
    }
}
