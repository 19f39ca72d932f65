//! What a request outside a dialog asks, and where redirects lead it, whatever its method (decision 3).
//!
//! A redirect changes the Request-URI and nothing else: the request still leaves by the home server, and an account
//! without registrar looks for the server of the new URI. The rules are those of a redirected REGISTER: status, number,
//! binding of the Contacts, TLS, domain, loops; a signature where an association exists. Credentials never travel
//! along: what was redirected goes out with a signature or with nothing, and no Digest challenge to it is answered.

use homing_wire::Message;

use crate::account::acceptance::SignatureVerdict;
use crate::config::AccountConfig;
use crate::error::RedirectError;
use crate::registration::redirect::{self, Redirect};
use crate::server::ServerName;
use crate::time::{Moment, Now};
use crate::transport::Transport;

/// The URIs that one request is sent to, one after the other, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The present one last.
    uris: Vec<Box<str>>,
    began: Moment,
    /// True once a redirect came over TLS: from then on nothing less will do (decision 3).
    needs_tls: bool,
}

/// Who redirects a request, and what proves it.
pub(crate) struct Redirector<'a> {
    /// As dialled.
    pub(crate) server: &'a ServerName,
    pub(crate) transport: Transport,
    pub(crate) verdict: SignatureVerdict,
}

impl Asked {
    /// A request to that URI that begins now; without one to the servers of the account's domain.
    pub(crate) fn new(uri: Option<&str>, account: &AccountConfig, now: Now) -> Self {
        let uri = uri.map_or_else(|| format!("sip:{}", account.aor.domain), str::to_owned);
        Self { uris: vec![uri.into()], began: now.since_start, needs_tls: false }
    }

    /// The Request-URI.
    pub(crate) fn uri(&self) -> &str {
        self.uris.last().map_or("", |uri| uri)
    }

    /// Whom it is for: its To stays, wherever it is redirected.
    pub(crate) fn to(&self) -> &str {
        self.uris.first().map_or("", |uri| uri)
    }

    /// True once it followed a redirect.
    pub(crate) fn is_redirected(&self) -> bool {
        self.uris.len() > 1
    }

    /// The transports of the account that it may go out over.
    pub(super) fn transports(&self, account: &AccountConfig) -> Vec<Transport> {
        let may_use = |transport: &Transport| transport.is_secure() || !self.needs_tls;
        account.transports.iter().copied().filter(may_use).collect()
    }

    /// Milliseconds since it began.
    pub(crate) fn millis(&self, now: Now) -> u32 {
        u32::try_from(now.since_start.since(self.began).as_millis()).unwrap_or(u32::MAX)
    }

    /// Follows a redirect to the best of its Contacts that breaks no rule and was not asked before.
    ///
    /// # Errors
    /// The rule that is broken; the Request-URI stays.
    pub(crate) fn follow(
        &mut self,
        response: &Message,
        by: &Redirector<'_>,
        account: &AccountConfig,
    ) -> Result<(), RedirectError> {
        let to = response.to().ok();
        let redirect = Redirect {
            from: by.server,
            transport: by.transport,
            status: response.status().unwrap_or_default(),
            verdict: by.verdict,
            to_tag: to.as_ref().and_then(|to| to.tag()).unwrap_or_default(),
            contacts: redirect::contacts(response),
        };
        let uri = redirect::onward_uri(&redirect, account, &self.uris)?;
        self.uris.push(uri);
        self.needs_tls |= by.transport.is_secure();
        Ok(())
    }
}
