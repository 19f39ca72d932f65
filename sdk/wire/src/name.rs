//! Header names: known ones as variants, the rest verbatim; long, compact and any case.

use std::fmt;

use crate::spelling::{Spelling, Words};

macro_rules! names {
    ($($variant:ident $long:literal $compact:literal;)*) => {
        /// The name of a header.
        ///
        /// Parsing takes any case and the compact forms of the IANA registry; printing gives the long form.
        /// Equality ignores case, and a known name equals [`Name::Other`] of the same spelling.
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each variant is the header of that name")]
        pub enum Name<'m> {
            $($variant,)*
            /// Any other header, as written.
            Other(&'m str),
        }

        /// The known names without a borrow: what the index stores in one octet.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[repr(u8)]
        pub(crate) enum Known {
            $($variant,)*
        }

        const ALL: [Known; [$(Known::$variant),*].len()] = [$(Known::$variant),*];
        const LONG: [&str; ALL.len()] = [$($long),*];
        const COMPACT: [u8; ALL.len()] = [$($compact),*];

        impl Known {
            pub(crate) const fn name(self) -> Name<'static> {
                match self {
                    $(Known::$variant => Name::$variant,)*
                }
            }
        }

        impl Name<'_> {
            /// The known name this is, also when it was spelled out as [`Name::Other`].
            pub(crate) fn known(&self) -> Option<Known> {
                match self {
                    $(Name::$variant => Some(Known::$variant),)*
                    Name::Other(text) => Known::parse(text.as_bytes()),
                }
            }
        }
    };
}

names! {
    Via "Via" b'v';
    From "From" b'f';
    To "To" b't';
    CallId "Call-ID" b'i';
    CSeq "CSeq" 0;
    Contact "Contact" b'm';
    MaxForwards "Max-Forwards" 0;
    Route "Route" 0;
    RecordRoute "Record-Route" 0;
    Path "Path" 0;
    ServiceRoute "Service-Route" 0;
    Expires "Expires" 0;
    MinExpires "Min-Expires" 0;
    ContentLength "Content-Length" b'l';
    ContentType "Content-Type" b'c';
    ContentEncoding "Content-Encoding" b'e';
    ContentDisposition "Content-Disposition" 0;
    ContentLanguage "Content-Language" 0;
    ContentTransferEncoding "Content-Transfer-Encoding" 0;
    Supported "Supported" b'k';
    Require "Require" 0;
    ProxyRequire "Proxy-Require" 0;
    Unsupported "Unsupported" 0;
    Allow "Allow" 0;
    AllowEvents "Allow-Events" b'u';
    Accept "Accept" 0;
    AcceptEncoding "Accept-Encoding" 0;
    AcceptLanguage "Accept-Language" 0;
    Event "Event" b'o';
    SubscriptionState "Subscription-State" 0;
    Authorization "Authorization" 0;
    ProxyAuthorization "Proxy-Authorization" 0;
    WwwAuthenticate "WWW-Authenticate" 0;
    ProxyAuthenticate "Proxy-Authenticate" 0;
    AuthenticationInfo "Authentication-Info" 0;
    ProxyAuthenticationInfo "Proxy-Authentication-Info" 0;
    UserAgent "User-Agent" 0;
    Server "Server" 0;
    Subject "Subject" b's';
    Date "Date" 0;
    Timestamp "Timestamp" 0;
    Warning "Warning" 0;
    Reason "Reason" 0;
    RetryAfter "Retry-After" 0;
    Replaces "Replaces" 0;
    ReferTo "Refer-To" b'r';
    ReferredBy "Referred-By" b'b';
    ReferSub "Refer-Sub" 0;
    Join "Join" 0;
    SessionExpires "Session-Expires" b'x';
    MinSe "Min-SE" 0;
    RSeq "RSeq" 0;
    RAck "RAck" 0;
    PAssertedIdentity "P-Asserted-Identity" 0;
    PPreferredIdentity "P-Preferred-Identity" 0;
    PPreferredRegistrar "P-Preferred-Registrar" 0;
    Privacy "Privacy" 0;
    Organization "Organization" 0;
    Priority "Priority" 0;
    AlertInfo "Alert-Info" 0;
    CallInfo "Call-Info" 0;
    ErrorInfo "Error-Info" 0;
    InReplyTo "In-Reply-To" 0;
    ReplyTo "Reply-To" 0;
    MimeVersion "MIME-Version" 0;
    SipEtag "SIP-ETag" 0;
    SipIfMatch "SIP-If-Match" 0;
    FlowTimer "Flow-Timer" 0;
    MaxBreadth "Max-Breadth" 0;
    HistoryInfo "History-Info" 0;
    Diversion "Diversion" 0;
    AcceptContact "Accept-Contact" b'a';
    RejectContact "Reject-Contact" b'j';
    RequestDisposition "Request-Disposition" b'd';
    Identity "Identity" b'y';
    SecurityClient "Security-Client" 0;
    SecurityServer "Security-Server" 0;
    SecurityVerify "Security-Verify" 0;
    MsDiagnostics "ms-diagnostics" 0;
    MsDiagnosticsPublic "ms-diagnostics-public" 0;
    MsKeepAlive "ms-keep-alive" 0;
    PresenceState "presence-state" 0;
    MsUserLogonData "ms-user-logon-data" 0;
    SuppressIfMatch "Suppress-If-Match" 0;
}

