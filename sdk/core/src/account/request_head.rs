//! What every request of an account begins with (RFC 3261 section 8.1.1).

use homing_wire::{Builder, Method, Name, NameAddrBuf, ViaBuf};

use super::link_context::LinkContext;
use super::random::Random;
use super::server_link::ServerLink;

/// Call-ID, From tag and CSeq that the requests of one machine share: one registration, one request outside a
/// dialog.
pub(crate) struct Sequence {
    call_id: Box<str>,
    from_tag: Box<str>,
    cseq: u32,
}

/// The Via of a request over a link, with a branch of its own.
pub(crate) fn via(link: &ServerLink, random: &mut dyn Random) -> ViaBuf {
    ViaBuf::new(link.flow_ref.transport.via_token(), &link.local.ip().to_string())
        .port(link.local.port())
        .branch(&random.branch())
        .param("rport", None)
        .param("keep", None)
}

impl Sequence {
    /// A new Call-ID and tag; CSeq begins at 1.
    pub(crate) fn new(random: &mut dyn Random) -> Self {
        Self { call_id: random.call_id().into(), from_tag: random.caller_tag().into(), cseq: 0 }
    }

    /// What every response must carry back in From.
    pub(crate) fn caller_tag(&self) -> &str {
        &self.from_tag
    }

    /// What every message of it carries in Call-ID.
    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    /// The head of the next request, to the URI `to`.
    pub(crate) fn head(
        &mut self,
        method: Method<'_>,
        uri: &str,
        to: &str,
        at: &mut LinkContext<'_, '_>,
    ) -> Builder {
        self.cseq += 1;
        let LinkContext { link, account, cx } = at;
        let config = &account.config;
        let via = via(link, cx.random);
        let aor = config.aor.to_string();
        let mut from = NameAddrBuf::new(&aor);
        if !config.display.is_empty() {
            from = from.display(&config.display);
        }
        let from = from.param("tag", Some(&self.from_tag)).param("epid", Some(&config.epid));
        Builder::request(method, uri)
            .header(Name::Via, via)
            .header(Name::MaxForwards, 70)
            .header(Name::From, from)
            .header(Name::To, NameAddrBuf::new(to))
            .header(Name::CallId, &self.call_id)
            .header(Name::CSeq, format_args!("{} {}", self.cseq, method.as_str()))
            .header(Name::UserAgent, &cx.agent.user_agent)
    }
}
