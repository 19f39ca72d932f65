//! What cannot be seen from outside the agent, or that no machine brings about yet.

use std::time::Duration;

use homing_wire::{Builder, Frame, Message, Method, Name};

use super::Agent;
use crate::auth::signed::{NoAssociation, Signed};
use crate::config::{AccountConfig, AgentConfig, Aor, ServerChoice};
use crate::connect::FlowEvent;
use crate::ids::{AccountId, FlowId, Owner, Seed};
use crate::outbox::{Input, Output};
use crate::time::Now;
use crate::transaction::FlowRef;
use crate::transport::Transport;

/// An agent at time zero whose account without registrar asked a server; with the flow and the OPTIONS.
fn asking() -> (Agent, AccountId, FlowId, Message) {
    let now = Now::new(Duration::ZERO, Duration::ZERO);
    let mut agent = Agent::new(AgentConfig::default(), Seed::from_number(1), now);
    let mut config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "3344");
    config.server = ServerChoice::NoRegistrar;
    config.transports = vec![Transport::Tcp];
    let account = agent.add_account(config, now).unwrap();
    agent.options(account, Some("sip:192.0.2.1:5060;transport=tcp"), now).unwrap();
    let Some(Output::Connect { flow, address, .. }) = agent.poll_output() else { panic!("a connection") };
    let (local, proof) = (([198, 51, 100, 7], 40_000).into(), None);
    agent.handle_input(Input::Flow(FlowEvent::Connected { flow, local, peer: address, proof }), now);
    let Some(Output::Send { bytes, .. }) = agent.poll_output() else { panic!("a request") };
    (agent, account, flow, Message::parse(bytes).unwrap())
}

/// The server answers at time zero.
fn hear(agent: &mut Agent, flow: FlowId, answer: Builder) {
    let now = Now::new(Duration::ZERO, Duration::ZERO);
    let frame = Frame::Message(answer.to_tag("b1").finish());
    agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame }), now);
}

/// Nothing can be heard over it any more, so only what the account holds shows whether it is still there.
#[test]
fn a_link_of_a_request_is_dropped_with_its_answer() {
    let (mut agent, account, flow, options) = asking();
    assert!(agent.accounts[&account].has_further());
    hear(&mut agent, flow, Builder::reply_to(&options, 200, "OK"));
    assert!(!agent.accounts[&account].has_further());
}

/// RFC 3261 section 16.8. No machine sends INVITE yet, so one is put into the table for a request whose own
/// challenge waits for a person.
#[test]
fn an_invite_that_timer_c_gives_up_is_cancelled_over_its_link() {
    let (mut agent, _, flow, options) = asking();
    let digest = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"";
    let challenge = Builder::reply_to(&options, 401, "Unauthorized").header(Name::WwwAuthenticate, digest);
    hear(&mut agent, flow, challenge);
    let invite = String::from_utf8(options.bytes().to_vec()).unwrap();
    let invite = invite.replace("OPTIONS", "INVITE").replace("branch=z9hG4bK", "branch=z9hG4bKinvite");
    let invite = Message::parse(invite.into_bytes()).unwrap();
    let signed = Signed::without(invite.clone(), NoAssociation::NoRegistrar);
    let (id, _) = agent.requests.first_key_value().unwrap();
    let (owner, flow_ref) = (Owner::Request(*id), FlowRef::new(flow, Transport::Tcp));
    let now = Now::new(Duration::ZERO, Duration::ZERO);
    agent.tables.transactions.request(&signed, flow_ref, owner, now).unwrap();
    hear(&mut agent, flow, Builder::reply_to(&invite, 180, "Ringing"));
    let due = agent.deadline().unwrap().at.0;
    agent.handle_input(Input::DeadlineReached, Now::new(due, due));
    let sent = std::iter::from_fn(|| agent.poll_output()).filter_map(|output| match output {
        Output::Send { bytes, .. } => {
            Message::parse(bytes).unwrap().method().map(|one| one == Method::Cancel)
        }
        _ => None,
    });
    assert_eq!(sent.collect::<Vec<_>>(), [false, true], "the INVITE, and at last its CANCEL");
}
