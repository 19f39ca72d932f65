//! What one account and one server have in common: the flow between them, and what each proved to the other.
//!
//! Every message of the server is verified by the link before any machine sees it, and every message to the server
//! is signed by it. A link outlives its registration while a request uses it, and a new login at the same server
//! goes on with it: there is one link for an account and a server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use homing_wire::{Message, Method, Name, UriBuf};

use super::acceptance::SignatureVerdict;
use super::digest_realms::{DigestRealms, SentAnswer};
use super::random::Random;
use super::service_route::ServiceRoute;
use crate::auth::digest::InfoVerdict;
use crate::auth::ntlm::Side;
use crate::auth::security_association::{
    Association, AssociationName, Associations, Mechanism, SignError, Style,
};
use crate::auth::signed::{self, NoAssociation, Signed};
use crate::config::{Aor, SignaturePlaces};
use crate::connect::TlsProof;
use crate::error::SignatureFault;
use crate::flow::Opened;
use crate::identity::Expected;
use crate::ids::FlowId;
use crate::server::ServerName;
use crate::time::{Deadline, Moment, Now, Why};
use crate::transaction::{FlowRef, Signer};
use crate::transport::Transport;

/// An account's dealings with one server.
pub(crate) struct ServerLink {
    /// Its number within the account.
    pub(crate) id: LinkId,
    /// The server as dialled.
    pub(crate) server: ServerName,
    /// What it was known by before DNS was asked.
    pub(crate) named: Named,
    pub(crate) flow_ref: FlowRef,
    /// What TLS proved.
    pub(crate) proof: Option<Arc<TlsProof>>,
    /// Our end of the flow, as it stands in Via and Contact.
    pub(crate) local: SocketAddr,
    trust: Trust,
    /// The association whose token is out; it counts once a final signed with it says so.
    pending: Option<Box<Association>>,
    /// What the login before left, while requests of that time may still be answered. Nearly no link has it.
    earlier: Option<Box<Earlier>>,
    /// Associations of this login so far, the present one included.
    associations: u32,
    /// Requests under way over it.
    requests: u32,
    /// What its registrar gave for requests outside dialogs.
    pub(crate) service_route: ServiceRoute,
}

/// One link of an account; never reused within the account's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinkId(pub(crate) u32);

/// What a server was known by before DNS was asked for it: what is remembered of it, and, beside the
/// name that was dialled, what a loop is measured by.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// Host as written.
    pub(crate) host: Box<str>,
    /// Port, if written; else SRV records named the server that was dialled.
    pub(crate) port: Option<u16>,
    /// Whether its certificate must name exactly this host.
    pub(crate) exact: bool,
}

/// The flow a link begins with.
pub(crate) struct OpenFlow {
    /// The server as dialled.
    pub(crate) server: ServerName,
    /// What it was known by.
    pub(crate) named: Named,
    pub(crate) flow_ref: FlowRef,
    /// What TLS proved.
    pub(crate) proof: Option<Arc<TlsProof>>,
    /// Our end.
    pub(crate) local: SocketAddr,
}

/// What a request is to prove about its sender.
pub(crate) enum Proof {
    /// What the link has: a signature, Digest credentials, or nothing where no proof was demanded yet.
    Current,
    /// Nothing, to be challenged.
    Nothing,
    /// The empty token that opens a handshake.
    Opening(AssociationName, Style),
    /// The token that ends it, and the association that comes of it.
    Token(Box<Association>, Vec<u8>),
}

/// A request that was answered: what a Digest server's proof is judged by.
#[derive(Clone, Copy)]
pub(crate) struct SentRequest<'a> {
    /// Its Request-URI.
    pub(crate) uri: &'a str,
    /// The flow it went over.
    pub(crate) flow: FlowId,
    /// What it answered to each realm.
    pub(crate) answers: &'a [SentAnswer],
}

