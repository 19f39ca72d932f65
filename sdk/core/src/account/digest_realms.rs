//! The Digest sessions of one link, one for each realm that demanded a proof (RFC 3261 section 22.3).

use homing_wire::{Auth, Message, Method, Name};

use super::random::Random;
use crate::auth::digest::{AnsweredRequest, DigestChallenge, DigestSession, HashedSecret, InfoVerdict};
use crate::auth::security_association::Style;
use crate::auth::signed::{NoAssociation, Signed};

/// Sessions by realm, oldest first.
#[derive(Default)]
pub(crate) struct DigestRealms {
    first: Option<Realm>,
    /// Further realms; nearly every link has none.
    further: Vec<Realm>,
}

/// What a request answered to one realm: its server's proof is judged by this.
#[derive(Clone, Debug)]
pub(crate) struct SentAnswer {
    realm: Box<str>,
    nonce: Box<str>,
    nc: Box<str>,
    cnonce: Box<str>,
    /// `-sess`: what it was computed with. Nearly no answer has it.
    session_key: Option<Box<HashedSecret>>,
}

struct Realm {
    session: DigestSession,
    /// Which header fields it is answered in.
    style: Style,
}

impl DigestRealms {
    /// The session of that realm goes on under a new challenge with the secret it has.
    ///
    /// # Errors
    /// The challenge, if there is no session for it, or it asks for another secret.
    pub(crate) fn renew(&mut self, challenge: DigestChallenge, style: Style) -> Result<(), DigestChallenge> {
        let Some(known) = self.all_mut().find(|realm| realm.is_of(&challenge)) else {
            return Err(challenge);
        };
        known.session.renew(challenge)?;
        known.style = style;
        Ok(())
    }

    /// A session for a realm, in place of one for the same. False where too many realms want one.
    pub(crate) fn add(&mut self, session: DigestSession, style: Style) -> bool {
        self.forget(session.challenge());
        let room = self.all().count() < MOST_REALMS;
        if room {
            let realm = Realm { session, style };
            match &self.first {
                None => self.first = Some(realm),
                Some(_) => self.further.push(realm),
            }
        }
        room
    }

    /// True if that realm was answered before.
    pub(crate) fn knows(&self, challenge: &DigestChallenge) -> bool {
        self.first.iter().chain(&self.further).any(|realm| realm.is_of(challenge))
    }

    /// Forgets the session of a realm: its credentials were refused.
    pub(crate) fn forget(&mut self, challenge: &DigestChallenge) {
        self.first.take_if(|realm| realm.is_of(challenge));
        self.further.retain(|realm| !realm.is_of(challenge));
        if self.first.is_none() && !self.further.is_empty() {
            self.first = Some(self.further.remove(0));
        }
    }

    /// The request with the credentials of every realm. An ACK and a CANCEL have those of their INVITE
    /// already (RFC 3261 section 22.1).
    pub(crate) fn answer(&mut self, request: &Message, random: &mut dyn Random) -> Signed {
        let method = request.method().unwrap_or(Method::Register);
        if matches!(method, Method::Ack | Method::Cancel) {
            let carries = |name| request.auth(name).next().is_some();
            return if carries(Name::Authorization) || carries(Name::ProxyAuthorization) {
                Signed::by_digest(request.clone())
            } else {
                Signed::without(request.clone(), NoAssociation::Unchallenged)
            };
        }
        let uri = request.request_uri().unwrap_or_default();
        let mut answered = request.clone();
        for realm in self.all_mut() {
            let cnonce = random.cnonce();
            let value = realm.session.authorization(method.as_str(), uri, request.body(), &cnonce);
            answered = answered.with_header(realm.style.credentials(), value);
        }
        Signed::by_digest(answered)
    }

    /// What the request that was answered last gave to each realm.
    pub(crate) fn last_answers(&self) -> Vec<SentAnswer> {
        self.all().map(Realm::last_answer).collect()
    }

    /// Reads what a server says beside its answer to a request that gave `sent`: a proof that it knows the password,
    /// the next nonce. It names no realm, so of several sessions only one that it proves counts.
    pub(crate) fn handle_info(&mut self, message: &Message, uri: &str, sent: &[SentAnswer]) -> InfoVerdict {
        let alone = self.further.is_empty();
        let mut worst = InfoVerdict::Unproved;
        for realm in self.all_mut() {
            let Some(info) = message.auth(realm.style.info()).next() else { continue };
            if !alone && !proves(&info) {
                continue;
            }
            let Some(answer) = sent.iter().find(|answer| realm.has_given(answer)) else { continue };
            let SentAnswer { nonce, nc, cnonce, session_key, .. } = answer;
            let session_key = session_key.as_deref();
            let request = AnsweredRequest { uri, body: message.body(), nonce, nc, cnonce, session_key };
            match realm.session.handle_info(&info, request) {
                InfoVerdict::Proved => return InfoVerdict::Proved,
                InfoVerdict::Wrong => worst = InfoVerdict::Wrong,
                InfoVerdict::Unproved => {}
            }
        }
        worst
    }

    /// True without sessions.
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn all(&self) -> impl Iterator<Item = &Realm> {
        self.first.iter().chain(&self.further)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Realm> {
        self.first.iter_mut().chain(&mut self.further)
    }
}

impl Realm {
    fn last_answer(&self) -> SentAnswer {
        let (nonce, nc, cnonce) = self.session.last_answer();
        let realm = self.session.challenge().realm_as_written().into();
        let session_key = self.session.session_key().cloned().map(Box::new);
        SentAnswer { realm, nonce: nonce.into(), nc: nc.into(), cnonce: cnonce.into(), session_key }
    }

    fn has_given(&self, answer: &SentAnswer) -> bool {
        self.session.challenge().realm_as_written() == &*answer.realm
    }

    fn is_of(&self, challenge: &DigestChallenge) -> bool {
        self.session.challenge().realm_as_written() == challenge.realm_as_written()
    }
}

fn proves(info: &Auth<'_>) -> bool {
    info.param("rspauth").is_some()
}

/// Realms of one link that are answered.
pub(crate) const MOST_REALMS: usize = 4;
