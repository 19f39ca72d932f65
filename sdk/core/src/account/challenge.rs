//! Which of a server's challenges is answered, and what a challenge must not say.

use std::time::Duration;

use homing_wire::{Auth, Date, Message};
use smallvec::SmallVec;

use super::Account;
use super::digest_realms::MOST_REALMS;
use super::server_link::ServerLink;
use crate::auth::digest::{self, DigestChallenge, DigestRules};
use crate::auth::security_association::{ChallengeFault, SigningChallenge, Style};
use crate::config::{QopRule, Scheme, TargetNameRule};
use crate::error::{AuthError, TokenFault};
use crate::identity::lies_within;
use crate::time::Now;

/// The challenge that is answered, and the family of header fields it came in.
pub(crate) enum Offer {
    /// NTLM.
    Signing(SigningChallenge, Style),
    /// Digest: one challenge for each realm (RFC 3261 section 22.3).
    Digest(SmallVec<[RealmChallenge; 1]>),
}

/// The challenge of one realm, and the family of header fields it came in.
pub(crate) struct RealmChallenge {
    pub(crate) challenge: DigestChallenge,
    pub(crate) style: Style,
}

impl Offer {
    pub(crate) fn scheme(&self) -> Scheme {
        match self {
            Offer::Signing(..) => Scheme::Ntlm,
            Offer::Digest(..) => Scheme::Digest,
        }
    }

    /// How the server calls itself.
    pub(crate) fn targetname(&self) -> Option<&str> {
        match self {
            Offer::Signing(challenge, _) => Some(&challenge.name.targetname),
            Offer::Digest(..) => None,
        }
    }
}

/// Chooses among the challenges of a 401 or 407 by the account's own order, never by the server's.
///
/// # Errors
/// [`AuthError::NoCommonScheme`] if there is nothing to choose; else what is wrong with the one chosen:
/// its token, the clock, or the server it names.
pub(crate) fn choose(
    message: &Message,
    link: &ServerLink,
    account: &mut Account,
    now: Now,
) -> Result<Offer, AuthError> {
    let server = || link.server.clone();
    let rules = &account.config.auth;
    let rules = DigestRules { allow_md5: rules.allow_md5, require_qop: rules.qop == QopRule::Required };
    for scheme in account.config.auth.schemes.clone() {
        match scheme {
            Scheme::Ntlm => match signing(message) {
                Some(Ok(offer)) => {
                    check_clock(message, link, now)?;
                    check_target(&offer, link, account)?;
                    return Ok(offer);
                }
                Some(Err(ChallengeFault::Token)) => {
                    return Err(AuthError::BadToken { server: server(), why: TokenFault::Encoding });
                }
                Some(Err(_)) | None => {}
            },
            Scheme::Digest => {
                let offered = digest(message, rules);
                let mut realms: SmallVec<[RealmChallenge; 1]> = SmallVec::new();
                let mut weaker = None;
                for one in offered {
                    match account.offers.admit(&one.challenge) {
                        true => realms.push(one),
                        false => weaker = Some(printable(&one.challenge.realm(), NAME_SHOWN)),
                    }
                }
                match (realms.is_empty(), weaker) {
                    (false, _) => return Ok(Offer::Digest(realms)),
                    (true, Some(realm)) => return Err(AuthError::Weaker { server: server(), realm }),
                    (true, None) => {}
                }
            }
        }
    }
    Err(AuthError::NoCommonScheme { server: server(), offered: offered(message) })
}

fn signing(message: &Message) -> Option<Result<Offer, ChallengeFault>> {
    let mut fault = None;
    for style in STYLES {
        for auth in message.auth(style.challenge()).filter(|auth| auth.is("NTLM")) {
            match SigningChallenge::parse(&auth) {
                Ok(challenge) => return Some(Ok(Offer::Signing(challenge, style))),
                Err(why) => fault = Some(Err(why)),
            }
        }
    }
    fault
}

/// The strongest challenge of each realm; a realm that stands in both families of header fields counts in the
/// registrar's.
fn digest(message: &Message, rules: DigestRules) -> SmallVec<[RealmChallenge; 1]> {
    let mut realms: SmallVec<[RealmChallenge; 1]> = SmallVec::new();
    for style in STYLES {
        for challenge in digest::strongest_of_each_realm(message.auth(style.challenge()), rules) {
            let same =
                |known: &RealmChallenge| known.challenge.realm_as_written() == challenge.realm_as_written();
            if realms.len() < MOST_REALMS && !realms.iter().any(same) {
                realms.push(RealmChallenge { challenge, style });
            }
        }
    }
    realms
}

/// A challenge carries the server's time; NTLM allows a quarter of an hour (MS-SIPAE 3.2.5).
fn check_clock(message: &Message, link: &ServerLink, now: Now) -> Result<(), AuthError> {
    let Ok(Some(date)) = message.get::<Date>() else { return Ok(()) };
    let skew = Duration::from_secs(date.0.abs_diff(now.wall.unix_seconds()));
    if skew <= SKEW {
        return Ok(());
    }
    Err(AuthError::Clock { server: link.server.clone(), minutes: skew.as_secs() / 60 })
}

/// Over TLS the server must be one of those its certificate names: a server that passes another's challenge
/// on gets that one's login (a relay). Where proxies do so by design, the account says so (decision 15).
fn check_target(offer: &Offer, link: &ServerLink, account: &Account) -> Result<(), AuthError> {
    let (Some(named), Some(proof)) = (offer.targetname(), &link.proof) else { return Ok(()) };
    let is_carried = proof.names.iter().any(|name| name.eq_ignore_ascii_case(named));
    let is_passed_on = match account.config.auth.target_name {
        TargetNameRule::Verified => false,
        TargetNameRule::InDomain => lies_within(named, &account.config.aor.domain),
    };
    if is_carried || is_passed_on {
        return Ok(());
    }
    Err(AuthError::OtherTarget { server: link.server.clone(), named: printable(named, NAME_SHOWN) })
}

fn offered(message: &Message) -> String {
    let mut schemes: Vec<String> = Vec::new();
    for style in STYLES {
        for auth in message.auth(style.challenge()) {
            let scheme = described(&auth);
            if !schemes.contains(&scheme) && schemes.len() < SCHEMES_SHOWN {
                schemes.push(scheme);
            }
        }
    }
    if schemes.is_empty() { "nothing".to_owned() } else { schemes.join(", ") }
}

fn described(auth: &Auth<'_>) -> String {
    let scheme = printable(auth.scheme, SCHEME_SHOWN);
    match auth.param("algorithm") {
        Some(algorithm) => format!("{scheme} {}{}", printable(algorithm, SCHEME_SHOWN), without_qop(auth)),
        None if auth.is("Digest") => format!("{scheme} MD5{}", without_qop(auth)),
        None => scheme,
    }
}

fn without_qop(auth: &Auth<'_>) -> &'static str {
    let has_qop = auth.param("qop").is_some_and(|qop| !qop.is_empty());
    if auth.is("Digest") && !has_qop { " without qop" } else { "" }
}

/// True for a 401 or 407 without any challenge.
pub(crate) fn is_bare(message: &Message) -> bool {
    STYLES.iter().all(|style| message.auth(style.challenge()).next().is_none())
}

/// Peer text cut to what an error may carry.
pub(crate) fn printable(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

const STYLES: [Style; 2] = [Style::Registrar, Style::Proxy];
const SKEW: Duration = Duration::from_secs(15 * 60);
const NAME_SHOWN: usize = 128;
const SCHEMES_SHOWN: usize = 6;
const SCHEME_SHOWN: usize = 24;