/// What a message of the server proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// By its signature.
    pub(crate) verdict: SignatureVerdict,
    /// True if the association whose token is out signed it.
    pub(crate) by_pending: bool,
}

/// A response that was judged and fed to its transaction.
pub(crate) struct Verified {
    pub(crate) message: Message,
    pub(crate) judged: Judgement,
}

/// The flow and the trust of the login before, at the same server.
struct Earlier {
    flow: FlowId,
    trust: Trust,
    /// The last request of that time is answered or given up by then.
    until: Moment,
}

/// What the two proved to each other.
enum Trust {
    /// Nothing, or nothing yet.
    None,
    /// Every message is signed.
    Signed(Box<Associations>),
    /// The account proves itself with each request.
    Digest(Box<DigestRealms>),
    /// Every message was signed, until the connection of the association was lost; by which mechanism.
    Lapsed(Mechanism),
}

/// Signs what follows from a response of this link's server, such as an ACK.
pub(crate) struct LinkSigner<'a> {
    /// By whom.
    pub(crate) link: &'a mut ServerLink,
    /// Over which of its flows.
    pub(crate) flow: FlowId,
    /// What a CANCEL says of why it is sent (RFC 3326).
    pub(crate) reason: Option<&'static str>,
    /// For salts.
    pub(crate) random: &'a mut dyn Random,
}

impl Proof {
    /// The same for another connection, where the proof hangs on none: that of a handshake does.
    pub(crate) fn repeat(&self) -> Option<Self> {
        match self {
            Proof::Current => Some(Proof::Current),
            Proof::Opening(name, style) => Some(Proof::Opening(name.clone(), *style)),
            Proof::Nothing | Proof::Token(..) => None,
        }
    }
}

impl ServerLink {
    /// A link over a fresh flow, on which nothing is proved but what TLS proved.
    pub(crate) fn new(id: LinkId, flow: OpenFlow) -> Self {
        let OpenFlow { server, named, flow_ref, proof, local } = flow;
        let trust = Trust::None;
        let (pending, earlier) = (None, None);
        Self {
            id,
            server,
            named,
            flow_ref,
            proof,
            local,
            trust,
            pending,
            earlier,
            associations: 0,
            requests: 0,
            service_route: ServiceRoute::default(),
        }
    }

    /// Goes on with the link that an earlier login at the same server left draining. What goes out from now on
    /// goes over this flow under this association; for another `overlap` the earlier ones verify, and sign what
    /// belongs to the earlier flow (decisions 13 and 39).
    pub(crate) fn resume(&mut self, drained: ServerLink, overlap: Duration, now: Now) {
        let until = now.after(overlap);
        self.id = drained.id;
        self.requests += drained.requests;
        self.earlier = Some(Box::new(Earlier { flow: drained.flow(), trust: drained.trust, until }));
    }

    /// Goes on over another connection to the same place. What an association proved hung on the one before, so there
    /// is none.
    pub(crate) fn move_to(&mut self, flow: FlowRef, opened: &Opened) {
        self.flow_ref = flow;
        self.local = opened.local;
        self.proof.clone_from(&opened.proof);
    }

    /// Goes on over another connection to the same server, which proved what TLS proves: an association ends with its
    /// connection, Digest sessions do not (decision 39).
    pub(crate) fn reconnect(&mut self, flow: FlowRef, opened: &Opened) {
        self.move_to(flow, opened);
        self.forget_pending();
        if let Trust::Signed(associations) = &self.trust {
            self.trust = Trust::Lapsed(associations.current().name().mechanism);
        }
    }

    /// True if an association stood and ended with its connection: only what draws a new handshake goes out, and nothing
    /// unsigned is heard.
    pub(crate) fn is_lapsed(&self) -> bool {
        matches!(self.trust, Trust::Lapsed(_))
    }

    /// True if the two are links to one server.
    pub(crate) fn is_same_server(&self, other: &ServerLink) -> bool {
        self.server == other.server && self.flow_ref.transport == other.flow_ref.transport
    }

