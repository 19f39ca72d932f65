//! What a redirect of a REGISTER may do: patent paragraph 67, and the rules that keep it honest.
//!
//! Pure: a redirect, the account's rules and the journey in; where to go, or the reason why not, out.
//! The signature covers neither Contact nor Request-URI (MS-SIPAE), therefore the transport, the
//! domain and the To tag are looked at here, and the next server's certificate after that.

use std::net::IpAddr;

use homing_wire::{Contact, HeaderError, Host, Message, Uri};

use super::visited::Visited;
use crate::account::acceptance::SignatureVerdict;
use crate::auth::contact_binding::{self, TagVerdict, Target};
use crate::config::{AccountConfig, LoopRule, RedirectRules};
use crate::error::{RedirectError, SignatureFault};
use crate::identity::{Expected, lies_within};
use crate::server::ServerName;
use crate::transport::Transport;

/// A redirect as it arrived.
#[derive(Clone, Debug)]
pub struct Redirect<'m> {
    /// Who sent it, as dialled.
    pub from: &'m ServerName,
    /// The transport it came by.
    pub transport: Transport,
    /// The status code.
    pub status: u16,
    /// What its signature proved.
    pub verdict: SignatureVerdict,
    /// The tag of its To header; empty for none.
    pub to_tag: &'m str,
    /// Its Contacts in message order; a Contact that is no URI is an empty text.
    pub contacts: Vec<Target<'m>>,
}

/// How far a login has come when a redirect arrives.
#[derive(Clone, Copy, Debug)]
pub struct RedirectContext<'a> {
    /// The servers visited, the sender last.
    pub visited: &'a Visited,
    /// Redirects followed so far in this login.
    pub followed: usize,
    /// True if a redirect led to the sender.
    pub was_redirected: bool,
}

/// A server a redirect leads to, after every rule was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectTarget {
    /// Host as written, lower case.
    pub host: String,
    /// Port, if written.
    pub port: Option<u16>,
    /// TLS for a `sips` URI, else as the Contact says, else that of the redirect.
    pub transport: Transport,
    /// Whom its certificate must name (decision 24).
    pub expected: Expected,
}

/// Decides on a redirect: the servers to try, best first, or the reason for staying.
///
/// Only the best usable target is held against the servers visited; visited ones further down the
/// list are left out.
///
/// # Errors
/// The first rule that is broken, in the order of the checks: signature, status, length, Contact binding,
/// transport, limit, Contacts, loop.
pub fn follow(
    redirect: &Redirect<'_>,
    account: &AccountConfig,
    at: RedirectContext<'_>,
    most: usize,
) -> Result<Vec<RedirectTarget>, RedirectError> {
    let rules = &account.redirect;
    believe(redirect, rules)?;
    admit(redirect, rules, at.followed)?;
    let mut targets = usable(redirect, account)?;
    let best = targets.first().map(RedirectTarget::server);
    let best = best.ok_or_else(|| RedirectError::NoUsableContact { server: redirect.from.clone() })?;
    if rules.loops == LoopRule::StrictPatent && at.was_redirected {
        return Err(RedirectError::Loop { server: best, first_seen: at.visited.len() });
    }
    if let Some(first_seen) = at.visited.position(&best) {
        return Err(RedirectError::Loop { server: best, first_seen });
    }
    targets.retain(|target| at.visited.position(&target.server()).is_none());
    targets.truncate(most);
    Ok(targets)
}

