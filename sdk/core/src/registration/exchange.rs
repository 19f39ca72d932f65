//! One REGISTER with all its challenges: from the first request to the final answer that is believed.

use homing_wire::header::MinExpires;
use homing_wire::{Builder, Message, Method, Name, NameAddrBuf};

use super::attempt::Attempt;
use super::refusal::Refusal;
use crate::account::Account;
use crate::account::acceptance::SignatureVerdict;
use crate::account::answerer::{Answerer, Next};
use crate::account::challenge;
use crate::account::context::Context;
use crate::account::link_context::LinkContext;
use crate::account::request_head::Sequence;
use crate::account::server_link::{Judgement, Proof, ServerLink, Verified};
use crate::auth::security_association::{AssociationName, Mechanism, Style, Version};
use crate::config::Scheme;
use crate::counter::Counter;
use crate::endpoint::InstanceId;
use crate::error::{LoginError, SignatureFault};
use crate::event::AccountEvent;
use crate::ids::{AskId, TxId};
use crate::outbox::Credentials;
use crate::time::{Deadline, Why};
use crate::uas;

/// A REGISTER under way.
pub(super) struct Exchange {
    purpose: Purpose,
    answerer: Answerer,
    /// The transaction that is out; none while credentials are waited for.
    tx: Option<TxId>,
    /// A final answer that was not believed, and until when a better one is waited for.
    pub(super) refusal: Option<Refusal>,
}

/// What a REGISTER is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The first binding at this server.
    SignIn,
    /// To keep the binding.
    Refresh,
    /// To keep the binding and get a new association.
    Renew,
    /// To end the binding.
    SignOut,
}

/// The surroundings of an exchange while it handles one input.
pub(super) struct ExchangeContext<'a, 'd> {
    /// Account, link and tables.
    pub(super) at: LinkContext<'a, 'd>,
    /// The numbering of the registration's requests.
    pub(super) sequence: &'a mut Sequence,
    /// The login's way, while there is a login.
    pub(super) attempt: Option<&'a mut Attempt>,
}

/// What became of an input.
pub(super) enum Outcome {
    /// More is to come.
    Pending(Box<Exchange>),
    /// 2xx.
    Granted(Message),
    /// 3xx, and what its signature proved.
    Redirected(Message, SignatureVerdict),
    /// Another final answer, and what its signature proved.
    Refused(Message, SignatureVerdict),
    /// It came to nothing.
    Failed(LoginError),
}

impl Exchange {
    /// Sends the first request.
    pub(super) fn start(purpose: Purpose, mut cx: ExchangeContext<'_, '_>) -> Outcome {
        if purpose == Purpose::SignIn
            && let Some(proof) = shortcut(&cx)
        {
            return cx.send(purpose, Answerer::opening(), proof);
        }
        // An association that cannot sign any more is renewed, whatever the REGISTER is for.
        let used_up = cx.at.link.association().is_some_and(|association| association.is_used_up());
        if purpose == Purpose::Renew || used_up {
            cx.send(purpose, Answerer::inviting(), Proof::Nothing)
        } else {
            cx.send(purpose, Answerer::new(), Proof::Current)
        }
    }

    /// The transaction that is waited for.
    pub(super) fn tx(&self) -> Option<TxId> {
        self.tx
    }

    /// The question that is waited for.
    pub(super) fn ask(&self) -> Option<AskId> {
        self.answerer.ask()
    }

    /// True once the server demanded a proof.
    pub(super) fn is_authenticating(&self) -> bool {
        self.answerer.is_authenticating()
    }