    /// A link whose association signs nothing more.
    #[cfg(test)]
    pub(crate) fn used_up() -> Self {
        let server = ServerName::new("hs1.network.com", 5061);
        let named = Named { host: "hs1.network.com".into(), port: None, exact: true };
        let flow_ref = FlowRef::new(FlowId(1), Transport::SIPS);
        let local = SocketAddr::from(([198, 51, 100, 7], 40_000));
        let name = AssociationName {
            mechanism: Mechanism::Ntlm,
            realm: "SIP Communications Service".into(),
            targetname: "hs1.network.com".into(),
            version: crate::auth::security_association::Version::V4,
        };
        let keys = crate::auth::ntlm::SessionKeys::derive(&[0x55; 16], 0x6298_8255);
        let now = Now::new(Duration::ZERO, Duration::ZERO);
        let association = Association::new(name, "ACDC1230", Style::Registrar, keys.into(), now).used_up();
        let link = Self::new(LinkId(0), OpenFlow { server, named, flow_ref, proof: None, local });
        Self { trust: Trust::Signed(Box::new(Associations::new(association))), ..link }
    }

    /// A request begins over it.
    pub(crate) fn join(&mut self) {
        self.requests += 1;
    }

    /// A request over it is over.
    pub(crate) fn part(&mut self) {
        self.requests = self.requests.saturating_sub(1);
    }

    /// True while a request is under way over it.
    pub(crate) fn is_in_use(&self) -> bool {
        self.requests > 0
    }

    /// The flow's name.
    pub(crate) fn flow(&self) -> FlowId {
        self.flow_ref.flow
    }

    /// True if its messages come over this flow, or did in the login before.
    pub(crate) fn is_over(&self, flow: FlowId) -> bool {
        self.flow() == flow || self.earlier.as_ref().is_some_and(|earlier| earlier.flow == flow)
    }

    /// The server by the name it was known by.
    pub(crate) fn named(&self) -> ServerName {
        self.named.server(self.flow_ref.transport)
    }

    /// The association in use.
    pub(crate) fn association(&self) -> Option<&Association> {
        match &self.trust {
            Trust::Signed(associations) => Some(associations.current()),
            Trust::None | Trust::Digest(..) | Trust::Lapsed(_) => None,
        }
    }

    /// How many associations there were, the present one included.
    pub(crate) fn associations(&self) -> u32 {
        self.associations
    }

    /// The Digest sessions; there are none where an association signs.
    pub(crate) fn digest(&mut self) -> Option<&mut DigestRealms> {
        if matches!(self.trust, Trust::None) {
            self.trust = Trust::Digest(Box::default());
        }
        match &mut self.trust {
            Trust::Digest(realms) => Some(realms),
            Trust::None | Trust::Signed(_) | Trust::Lapsed(_) => None,
        }
    }

    /// True if Digest sessions stand that a request carries the answers of.
    pub(crate) fn has_digest(&self) -> bool {
        matches!(&self.trust, Trust::Digest(realms) if !realms.is_empty())
    }