/// Decides on a redirect of a request other than REGISTER, which was sent to the URIs in `asked`: the next one.
///
/// It moves no outbound proxy (decision 3). Without an association nothing need sign it: it leads to no other server
/// than the one that gave it, or, for an account without registrar, to one that gets no credentials.
///
/// # Errors
/// The first rule that is broken, in the order of [`follow`].
pub(crate) fn onward_uri(
    redirect: &Redirect<'_>,
    account: &AccountConfig,
    asked: &[Box<str>],
) -> Result<Box<str>, RedirectError> {
    let rules = &account.redirect;
    if redirect.verdict != SignatureVerdict::Unsignable {
        believe(redirect, rules)?;
    }
    let followed = asked.len().saturating_sub(1);
    admit(redirect, rules, followed)?;
    let mut objection = None;
    for contact in best_first(redirect) {
        let why = match target(contact.uri, redirect, account) {
            Ok(target) => {
                let first_seen = asked.iter().position(|known| is_same_uri(known, contact.uri));
                let is_strict = rules.loops == LoopRule::StrictPatent && followed > 0;
                match first_seen.or_else(|| is_strict.then_some(followed)) {
                    None => return Ok(contact.uri.into()),
                    Some(place) => RedirectError::Loop { server: target.server(), first_seen: place + 1 },
                }
            }
            Err(why) => why,
        };
        objection.get_or_insert(why);
    }
    Err(objection.unwrap_or_else(|| RedirectError::NoUsableContact { server: redirect.from.clone() }))
}

/// The Contacts of a redirect in message order; what is no address becomes an empty text, so that the binding of the To
/// tag sees it.
pub(crate) fn contacts(message: &Message) -> Vec<Target<'_>> {
    // One more than may be used, so that a list that is too long does not pass for a shorter one.
    message.all::<Contact<'_>>().take(MOST_CONTACTS + 1).map(written).collect()
}

fn written<'m>(contact: Result<Contact<'m>, HeaderError>) -> Target<'m> {
    match contact {
        Ok(contact) => Target { uri: contact.addr().map_or("", |addr| addr.uri_str()), q: contact.q() },
        Err(_) => Target { uri: "", q: None },
    }
}

/// What holds for a redirect of any request, before its Contacts are looked at.
fn admit(redirect: &Redirect<'_>, rules: &RedirectRules, followed: usize) -> Result<(), RedirectError> {
    if !rules.follows_status(redirect.status) {
        return Err(RedirectError::Status { status: redirect.status });
    }
    if redirect.contacts.len() > MOST_CONTACTS {
        return Err(RedirectError::TooManyContacts { server: redirect.from.clone(), most: MOST_CONTACTS });
    }
    if redirect.verdict == SignatureVerdict::Signed
        && contact_binding::judge(redirect.to_tag, redirect.contacts.iter().copied()) == TagVerdict::Altered
    {
        return Err(RedirectError::ContactChanged { server: redirect.from.clone() });
    }
    if rules.require_tls && !redirect.transport.is_secure() {
        return Err(RedirectError::NotSecure { server: redirect.from.clone() });
    }
    if followed >= usize::from(rules.limit) {
        return Err(RedirectError::TooMany { limit: rules.limit });
    }
    Ok(())
}

/// True if both are one address (RFC 3261 section 19.1.4).
fn is_same_uri(one: &str, other: &str) -> bool {
    Uri::parse(one).is_ok_and(|one| Uri::parse(other).is_ok_and(|other| one.equivalent(&other)))
}

fn best_first<'r, 'm>(redirect: &'r Redirect<'m>) -> Vec<&'r Target<'m>> {
    let mut contacts: Vec<&Target<'_>> = redirect.contacts.iter().collect();
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q.unwrap_or(1_000)));
    contacts
}

impl RedirectTarget {
    /// The server as it is going to be dialled.
    pub fn server(&self) -> ServerName {
        ServerName::new(&self.host, self.port.unwrap_or(self.transport.default_port()))
    }
}

/// Whom the certificate of `host` must name, if the rules would let a redirect lead there.
pub fn trusted(host: &str, account: &AccountConfig) -> Option<Expected> {
    judge_host(host, host.parse().ok(), account).ok()
}

