//! Subscriptions: what they are about and whether they live, Event and Subscription-State (RFC 6665 8.2).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;
use crate::scan::number;

/// A package, possibly with templates (`presence.winfo`), and its parameters.
#[derive(Clone, Copy, Debug)]
pub struct EventHeader<'m> {
    /// The package as written; packages compare octet by octet.
    pub package: &'m str,
    params: Params<'m>,
}

impl<'m> EventHeader<'m> {
    /// The `id` parameter, which tells subscriptions of one dialog apart.
    pub fn id(&self) -> Option<&'m str> {
        self.params.value("id")
    }

    /// All parameters, `id` among them.
    pub fn params(&self) -> Params<'m> {
        self.params
    }

    /// Whether this is that package, in any case: Microsoft's clients and servers are not strict about it.
    pub fn is(&self, package: &str) -> bool {
        self.package.eq_ignore_ascii_case(package)
    }

    /// Whether both name the same subscription: package and `id` (RFC 6665 8.2.1).
    pub fn matches(&self, other: &EventHeader<'_>) -> bool {
        self.package == other.package && self.id() == other.id()
    }
}

impl<'m> Header<'m> for EventHeader<'m> {
    const NAME: Name<'static> = Name::Event;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            Some(EventHeader { package: cursor.token()?, params: Params::read(cursor)? })
        })
    }
}

impl fmt::Display for EventHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.params)
    }
}

/// The state a NOTIFY reports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SubscriptionState<'m> {
    /// `active`, `pending`, `terminated` or an extension, as written.
    pub state: &'m str,
    /// Why it ended: `deactivated`, `probation`, `rejected`, `timeout`, `giveup`, `noresource`, `invariant`, ….
    pub reason: Option<&'m str>,
    /// Seconds it still lives.
    pub expires: Option<u32>,
    /// Seconds before which a new one is not welcome.
    pub retry_after: Option<u32>,
}

impl<'m> SubscriptionState<'m> {
    /// A state without parameters.
    pub fn new(state: &'m str) -> SubscriptionState<'m> {
        SubscriptionState { state, reason: None, expires: None, retry_after: None }
    }

    /// The subscription has ended.
    pub fn is_terminated(&self) -> bool {
        self.state.eq_ignore_ascii_case("terminated")
    }
}

impl<'m> Header<'m> for SubscriptionState<'m> {
    const NAME: Name<'static> = Name::SubscriptionState;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let state = cursor.token()?;
            let params = Params::read(cursor)?;
            let seconds = |name| number(params.value(name)?.as_bytes());
            let reason = params.value("reason");
            Some(SubscriptionState {
                state,
                reason,
                expires: seconds("expires"),
                retry_after: seconds("retry-after"),
            })
        })
    }
}

impl fmt::Display for SubscriptionState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state)?;
        if let Some(reason) = self.reason {
            crate::write::param(f, "reason", Some(reason))?;
        }
        if let Some(expires) = self.expires {
            write!(f, ";expires={expires}")?;
        }
        if let Some(seconds) = self.retry_after {
            write!(f, ";retry-after={seconds}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> EventHeader<'_> {
        EventHeader::read(text.as_bytes()).unwrap().0
    }

    #[test]
    fn package_and_id_make_a_subscription() {
        assert!(read("dialog ; id = 7").matches(&read("dialog;call-id=x;ID=7")));
        assert!(!read("dialog;id=7").matches(&read("dialog")));
        assert!(!read("presence").matches(&read("presence.winfo")));
        assert_eq!(read("dialog ; id = 7;x").to_string(), "dialog;id=7;x");
        assert!(
            read("Registration ;x=y").is("registration") && !read("registration.winfo").is("registration")
        );
        assert!(EventHeader::read(b"a, b").is_none() && EventHeader::read(b";id=1").is_none());
    }

    #[test]
    fn a_state_reads_as_printed() {
        let ended = SubscriptionState {
            reason: Some("probation"),
            retry_after: Some(30),
            ..SubscriptionState::new("terminated")
        };
        assert_eq!(ended.to_string(), "terminated;reason=probation;retry-after=30");
        assert_eq!(SubscriptionState::read(ended.to_string().as_bytes()).unwrap().0, ended);
        assert!(ended.is_terminated());
        let active = SubscriptionState::read(b"active ; expires = 3600").unwrap().0;
        assert_eq!((active.is_terminated(), active.expires), (false, Some(3600)));
        assert!(SubscriptionState::read(b"").is_none());
    }
}
