//! The credentials of a request that are for this server.

use homing_core::auth::security_association::Style;
use homing_wire::{Auth, Message};

use super::failure::AuthFailure;
use super::outcome::Refused;
use crate::node::config::{AuthenticationConfig, Identity};
use crate::node::endpoint::Endpoint;

/// One usable set of credentials, with who claims to show them.
pub(super) struct Credentials<'m> {
    pub(super) style: Style,
    pub(super) auth: Auth<'m>,
    pub(super) endpoint: Endpoint,
}

/// The scheme of credentials that are for this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Ntlm,
    Digest,
}

/// How credentials for this server are recognised.
#[derive(Clone, Copy)]
pub(super) struct Recognition<'c> {
    pub(super) config: &'c AuthenticationConfig,
    pub(super) identity: &'c Identity,
}

impl Recognition<'_> {
    /// The first credentials that are for this server: NTLM before Digest.
    pub(super) fn find<'m>(
        self,
        request: &'m Message,
        endpoint: &Endpoint,
    ) -> Result<Option<(Scheme, Credentials<'m>)>, Refused> {
        let mut digest = None;
        for style in [Style::Registrar, Style::Proxy] {
            for auth in request.auth(style.credentials()) {
                let Some(scheme) = self.scheme(&auth) else { continue };
                if auth.conflicting() {
                    let why = "the credentials contradict themselves";
                    return Err(Refused::failed(400, AuthFailure::Broken, why));
                }
                let credentials = Credentials { style, auth, endpoint: endpoint.clone() };
                if scheme == Scheme::Ntlm {
                    return Ok(Some((scheme, credentials)));
                }
                digest = digest.or(Some((scheme, credentials)));
            }
        }
        Ok(digest)
    }

    fn scheme(self, auth: &Auth<'_>) -> Option<Scheme> {
        let Self { config, identity } = self;
        let named = |name: &str| name.eq_ignore_ascii_case(&identity.fqdn);
        if config.schemes.ntlm()
            && auth.is("NTLM")
            && auth.param("realm") == Some(config.realm.as_str())
            && auth.param("targetname").is_some_and(named)
        {
            return Some(Scheme::Ntlm);
        }
        let digest = config.schemes.digest()
            && auth.is("Digest")
            && auth.param("realm").is_some_and(|realm| realm.eq_ignore_ascii_case(&identity.domain));
        digest.then_some(Scheme::Digest)
    }
}

/// What to say of credentials none of which are for this server; none where there are none at all.
pub(super) fn foreign(request: &Message) -> Option<AuthFailure> {
    let styles = [Style::Registrar, Style::Proxy].into_iter();
    let mut shown = styles.flat_map(|style| request.auth(style.credentials())).peekable();
    shown.peek()?;
    let known = |auth: &Auth<'_>| ["NTLM", "Digest", "Kerberos", "TLS-DSK"].iter().any(|name| auth.is(name));
    let unnamed = shown.any(|auth| known(&auth) && auth.param("realm").is_none());
    Some(if unnamed { AuthFailure::Broken } else { AuthFailure::Foreign })
}
