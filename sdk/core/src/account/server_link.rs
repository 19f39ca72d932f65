//! What one account and one server have in common: the flow between them, and what each proved to the other.
//!
//! Every message of the server is verified by the link before any machine sees it, and every message to the server
//! is signed by it. A link outlives its registration while a request uses it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing_wire::{Message, UriBuf};

use super::acceptance::SignatureVerdict;
use super::digest_realms::DigestRealms;
use super::random::Random;
use crate::auth::digest::InfoVerdict;
use crate::auth::ntlm::Side;
use crate::auth::security_association::{Association, AssociationName, Associations, SignError, Style};
use crate::auth::signed::{NoAssociation, Signed};
use crate::config::{Aor, SignaturePlaces};
use crate::connect::TlsProof;
use crate::identity::Expected;
use crate::ids::FlowId;
use crate::server::ServerName;
use crate::time::{Deadline, Now};
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
    pub(crate) proof: Option<TlsProof>,
    /// Our end of the flow, as it stands in Via and Contact.
    pub(crate) local: SocketAddr,
    trust: Trust,
    /// The association whose token is out; it counts once a final signed with it says so.
    pending: Option<Box<Association>>,
    /// Associations so far, the present one included.
    associations: u32,
    /// Requests under way over it.
    requests: u32,
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
    pub(crate) proof: Option<TlsProof>,
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

/// What the two proved to each other.
enum Trust {
    /// Nothing, or nothing yet.
    None,
    /// Every message is signed.
    Signed(Box<Associations>),
    /// The account proves itself with each request.
    Digest(Box<DigestRealms>),
}

/// Signs what follows from a response of this link's server, such as an ACK.
pub(crate) struct LinkSigner<'a> {
    /// By whom.
    pub(crate) link: &'a mut ServerLink,
    /// For salts.
    pub(crate) random: &'a mut dyn Random,
}

impl ServerLink {
    /// A link over a fresh flow, on which nothing is proved but what TLS proved.
    pub(crate) fn new(id: LinkId, flow: OpenFlow) -> Self {
        let OpenFlow { server, named, flow_ref, proof, local } = flow;
        let trust = Trust::None;
        Self { id, server, named, flow_ref, proof, local, trust, pending: None, associations: 0, requests: 0 }
    }

    /// A link whose association signs nothing more.
    #[cfg(test)]
    pub(crate) fn used_up() -> Self {
        let server = ServerName::new("hs1.network.com", 5061);
        let named = Named { host: "hs1.network.com".into(), port: None, exact: true };
        let flow_ref = FlowRef::new(FlowId(1), Transport::Tls);
        let local = SocketAddr::from(([198, 51, 100, 7], 40_000));
        let name = AssociationName {
            mechanism: crate::auth::security_association::Mechanism::Ntlm,
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

    /// The server by the name it was known by.
    pub(crate) fn named(&self) -> ServerName {
        self.named.server(self.flow_ref.transport)
    }

    /// The association in use.
    pub(crate) fn association(&self) -> Option<&Association> {
        match &self.trust {
            Trust::Signed(associations) => Some(associations.current()),
            Trust::None | Trust::Digest(..) => None,
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
            Trust::None | Trust::Signed(_) => None,
        }
    }

    /// When the association is to be renewed, or the one before it forgotten.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        match &self.trust {
            Trust::Signed(associations) => Some(associations.deadline()),
            Trust::None | Trust::Digest(..) => None,
        }
    }

