//! Answers the challenges of one REGISTER: which scheme, with whose credentials, and when to stop.

use std::time::Duration;

use homing_wire::Message;

use super::challenge::{self, Offer};
use super::conversation::Proving;
use super::exchange::{Aim, Exchange, MOST_ROUNDS, Outcome, REALM_SHOWN, Step, Talk};
use super::prompt::Reply;
use crate::auth::digest::DigestSession;
use crate::auth::ntlm::client::{self, MicPolicy};
use crate::auth::ntlm::{Binding, ClientChance, NtlmError, NtlmIdentity, SessionKeys};
use crate::auth::security_association::{Association, SigningChallenge, Style};
use crate::config::ExtendedProtection;
use crate::counter::Counter;
use crate::error::{AuthError, TokenFault};
use crate::outbox::{Credentials, Question};
use crate::time::Moment;

impl Exchange {
    /// A 401 or 407.
    pub(super) fn handle_challenge(self, message: &Message, mut talk: Talk<'_, '_>) -> Outcome {
        let (aim, rounds) = (self.aim, self.rounds + 1);
        if rounds > MOST_ROUNDS {
            return talk.goes_round();
        }
        if matches!(self.step, Step::Establishing { .. }) {
            return talk.token_refused();
        }
        let offer = {
            let chosen = challenge::choose(message, talk.conversation, talk.account, talk.desk.now);
            match chosen {
                Ok(offer) => offer,
                Err(error) => {
                    talk.desk.counters.count(Counter::RefusedChallenge);
                    return Outcome::Failed(error.into());
                }
            }
        };
        if let Some(trip) = &mut talk.trip {
            trip.answered_with(offer.scheme(), offer.targetname());
        }
        match (self.step, offer) {
            (Step::Plain { .. }, offer) => talk.begin(aim, rounds, offer),
            (Step::Opening { credentials: None, .. }, offer) => {
                if !matches!(&offer, Offer::Signing(challenge, _) if challenge.token.is_some()) {
                    let host = talk.conversation.named.host.clone();
                    talk.account.memory.forget_login(&host);
                }
                talk.ask(aim, rounds, offer)
            }
            (Step::Opening { credentials: Some(credentials), .. }, Offer::Signing(challenge, style)) => {
                match &challenge.token {
                    Some(_) => talk.establish(Round { aim, rounds }, &challenge, style, &credentials),
                    None => talk.goes_round(),
                }
            }
            (Step::Opening { .. }, Offer::Digest(..)) => talk.goes_round(),
            (Step::Answering { session, .. }, Offer::Digest(challenge, style)) if challenge.stale() => {
                match session.renew(challenge) {
                    Ok(session) => talk.answer(Round { aim, rounds }, Box::new(session), style),
                    Err(challenge) => talk.ask(aim, rounds, Offer::Digest(challenge, style)),
                }
            }
            (Step::Answering { .. }, _) => talk.rejected(),
            (step @ (Step::Asking { .. } | Step::Establishing { .. }), _) => Exchange::at(aim, rounds, step),
        }
    }

    /// The world's answer to the question for credentials.
    pub(super) fn handle_credentials(
        self,
        credentials: Option<Credentials>,
        mut talk: Talk<'_, '_>,
    ) -> Outcome {
        let round = Round { aim: self.aim, rounds: self.rounds };
        match self.step {
            Step::Asking { offer, since, .. } => talk.answer_offer(round, offer, since, credentials),
            step => Exchange::at(round.aim, round.rounds, step),
        }
    }
}

/// What an exchange keeps from step to step.
#[derive(Clone, Copy)]
struct Round {
    aim: Aim,
    rounds: u8,
}

