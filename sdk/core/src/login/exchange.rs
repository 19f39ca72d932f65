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
use super::challenge::{self, Offer};
use super::conversation::{Conversation, Lifetime, Proving, standing};
use super::desk::Desk;
use super::prompt::{Prompt, Reply};
use super::redirect::Standing;
use super::refusal::Refusal;
use super::trip::Trip;
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
    pub(super) aim: Aim,
    pub(super) step: Step,
    /// Challenges and other demands met so far.
    pub(super) rounds: u8,
    /// A final answer that was not believed, and until when a better one is waited for.
    pub refusal: Option<Refusal>,
}

/// What a REGISTER is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
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
pub(super) struct Talk<'a, 'd> {
    /// With whom.
    pub conversation: &'a mut Conversation,
    /// For whom.
    pub account: &'a mut Account,
    /// The login's way, while there is a login.
    pub trip: Option<&'a mut Trip>,
    /// The agent's tables.
    pub desk: &'a mut Desk<'d>,
}

/// What became of an input.
pub(super) enum Outcome {
    /// More is to come.
    Pending(Box<Exchange>),
    /// 2xx.
    Granted(Message),
    /// 3xx, and what its signature proved.
    Redirected(Message, Standing),
    /// Another final answer, and what its signature proved.
    Refused(Message, Standing),
    /// It came to nothing.
    Failed(LoginError),
}

/// Where an exchange stands.
pub(super) enum Step {
    /// A request as the conversation stands, signed or not.
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
    pub(super) fn start(aim: Aim, mut talk: Talk<'_, '_>) -> Outcome {
        if aim == Aim::SignIn
            && let Some((name, style)) = shortcut(&talk)
        {
            let sent = talk.send(aim, Proving::Opening(&name, style));
            return Self::after(sent, aim, 0, |tx| Step::Opening { tx, credentials: None });
        }
        let proving = if aim == Aim::Renew { Proving::Nothing } else { Proving::Standing };
        let sent = talk.send(aim, proving);
        Self::after(sent, aim, 0, |tx| Step::Plain { tx })
    }

    /// The transaction that is waited for.
    pub(super) fn tx(&self) -> Option<TxId> {
        match &self.step {
            Step::Plain { tx }
            | Step::Opening { tx, .. }
            | Step::Establishing { tx, .. }
            | Step::Answering { tx, .. } => Some(*tx),
            Step::Asking { .. } => None,
        }
    }

    /// The question that is waited for.
    pub(super) fn ask(&self) -> Option<AskId> {
        if let Step::Asking { ask, .. } = &self.step { Some(*ask) } else { None }
    }

    /// True once the server demanded a proof.
    pub(super) fn is_authenticating(&self) -> bool {
        !matches!(self.step, Step::Plain { .. })
    }

