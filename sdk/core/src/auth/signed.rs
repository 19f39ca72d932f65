//! Requests that may leave: signed, answered for by Digest, or without either for a stated reason.

use bytes::Bytes;
use homing_wire::Message;

/// A request with all the proof it needs. Only this enters the table of transactions.
///
/// It is made by an association ([`Association::sign_request`](super::security_association::Association::sign_request),
/// [`Association::establish`](super::security_association::Association::establish)), by a Digest session, or by
/// [`Signed::without`] with the reason why nothing signs it. There is no other way, so that a request whose
/// signing failed cannot leave unsigned (decision 11).
#[derive(Clone, Debug)]
pub struct Signed {
    request: Message,
    proof: Proof,
}

/// What a request proves about its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The signature of an association, or the token that establishes one.
    Association,
    /// Digest credentials, its own or those of the INVITE it belongs to (RFC 3261 section 22.1).
    Digest,
    /// Nothing, for this reason.
    None(NoAssociation),
}

/// Why a request leaves without the signature of an association and without Digest credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAssociation {
    /// No server demanded a proof yet: the first request over a link, or a network without authentication
    /// (patent paragraph 31).
    Unchallenged,
    /// The REGISTER that opens a handshake, with the empty token or with nothing, to establish an
    /// association or its successor (MS-SIPAE 3.2.4.1).
    OpensHandshake,
    /// A request over a link that drains, sent to draw the challenge its next association begins with.
    DrawsChallenge,
    /// The account has no registrar, so no server verifies a signature.
    NoRegistrar,
    /// One server to another: mutual TLS proved both.
    MutualTls,
    /// A relay passes it on: what it proves, it proves to another server.
    Relayed,
}

impl Signed {
    /// A request that goes without a signature, and why.
    pub fn without(request: Message, why: NoAssociation) -> Self {
        Self { request, proof: Proof::None(why) }
    }

    /// A request of a server to its client, into which the server's own signer put
    /// [`Association::server_signature`](super::security_association::Association::server_signature).
    pub fn by_server(request: Message) -> Self {
        Self { request, proof: Proof::Association }
    }

    /// A request with the signature or the token of an association in it.
    pub(crate) fn by_association(request: Message) -> Self {
        Self { request, proof: Proof::Association }
    }

    /// A request with Digest credentials in it.
    pub(crate) fn by_digest(request: Message) -> Self {
        Self { request, proof: Proof::Digest }
    }

    /// What it proves.
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The request as it is sent.
    pub fn message(&self) -> &Message {
        &self.request
    }

    /// Its octets.
    pub fn bytes(&self) -> &Bytes {
        self.request.bytes()
    }

    /// The request as it is sent.
    pub fn into_message(self) -> Message {
        self.request
    }
}

/// The octets of the request.
impl From<Signed> for Bytes {
    fn from(signed: Signed) -> Bytes {
        signed.request.into()
    }
}