    /// When the association is to be renewed, or the one before it forgotten.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let own = match &self.trust {
            Trust::Signed(associations) => Some(associations.deadline()),
            Trust::None | Trust::Digest(..) | Trust::Lapsed(_) => None,
        };
        let earlier =
            self.earlier.as_ref().map(|earlier| Deadline::new(earlier.until, Why::AssociationOverlap));
        Deadline::earlier(own, earlier)
    }

    /// Forgets an association whose overlap is over.
    pub(crate) fn handle_deadline(&mut self, now: Now) {
        if let Trust::Signed(associations) = &mut self.trust {
            associations.handle_deadline(now);
        }
        self.earlier.take_if(|earlier| now.reached(earlier.until));
    }

    /// Judges a message of the server by its signature: by the association whose token is out, the one that
    /// signs, or the one before it. Only a good one moves a window.
    pub(crate) fn verify(&mut self, message: &Message, places: SignaturePlaces, now: Now) -> Judgement {
        let patent_too = places == SignaturePlaces::PatentToo;
        let by_pending = match &mut self.pending {
            Some(pending) => {
                SignatureVerdict::from(pending.verify(message, Side::Server, patent_too).fault())
            }
            None => SignatureVerdict::Unsignable,
        };
        if by_pending == SignatureVerdict::Signed {
            return Judgement { verdict: by_pending, by_pending: true };
        }
        let by_current = self.trust.verify(message, patent_too, now);
        if let Some(earlier) = &mut self.earlier
            && by_current != SignatureVerdict::Signed
            && earlier.trust.verify(message, patent_too, now) == SignatureVerdict::Signed
        {
            return Judgement { verdict: SignatureVerdict::Signed, by_pending: false };
        }
        let verdict = match (by_current, &self.pending) {
            (SignatureVerdict::Signed, _) | (_, None) => by_current,
            (SignatureVerdict::Unsignable | SignatureVerdict::Refused(_), Some(_)) => by_pending,
        };
        Judgement { verdict, by_pending: false }
    }

    /// Signs a request: by the association, by Digest, or with nothing where no proof was demanded yet.
    ///
    /// # Errors
    /// [`SignError`]: the association cannot sign; a new one is needed.
    pub(crate) fn sign(&mut self, request: &Message, random: &mut dyn Random) -> Result<Signed, SignError> {
        self.trust.sign(request, random)
    }

    /// Puts into a request what it is to prove. After a token the association that comes of it verifies, too.
    ///
    /// # Errors
    /// [`SignError`]: the association cannot sign; a new one is needed.
    pub(crate) fn prove(
        &mut self,
        request: Message,
        proof: Proof,
        random: &mut dyn Random,
    ) -> Result<Signed, SignError> {
        match proof {
            Proof::Current => self.sign(&request, random),
            Proof::Nothing => Ok(Signed::without(request, NoAssociation::OpensHandshake)),
            Proof::Opening(name, style) => {
                let request = request.with_header(style.credentials(), name.opening());
                Ok(Signed::without(request, NoAssociation::OpensHandshake))
            }
            Proof::Token(mut fresh, token) => {
                let signed = fresh.establish(&request, &token, random.signature_salt())?;
                self.pending = Some(fresh);
                Ok(signed)
            }
        }
    }

    /// What a request that was proved just now answered to each realm.
    pub(crate) fn answers_in(&self, proved: &Signed) -> Vec<SentAnswer> {
        match &self.trust {
            Trust::Digest(realms) if proved.proof() == signed::Proof::Digest => realms.last_answers(),
            Trust::None | Trust::Signed(_) | Trust::Digest(_) | Trust::Lapsed(_) => Vec::new(),
        }
    }

    /// From now on the association whose token was out signs; the one before it verifies for another
    /// `overlap` (decision 13).
    pub(crate) fn adopt_pending(&mut self, overlap: Duration, now: Now) -> Option<&Association> {
        let fresh = *self.pending.take()?;
        self.associations += 1;
        match &mut self.trust {
            Trust::Signed(associations) => associations.renew(fresh, overlap, now),
            Trust::None | Trust::Digest(..) | Trust::Lapsed(_) => {
                self.trust = Trust::Signed(Box::new(Associations::new(fresh)));
            }
        }
        self.association()
    }

    /// The handshake came to nothing.
    pub(crate) fn forget_pending(&mut self) {
        self.pending = None;
    }

    /// True for a challenge over that flow that lacks the scheme of the association there: it is not listened to,
    /// because the scheme changes only in a new login.
    pub(crate) fn is_foreign_challenge(&self, response: &Message, flow: FlowId) -> bool {
        let trust = match &self.earlier {
            Some(earlier) if earlier.flow == flow && self.flow() != flow => &earlier.trust,
            Some(_) | None => &self.trust,
        };
        let scheme = match trust {
            Trust::Signed(associations) => associations.current().name().mechanism.scheme(),
            Trust::Lapsed(mechanism) => mechanism.scheme(),
            Trust::None | Trust::Digest(_) => return false,
        };
        let offers = |style: Style| response.auth(style.challenge()).any(|auth| auth.is(scheme));
        matches!(response.status(), Some(401 | 407)) && !offers(Style::Registrar) && !offers(Style::Proxy)
    }

    /// Signs a response of ours that goes over that flow, or leaves it as it is where no association signs.
    ///
    /// # Errors
    /// [`SignError`]: there is an association and it cannot sign.
    pub(crate) fn sign_response(
        &mut self,
        response: Message,
        flow: FlowId,
        random: &mut dyn Random,
    ) -> Result<Bytes, SignError> {
        match self.trust_over(flow) {
            Trust::Signed(associations) => {
                let signed = associations.sign_request(&response, random.signature_salt())?;
                Ok(signed.message().bytes().clone())
            }
            Trust::Lapsed(_) => Err(SignError::Lapsed),
            Trust::None | Trust::Digest(_) => Ok(response.bytes().clone()),
        }
    }

    /// Reads what a Digest server says beside its answer to a request with this URI over that flow: a proof, the
    /// next nonce. False if the proof is wrong: then the sender does not know the password.
    pub(crate) fn follow_nonce(&mut self, message: &Message, request: SentRequest<'_>) -> bool {
        let SentRequest { uri, flow, answers } = request;
        match self.trust_over(flow) {
            Trust::Digest(realms) => realms.handle_info(message, uri, answers) != InfoVerdict::Wrong,
            Trust::None | Trust::Signed(_) | Trust::Lapsed(_) => true,
        }
    }

    /// What was proved over one of its flows.
    fn trust_over(&mut self, flow: FlowId) -> &mut Trust {
        match &mut self.earlier {
            Some(earlier) if earlier.flow == flow && self.flow_ref.flow != flow => &mut earlier.trust,
            Some(_) | None => &mut self.trust,
        }
    }

    /// Our address on this link.
    pub(crate) fn contact_uri(&self, aor: &Aor) -> UriBuf {
        UriBuf::sip(None, &self.local.ip().to_string())
            .written_user(&aor.user)
            .port(self.local.port())
            .param("transport", Some(self.flow_ref.transport.uri_token()))
    }
}

