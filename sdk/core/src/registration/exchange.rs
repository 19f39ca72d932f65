//! One REGISTER with all its challenges: from the first request to the final answer that is believed.
//!
//! ```text
//!  start ──► Plain ──401──► Asking ──credentials──► Opening ──401──► Establishing ──► final, signed
//!    │                        │ Digest                 ▲                  │
//!    │                        └──► Answering ──► final │                  └──401──► rejected
//!    └──────────── shortcut ───────────────────────────┘
//! ```

use homing_wire::{Message, Name};

use super::account::Account;
use super::attempt::Attempt;
use super::challenge::{self, Offer};
use super::context::Context;
use super::prompt::{Prompt, Reply};
use super::redirect::SignatureVerdict;
use super::refusal::Refusal;
use super::server_link::{Lifetime, Proving, ServerLink, verdict_of};
use crate::auth::digest::DigestSession;
use crate::auth::ntlm::Side;
use crate::auth::security_association::{Association, AssociationName, Mechanism, Style, Version};
use crate::config::{RememberedLogin, Scheme, SignaturePlaces};
use crate::error::{LoginError, SignatureFault};
use crate::ids::{AskId, TxId};
use crate::outbox::Credentials;
use crate::server::ServerName;
use crate::time::{Deadline, Moment, Now, Why};

/// A REGISTER under way.
pub(super) struct Exchange {
    pub(super) purpose: Purpose,
    pub(super) step: Phase,
    /// Challenges and other demands met so far.
    pub(super) rounds: u8,
    /// A final answer that was not believed, and until when a better one is waited for.
    pub refusal: Option<Refusal>,
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
    /// With whom.
    pub link: &'a mut ServerLink,
    /// For whom.
    pub account: &'a mut Account,
    /// The login's way, while there is a login.
    pub attempt: Option<&'a mut Attempt>,
    /// The agent's tables.
    pub cx: &'a mut Context<'d>,
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

/// Where an exchange stands.
pub(super) enum Phase {
    /// A request as the link stands, signed or not.
    Plain { tx: TxId },
    /// The world is asked for credentials.
    Asking { ask: AskId, offer: Offer, since: Moment },
    /// The empty token is out. Without credentials it was sent on memory alone.
    Opening { tx: TxId, credentials: Option<Credentials> },
    /// The token is out; the association counts once a final signed with it says so. `proved` is what
    /// the message judged last says about it.
    Establishing { tx: TxId, fresh: Box<Association>, proved: bool },
    /// A Digest answer is out.
    Answering { tx: TxId, session: Box<DigestSession>, style: Style },
}

impl Exchange {
    /// Sends the first request.
    pub(super) fn start(purpose: Purpose, mut exchange_cx: ExchangeContext<'_, '_>) -> Outcome {
        if purpose == Purpose::SignIn
            && let Some((name, style)) = shortcut(&exchange_cx)
        {
            let sent = exchange_cx.send(purpose, Proving::Opening(&name, style));
            return Self::after(sent, purpose, 0, |tx| Phase::Opening { tx, credentials: None });
        }
        let proving = if purpose == Purpose::Renew { Proving::Nothing } else { Proving::Current };
        let sent = exchange_cx.send(purpose, proving);
        Self::after(sent, purpose, 0, |tx| Phase::Plain { tx })
    }

    /// The transaction that is waited for.
    pub(super) fn tx(&self) -> Option<TxId> {
        match &self.step {
            Phase::Plain { tx }
            | Phase::Opening { tx, .. }
            | Phase::Establishing { tx, .. }
            | Phase::Answering { tx, .. } => Some(*tx),
            Phase::Asking { .. } => None,
        }
    }

    /// The question that is waited for.
    pub(super) fn ask(&self) -> Option<AskId> {
        if let Phase::Asking { ask, .. } = &self.step { Some(*ask) } else { None }
    }

    /// True once the server demanded a proof.
    pub(super) fn is_authenticating(&self) -> bool {
        !matches!(self.step, Phase::Plain { .. })
    }