impl<'m> Name<'m> {
    /// The header of that name, in any case or compact form.
    pub fn parse(text: &'m str) -> Name<'m> {
        match Known::parse(text.as_bytes()) {
            Some(known) => known.name(),
            None => Name::Other(text),
        }
    }

    /// The long form in its usual case; other names as written.
    pub fn as_str(&self) -> &'m str {
        match self {
            Name::Other(text) => text,
            known => known.known().map_or("", |known| LONG[known as usize]),
        }
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Name<'_>) -> bool {
        match (self.known(), other.known()) {
            (None, None) => self.as_str().eq_ignore_ascii_case(other.as_str()),
            (one, two) => one == two,
        }
    }
}

impl Eq for Name<'_> {}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Known {
    /// The known name of that spelling, in any case or compact form.
    pub(crate) fn parse(name: &[u8]) -> Option<Known> {
        let known = Known::candidate(name)?;
        (name.len() == 1 || name.eq_ignore_ascii_case(LONG[known as usize].as_bytes())).then_some(known)
    }

    /// The known name that a line begins with, up to its colon; and how long it is.
    #[inline]
    pub(crate) fn begins(line: &[u8]) -> Option<(Known, usize)> {
        let words = Words::of(line);
        let colon = words.find(b':', WORDS)?;
        let known = Known::candidate(line.get(..colon)?)?;
        (colon == 1 || SPELLINGS[known as usize].is(words, colon)).then_some((known, colon))
    }

    /// One probe of a perfect hash: the one known name it can be.
    #[inline]
    fn candidate(name: &[u8]) -> Option<Known> {
        let slot = match name {
            [] => return None,
            [letter] => COMPACT_SLOTS[letter.to_ascii_lowercase() as usize],
            name => SLOTS[hash(name)],
        };
        ALL.get(usize::from(slot.checked_sub(1)?)).copied()
    }

    /// A header that carries challenges, credentials or signatures: tokens make its line long.
    pub(crate) fn is_auth(self) -> bool {
        matches!(
            self,
            Known::Authorization
                | Known::ProxyAuthorization
                | Known::WwwAuthenticate
                | Known::ProxyAuthenticate
                | Known::AuthenticationInfo
                | Known::ProxyAuthenticationInfo
        )
    }
}

/// Length, first, middle and last letter without case; `SLOTS` proves at compile time that no two names collide.
const fn hash(name: &[u8]) -> usize {
    let first = (name[0] | 0x20) as usize;
    let middle = (name[name.len() / 2] | 0x20) as usize;
    let last = (name[name.len() - 1] | 0x20) as usize;
    (name.len() + first * 37 + last * 16 + middle) % SIZE
}

const SIZE: usize = 512;

/// How many words hold the longest name and its colon.
const WORDS: usize = 4;

static SPELLINGS: [Spelling<WORDS>; ALL.len()] = {
    let mut spellings = [Spelling::of(""); ALL.len()];
    let mut number = 0;
    while number < ALL.len() {
        spellings[number] = Spelling::of(LONG[number]);
        number += 1;
    }
    spellings
};

/// For each hash the known name's number plus one; zero where no name falls.
static SLOTS: [u8; SIZE] = {
    let mut slots = [0; SIZE];
    let mut number = 0;
    while number < ALL.len() {
        let slot = hash(LONG[number].as_bytes());
        assert!(slots[slot] == 0, "two header names share a hash: choose other factors");
        slots[slot] = ALL[number] as u8 + 1;
        number += 1;
    }
    slots
};

static COMPACT_SLOTS: [u8; 256] = {
    let mut slots = [0; 256];
    let mut number = 0;
    while number < ALL.len() {
        if COMPACT[number] != 0 {
            slots[COMPACT[number] as usize] = ALL[number] as u8 + 1;
        }
        number += 1;
    }
    slots
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_parses_in_any_case() {
        for known in ALL {
            let long = LONG[known as usize];
            assert_eq!(Known::parse(long.as_bytes()), Some(known), "{long}");
            assert_eq!(Known::parse(long.to_lowercase().as_bytes()), Some(known), "{long}");
            assert_eq!(Known::parse(long.to_uppercase().as_bytes()), Some(known), "{long}");
            assert_eq!(known.name().as_str(), long);
            let compact = COMPACT[known as usize];
            if compact != 0 {
                assert_eq!(Known::parse(&[compact]), Some(known));
                assert_eq!(Known::parse(&[compact.to_ascii_uppercase()]), Some(known));
            }
        }
    }

    #[test]
    fn unknown_names_stay_as_written_and_compare_without_case() {
        assert_eq!(Name::parse("X-Sport").as_str(), "X-Sport");
        assert_eq!(Name::parse("x-sport"), Name::Other("X-SPORT"));
        assert_ne!(Name::parse("C%6Fntact"), Name::Contact);
        assert_eq!(Name::Other("v"), Name::Via);
        assert_eq!(Name::parse("q").as_str(), "q");
    }
}