impl Trust {
    fn verify(&mut self, message: &Message, patent_too: bool, now: Now) -> SignatureVerdict {
        match self {
            Trust::Signed(associations) => {
                associations.verify(message, Side::Server, patent_too, now).fault().into()
            }
            Trust::Lapsed(_) => SignatureVerdict::Refused(SignatureFault::Unsigned),
            Trust::None | Trust::Digest(_) => SignatureVerdict::Unsignable,
        }
    }

    fn sign(&mut self, request: &Message, random: &mut dyn Random) -> Result<Signed, SignError> {
        match self {
            Trust::None => Ok(Signed::without(request.clone(), NoAssociation::Unchallenged)),
            Trust::Signed(associations) => associations.sign_request(request, random.signature_salt()),
            Trust::Digest(realms) => Ok(realms.answer(request, random)),
            // What says nothing but that it wants to be challenged may go out.
            Trust::Lapsed(_) if draws_handshake(request) => {
                Ok(Signed::without(request.clone(), NoAssociation::DrawsChallenge))
            }
            Trust::Lapsed(_) => Err(SignError::Lapsed),
        }
    }
}

/// True for a request without a body that a server challenges before it does anything.
fn draws_handshake(request: &Message) -> bool {
    let method = request.method();
    matches!(method, Some(Method::Update | Method::Options | Method::Bye)) && request.body().is_empty()
}

impl Named {
    /// A server of that host and port, whose certificate must name whom it must.
    pub(crate) fn new(host: &str, port: Option<u16>, expected: &Expected) -> Self {
        Self { host: host.into(), port, exact: expected.is_exact() }
    }