    /// When a refused answer stands.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.refusal.as_ref().map(|refusal| Deadline::new(refusal.until, Why::RefusalVerdict))
    }

    /// Judges an answer by its signature, before the transaction sees it.
    pub(super) fn judge(
        &mut self,
        message: &Message,
        link: &mut ServerLink,
        places: SignaturePlaces,
        now: Now,
    ) -> SignatureVerdict {
        let Phase::Establishing { fresh, proved, .. } = &mut self.step else {
            return link.judge(message, places, now);
        };
        let by_fresh = fresh.verify(message, Side::Server, places == SignaturePlaces::PatentToo);
        let by_fresh = verdict_of(by_fresh.fault());
        *proved = by_fresh == SignatureVerdict::Signed;
        if *proved {
            return by_fresh;
        }
        match link.judge(message, places, now) {
            SignatureVerdict::Signed => SignatureVerdict::Signed,
            SignatureVerdict::Unsignable | SignatureVerdict::Refused(_) => by_fresh,
        }
    }

    /// The final answer of the transaction, judged and fed.
    pub(super) fn handle_final(
        self,
        message: Message,
        verdict: SignatureVerdict,
        mut exchange_cx: ExchangeContext<'_, '_>,
    ) -> Outcome {
        match message.status().unwrap_or_default() {
            401 | 407 => self.handle_challenge(&message, exchange_cx),
            423 if self.may_ask_longer(&message, exchange_cx.account) => {
                self.ask_longer(&message, exchange_cx)
            }
            status => {
                let proved = self.settle(&message, &mut exchange_cx);
                match status {
                    200..=299 => Outcome::Granted(message),
                    // Whoever gives a wrong proof leads nobody anywhere, whatever the account's rules.
                    300..=399 if !proved => {
                        Outcome::Redirected(message, SignatureVerdict::Refused(SignatureFault::BadSignature))
                    }
                    300..=399 => Outcome::Redirected(message, verdict),
                    _ => Outcome::Refused(message, verdict),
                }
            }
        }
    }

    /// Gives the exchange up; nothing of it is waited for any more.
    pub(super) fn abandon(self, cx: &mut Context<'_>) {
        if let Some(tx) = self.tx() {
            cx.transactions.abandon(tx);
        }
        if let Some(ask) = self.ask() {
            cx.forget(ask);
        }
    }

    /// Gives the exchange up because its connection is gone; a question to a person stays open for the
    /// next attempt.
    pub(super) fn interrupt(self, server: &ServerName, account: &mut Account, cx: &mut Context<'_>) {
        match &self.step {
            Phase::Asking { ask, offer, .. } => {
                let realm = challenge::printable(&offer.realm(), REALM_SHOWN);
                let reply = Reply::Open(*ask);
                account.prompt = Some(Box::new(Prompt { server: server.clone(), realm, reply }));
            }
            _ => self.abandon(cx),
        }
    }

    /// The next step, or why there is none.
    pub(super) fn after(
        sent: Result<TxId, LoginError>,
        purpose: Purpose,
        rounds: u8,
        step: impl FnOnce(TxId) -> Phase,
    ) -> Outcome {
        match sent {
            Ok(tx) => Self::at(purpose, rounds, step(tx)),
            Err(error) => Outcome::Failed(error),
        }
    }

    pub(super) fn at(purpose: Purpose, rounds: u8, step: Phase) -> Outcome {
        Outcome::Pending(Box::new(Exchange { purpose, step, rounds, refusal: None }))
    }

