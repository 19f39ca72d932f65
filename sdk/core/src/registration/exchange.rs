//! One REGISTER with all its challenges: from the first request to the final answer that is believed.

use homing_wire::{Builder, Message, Method, Name, NameAddrBuf, UriBuf};

use super::attempt::Attempt;
use super::refusal::Refusal;
use super::response_info;
use crate::account::Account;
use crate::account::acceptance::SignatureVerdict;
use crate::account::answerer::{Answerer, Next};
use crate::account::challenge;
use crate::account::context::Context;
use crate::account::digest_realms::SentAnswer;
use crate::account::link_context::LinkContext;
use crate::account::request_head::Sequence;
use crate::account::server_link::{Judgement, Proof, SentRequest, ServerLink, Verified};
use crate::auth::security_association::{AssociationName, Mechanism, Style, Version};
use crate::config::{AccountConfig, Outbound, RegisterUri, Rspauth, Scheme};
use crate::counter::Counter;
use crate::endpoint::InstanceId;
use crate::error::{AuthError, LoginError, ResponseFault, SignatureFault};
use crate::event::AccountEvent;
use crate::ids::{AskId, TxId};
use crate::outbox::Credentials;
use crate::time::{Deadline, Now, Why};
use crate::uas::Abilities;

/// A REGISTER under way.
pub(super) struct Exchange {
    purpose: Purpose,
    answerer: Answerer,
    /// The transaction that is out; none while credentials are waited for.
    tx: Option<TxId>,
    /// A final answer that was not believed, and until when a better one is waited for.
    pub(super) refusal: Option<Refusal>,
    /// What was wrong with the last response that was dropped: the reason if no better one comes.
    pub(super) fault: Option<Box<ResponseFault>>,
    /// What the request that is out answers to Digest realms.
    answers: Vec<SentAnswer>,
    /// What the request that is out proves, where another connection takes the same.
    again: Option<Proof>,
    /// What the next request proves, while there is no connection to send it by.
    unsent: Option<Proof>,
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
    /// False while the server closed the connection and there is no other.
    pub(super) is_connected: bool,
}

/// What became of an input.
pub(super) enum Outcome {
    /// More is to come.
    Pending(Box<Exchange>),
    /// 2xx.
    Granted(Message),
    /// 2xx of a server that tried to prove that it knows the password, and does not.
    Unproved,
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

    /// Sends the first request of a login without anything that was learned from earlier ones.
    pub(super) fn start_plainly(mut cx: ExchangeContext<'_, '_>) -> Outcome {
        cx.send(Purpose::SignIn, Answerer::new(), Proof::Nothing)
    }