fn believe(redirect: &Redirect<'_>, rules: &RedirectRules) -> Result<(), RedirectError> {
    let server = || redirect.from.clone();
    match redirect.verdict {
        SignatureVerdict::Signed => Ok(()),
        SignatureVerdict::Refused(SignatureFault::Unsigned) => {
            Err(RedirectError::Unsigned { server: server() })
        }
        SignatureVerdict::Refused(why) => Err(RedirectError::BadSignature { server: server(), why }),
        SignatureVerdict::Unsignable if rules.follows_unsigned(redirect.transport) => Ok(()),
        SignatureVerdict::Unsignable => Err(RedirectError::Unsigned { server: server() }),
    }
}

/// The Contacts that break no rule, best first; if there is none, what is wrong with the best.
fn usable(redirect: &Redirect<'_>, account: &AccountConfig) -> Result<Vec<RedirectTarget>, RedirectError> {
    let mut targets: Vec<RedirectTarget> = Vec::new();
    let mut objection = None;
    for contact in best_first(redirect) {
        match target(contact.uri, redirect, account) {
            Ok(target) if targets.iter().any(|known| known.server() == target.server()) => {}
            Ok(target) => targets.push(target),
            Err(why) => {
                objection.get_or_insert(why);
            }
        }
    }
    match objection {
        Some(why) if targets.is_empty() => Err(why),
        Some(_) | None => Ok(targets),
    }
}

/// One Contact under the rules.
fn target(
    text: &str,
    redirect: &Redirect<'_>,
    account: &AccountConfig,
) -> Result<RedirectTarget, RedirectError> {
    let unusable = || RedirectError::NoUsableContact { server: redirect.from.clone() };
    let uri = Uri::parse(text).map_err(|_| unusable())?;
    if !uri.is_sip() && !uri.is_sips() {
        return Err(unusable());
    }
    let (host, literal) = match uri.host() {
        Host::Name(name) => (plain(name).ok_or_else(unusable)?, None),
        Host::V4(address) => (address.to_string(), Some(IpAddr::V4(address))),
        Host::V6(address) => (address.to_string(), Some(IpAddr::V6(address))),
    };
    if uri.param("maddr").is_some() || uri.has_headers() {
        return Err(RedirectError::Instructions { target: host });
    }
    let transport = match uri.transport() {
        _ if uri.is_sips() => Transport::SIPS,
        Some(named) => Transport::parse(named).ok_or_else(unusable)?,
        None => redirect.transport,
    };
    if redirect.transport.is_secure() && !transport.is_secure() {
        return Err(RedirectError::Downgrade { to: transport });
    }
    if !transport.is_secure() && !account.allowed_transports().contains(&transport) {
        return Err(RedirectError::Downgrade { to: transport });
    }
    let expected = judge_host(&host, literal, account)?;
    Ok(RedirectTarget { host, port: uri.port(), transport, expected })
}

/// The domain rule, and whom the certificate of a trusted target must name. No certificate need carry
/// an address, so that of an allowed literal must match the domain (decision 5).
fn judge_host(
    host: &str,
    literal: Option<IpAddr>,
    account: &AccountConfig,
) -> Result<Expected, RedirectError> {
    let (rules, domain) = (&account.redirect, &account.aor.domain);
    match literal {
        Some(address) if rules.ip_literals.iter().any(|network| network.contains(address)) => {
            Ok(Expected::inside(domain, host))
        }
        Some(address) => Err(RedirectError::IpLiteral { address }),
        None => {
            let inside = std::iter::once(domain).chain(&rules.domains).any(|d| lies_within(host, d));
            if inside {
                Ok(Expected::host(host))
            } else {
                Err(RedirectError::OtherDomain { target: host.to_owned(), domain: domain.clone() })
            }
        }
    }
}

/// Contacts of one redirect over which its To tag is judged; of a longer list nothing is used.
const MOST_CONTACTS: usize = 64;

/// A host name that can be asked for in DNS and shown on a screen.
fn plain(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let sound = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    ((1..=253).contains(&name.len()) && name.chars().all(sound)).then_some(name)
}