    /// When a refused answer stands.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.refusal.as_ref().map(|refusal| Deadline::new(refusal.until, Why::RefusalVerdict))
    }

    /// The final answer of the transaction, judged and fed.
    pub(super) fn handle_final(self, response: Verified, mut cx: ExchangeContext<'_, '_>) -> Outcome {
        let Verified { message, judged } = response;
        match message.status().unwrap_or_default() {
            401 | 407 => self.handle_challenge(&message, cx),
            423 if self.may_ask_longer(&message, cx.at.account) => self.ask_longer(&message, judged, cx),
            status => {
                let proved = self.settle(&message, judged, &mut cx);
                match status {
                    200..=299 => Outcome::Granted(message),
                    // Whoever gives a wrong proof leads nobody anywhere, whatever the account's rules.
                    300..=399 if !proved => {
                        Outcome::Redirected(message, SignatureVerdict::Refused(SignatureFault::BadSignature))
                    }
                    300..=399 => Outcome::Redirected(message, judged.verdict),
                    _ => Outcome::Refused(message, judged.verdict),
                }
            }
        }
    }

    /// The world's answer to the question for credentials.
    pub(super) fn handle_credentials(
        self,
        credentials: Option<Credentials>,
        mut cx: ExchangeContext<'_, '_>,
    ) -> Outcome {
        let next = self.answerer.handle_credentials(credentials, &mut cx.at);
        cx.go_on(self.purpose, next)
    }

    /// Gives the exchange up; nothing of it is waited for any more.
    pub(super) fn abandon(self, link: &mut ServerLink, cx: &mut Context<'_>) {
        if let Some(tx) = self.tx {
            cx.transactions.abandon(tx);
        }
        self.answerer.abandon(link, cx);
    }

    /// Gives the exchange up because its flow is gone; a question to a person stays open for the next
    /// attempt.
    pub(super) fn interrupt(self, link: &mut ServerLink, account: &mut Account, cx: &mut Context<'_>) {
        if let Some(tx) = self.tx {
            cx.transactions.abandon(tx);
        }
        self.answerer.interrupt(link, account, cx);
    }

    /// A 401 or 407.
    fn handle_challenge(self, message: &Message, mut cx: ExchangeContext<'_, '_>) -> Outcome {
        let answerer = match self.answerer.challenged(&mut cx.at) {
            Ok(answerer) => answerer,
            Err(error) => return Outcome::Failed(error.into()),
        };
        let chosen = challenge::choose(message, cx.at.link, cx.at.account, cx.at.cx.now);
        let offer = match chosen {
            Ok(offer) => offer,
            Err(error) => {
                cx.at.cx.counters.count(Counter::RefusedChallenge);
                return Outcome::Failed(error.into());
            }
        };
        if let Some(attempt) = &mut cx.attempt {
            attempt.answered_with(offer.scheme(), offer.targetname());
        }
        let next = answerer.answer(offer, &mut cx.at);
        cx.go_on(self.purpose, next)
    }

    /// Keeps what the handshake brought, whatever the server decided. False if the server tried to prove that
    /// it knows the password, and does not.
    fn settle(&self, message: &Message, judged: Judgement, cx: &mut ExchangeContext<'_, '_>) -> bool {
        self.answerer.settle(judged.by_pending, &mut cx.at);
        let uri = request_uri(cx.at.account);
        let proved = cx.at.link.follow_nonce(message, &uri);
        if !proved {
            cx.at.cx.counters.count(Counter::WrongProof);
            cx.at.cx.tell(AccountEvent::ProofWrong { server: cx.at.link.server.clone() });
        }
        proved
    }

    fn may_ask_longer(&self, message: &Message, account: &Account) -> bool {
        let least = minimum(message);
        self.purpose != Purpose::SignOut
            && self.answerer.may_go_on()
            && least.is_some_and(|least| least > account.expires)
    }

    /// 423 Interval Too Brief: the same again, for as long as the server wants (RFC 3261 section 10.2.8).
    fn ask_longer(self, message: &Message, judged: Judgement, mut cx: ExchangeContext<'_, '_>) -> Outcome {
        let account = &mut cx.at.account;
        account.expires = minimum(message).unwrap_or(account.expires);
        self.settle(message, judged, &mut cx);
        cx.send(self.purpose, self.answerer.again(), Proof::Current)
    }
}

impl ExchangeContext<'_, '_> {
    fn go_on(&mut self, purpose: Purpose, next: Next) -> Outcome {
        match next {
            Next::Send(answerer, proof) => self.send(purpose, answerer, proof),
            Next::Wait(answerer) => {
                Outcome::Pending(Box::new(Exchange { purpose, answerer, tx: None, refusal: None }))
            }
            Next::Failed(error) => Outcome::Failed(error.into()),
        }
    }

    /// Sends the REGISTER of an exchange and counts it.
    fn send(&mut self, purpose: Purpose, answerer: Answerer, proof: Proof) -> Outcome {
        if let Some(attempt) = &mut self.attempt {
            attempt.asked();
        }
        let head = self.sequence.head(Method::Register, &request_uri(self.at.account), &mut self.at);
        let request = register(head, purpose, &self.at).message();
        let failed = |server| Outcome::Failed(LoginError::NoAnswer { server });
        let LinkContext { link, cx, .. } = &mut self.at;
        let Ok(signed) = link.prove(request, proof, cx.random) else {
            cx.counters.count(Counter::NotSigned);
            return failed(link.server.clone());
        };
        match cx.transactions.request(&signed, link.flow_ref, cx.owner, cx.now) {
            Ok(tx) => Outcome::Pending(Box::new(Exchange { purpose, answerer, tx: Some(tx), refusal: None })),
            Err(_) => failed(link.server.clone()),
        }
    }
}

/// The Request-URI of a REGISTER.
fn request_uri(account: &Account) -> String {
    format!("sip:{}", account.config.aor.domain)
}