    /// The server as it would be dialled without SRV records.
    pub(crate) fn server(&self, transport: Transport) -> ServerName {
        ServerName::new(&self.host, self.port.unwrap_or(transport.default_port()))
    }
}

impl Signer for LinkSigner<'_> {
    fn sign(&mut self, request: Message) -> Result<Signed, SignError> {
        let request = match self.reason.filter(|_| request.method() == Some(Method::Cancel)) {
            Some(reason) => request.with_header(Name::Reason, reason),
            None => request,
        };
        self.link.trust_over(self.flow).sign(&request, self.random)
    }
}

#[cfg(test)]
mod tests {
    use homing_wire::Builder;

    use super::*;
    use crate::account::random::SeededRandom;
    use crate::ids::Seed;

    fn request(method: Method<'_>) -> Message {
        Builder::request(method, "sip:network.com")
            .header(Name::Via, "SIP/2.0/TLS 198.51.100.7:40000;branch=z9hG4bK1")
            .header(Name::From, "<sip:alice@network.com>;tag=a1;epid=3344")
            .header(Name::To, "<sip:bob@network.com>")
            .header(Name::CallId, "call-1")
            .header(Name::CSeq, format_args!("1 {}", method.as_str()))
            .message()
    }

    /// Decision 11: signing fails closed.
    #[test]
    fn what_the_association_cannot_sign_does_not_leave_without_a_signature() {
        let mut link = ServerLink::used_up();
        let mut random = SeededRandom::new(&Seed::from_number(1));
        for method in [Method::Options, Method::Register, Method::Ack, Method::Cancel] {
            let request = request(method);
            assert_eq!(link.sign(&request, &mut random).unwrap_err(), SignError::UsedUp);
            let proved = link.prove(request.clone(), Proof::Current, &mut random);
            assert_eq!(proved.unwrap_err(), SignError::UsedUp);
            let mut signer =
                LinkSigner { link: &mut link, flow: FlowId(1), reason: None, random: &mut random };
            assert_eq!(Signer::sign(&mut signer, request).unwrap_err(), SignError::UsedUp);
        }
        let response = Builder::reply_to(&request(Method::Options), 200, "OK").to_tag("b1").message();
        assert_eq!(link.sign_response(response, FlowId(1), &mut random), Err(SignError::UsedUp));
    }

    /// Decision 39: over another connection only what draws a new handshake goes out.
    #[test]
    fn what_an_ended_association_would_have_signed_does_not_leave_without_a_signature() {
        let mut link = ServerLink::used_up();
        let mut random = SeededRandom::new(&Seed::from_number(1));
        let now = Now::new(Duration::ZERO, Duration::ZERO);
        let local = SocketAddr::from(([198, 51, 100, 7], 40_001));
        link.reconnect(FlowRef::new(FlowId(2), Transport::SIPS), &Opened::new(local, local, None, now));
        for (method, leaves) in [
            (Method::Update, true),
            (Method::Options, true),
            (Method::Bye, true),
            (Method::Invite, false),
            (Method::Ack, false),
            (Method::Cancel, false),
            (Method::Info, false),
        ] {
            let signed = link.sign(&request(method), &mut random);
            assert_eq!(signed.is_ok(), leaves, "{method}");
            let body = Builder::from_message(&request(method)).body("application/sdp", b"v=0").message();
            assert_eq!(link.sign(&body, &mut random).unwrap_err(), SignError::Lapsed, "{method} with a body");
        }
        let response = Builder::reply_to(&request(Method::Options), 200, "OK").to_tag("b1").message();
        assert_eq!(link.sign_response(response.clone(), FlowId(2), &mut random), Err(SignError::Lapsed));
        let verdict = link.verify(&response, SignaturePlaces::Standard, now).verdict;
        assert_eq!(verdict, SignatureVerdict::Refused(SignatureFault::Unsigned));
    }
}