    /// True if it ends a binding.
    pub(super) fn is_sign_out(&self) -> bool {
        self.purpose == Purpose::SignOut
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

    /// True while a request is out that a server may grant: it carries all that was demanded, or nothing is, because the
    /// account answers no challenge.
    pub(super) fn may_be_granted(&self, config: &AccountConfig) -> bool {
        let is_open = config.auth.schemes.is_empty();
        let is_complete = !self.answerer.draws_challenge() && (is_open || self.answerer.was_demanded());
        self.tx.is_some() && is_complete
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
            439 if uses_outbound(&cx.at) && self.purpose != Purpose::SignOut => {
                self.settle(&message, judged, &mut cx);
                let LinkContext { link, account, .. } = &mut cx.at;
                account.memory.forgo_outbound(&link.named.host);
                cx.send(self.purpose, self.answerer.again(), Proof::Current)
            }
            423 if self.purpose != Purpose::SignOut => self.handle_too_brief(&message, judged, cx),
            status => {
                let proved = self.settle(&message, judged, &mut cx);
                let ignores = cx.at.account.config.auth.rspauth == Rspauth::Ignore;
                match status {
                    200..=299 if !proved && !ignores => Outcome::Unproved,
                    200..=299 => Outcome::Granted(message),
                    // A server with a wrong proof redirects no account, whatever the account's rules.
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

    /// True if it can go on over a new connection in place of the one that the server just closed. An association does
    /// not outlive its connection.
    pub(super) fn may_move(&self, link: &ServerLink, now: Now) -> bool {
        let is_complete = self.answerer.ask().is_some() || self.again.is_some();
        link.association().is_none() && is_complete && self.answerer.may_move(now)
    }

    /// The connection is closed: what was sent by it is to be sent again.
    pub(super) fn interrupted(self, cx: &mut Context<'_>) -> Self {
        if let Some(tx) = self.tx {
            cx.transactions.abandon(tx);
        }
        Self { tx: None, unsent: self.again, again: None, ..self }
    }

    /// True if there is something to send and no connection.
    pub(super) fn is_unsent(&self) -> bool {
        self.unsent.is_some()
    }

    /// A new connection stands.
    pub(super) fn resume(self, mut cx: ExchangeContext<'_, '_>) -> Outcome {
        match self.unsent {
            Some(proof) => cx.send(self.purpose, self.answerer.moves(), proof),
            None => Outcome::Pending(Box::new(self)),
        }
    }

    fn waiting(purpose: Purpose, answerer: Answerer, unsent: Option<Proof>) -> Outcome {
        let (tx, refusal, fault, answers, again) = (None, None, None, Vec::new(), None);
        Outcome::Pending(Box::new(Exchange { purpose, answerer, tx, refusal, fault, answers, again, unsent }))
    }

    /// A 401 or 407.
    fn handle_challenge(self, message: &Message, mut cx: ExchangeContext<'_, '_>) -> Outcome {
        let answerer = match self.answerer.challenged(&mut cx.at) {
            Ok(answerer) => answerer,
            Err(error) => return Outcome::Failed(error.into()),
        };
        if challenge::is_bare(message) && cx.at.link.has_digest() {
            return match answerer.bare() {
                Some(answerer) => cx.send(self.purpose, answerer, Proof::Nothing),
                None => {
                    Outcome::Failed(AuthError::ChallengeLoop { server: cx.at.link.server.clone() }.into())
                }
            };
        }
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
        self.answerer.settle(judged.by_pending, message, &mut cx.at);
        let uri = request_uri(&cx.at);
        let request = SentRequest { uri: &uri, flow: cx.at.link.flow(), answers: &self.answers };
        let proved = cx.at.link.follow_nonce(message, request);
        if !proved {
            cx.at.cx.counters.count(Counter::WrongProof);
            cx.at.cx.tell(AccountEvent::ProofWrong { server: cx.at.link.server.clone() });
        }
        proved
    }

    /// 423 Interval Too Brief: once more, for as long as the server wants (RFC 3261 section 10.2.8).
    fn handle_too_brief(
        mut self,
        message: &Message,
        judged: Judgement,
        mut cx: ExchangeContext<'_, '_>,
    ) -> Outcome {
        self.settle(message, judged, &mut cx);
        let least = response_info::min_expires(message);
        let account = &mut cx.at.account;
        match least.filter(|least| (1..=LONGEST).contains(least)) {
            Some(seconds) if !self.answerer.is_extended() => {
                account.expires = seconds;
                self.answerer = self.answerer.extended();
                cx.send(self.purpose, self.answerer, Proof::Current)
            }
            _ => {
                let (server, asked) = (cx.at.link.server.clone(), account.expires);
                account.expires = account.config.expires;
                Outcome::Failed(LoginError::IntervalTooBrief { server, asked, least })
            }
        }
    }
}

impl ExchangeContext<'_, '_> {
    fn go_on(&mut self, purpose: Purpose, next: Next) -> Outcome {
        match next {
            Next::Send(answerer, proof) => self.send(purpose, answerer, proof),
            Next::Wait(answerer) => Exchange::waiting(purpose, answerer, None),
            Next::Failed(error) => Outcome::Failed(error.into()),
        }
    }

    /// Sends the REGISTER of an exchange and counts it.
    fn send(&mut self, purpose: Purpose, answerer: Answerer, proof: Proof) -> Outcome {
        if !self.is_connected {
            return Exchange::waiting(purpose, answerer, Some(proof));
        }
        let again = proof.repeat();
        if let Some(attempt) = &mut self.attempt {
            attempt.asked();
        }
        let uri = request_uri(&self.at);
        let aor = self.at.account.config.aor.to_string();
        let head = self.sequence.head(Method::Register, &uri, &aor, &mut self.at);
        let request = register(head, purpose, &self.at).message();
        let failed = |server| Outcome::Failed(LoginError::NoAnswer { server });
        let LinkContext { link, cx, .. } = &mut self.at;
        let Ok(signed) = link.prove(request, proof, cx.random) else {
            cx.counters.count(Counter::NotSigned);
            return failed(link.server.clone());
        };
        match cx.transactions.request(&signed, link.flow_ref, cx.owner, cx.now) {
            Ok(tx) => {
                let (tx, refusal, fault, unsent) = (Some(tx), None, None, None);
                let answers = link.answers_in(&signed);
                let exchange = Exchange { purpose, answerer, tx, refusal, fault, answers, again, unsent };
                Outcome::Pending(Box::new(exchange))
            }
            Err(_) => failed(link.server.clone()),
        }
    }
}

/// The Request-URI of a REGISTER.
fn request_uri(at: &LinkContext<'_, '_>) -> String {
    match at.account.config.register_uri {
        RegisterUri::Domain => UriBuf::sip(None, &at.account.config.aor.domain).to_string(),
        RegisterUri::Server => UriBuf::sip(None, &at.link.server.host).to_string(),
    }
}

/// True if the account's REGISTER to this server offers outbound.
fn uses_outbound(at: &LinkContext<'_, '_>) -> bool {
    at.account.config.outbound == Outbound::Auto && at.account.memory.may_use_outbound(&at.link.named.host)
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
    let is_outbound = uses_outbound(at);
    if is_outbound {
        contact = contact.param("reg-id", Some("1"));
    }
    if purpose == Purpose::SignIn {
        contact = contact.param("expires", Some(&expires.to_string()));
    }
    let outbound = if is_outbound { ", path, outbound" } else { "" };
    let request = head
        .header(Name::Contact, contact)
        .header(Name::Supported, format_args!("gruu-10, adhoclist, ms-cluster-failover{outbound}"))
        .header(Name::Event, "registration")
        .header(Name::Allow, Abilities::of(config).allow)
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

/// The longest Expires a server may demand: a week.
const LONGEST: u32 = 7 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::act_over;

    #[test]
    fn an_association_that_is_used_up_is_renewed_whatever_the_register_is_for() {
        for purpose in [Purpose::Refresh, Purpose::SignOut] {
            let started = act_over(&mut ServerLink::used_up(), |at| {
                let mut sequence = Sequence::new(at.cx.random);
                Exchange::start(
                    purpose,
                    ExchangeContext { at, sequence: &mut sequence, attempt: None, is_connected: true },
                )
            });
            assert!(matches!(started.result, Outcome::Pending(_)), "{purpose:?} came to nothing");
            let [register] = &started.sent[..] else { panic!("{purpose:?}") };
            assert_eq!(register.auth(Name::Authorization).count(), 0, "{purpose:?} draws a challenge");
        }
    }

    /// Decision 11: signing fails closed.
    #[test]
    fn a_register_that_cannot_be_signed_fails_and_does_not_leave() {
        for purpose in [Purpose::Refresh, Purpose::SignOut] {
            let sent = act_over(&mut ServerLink::used_up(), |at| {
                let mut sequence = Sequence::new(at.cx.random);
                let mut cx =
                    ExchangeContext { at, sequence: &mut sequence, attempt: None, is_connected: true };
                cx.send(purpose, Answerer::new(), Proof::Current)
            });
            let failed = matches!(sent.result, Outcome::Failed(LoginError::NoAnswer { .. }));
            assert!(failed && sent.sent.is_empty(), "{purpose:?}");
            assert_eq!(sent.counters.of(Counter::NotSigned), 1, "{purpose:?}");
        }
    }
}