    /// Keeps what the handshake brought, whatever the server decided. A final that only the association
    /// before signed says that the server stays with that one (decision 13).
    /// False if the server tried to prove that it knows the password, and does not.
    fn settle(self, message: &Message, exchange_cx: &mut ExchangeContext<'_, '_>) -> bool {
        match self.step {
            Phase::Establishing { fresh, proved: true, .. } => {
                exchange_cx.account.memory.refused_before = false;
                exchange_cx.account.memory.doubted = false;
                exchange_cx.account.memory.learn_login(&exchange_cx.link.named.host, remembered(&fresh));
                let overlap = exchange_cx.cx.agent.timers.t1 * 64;
                exchange_cx.link.adopt(*fresh, overlap, exchange_cx.cx.now);
                true
            }
            Phase::Answering { session, style, .. } => {
                exchange_cx.account.memory.refused_before = false;
                exchange_cx.link.adopt_digest(session, style);
                exchange_cx.link.follow_nonce(message, exchange_cx.account, exchange_cx.cx)
            }
            Phase::Plain { .. } => {
                exchange_cx.link.follow_nonce(message, exchange_cx.account, exchange_cx.cx)
            }
            Phase::Establishing { .. } | Phase::Opening { .. } | Phase::Asking { .. } => true,
        }
    }

    fn may_ask_longer(&self, message: &Message, account: &Account) -> bool {
        let least = minimum(message);
        self.purpose != Purpose::SignOut
            && self.rounds < MOST_ROUNDS
            && least.is_some_and(|least| least > account.expires)
    }

    /// 423 Interval Too Brief: the same again, for as long as the server wants (RFC 3261 section 10.2.8).
    fn ask_longer(self, message: &Message, mut exchange_cx: ExchangeContext<'_, '_>) -> Outcome {
        let (purpose, rounds) = (self.purpose, self.rounds + 1);
        exchange_cx.account.expires = minimum(message).unwrap_or(exchange_cx.account.expires);
        self.settle(message, &mut exchange_cx);
        let sent = exchange_cx.send(purpose, Proving::Current);
        Self::after(sent, purpose, rounds, |tx| Phase::Plain { tx })
    }
}

impl ExchangeContext<'_, '_> {
    /// Sends the REGISTER of an exchange and counts it.
    pub(super) fn send(&mut self, purpose: Purpose, proving: Proving<'_>) -> Result<TxId, LoginError> {
        let lifetime = match purpose {
            Purpose::SignIn => Lifetime::Wish(self.account.expires),
            Purpose::Refresh | Purpose::Renew => Lifetime::Keep(self.account.expires),
            Purpose::SignOut => Lifetime::End,
        };
        if let Some(attempt) = &mut self.attempt {
            attempt.asked();
        }
        let sent = self.link.register(lifetime, proving, self.account, self.cx);
        sent.map_err(|_| LoginError::NoAnswer { server: self.link.server.clone() })
    }
}

/// What the first REGISTER may carry because an earlier login to this very server taught it (decision 10).
fn shortcut(exchange_cx: &ExchangeContext<'_, '_>) -> Option<(AssociationName, Style)> {
    let known = exchange_cx.account.memory.login_of(&exchange_cx.link.named.host)?;
    if exchange_cx.account.config.auth.schemes.first() != Some(&Scheme::Ntlm) {
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
    Some((name, if known.proxy_headers { Style::Proxy } else { Style::Registrar }))
}

fn remembered(association: &Association) -> RememberedLogin {
    let name = association.name();
    RememberedLogin {
        realm: name.realm.to_string(),
        targetname: name.targetname.to_string(),
        version: name.version.number().and_then(|number| u8::try_from(number).ok()).unwrap_or(2),
        proxy_headers: association.style() == Style::Proxy,
    }
}

fn minimum(message: &Message) -> Option<u32> {
    let least = message.text(Name::MinExpires)?.trim().parse().ok()?;
    (least <= LONGEST).then_some(least)
}

/// Challenges, fall-backs and demands one REGISTER meets before it is given up.
pub(super) const MOST_ROUNDS: u8 = 6;
/// Characters of a realm that are shown to whoever is asked for the password.
pub(super) const REALM_SHOWN: usize = 128;
/// The longest Expires a server may demand: a day.
const LONGEST: u32 = 86_400;