    /// When a refused answer stands.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.refusal.as_ref().map(|refusal| Deadline::new(refusal.until, Why::RefusalVerdict))
    }

    /// Judges an answer by its signature, before the transaction sees it.
    pub(super) fn judge(
        &mut self,
        message: &Message,
        conversation: &mut Conversation,
        places: SignaturePlaces,
        now: Now,
    ) -> Standing {
        let Step::Establishing { fresh, proved, .. } = &mut self.step else {
            return conversation.judge(message, places, now);
        };
        let verdict = fresh.verify(message, Side::Server, places == SignaturePlaces::PatentToo);
        let by_fresh = standing(verdict.fault());
        *proved = by_fresh == Standing::Signed;
        if *proved {
            return by_fresh;
        }
        match conversation.judge(message, places, now) {
            Standing::Signed => Standing::Signed,
            Standing::Unsignable | Standing::Refused(_) => by_fresh,
        }
    }

    /// The final answer of the transaction, judged and fed.
    pub(super) fn handle_final(
        self,
        message: Message,
        standing: Standing,
        mut talk: Talk<'_, '_>,
    ) -> Outcome {
        match message.status().unwrap_or_default() {
            401 | 407 => self.handle_challenge(&message, talk),
            423 if self.may_ask_longer(&message, talk.account) => self.ask_longer(&message, talk),
            status => {
                let proved = self.settle(&message, &mut talk);
                match status {
                    200..=299 => Outcome::Granted(message),
                    // Whoever gives a wrong proof leads nobody anywhere, whatever the account's rules.
                    300..=399 if !proved => {
                        Outcome::Redirected(message, Standing::Refused(SignatureFault::BadSignature))
                    }
                    300..=399 => Outcome::Redirected(message, standing),
                    _ => Outcome::Refused(message, standing),
                }
            }
        }
    }

    /// Gives the exchange up; nothing of it is waited for any more.
    pub(super) fn abandon(self, desk: &mut Desk<'_>) {
        if let Some(tx) = self.tx() {
            desk.transactions.abandon(tx);
        }
        if let Some(ask) = self.ask() {
            desk.forget(ask);
        }
    }

    /// Gives the exchange up because its connection is gone; a question to a person stays open for the
    /// next attempt.
    pub(super) fn interrupt(self, server: &ServerName, account: &mut Account, desk: &mut Desk<'_>) {
        match &self.step {
            Step::Asking { ask, offer, .. } => {
                let realm = challenge::printable(&offer.realm(), REALM_SHOWN);
                let reply = Reply::Open(*ask);
                account.prompt = Some(Box::new(Prompt { server: server.clone(), realm, reply }));
            }
            _ => self.abandon(desk),
        }
    }

    /// The next step, or why there is none.
    pub(super) fn after(
        sent: Result<TxId, LoginError>,
        aim: Aim,
        rounds: u8,
        step: impl FnOnce(TxId) -> Step,
    ) -> Outcome {
        match sent {
            Ok(tx) => Self::at(aim, rounds, step(tx)),
            Err(error) => Outcome::Failed(error),
        }
    }

    pub(super) fn at(aim: Aim, rounds: u8, step: Step) -> Outcome {
        Outcome::Pending(Box::new(Exchange { aim, step, rounds, refusal: None }))
    }

    /// Keeps what the handshake brought, whatever the server decided. A final that only the association
    /// before signed says that the server stays with that one (decision 13).
    /// False if the server tried to prove that it knows the password, and does not.
    fn settle(self, message: &Message, talk: &mut Talk<'_, '_>) -> bool {
        match self.step {
            Step::Establishing { fresh, proved: true, .. } => {
                talk.account.memory.refused_before = false;
                talk.account.memory.doubted = false;
                talk.account.memory.learn_login(&talk.conversation.named.host, remembered(&fresh));
                let overlap = talk.desk.agent.timers.t1 * 64;
                talk.conversation.adopt(*fresh, overlap, talk.desk.now);
                true
            }
            Step::Answering { session, style, .. } => {
                talk.account.memory.refused_before = false;
                talk.conversation.adopt_digest(session, style);
                talk.conversation.follow_nonce(message, talk.account, talk.desk)
            }
            Step::Plain { .. } => talk.conversation.follow_nonce(message, talk.account, talk.desk),
            Step::Establishing { .. } | Step::Opening { .. } | Step::Asking { .. } => true,
        }
    }

    fn may_ask_longer(&self, message: &Message, account: &Account) -> bool {
        let least = minimum(message);
        self.aim != Aim::SignOut
            && self.rounds < MOST_ROUNDS
            && least.is_some_and(|least| least > account.expires)
    }

    /// 423 Interval Too Brief: the same again, for as long as the server wants (RFC 3261 section 10.2.8).
    fn ask_longer(self, message: &Message, mut talk: Talk<'_, '_>) -> Outcome {
        let (aim, rounds) = (self.aim, self.rounds + 1);
        talk.account.expires = minimum(message).unwrap_or(talk.account.expires);
        self.settle(message, &mut talk);
        let sent = talk.send(aim, Proving::Standing);
        Self::after(sent, aim, rounds, |tx| Step::Plain { tx })
    }
}

impl Talk<'_, '_> {
    /// Sends the REGISTER of an exchange and counts it.
    pub(super) fn send(&mut self, aim: Aim, proving: Proving<'_>) -> Result<TxId, LoginError> {
        let lifetime = match aim {
            Aim::SignIn => Lifetime::Wish(self.account.expires),
            Aim::Refresh | Aim::Renew => Lifetime::Keep(self.account.expires),
            Aim::SignOut => Lifetime::End,
        };
        if let Some(trip) = &mut self.trip {
            trip.asked();
        }
        let sent = self.conversation.register(lifetime, proving, self.account, self.desk);
        sent.map_err(|_| LoginError::NoAnswer { server: self.conversation.server.clone() })
    }
}

/// What the first REGISTER may carry because an earlier login to this very server taught it (decision 10).
fn shortcut(talk: &Talk<'_, '_>) -> Option<(AssociationName, Style)> {
    let known = talk.account.memory.login_of(&talk.conversation.named.host)?;
    if talk.account.config.auth.schemes.first() != Some(&Scheme::Ntlm) {
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
