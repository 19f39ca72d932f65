//! By what a message finds its transaction: RFC 3261 sections 17.1.3 and 17.2.3, hashed with a secret.

use std::hash::{Hash, Hasher};

use homing_wire::{Host, Message, Method};
use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

use crate::ids::Rng;

/// The identity of a transaction in sixteen bytes.
///
/// Both halves are hashes under a key drawn from the seed, so that a peer who chooses branches and
/// tags cannot aim at a collision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Call-ID, CSeq and, on the server side, the From tag: what a request keeps on every path it
    /// takes. It finds merged requests (RFC 3261 section 8.2.2.2).
    pub(super) origin: u64,
    /// Branch, and on the server side the sent-by: one path of the request.
    path: u64,
}

/// Computes keys.
#[derive(Debug)]
pub(super) struct Keys {
    secret: (u64, u64),
}

impl Keys {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self { secret: (rng.next_u64(), rng.next_u64()) }
    }

    /// The key of a client transaction, out of its request or of a response to it.
    ///
    /// RFC 3261 section 17.1.3 asks for branch and method; Call-ID and CSeq number are copied into every
    /// response as well, so a forged or confused answer must know them too.
    pub(super) fn client(&self, message: &Message) -> Option<Key> {
        let cseq = message.cseq().ok()?;
        let via = message.via().ok()?;
        let mut origin = self.hasher(Side::Client);
        message.call_id().ok()?.hash(&mut origin);
        (cseq.seq, cseq.method.as_str()).hash(&mut origin);
        let mut path = self.hasher(Side::Client);
        hash_branch(via.branch()?, &mut path);
        Some(Key { origin: origin.finish(), path: path.finish() })
    }

    /// The key of the server transaction a request belongs to; an ACK belongs to its INVITE.
    ///
    /// RFC 3261 section 17.2.3 asks for branch, sent-by and method. Clients of RFC 2543, those that send
    /// no branch (Communicator 2007) and those that use one branch for all requests (as the patent prints
    /// it) are told apart by Call-ID, CSeq number and From tag, which hold for every other client too.
    pub(super) fn server(&self, request: &Message) -> Option<Key> {
        match request.method()? {
            Method::Ack => self.server_as(request, Method::Invite),
            method => self.server_as(request, method),
        }
    }

    /// The key under which the INVITE stands that a CANCEL is for (RFC 3261 section 9.2).
    pub(super) fn cancelled(&self, cancel: &Message) -> Option<Key> {
        self.server_as(cancel, Method::Invite)
    }

    fn server_as(&self, request: &Message, method: Method<'_>) -> Option<Key> {
        let via = request.via().ok()?;
        let mut origin = self.hasher(Side::Server);
        request.call_id().ok()?.hash(&mut origin);
        request.from().ok()?.tag().hash(&mut origin);
        (request.cseq().ok()?.seq, method.as_str()).hash(&mut origin);
        let mut path = self.hasher(Side::Server);
        hash_branch(via.branch().unwrap_or_default(), &mut path);
        hash_host(via.host, &mut path);
        via.port.hash(&mut path);
        Some(Key { origin: origin.finish(), path: path.finish() })
    }

    /// What tells one 2xx from another: a hash of all its octets.
    pub(super) fn fingerprint(&self, response: &Message) -> u64 {
        let mut hasher = self.hasher(Side::Client);
        response.bytes().hash(&mut hasher);
        hasher.finish()
    }

    fn hasher(&self, side: Side) -> SipHasher13 {
        let mut hasher = SipHasher13::new_with_keys(self.secret.0, self.secret.1);
        hasher.write_u8(side as u8);
        hasher
    }
}

/// Client and server transactions of one table never meet.
#[derive(Clone, Copy)]
enum Side {
    Client = 0,
    Server = 1,
}

/// The cookie counts in any letter case (the patent prints `z9hG4bk`), the rest as written.
fn hash_branch(branch: &str, hasher: &mut impl Hasher) {
    let cookie = branch.get(..COOKIE.len()).is_some_and(|head| head.eq_ignore_ascii_case(COOKIE));
    cookie.hash(hasher);
    if cookie { &branch[COOKIE.len()..] } else { branch }.hash(hasher);
}

fn hash_host(host: Host<'_>, hasher: &mut impl Hasher) {
    match host.ip() {
        Some(ip) => ip.hash(hasher),
        None => {
            if let Host::Name(name) = host {
                let lower: SmallVec<[u8; 64]> =
                    name.bytes().map(|octet| octet.to_ascii_lowercase()).collect();
                lower.as_slice().hash(hasher);
            }
        }
    }
}

/// The cookie of RFC 3261 section 8.1.1.7.
pub(super) const COOKIE: &str = "z9hG4bK";
