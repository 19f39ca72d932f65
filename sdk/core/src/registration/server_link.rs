//! What one account and one server have in common: the connection, the numbering of the requests,
//! and what each proved to the other.

use std::net::SocketAddr;

use bytes::Bytes;
use homing_wire::{Builder, Message, Method, Name, NameAddrBuf, UriBuf, ViaBuf};

use super::account::Account;
use super::context::Context;
use super::redirect::SignatureVerdict;
use crate::auth::digest::{DigestSession, InfoVerdict};
use crate::auth::ntlm::Side;
use crate::auth::security_association::{Association, AssociationName, Associations, Style, with_header};
use crate::config::SignaturePlaces;
use crate::connect::TlsProof;
use crate::counter::Counter;
use crate::endpoint::InstanceId;
use crate::error::{Misuse, SignatureFault};
use crate::event::AccountEvent;
use crate::ids::{FlowId, TxId};
use crate::server::ServerName;
use crate::time::{Deadline, Now};
use crate::transaction::FlowRef;

use super::attempt::Named;
use super::server_search::Connection;

/// An account's dealings with one server.
pub(super) struct ServerLink {
    /// The server as dialled.
    pub server: ServerName,
    /// What it was known by before DNS was asked.
    pub named: Named,
    /// The connection.
    pub flow_ref: FlowRef,
    /// What TLS proved.
    pub proof: Option<TlsProof>,
    local: SocketAddr,
    call_id: Box<str>,
    from_tag: Box<str>,
    cseq: u32,
    trust: Trust,
    /// Associations so far.
    associations: u32,
}

/// What the two proved to each other.
enum Trust {
    /// Nothing, or nothing yet.
    None,
    /// Every message is signed.
    Signed(Box<Associations>),
    /// The account proves itself with each request.
    Digest(Box<DigestSession>, Style),
}

/// What a REGISTER asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// A binding, in the Contact: the handshake of a login carries no Expires header, which a
    /// signature would cover.
    Wish(u32),
    /// A binding, in the Expires header.
    Keep(u32),
    /// The end of the binding.
    End,
}