/// What makes a REGISTER one that both Microsoft's and other registrars understand. The lifetime that is asked
/// for stands in the Contact at a login, because a signature would cover an Expires header (MS-SIPAE 3.2.4.1).
fn register(head: Builder, purpose: Purpose, at: &LinkContext<'_, '_>) -> Builder {
    let config = &at.account.config;
    let expires = at.account.expires;
    let instance = format!("<{}>", InstanceId::of_epid(&config.epid).urn());
    let mut contact = NameAddrBuf::new(at.link.contact_uri(&config.aor))
        .param("proxy", Some("replace"))
        .param("+sip.instance", Some(&instance));
    if config.outbound {
        contact = contact.param("reg-id", Some("1"));
    }
    if purpose == Purpose::SignIn {
        contact = contact.param("expires", Some(&expires.to_string()));
    }
    let outbound = if config.outbound { ", path, outbound" } else { "" };
    let request = head
        .header(Name::Contact, contact)
        .header(Name::Supported, format_args!("gruu-10, adhoclist, ms-cluster-failover{outbound}"))
        .header(Name::Event, "registration")
        .header(Name::Allow, uas::ALLOW)
        .header(Name::MsKeepAlive, "UAC;hop-hop=yes");
    match purpose {
        Purpose::SignIn => request,
        Purpose::Refresh | Purpose::Renew => request.header(Name::Expires, expires),
        Purpose::SignOut => request.header(Name::Expires, 0),
    }
}

/// What the first REGISTER may carry because an earlier login to this very server taught it (decision 10).
fn shortcut(cx: &ExchangeContext<'_, '_>) -> Option<Proof> {
    let known = cx.at.account.memory.login_of(&cx.at.link.named.host)?;
    if cx.at.account.config.auth.schemes.first() != Some(&Scheme::Ntlm) {
        return None;
    }
    let version = match known.version {
        2 => Version::V2,
        3 => Version::V3,
        4 => Version::V4,
        _ => return None,
    };
    let name = AssociationName {
        mechanism: Mechanism::Ntlm,
        realm: known.realm.as_str().into(),
        targetname: known.targetname.as_str().into(),
        version,
    };
    let style = if known.proxy_headers { Style::Proxy } else { Style::Registrar };
    Some(Proof::Opening(name, style))
}

fn minimum(message: &Message) -> Option<u32> {
    let MinExpires(least) = message.get().ok()??;
    (least <= LONGEST).then_some(least)
}

/// The longest Expires a server may demand: a day.
const LONGEST: u32 = 86_400;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::account::context::Asks;
    use crate::account::random::SeededRandom;
    use crate::config::{AccountConfig, AgentConfig, Aor};
    use crate::counter::Counters;
    use crate::flow::{FlowRules, Flows};
    use crate::ids::{AccountId, Owner, Seed};
    use crate::locate::ServerHealth;
    use crate::outbox::Outbox;
    use crate::time::Now;
    use crate::transaction::{Caps, Transactions, TxOutput};

    /// The REGISTER an exchange begins with over this link.
    fn first_register(purpose: Purpose, link: &mut ServerLink) -> Message {
        let (agent, seed) = (AgentConfig::default(), Seed::from_number(1));
        let config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "3344");
        let mut account = Account::new(AccountId(0), config);
        let mut random = SeededRandom::new(&seed);
        let mut sequence = Sequence::new(&mut random);
        let mut transactions = Transactions::new(agent.timers, Caps::from(&agent.limits), &seed);
        let mut cx = Context {
            account: AccountId(0),
            owner: Owner::Registration(AccountId(0)),
            agent: &agent,
            outbox: &mut Outbox::default(),
            counters: &mut Counters::default(),
            random: &mut random,
            server_order: &seed,
            transactions: &mut transactions,
            flows: &mut Flows::new(FlowRules::from(&agent.limits), &seed),
            server_health: &mut ServerHealth::new(agent.limits.retry_after),
            asks: &mut Asks::default(),
            drained: &mut Vec::new(),
            news: &mut Vec::new(),
            now: Now::new(Duration::ZERO, Duration::ZERO),
        };
        let at = LinkContext { link, account: &mut account, cx: &mut cx };
        let outcome =
            Exchange::start(purpose, ExchangeContext { at, sequence: &mut sequence, attempt: None });
        assert!(matches!(outcome, Outcome::Pending(_)), "{purpose:?} came to nothing");
        let Some(TxOutput::Send { bytes, .. }) = transactions.poll_output() else { panic!("{purpose:?}") };
        Message::parse(bytes).unwrap()
    }

    #[test]
    fn an_association_that_is_used_up_is_renewed_whatever_the_register_is_for() {
        for purpose in [Purpose::Refresh, Purpose::SignOut] {
            let register = first_register(purpose, &mut ServerLink::used_up());
            assert_eq!(register.auth(Name::Authorization).count(), 0, "{purpose:?} draws a challenge");
        }
    }
}
