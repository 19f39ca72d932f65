//! Answers the challenges of one REGISTER: which scheme, with whose credentials, and when to stop.

use std::time::Duration;

use homing_wire::Message;

use super::challenge::{self, Offer};
use super::exchange::{Exchange, ExchangeContext, MOST_ROUNDS, Outcome, Phase, Purpose, REALM_SHOWN};
use super::prompt::Reply;
use super::server_link::Proving;
use crate::auth::digest::DigestSession;
use crate::auth::ntlm::client::{self, MicPolicy};
use crate::auth::ntlm::{Binding, ClientRandom, NtlmError, NtlmIdentity, SessionKeys};
use crate::auth::security_association::{Association, SigningChallenge, Style};
use crate::config::ExtendedProtection;
use crate::counter::Counter;
use crate::error::{AuthError, TokenFault};
use crate::outbox::{Credentials, Question};
use crate::time::Moment;

impl Exchange {
    /// A 401 or 407.
    pub(super) fn handle_challenge(
        self,
        message: &Message,
        mut exchange_cx: ExchangeContext<'_, '_>,
    ) -> Outcome {
        let (purpose, rounds) = (self.purpose, self.rounds + 1);
        if rounds > MOST_ROUNDS {
            return exchange_cx.goes_round();
        }
        if matches!(self.step, Phase::Establishing { .. }) {
            return exchange_cx.token_refused();
        }
        let offer = {
            let chosen =
                challenge::choose(message, exchange_cx.link, exchange_cx.account, exchange_cx.cx.now);
            match chosen {
                Ok(offer) => offer,
                Err(error) => {
                    exchange_cx.cx.counters.count(Counter::RefusedChallenge);
                    return Outcome::Failed(error.into());
                }
            }
        };
        if let Some(attempt) = &mut exchange_cx.attempt {
            attempt.answered_with(offer.scheme(), offer.targetname());
        }
        match (self.step, offer) {
            (Phase::Plain { .. }, offer) => exchange_cx.begin(purpose, rounds, offer),
            (Phase::Opening { credentials: None, .. }, offer) => {
                if !matches!(&offer, Offer::Signing(challenge, _) if challenge.token.is_some()) {
                    let host = exchange_cx.link.named.host.clone();
                    exchange_cx.account.memory.forget_login(&host);
                }
                exchange_cx.ask(purpose, rounds, offer)
            }
            (Phase::Opening { credentials: Some(credentials), .. }, Offer::Signing(challenge, style)) => {
                match &challenge.token {
                    Some(_) => {
                        exchange_cx.establish(Round { purpose, rounds }, &challenge, style, &credentials)
                    }
                    None => exchange_cx.goes_round(),
                }
            }
            (Phase::Opening { .. }, Offer::Digest(..)) => exchange_cx.goes_round(),
            (Phase::Answering { session, .. }, Offer::Digest(challenge, style)) if challenge.stale() => {
                match session.renew(challenge) {
                    Ok(session) => exchange_cx.answer(Round { purpose, rounds }, Box::new(session), style),
                    Err(challenge) => exchange_cx.ask(purpose, rounds, Offer::Digest(challenge, style)),
                }
            }
            (Phase::Answering { .. }, _) => exchange_cx.rejected(),
            (step @ (Phase::Asking { .. } | Phase::Establishing { .. }), _) => {
                Exchange::at(purpose, rounds, step)
            }
        }
    }

    /// The world's answer to the question for credentials.
    pub(super) fn handle_credentials(
        self,
        credentials: Option<Credentials>,
        mut exchange_cx: ExchangeContext<'_, '_>,
    ) -> Outcome {
        let round = Round { purpose: self.purpose, rounds: self.rounds };
        match self.step {
            Phase::Asking { offer, since, .. } => exchange_cx.answer_offer(round, offer, since, credentials),
            step => Exchange::at(round.purpose, round.rounds, step),
        }
    }
}

/// What an exchange keeps from step to step.
#[derive(Clone, Copy)]
struct Round {
    purpose: Purpose,
    rounds: u8,
}

impl ExchangeContext<'_, '_> {
    /// The first challenge to a request that proved what there was to prove.
    fn begin(&mut self, purpose: Purpose, rounds: u8, offer: Offer) -> Outcome {
        let had_association = self.link.association().is_some();
        if had_association && purpose != Purpose::Renew {
            let most = self.cx.agent.limits.challenges_per_minute;
            if !self.account.handshakes.admit(most, self.cx.now) {
                self.cx.counters.count(Counter::ChallengeRate);
                return self.goes_round();
            }
        }
        // A nonce that was used for long is challenged anew: the secret is still at hand.
        if let Offer::Digest(challenge, style) = offer {
            let Some((session, _)) = self.link.take_digest() else {
                return self.ask(purpose, rounds, Offer::Digest(challenge, style));
            };
            return match session.renew(challenge) {
                Ok(session) => self.answer(Round { purpose, rounds }, Box::new(session), style),
                Err(challenge) => self.ask(purpose, rounds, Offer::Digest(challenge, style)),
            };
        }
        self.ask(purpose, rounds, offer)
    }

