//! Who a request comes from: an address of record and the device that speaks for it.

use std::fmt;

use homing_core::endpoint::InstanceId;
use homing_wire::{Contact, Message, Name, NameAddr, Uri};

/// One device of one user; what bindings and associations belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Address of record without scheme, lower case: `alice@network.com`.
    pub user: String,
    /// The `epid`, else the instance, else empty for a plain client.
    pub device: String,
}

impl Endpoint {
    /// The endpoint a request names in From and Contact. None if From is no SIP address with a user.
    pub fn of(request: &Message) -> Option<Self> {
        let from = request.from().ok()?;
        let device = match epid(&from) {
            Some(epid) => epid.to_owned(),
            None => instance(request).map(|id| id.to_string()).unwrap_or_default(),
        };
        Some(Self { user: address(&from)?, device })
    }

    /// The endpoint a To names by its epid. None without one.
    pub(crate) fn named_by(party: &NameAddr<'_>) -> Option<Self> {
        Some(Self { user: address(party)?, device: epid(party)?.to_owned() })
    }
}

/// The `epid` of a From or To, in the patent's spelling too.
pub(crate) fn epid<'m>(party: &NameAddr<'m>) -> Option<&'m str> {
    party.param("epid").flatten().filter(|epid| !epid.is_empty())
}

/// The `+sip.instance` of the first Contact.
pub(crate) fn instance(request: &Message) -> Option<InstanceId> {
    let contact = request.get::<Contact<'_>>().ok().flatten()?;
    InstanceId::parse(contact.addr()?.param("+sip.instance").flatten()?)
}

/// The address of record of a From or To, without scheme and in lower case.
pub(crate) fn address(party: &NameAddr<'_>) -> Option<String> {
    address_of(&party.uri().ok()?)
}

/// As [`address`], of a URI. Escapes are undone except those of control characters, so that no two
/// different users become one.
pub(crate) fn address_of(uri: &Uri<'_>) -> Option<String> {
    if !uri.is_sip() && !uri.is_sips() {
        return None;
    }
    let text = uri.user_text()?;
    let user = if text.chars().any(char::is_control) { uri.user()?.to_owned() } else { text.into_owned() };
    let mut address = format!("{user}@{}", uri.host());
    address.make_ascii_lowercase();
    Some(address)
}

/// The user of that domain a URI names, as [`address_of`] writes it; none for a server and for others' users.
pub(crate) fn user_of(uri: &Uri<'_>, domain: &str) -> Option<String> {
    let address = address_of(uri)?;
    let (user, host) = address.rsplit_once('@')?;
    let ours = host.trim_end_matches('.') == domain && !user.is_empty();
    ours.then(|| format!("{user}@{domain}"))
}

/// The SIP identity another server asserts (RFC 3325).
pub(crate) fn asserted_identity(request: &Message) -> Option<String> {
    let line = request.lines(Name::PAssertedIdentity).next()?;
    address(&NameAddr::parse(line)?)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.device.as_str() {
            "" => f.write_str(&self.user),
            device => write!(f, "{} ({device})", self.user),
        }
    }
}
