//! URIs there and back.

use rsip::common::uri::param::{OtherParam, OtherParamValue};
use rsip::{Host as TheirHost, Param, Scheme};

use super::Untranslatable;
use crate::uri::{Host, Uri, UriBuf};

impl TryFrom<&rsip::Uri> for UriBuf {
    type Error = Untranslatable;

    /// Through the text, since rsip's parts are as written; a host that is an IPv6 address gets its brackets.
    fn try_from(theirs: &rsip::Uri) -> Result<UriBuf, Untranslatable> {
        let scheme = match &theirs.scheme {
            Some(Scheme::Sips) => "sips",
            Some(Scheme::Other(scheme)) => scheme.as_str(),
            Some(Scheme::Sip) | None => "sip",
        };
        let user = theirs.auth.as_ref().map_or(String::new(), |auth| format!("{auth}@"));
        let host = match &theirs.host_with_port.host {
            TheirHost::IpAddr(address) if address.is_ipv6() => format!("[{address}]"),
            host => host.to_string(),
        };
        let port = theirs.host_with_port.port.as_ref().map_or(String::new(), |port| format!(":{port}"));
        let params: String = theirs.params.iter().map(text).collect();
        format!("{scheme}:{user}{host}{port}{params}").parse().map_err(|_| Untranslatable::Uri)
    }
}

impl TryFrom<Uri<'_>> for rsip::Uri {
    type Error = Untranslatable;

    fn try_from(ours: Uri<'_>) -> Result<rsip::Uri, Untranslatable> {
        let scheme = match (ours.is_sip(), ours.is_sips()) {
            (true, _) => Scheme::Sip,
            (_, true) => Scheme::Sips,
            _ => return Err(Untranslatable::Uri),
        };
        if ours.has_headers() {
            return Err(Untranslatable::Uri);
        }
        let host = match ours.host() {
            Host::Name(name) => TheirHost::Domain(name.into()),
            Host::V4(address) => TheirHost::IpAddr(address.into()),
            // rsip prints no brackets around it, so such a URI would not survive.
            Host::V6(_) => return Err(Untranslatable::Uri),
        };
        Ok(rsip::Uri {
            scheme: Some(scheme),
            auth: ours.user().map(|user| rsip::Auth::from((user, ours.password()))),
            host_with_port: rsip::HostWithPort { host, port: ours.port().map(Into::into) },
            params: ours.params().map(|(name, value)| param(name, value)).collect(),
            headers: Vec::new(),
        })
    }
}

/// rsip shouts transports, which RFC 3261 19.1.1 and everybody else write small.
fn text(param: &Param) -> String {
    match param {
        Param::Transport(_) => param.to_string().to_lowercase(),
        other => other.to_string(),
    }
}

fn param(name: &str, value: Option<&str>) -> Param {
    let transport = || value?.parse().ok().map(Param::Transport);
    match (name, value) {
        ("lr", None) => Param::Lr,
        ("transport", Some(_)) => transport().unwrap_or_else(|| other(name, value)),
        ("user", Some(user)) => Param::User(user.into()),
        ("maddr", Some(host)) => Param::Maddr(host.into()),
        _ => other(name, value),
    }
}

fn other(name: &str, value: Option<&str>) -> Param {
    Param::Other(OtherParam::from(name), value.map(OtherParamValue::from))
}