    /// Answers a challenge that came at `since` with what the world gave. A server forgets a handshake
    /// that nobody ends; a person may be slower than that, so a CHALLENGE that grew old is asked for anew.
    /// It is never tried first: a wrong password would count twice.
    fn answer_offer(
        &mut self,
        round: Round,
        offer: Offer,
        since: Moment,
        credentials: Option<Credentials>,
    ) -> Outcome {
        let Some(credentials) = credentials else {
            let server = self.link.server.clone();
            return Outcome::Failed(AuthError::NoCredentials { server }.into());
        };
        let is_fresh = self.cx.now.since_start.since(since) < FRESH;
        match offer {
            Offer::Signing(challenge, style) if challenge.token.is_some() && is_fresh => {
                self.establish(round, &challenge, style, &credentials)
            }
            Offer::Signing(challenge, style) => {
                let sent = self.send(round.purpose, Proving::Opening(&challenge.name, style));
                let step = |tx| Phase::Opening { tx, credentials: Some(credentials) };
                Exchange::after(sent, round.purpose, round.rounds, step)
            }
            Offer::Digest(challenge, style) => {
                let session = DigestSession::new(challenge, &credentials.user, &credentials.password);
                self.answer(round, Box::new(session), style)
            }
        }
    }

    fn ask(&mut self, purpose: Purpose, rounds: u8, offer: Offer) -> Outcome {
        let realm = challenge::printable(&offer.realm(), REALM_SHOWN);
        let since = self.cx.now.since_start;
        match self.account.take_prompt(&self.link.server, &realm, self.cx) {
            Some(Reply::Open(ask)) => {
                return Exchange::at(purpose, rounds, Phase::Asking { ask, offer, since });
            }
            Some(Reply::Given(given)) => {
                return self.answer_offer(Round { purpose, rounds }, offer, since, given);
            }
            None => {}
        }
        let question = Question::Credentials {
            account: self.account.id,
            server: self.link.server.clone(),
            realm,
            refused_before: self.account.memory.refused_before,
        };
        let ask = self.cx.ask(question, None);
        Exchange::at(purpose, rounds, Phase::Asking { ask, offer, since })
    }

    /// Answers a CHALLENGE with the token that establishes the association.
    fn establish(
        &mut self,
        round: Round,
        challenge: &SigningChallenge,
        style: Style,
        credentials: &Credentials,
    ) -> Outcome {
        let (token, keys) = match self.token(challenge, credentials) {
            Ok(made) => made,
            Err(why) => {
                self.cx.counters.count(Counter::RefusedChallenge);
                let server = self.link.server.clone();
                return Outcome::Failed(AuthError::BadToken { server, why }.into());
            }
        };
        let opaque = challenge.opaque.as_deref().unwrap_or_default();
        let name = challenge.name.clone();
        let mut fresh = Box::new(Association::new(name, opaque, style, keys.into(), self.cx.now));
        let sent = self.send(round.purpose, Proving::Token(&mut fresh, &token));
        Exchange::after(sent, round.purpose, round.rounds, |tx| Phase::Establishing {
            tx,
            fresh,
            proved: false,
        })
    }

    fn token(
        &mut self,
        challenge: &SigningChallenge,
        credentials: &Credentials,
    ) -> Result<(Vec<u8>, SessionKeys), TokenFault> {
        let spn = format!("sip/{}", challenge.name.targetname);
        let channel = self.link.proof.as_ref().map(|proof| client::channel_binding(&proof.end_point_hash));
        let binding = match self.account.config.auth.extended_protection {
            ExtendedProtection::Off => Binding::plain(),
            ExtendedProtection::Accept => Binding::protected(&spn, channel),
            ExtendedProtection::Require if channel.is_none() => return Err(TokenFault::NoProtection),
            ExtendedProtection::Require => {
                Binding { mic: MicPolicy::Always, ..Binding::protected(&spn, channel) }
            }
        };
        let who = NtlmIdentity {
            user: &credentials.user,
            domain: &credentials.domain,
            workstation: &self.cx.agent.workstation,
            password: &credentials.password,
        };
        let rng = ClientRandom {
            client_challenge: self.cx.random.client_challenge(),
            exported_session_key: self.cx.random.session_key(),
        };
        let offered = challenge.token.as_deref().unwrap_or_default();
        client::authenticate(offered, &who, &binding, &rng, self.cx.now.wall.filetime()).map_err(fault)
    }

    fn answer(&mut self, round: Round, mut session: Box<DigestSession>, style: Style) -> Outcome {
        let sent = self.send(round.purpose, Proving::Digest(&mut session, style));
        Exchange::after(sent, round.purpose, round.rounds, |tx| Phase::Answering { tx, session, style })
    }

    /// The token was not accepted. Over UDP a server whose peer's address changed half-way says the same
    /// of a good token, so there only the second refusal is held against the password.
    fn token_refused(&mut self) -> Outcome {
        let steady = self.link.flow_ref.transport.is_reliable();
        if steady || std::mem::replace(&mut self.account.memory.doubted, true) {
            return self.rejected();
        }
        self.goes_round()
    }

    /// The credentials were not accepted.
    fn rejected(&mut self) -> Outcome {
        self.account.memory.refused_before = true;
        Outcome::Failed(AuthError::Rejected { server: self.link.server.clone() }.into())
    }

    /// The server demands what it was given.
    fn goes_round(&self) -> Outcome {
        Outcome::Failed(AuthError::ChallengeLoop { server: self.link.server.clone() }.into())
    }
}

fn fault(error: NtlmError) -> TokenFault {
    match error {
        NtlmError::Missing(_) => TokenFault::Weak,
        NtlmError::Unnamed => TokenFault::NoNames,
        NtlmError::NotAChallenge | NtlmError::BrokenAttributes | NtlmError::NameTooLong => {
            TokenFault::Structure
        }
    }
}

/// A CHALLENGE older than this is not answered: no server need hold one for long.
const FRESH: Duration = Duration::from_secs(5);
