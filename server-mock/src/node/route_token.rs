//! Tokens in Record-Route: each names one endpoint of one call, and others can hand it back but not make it up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::endpoint::Endpoint;

/// Makes and reads the tokens of one server, and the marks by which it knows its own branches again.
pub(super) struct RouteTokens {
    key: [u8; 32],
}

/// What a recorded route stands for: an endpoint, not a flow, so that it outlives connections (decision 49).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RouteToken {
    /// Whom requests that come along it are for, or from.
    pub(super) endpoint: Endpoint,
    /// Which of the endpoint's flows the call began by (RFC 5626).
    pub(super) reg_id: Option<u32>,
    /// The only user who may send along it: address of record without scheme, lower case.
    pub(super) peer: String,
}

impl RouteTokens {
    /// Tokens that only who knows `key` can make.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The user part of a Record-Route URI, good for requests of this call only.
    pub(super) fn token(&self, route: &RouteToken, call_id: &str) -> String {
        let RouteToken { endpoint, reg_id, peer } = route;
        let reg_id = reg_id.map(|id| id.to_string()).unwrap_or_default();
        let content = [endpoint.user.as_str(), &endpoint.device, &reg_id, peer].join(SEPARATOR);
        let mac = self.mac(b"route", &[&content, call_id]);
        format!("d{}.{mac}", URL_SAFE_NO_PAD.encode(content))
    }

    /// What a token stands for; none where this server did not make it, or made it for another call.
    pub(super) fn read(&self, token: &str, call_id: &str) -> Option<RouteToken> {
        let (content, _) = token.strip_prefix('d')?.split_once('.')?;
        let content = String::from_utf8(URL_SAFE_NO_PAD.decode(content).ok()?).ok()?;
        let mut parts = content.split(SEPARATOR);
        let (user, device) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let (reg_id, peer) = (parts.next()?, parts.next()?.to_owned());
        let reg_id = if reg_id.is_empty() { None } else { Some(reg_id.parse().ok()?) };
        let route = RouteToken { endpoint: Endpoint { user, device }, reg_id, peer };
        (self.token(&route, call_id) == token).then_some(route)
    }

    /// What a branch of this server ends with: it says, to this server only, what the routing of the request depended
    /// on, so that a loop is told from a request that comes by again for another reason (RFC 3261 16.6 step 8).
    pub(super) fn loop_mark(&self, parts: &[&str]) -> String {
        self.mac(b"loop", parts)
    }

    fn mac(&self, purpose: &[u8], parts: &[&str]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(purpose);
        for part in parts {
            mac.update(SEPARATOR.as_bytes());
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// No address, device or Call-ID that was read holds one.
const SEPARATOR: &str = "\0";

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> RouteToken {
        let endpoint = Endpoint { user: "bob@network.com".into(), device: "3344".into() };
        RouteToken { endpoint, reg_id: Some(2), peer: "user@network.com".into() }
    }

    #[test]
    fn a_token_is_read_only_by_its_maker_and_only_for_its_call() {
        let tokens = RouteTokens::new([1; 32]);
        let token = tokens.token(&route(), "c1");
        assert_eq!(tokens.read(&token, "c1"), Some(route()));
        assert_eq!(tokens.read(&token, "c2"), None, "another call");
        assert_eq!(RouteTokens::new([2; 32]).read(&token, "c1"), None, "another server");
        let other = RouteToken { peer: "eve@network.com".into(), ..route() };
        let forged = tokens.token(&other, "c1");
        let (content, mac) = (forged.split('.').next().unwrap(), token.split('.').nth(1).unwrap());
        assert_eq!(
            tokens.read(&format!("{content}.{mac}"), "c1"),
            None,
            "another content under a known mark"
        );
        for broken in ["", "d", "d.", "dAAAA", "dAAAA.00", "d!.00", "f1000-aa"] {
            assert_eq!(tokens.read(broken, "c1"), None, "{broken}");
        }
    }
}