impl Talk<'_, '_> {
    /// The first challenge to a request that proved what there was to prove.
    fn begin(&mut self, aim: Aim, rounds: u8, offer: Offer) -> Outcome {
        let had_association = self.conversation.association().is_some();
        if had_association && aim != Aim::Renew {
            let most = self.desk.agent.limits.challenges_per_minute;
            if !self.account.handshakes.admit(most, self.desk.now) {
                self.desk.counters.count(Counter::ChallengeRate);
                return self.goes_round();
            }
        }
        // A nonce that was used for long is challenged anew: the secret is still at hand.
        if let Offer::Digest(challenge, style) = offer {
            let Some((session, _)) = self.conversation.take_digest() else {
                return self.ask(aim, rounds, Offer::Digest(challenge, style));
            };
            return match session.renew(challenge) {
                Ok(session) => self.answer(Round { aim, rounds }, Box::new(session), style),
                Err(challenge) => self.ask(aim, rounds, Offer::Digest(challenge, style)),
            };
        }
        self.ask(aim, rounds, offer)
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
            let server = self.conversation.server.clone();
            return Outcome::Failed(AuthError::NoCredentials { server }.into());
        };
        let is_fresh = self.desk.now.since_start.since(since) < FRESH;
        match offer {
            Offer::Signing(challenge, style) if challenge.token.is_some() && is_fresh => {
                self.establish(round, &challenge, style, &credentials)
            }
            Offer::Signing(challenge, style) => {
                let sent = self.send(round.aim, Proving::Opening(&challenge.name, style));
                let step = |tx| Step::Opening { tx, credentials: Some(credentials) };
                Exchange::after(sent, round.aim, round.rounds, step)
            }
            Offer::Digest(challenge, style) => {
                let session = DigestSession::new(challenge, &credentials.user, &credentials.password);
                self.answer(round, Box::new(session), style)
            }
        }
    }

    fn ask(&mut self, aim: Aim, rounds: u8, offer: Offer) -> Outcome {
        let realm = challenge::printable(&offer.realm(), REALM_SHOWN);
        let since = self.desk.now.since_start;
        match self.account.take_prompt(&self.conversation.server, &realm, self.desk) {
            Some(Reply::Open(ask)) => return Exchange::at(aim, rounds, Step::Asking { ask, offer, since }),
            Some(Reply::Given(given)) => {
                return self.answer_offer(Round { aim, rounds }, offer, since, given);
            }
            None => {}
        }
        let question = Question::Credentials {
            account: self.account.id,
            server: self.conversation.server.clone(),
            realm,
            refused_before: self.account.memory.refused_before,
        };
        let ask = self.desk.ask(question, None);
        Exchange::at(aim, rounds, Step::Asking { ask, offer, since })
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
                self.desk.counters.count(Counter::RefusedChallenge);
                let server = self.conversation.server.clone();
                return Outcome::Failed(AuthError::BadToken { server, why }.into());
            }
        };
        let opaque = challenge.opaque.as_deref().unwrap_or_default();
        let name = challenge.name.clone();
        let mut fresh = Box::new(Association::new(name, opaque, style, keys.into(), self.desk.now));
        let sent = self.send(round.aim, Proving::Token(&mut fresh, &token));
        Exchange::after(sent, round.aim, round.rounds, |tx| Step::Establishing { tx, fresh, proved: false })
    }

    fn token(
        &mut self,
        challenge: &SigningChallenge,
        credentials: &Credentials,
    ) -> Result<(Vec<u8>, SessionKeys), TokenFault> {
        let spn = format!("sip/{}", challenge.name.targetname);
        let channel =
            self.conversation.proof.as_ref().map(|proof| client::channel_binding(&proof.end_point_hash));
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
            workstation: &self.desk.agent.workstation,
            password: &credentials.password,
        };
        let chance = ClientChance {
            client_challenge: self.desk.draws.client_challenge(),
            exported_session_key: self.desk.draws.session_key(),
        };
        let offered = challenge.token.as_deref().unwrap_or_default();
        client::authenticate(offered, &who, &binding, &chance, self.desk.now.wall.filetime()).map_err(fault)
    }

    fn answer(&mut self, round: Round, mut session: Box<DigestSession>, style: Style) -> Outcome {
        let sent = self.send(round.aim, Proving::Digest(&mut session, style));
        Exchange::after(sent, round.aim, round.rounds, |tx| Step::Answering { tx, session, style })
    }

    /// The token was not accepted. Over UDP a server whose peer's address changed half-way says the same
    /// of a good token, so there only the second refusal is held against the password.
    fn token_refused(&mut self) -> Outcome {
        let steady = self.conversation.road.transport.is_reliable();
        if steady || std::mem::replace(&mut self.account.memory.doubted, true) {
            return self.rejected();
        }
        self.goes_round()
    }

    /// The credentials were not accepted.
    fn rejected(&mut self) -> Outcome {
        self.account.memory.refused_before = true;
        Outcome::Failed(AuthError::Rejected { server: self.conversation.server.clone() }.into())
    }

    /// The server demands what it was given.
    fn goes_round(&self) -> Outcome {
        Outcome::Failed(AuthError::ChallengeLoop { server: self.conversation.server.clone() }.into())
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