    /// Forgets an association whose overlap is over.
    pub(crate) fn handle_deadline(&mut self, now: Now) {
        if let Trust::Signed(associations) = &mut self.trust {
            associations.handle_deadline(now);
        }
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
        let by_current = match &mut self.trust {
            Trust::Signed(associations) => {
                associations.verify(message, Side::Server, patent_too, now).fault().into()
            }
            Trust::None | Trust::Digest(_) => SignatureVerdict::Unsignable,
        };
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
        match &mut self.trust {
            Trust::None => Ok(Signed::without(request.clone(), NoAssociation::Unchallenged)),
            Trust::Signed(associations) => associations.sign_request(request, random.signature_salt()),
            Trust::Digest(realms) => Ok(realms.answer(request, random)),
        }
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

    /// From now on the association whose token was out signs; the one before it verifies for another
    /// `overlap` (decision 13).
    pub(crate) fn adopt_pending(&mut self, overlap: Duration, now: Now) -> Option<&Association> {
        let fresh = *self.pending.take()?;
        self.associations += 1;
        match &mut self.trust {
            Trust::Signed(associations) => associations.renew(fresh, overlap, now),
            Trust::None | Trust::Digest(..) => self.trust = Trust::Signed(Box::new(Associations::new(fresh))),
        }
        self.association()
    }

    /// The handshake came to nothing.
    pub(crate) fn forget_pending(&mut self) {
        self.pending = None;
    }

    /// True for a challenge that lacks the scheme of the standing association: it is not listened to, because
    /// the scheme changes only in a new login.
    pub(crate) fn is_foreign_challenge(&self, response: &Message) -> bool {
        let Some(association) = self.association() else { return false };
        let scheme = association.name().mechanism.scheme();
        let offers = |style: Style| response.auth(style.challenge()).any(|auth| auth.is(scheme));
        matches!(response.status(), Some(401 | 407)) && !offers(Style::Registrar) && !offers(Style::Proxy)
    }

    /// Signs a response of ours, or leaves it as it is where no association signs.
    ///
    /// # Errors
    /// [`SignError`]: there is an association and it cannot sign.
    pub(crate) fn sign_response(
        &mut self,
        response: Message,
        random: &mut dyn Random,
    ) -> Result<Bytes, SignError> {
        match &mut self.trust {
            Trust::Signed(associations) => {
                let signed = associations.sign_request(&response, random.signature_salt())?;
                Ok(signed.message().bytes().clone())
            }
            Trust::None | Trust::Digest(_) => Ok(response.bytes().clone()),
        }
    }

    /// Reads what a Digest server says beside its answer to a request with this URI: a proof, the next nonce.
    /// False if the proof is wrong: then whoever answered does not know the password.
    pub(crate) fn follow_nonce(&mut self, message: &Message, uri: &str) -> bool {
        match &mut self.trust {
            Trust::Digest(realms) => realms.handle_info(message, uri) != InfoVerdict::Wrong,
            Trust::None | Trust::Signed(_) => true,
        }
    }

    /// Our address on this link.
    pub(crate) fn contact_uri(&self, aor: &Aor) -> UriBuf {
        UriBuf::sip(Some(&aor.user), &self.local.ip().to_string())
            .port(self.local.port())
            .param("transport", Some(self.flow_ref.transport.uri_token()))
    }
}

impl Named {
    /// A server of that host and port, whose certificate must name whom it must.
    pub(crate) fn new(host: &str, port: Option<u16>, expected: &Expected) -> Self {
        Self { host: host.into(), port, exact: matches!(expected, Expected::Host(_)) }
    }

    /// The server as it would be dialled without SRV records.
    pub(crate) fn server(&self, transport: Transport) -> ServerName {
        ServerName::new(&self.host, self.port.unwrap_or(transport.default_port()))
    }
}

impl Signer for LinkSigner<'_> {
    fn sign(&mut self, request: Message) -> Result<Signed, SignError> {
        self.link.sign(&request, self.random)
    }
}

#[cfg(test)]
mod tests {
    use homing_wire::{Builder, Method, Name};

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
            let mut signer = LinkSigner { link: &mut link, random: &mut random };
            assert_eq!(Signer::sign(&mut signer, request).unwrap_err(), SignError::UsedUp);
        }
        let response = Builder::reply_to(&request(Method::Options), 200, "OK").to_tag("b1").message();
        assert_eq!(link.sign_response(response, &mut random), Err(SignError::UsedUp));
    }
}