/// What a request proves about its sender.
pub(super) enum Proving<'a> {
    /// What the link has: a signature, a Digest answer, or nothing.
    Current,
    /// Nothing, although there may be an association: a new handshake begins.
    Nothing,
    /// The empty token that opens an NTLM handshake.
    Opening(&'a AssociationName, Style),
    /// The token that ends it, and the association that comes of it.
    Token(&'a mut Association, &'a [u8]),
    /// A Digest answer.
    Digest(&'a mut DigestSession, Style),
}

impl ServerLink {
    /// A link over a fresh connection: new Call-ID, CSeq from 1, nothing proved.
    pub(super) fn new(connection: Connection, cx: &mut Context<'_>) -> Self {
        Self {
            server: connection.dialled.server,
            named: connection.dialled.named,
            flow_ref: FlowRef::new(connection.flow, connection.dialled.transport),
            proof: connection.proof,
            local: connection.local,
            call_id: cx.random.call_id().into(),
            from_tag: cx.random.caller_tag().into(),
            cseq: 0,
            trust: Trust::None,
            associations: 0,
        }
    }

    /// The connection's name.
    pub(super) fn flow(&self) -> FlowId {
        self.flow_ref.flow
    }

    /// The server by the name it was known by.
    pub(super) fn named(&self) -> ServerName {
        self.named.server(self.flow_ref.transport)
    }

    /// The association in use.
    pub(super) fn association(&self) -> Option<&Association> {
        match &self.trust {
            Trust::Signed(associations) => Some(associations.current()),
            Trust::None | Trust::Digest(..) => None,
        }
    }

    /// How many associations there were, the present one included.
    pub(super) fn associations(&self) -> u32 {
        self.associations
    }

    /// The Digest session in use, taken out to be challenged anew.
    pub(super) fn take_digest(&mut self) -> Option<(Box<DigestSession>, Style)> {
        match std::mem::replace(&mut self.trust, Trust::None) {
            Trust::Digest(session, style) => Some((session, style)),
            other => {
                self.trust = other;
                None
            }
        }
    }

    /// From now on this association signs; the one before it verifies a while longer (decision 13).
    pub(super) fn adopt(&mut self, fresh: Association, overlap: std::time::Duration, now: Now) {
        self.associations += 1;
        match &mut self.trust {
            Trust::Signed(associations) => associations.renew(fresh, overlap, now),
            Trust::None | Trust::Digest(..) => self.trust = Trust::Signed(Box::new(Associations::new(fresh))),
        }
    }

    /// From now on requests are answered for with this session.
    pub(super) fn adopt_digest(&mut self, session: Box<DigestSession>, style: Style) {
        self.trust = Trust::Digest(session, style);
    }

    /// When an association is to be renewed or forgotten.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        match &self.trust {
            Trust::Signed(associations) => Some(associations.deadline()),
            Trust::None | Trust::Digest(..) => None,
        }
    }

    /// Forgets an association whose overlap is over.
    pub(super) fn handle_deadline(&mut self, now: Now) {
        if let Trust::Signed(associations) = &mut self.trust {
            associations.handle_deadline(now);
        }
    }

    /// Judges a message of the server by its signature. Only a good one moves the window.
    pub(super) fn judge(&mut self, message: &Message, places: SignaturePlaces, now: Now) -> SignatureVerdict {
        let Trust::Signed(associations) = &mut self.trust else { return SignatureVerdict::Unsignable };
        let patent_too = places == SignaturePlaces::PatentToo;
        verdict_of(associations.verify(message, Side::Server, patent_too, now).fault())
    }

    /// Signs a response of ours, if there is an association.
    pub(super) fn sign(&mut self, message: &Message, cx: &mut Context<'_>) -> Bytes {
        let Trust::Signed(associations) = &mut self.trust else { return message.bytes().clone() };
        let salt = cx.random.signature_salt();
        associations.sign_request(message, salt).unwrap_or_else(|_| message.bytes().clone())
    }

    /// Sends a REGISTER.
    ///
    /// # Errors
    /// [`Misuse::Limit`] if the agent has too many requests under way.
    pub(super) fn register(
        &mut self,
        lifetime: Lifetime,
        proving: Proving<'_>,
        account: &Account,
        cx: &mut Context<'_>,
    ) -> Result<TxId, Misuse> {
        let uri = self.request_uri(account);
        let request = self.head(Method::Register, &uri, account, cx);
        let request = register_headers(request, lifetime, &self.contact(lifetime, account), account);
        let request = Message::parse(request.finish()).map_err(|_| Misuse::BadMessage)?;
        let bytes = self.prove(&request, proving, cx);
        self.send(bytes, cx)
    }

    /// Asks the server whether it is there, or through it the owner of `uri`.
    ///
    /// # Errors
    /// [`Misuse::Limit`] if the agent has too many requests under way.
    pub(super) fn options(
        &mut self,
        uri: Option<&str>,
        account: &Account,
        cx: &mut Context<'_>,
    ) -> Result<TxId, Misuse> {
        let uri = uri.map_or_else(|| self.request_uri(account), str::to_owned);
        let request = self.head(Method::Options, &uri, account, cx).header(Name::Accept, "application/sdp");
        let request = Message::parse(request.finish()).map_err(|_| Misuse::BadMessage)?;
        let bytes = self.prove(&request, Proving::Current, cx);
        self.send(bytes, cx)
    }

    /// The Request-URI of a REGISTER.
    pub(super) fn request_uri(&self, account: &Account) -> String {
        format!("sip:{}", account.config.aor.domain)
    }

    /// Reads what a Digest server says beside its answer: a proof, the next nonce. False if the proof is
    /// wrong: then whoever answered does not know the password, and that is counted and told.
    pub(super) fn follow_nonce(
        &mut self,
        message: &Message,
        account: &Account,
        cx: &mut Context<'_>,
    ) -> bool {
        let uri = self.request_uri(account);
        let Trust::Digest(session, style) = &mut self.trust else { return true };
        let Some(info) = message.auth(style.info()).next() else { return true };
        if session.handle_info(&info, &uri, b"") != InfoVerdict::Wrong {
            return true;
        }
        cx.counters.count(Counter::WrongProof);
        cx.tell(AccountEvent::ProofWrong { server: self.server.clone() });
        false
    }

    /// Our address in this link.
    pub(super) fn contact_uri(&self, account: &Account) -> UriBuf {
        UriBuf::sip(Some(&account.config.aor.user), &self.local.ip().to_string())
            .port(self.local.port())
            .param("transport", Some(self.flow_ref.transport.uri_token()))
    }

    fn send(&mut self, bytes: Bytes, cx: &mut Context<'_>) -> Result<TxId, Misuse> {
        let request = Message::parse(bytes).map_err(|_| Misuse::BadMessage)?;
        cx.transactions.request(&crate::auth::Signed::without(request, crate::auth::NoAssociation::Unchallenged), self.flow_ref, cx.account, cx.now)
    }

    /// What every request of this link begins with.
    fn head(&mut self, method: Method<'_>, uri: &str, account: &Account, cx: &mut Context<'_>) -> Builder {
        self.cseq += 1;
        let via = ViaBuf::new(self.flow_ref.transport.via_token(), &self.local.ip().to_string())
            .port(self.local.port())
            .branch(&cx.random.branch())
            .param("rport", None)
            .param("keep", None);
        let aor = account.config.aor.to_string();
        let mut from = NameAddrBuf::new(&aor);
        if !account.config.display.is_empty() {
            from = from.display(&account.config.display);
        }
        let from = from.param("tag", Some(&self.from_tag)).param("epid", Some(&account.config.epid));
        let to = if method == Method::Register { NameAddrBuf::new(&aor) } else { NameAddrBuf::new(uri) };
        Builder::request(method, uri)
            .header(Name::Via, via)
            .header(Name::MaxForwards, 70)
            .header(Name::From, from)
            .header(Name::To, to)
            .header(Name::CallId, &self.call_id)
            .header(Name::CSeq, format_args!("{} {}", self.cseq, method.as_str()))
            .header(Name::UserAgent, &cx.agent.user_agent)
    }

    fn contact(&self, lifetime: Lifetime, account: &Account) -> NameAddrBuf {
        let instance = format!("<{}>", InstanceId::of_epid(&account.config.epid).urn());
        let mut contact = NameAddrBuf::new(self.contact_uri(account))
            .param("proxy", Some("replace"))
            .param("+sip.instance", Some(&instance));
        if account.config.outbound {
            contact = contact.param("reg-id", Some("1"));
        }
        match lifetime {
            Lifetime::Wish(seconds) => contact.param("expires", Some(&seconds.to_string())),
            Lifetime::Keep(_) | Lifetime::End => contact,
        }
    }

    /// Puts what a request proves into it.
    fn prove(&mut self, request: &Message, proving: Proving<'_>, cx: &mut Context<'_>) -> Bytes {
        let unproved = || request.bytes().clone();
        match (proving, &mut self.trust) {
            (Proving::Nothing, _) | (Proving::Current, Trust::None) => unproved(),
            (Proving::Current, Trust::Signed(associations)) => {
                let salt = cx.random.signature_salt();
                associations.sign_request(request, salt).unwrap_or_else(|_| unproved())
            }
            (Proving::Opening(name, style), _) => with_header(request, style.credentials(), &name.opening()),
            (Proving::Token(fresh, token), _) => {
                let salt = cx.random.signature_salt();
                fresh.establish(request, token, salt).unwrap_or_else(|_| unproved())
            }
            (Proving::Digest(session, style), _) => answered(request, session, style, cx),
            (Proving::Current, Trust::Digest(session, style)) => answered(request, session, *style, cx),
        }
    }
}

