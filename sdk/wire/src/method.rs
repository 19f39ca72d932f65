//! Request methods, case-sensitive as RFC 3261 7.1 has them.

use std::fmt;

/// A method: the names this project acts on, and any other token.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the method of that name")]
pub enum Method<'m> {
    Register,
    Invite,
    Ack,
    Cancel,
    Bye,
    Options,
    Subscribe,
    Notify,
    Message,
    Info,
    Prack,
    Update,
    Refer,
    Publish,
    Benotify,
    Service,
    /// Any other token, as written.
    Other(&'m str),
}

impl<'m> Method<'m> {
    /// The method of that exact name; `Invite` is another method than `INVITE`.
    pub fn parse(token: &'m str) -> Method<'m> {
        KNOWN.iter().find(|known| known.as_str() == token).copied().unwrap_or(Method::Other(token))
    }

    /// The method as it stands on the wire.
    pub fn as_str(&self) -> &'m str {
        match self {
            Method::Register => "REGISTER",
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Cancel => "CANCEL",
            Method::Bye => "BYE",
            Method::Options => "OPTIONS",
            Method::Subscribe => "SUBSCRIBE",
            Method::Notify => "NOTIFY",
            Method::Message => "MESSAGE",
            Method::Info => "INFO",
            Method::Prack => "PRACK",
            Method::Update => "UPDATE",
            Method::Refer => "REFER",
            Method::Publish => "PUBLISH",
            Method::Benotify => "BENOTIFY",
            Method::Service => "SERVICE",
            Method::Other(token) => token,
        }
    }

    /// The same method, owning its name.
    pub fn to_owned(self) -> MethodBuf {
        MethodBuf(match KNOWN.iter().find(|known| **known == self) {
            Some(known) => Owned::Known(*known),
            None => Owned::Other(self.as_str().into()),
        })
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A method that outlives its message.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MethodBuf(Owned);

#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Owned {
    Known(Method<'static>),
    Other(Box<str>),
}

impl MethodBuf {
    /// The borrowed form.
    pub fn as_method(&self) -> Method<'_> {
        match &self.0 {
            Owned::Known(known) => *known,
            Owned::Other(token) => Method::Other(token),
        }
    }

    /// The method as it stands on the wire.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Owned::Known(known) => known.as_str(),
            Owned::Other(token) => token,
        }
    }
}

impl From<Method<'_>> for MethodBuf {
    fn from(method: Method<'_>) -> MethodBuf {
        method.to_owned()
    }
}

impl fmt::Display for MethodBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl PartialEq<Method<'_>> for MethodBuf {
    fn eq(&self, other: &Method<'_>) -> bool {
        self.as_method() == *other
    }
}

impl PartialEq<MethodBuf> for Method<'_> {
    fn eq(&self, other: &MethodBuf) -> bool {
        *self == other.as_method()
    }
}

const KNOWN: [Method<'static>; 16] = [
    Method::Register,
    Method::Invite,
    Method::Ack,
    Method::Cancel,
    Method::Bye,
    Method::Options,
    Method::Subscribe,
    Method::Notify,
    Method::Message,
    Method::Info,
    Method::Prack,
    Method::Update,
    Method::Refer,
    Method::Publish,
    Method::Benotify,
    Method::Service,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_method_parses_to_itself() {
        for known in KNOWN {
            assert_eq!(Method::parse(known.as_str()), known);
            assert_eq!(known.to_owned(), known);
        }
    }

    #[test]
    fn case_and_escapes_make_another_method() {
        assert_eq!(Method::parse("invite"), Method::Other("invite"));
        assert_eq!(Method::parse("RE%47IST%45R").as_str(), "RE%47IST%45R");
        assert_ne!(Method::parse("invite").to_owned(), Method::Invite);
    }
}
