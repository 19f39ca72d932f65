//! What cannot be seen from outside the agent, or that no machine brings about yet.

use std::time::Duration;

use homing_wire::{Builder, Frame, Message, Method, Name};

use super::Agent;
use crate::account::server_link::ServerLink;
use crate::auth::ntlm::SessionKeys;
use crate::auth::security_association::{Association, Style};
use crate::auth::signed::{NoAssociation, Signed};
use crate::config::{AccountConfig, AgentConfig, Aor, ServerChoice};
use crate::connect::FlowEvent;
use crate::counter::Counter;
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

/// Everything that leaves.
fn sent(agent: &mut Agent) -> Vec<Message> {
    let outputs = std::iter::from_fn(|| agent.poll_output());
    let sent = outputs.filter_map(|output| match output {
        Output::Send { bytes, .. } => Some(Message::parse(bytes).unwrap()),
        _ => None,
    });
    sent.collect()
}

/// Decision 11: the request proved good, and the association it came under signs no answer any more.
#[test]
fn a_request_whose_answer_cannot_be_signed_gets_none() {
    let (mut agent, account, flow, _) = asking();
    let (_, link) = agent.accounts.get_mut(&account).unwrap().link_on(flow).unwrap();
    let (id, flow_ref) = (link.id, link.flow_ref);
    *link = ServerLink::used_up();
    (link.id, link.flow_ref) = (id, flow_ref);
    let name = link.association().unwrap().name().clone();
    let now = Now::new(Duration::ZERO, Duration::ZERO);
    let keys = SessionKeys::derive(&[0x55; 16], 0x6298_8255);
    let mut server = Association::new(name, "ACDC1230", Style::Registrar, keys.into(), now);
    let asked = Builder::request(Method::Options, "sip:alice@198.51.100.7:40000")
        .header(Name::Via, "SIP/2.0/TCP hs1.network.com;branch=z9hG4bKs1")
        .header(Name::MaxForwards, 70)
        .header(Name::From, "<sip:alice@network.com>;tag=s1")
        .header(Name::To, "<sip:alice@network.com>;epid=3344")
        .header(Name::CallId, "s1")
        .header(Name::CSeq, "1 OPTIONS");
    let asked = server.sign_response(&asked.message(), 7).unwrap();
    let before = agent.transactions();
    for (copy, replays) in [(1, 0), (2, 1)] {
        let frame = Frame::Message(asked.bytes().clone());
        agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame }), now);
        assert_eq!(sent(&mut agent).len(), 0, "copy {copy}");
        assert_eq!(agent.transactions(), before, "copy {copy} left something behind");
        let counters = [Counter::NotSigned, Counter::Replayed].map(|one| agent.counters().of(one));
        assert_eq!(counters, [1, replays], "copy {copy}");
    }
}