/// What a verdict of an association means to a login.
pub(super) fn verdict_of(fault: Option<SignatureFault>) -> SignatureVerdict {
    fault.map_or(SignatureVerdict::Signed, SignatureVerdict::Refused)
}

fn answered(request: &Message, session: &mut DigestSession, style: Style, cx: &mut Context<'_>) -> Bytes {
    let method = request.method().unwrap_or(Method::Register);
    let uri = request.request_uri().unwrap_or_default();
    let value = session.authorization(method.as_str(), uri, request.body(), &cx.random.cnonce());
    with_header(request, style.credentials(), &value)
}

/// What makes a REGISTER one that both Microsoft's and other registrars understand.
fn register_headers(
    request: Builder,
    lifetime: Lifetime,
    contact: &NameAddrBuf,
    account: &Account,
) -> Builder {
    let outbound = if account.config.outbound { ", path, outbound" } else { "" };
    let request = request
        .header(Name::Contact, contact)
        .header(Name::Supported, format_args!("gruu-10, adhoclist, ms-cluster-failover{outbound}"))
        .header(Name::Event, "registration")
        .header(Name::Allow, super::uas::ALLOW)
        .header(Name::MsKeepAlive, "UAC;hop-hop=yes");
    match lifetime {
        Lifetime::Wish(_) => request,
        Lifetime::Keep(seconds) => request.header(Name::Expires, seconds),
        Lifetime::End => request.header(Name::Expires, 0),
    }
}
