//! Faults a node plays on purpose: every wrong redirect there is, and the ways a server fails.

use std::fmt;
use std::time::Duration;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// A 301 without a signature.
    Unsigned301,
    /// A 301 with a wrong signature.
    BadSignature301,
    /// A 301 signed with another server's association.
    OtherServersSignature,
    /// A 301 whose good signature carries a counter that was used before.
    Replayed301,
    /// A 301 that was signed as a 302.
    StatusChanged,
    /// A 301 whose Contact was changed after signing.
    ContactChanged,
    /// A good 301 to the server itself.
    ToItself,
    /// A good 301 to the next of `n` servers in a ring; the estate puts it on all of them.
    Loop(u8),
    /// A good 301 to the next of `n` servers in a row; the estate puts it on all of them.
    Chain(u8),
    /// A good 301 to this host, whoever it is.
    RedirectTo {
        /// Host as it stands in the Contact.
        host: String,
        /// Port.
        port: u16,
    },
    /// A good 301 that leads from TLS to TCP.
    TlsToTcp,
    /// A good 301 to a server of another domain.
    OtherDomain,
    /// A good 301 to an IP address.
    IpLiteral,
    /// A good 301 with an `maddr` parameter.
    Maddr,
    /// A good 301 without a Contact.
    NoContact,
    /// A good 301 with two Contacts, the better of which leads nowhere.
    TwoContactsFirstDead,
    /// A good 302 instead of a 301.
    Status302,
    /// No answer.
    Silence,
    /// The request waits before it is looked at.
    Delay(Duration),
    /// Requests are lost, as if the network had dropped them.
    Drop(u32),
    /// A 503, signed where that is possible.
    Status503 {
        /// Seconds for Retry-After, if any.
        retry_after: Option<u32>,
    },
    /// A 500, signed where that is possible.
    Status500,
    /// The connection breaks off.
    Cut,
    /// Bytes that are no SIP.
    Garbage(u16),
    /// An answer whose CSeq is not the request's.
    WrongCSeq,
    /// A 200 without Expires and without an expiry in its Contact.
    NoExpires,
    /// A 200 that says the binding was lost (`register-action="added"` on a refresh).
    BindingLost,
    /// A challenge without end: credentials are never accepted.
    ChallengeForever,
    /// A 401 with this value of WWW-Authenticate, whatever was asked and shown.
    Challenge(String),
}

/// How often a fault is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For the next so many REGISTERs it applies to.
    Next(u32),
    /// Until it is taken away.
    Always,
}

/// A fault with its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The fault.
    pub mischief: Mischief,
    /// How often.
    pub scope: Scope,
}

/// At which point of a request's way a fault is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// When the REGISTER arrives.
    Arrival,
    /// In place of challenge and credentials.
    Gate,
    /// In place of the decision where the user belongs.
    Signpost,
    /// In the final answer.
    Answer,
}

/// The faults a node has been told to play.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a fault; rules are asked in the order they were added.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Plays no more faults.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// True without faults.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault to play now at `stage`; uses up one of its times.
    pub(crate) fn take(&mut self, stage: Stage) -> Option<Mischief> {
        let index = self.0.iter().position(|rule| rule.mischief.stage() == stage)?;
        let rule = &mut self.0[index];
        let mischief = rule.mischief.clone();
        match &mut rule.scope {
            Scope::Always => {}
            Scope::Next(left) => {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.0.remove(index);
                }
            }
        }
        Some(mischief)
    }
}

impl Rules {
    /// As [`take`](Self::take), if the next fault of that stage is `wanted`.
    pub(crate) fn take_if(&mut self, stage: Stage, wanted: &Mischief) -> Option<Mischief> {
        let next = self.0.iter().find(|rule| rule.mischief.stage() == stage)?;
        if next.mischief == *wanted { self.take(stage) } else { None }
    }
}

impl Rule {
    /// The fault for the next REGISTER only. `Drop(n)` lasts for `n` of them.
    pub fn once(mischief: Mischief) -> Self {
        Self::next(1, mischief)
    }

    /// The fault for the next `times` REGISTERs.
    pub fn next(times: u32, mischief: Mischief) -> Self {
        let times = if let Mischief::Drop(count) = mischief { times.saturating_mul(count) } else { times };
        Self { mischief, scope: Scope::Next(times) }
    }

    /// The fault until it is taken away.
    pub fn always(mischief: Mischief) -> Self {
        Self { mischief, scope: Scope::Always }
    }
}

impl From<Mischief> for Rule {
    fn from(mischief: Mischief) -> Self {
        Rule::once(mischief)
    }
}

impl Mischief {
    fn stage(&self) -> Stage {
        match self {
            Mischief::Silence
            | Mischief::Delay(_)
            | Mischief::Drop(_)
            | Mischief::Cut
            | Mischief::Garbage(_)
            | Mischief::Challenge(_) => Stage::Arrival,
            Mischief::ChallengeForever => Stage::Gate,
            Mischief::WrongCSeq | Mischief::NoExpires | Mischief::BindingLost => Stage::Answer,
            Mischief::Unsigned301
            | Mischief::BadSignature301
            | Mischief::OtherServersSignature
            | Mischief::Replayed301
            | Mischief::StatusChanged
            | Mischief::ContactChanged
            | Mischief::ToItself
            | Mischief::Loop(_)
            | Mischief::Chain(_)
            | Mischief::RedirectTo { .. }
            | Mischief::TlsToTcp
            | Mischief::OtherDomain
            | Mischief::IpLiteral
            | Mischief::Maddr
            | Mischief::NoContact
            | Mischief::TwoContactsFirstDead
            | Mischief::Status302
            | Mischief::Status503 { .. }
            | Mischief::Status500 => Stage::Signpost,
        }
    }
}

impl fmt::Display for Mischief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The value is long, and on the wire anyway.
            Mischief::Challenge(_) => f.write_str("Challenge"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_used_up_and_only_at_its_stage() {
        let mut rules = Rules::default();
        rules.add(Rule::next(2, Mischief::Unsigned301));
        rules.add(Rule::once(Mischief::Drop(3)));
        rules.add(Rule::always(Mischief::WrongCSeq));
        assert_eq!(rules.take(Stage::Gate), None);
        for _ in 0..2 {
            assert_eq!(rules.take(Stage::Signpost), Some(Mischief::Unsigned301));
        }
        assert_eq!(rules.take(Stage::Signpost), None);
        let drops = std::iter::from_fn(|| rules.take(Stage::Arrival)).count();
        assert_eq!(drops, 3);
        assert!((0..9).all(|_| rules.take(Stage::Answer) == Some(Mischief::WrongCSeq)));
    }
}
