//! A server that follows a script: it challenges, signs, redirects, accepts, and errs as told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use homing_core::auth::contact_binding;
use homing_core::auth::digest::{DigestInput, Secret, verify};
use homing_core::auth::ntlm::{SessionKeys, flags};
use homing_core::auth::security_association::{Association, AssociationName, Mechanism, Style, Version};
use homing_core::connect::ConnectError;
use homing_core::time::Now;
use homing_wire::{Builder, Contact, Date, Message, Method, Name};

/// A change made to the text of a message.
pub(crate) type Edit = fn(String) -> String;

/// A server that follows a script.
#[expect(clippy::struct_excessive_bools, reason = "each is a mood of its own, set by tests alone")]
pub(crate) struct Server {
    pub(crate) name: String,
    /// The name its challenge says.
    pub(crate) targetname: String,
    pub(crate) realm: String,
    pub(crate) gate: Gate,
    /// What an authenticated REGISTER gets.
    pub(crate) then: Then,
    /// Spoils the final answers, once per entry, in order.
    pub(crate) faults: Vec<Fault>,
    pub(crate) unreachable: Option<ConnectError>,
    /// The names its certificate carries; TLS judges them as it does in earnest.
    pub(crate) certificate: Vec<String>,
    pub(crate) silent: bool,
    /// It answers nothing but REGISTER by itself: the test says the rest.
    pub(crate) manual: bool,
    /// It challenges, and says nothing to the answer.
    pub(crate) silent_after_challenge: bool,
    /// So many challenges more it closes the connection after each.
    pub(crate) closes: usize,
    /// Where an OPTIONS to a URI is redirected, with 301.
    pub(crate) onward: BTreeMap<String, Vec<String>>,
    /// Keep-alives it got.
    pub(crate) pings: usize,
    /// Whether it answers them.
    pub(crate) pongs: bool,
    pub(crate) version: Version,
    pub(crate) style: Style,
    /// How many dials reached it.
    pub(crate) dials: usize,
    /// Extra header lines of every final answer to an authenticated REGISTER.
    pub(crate) extra: Vec<(String, String)>,
    /// Forgets its association, so that the next request is challenged.
    pub(crate) amnesia: bool,
    /// Holds on to its association whatever handshake follows.
    pub(crate) stubborn: bool,
    pub(crate) skew: i64,
    /// Credentials for another realm are challenged as if they were none.
    pub(crate) strict_realm: bool,
    pub(crate) association: Option<Association>,
    session_key: Arc<Mutex<[u8; 16]>>,
    opaque: u32,
    half_open_until: Duration,
    nonce: u32,
    digest_nonce: u32,
    digest_nonce_stale: bool,
}

/// How the server finds out who it talks to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Gate {
    Open,
    Ntlm,
    NtlmRefusing,
    /// The digest algorithm's name.
    Digest(&'static str),
    /// These challenges as they stand.
    Raw(Vec<String>),
}

/// What an authenticated REGISTER gets.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    Accept { expires: u32 },
    Redirect { status: u16, contacts: Vec<String>, bound: bool },
    Status { status: u16, reason: &'static str, headers: Vec<(&'static str, String)> },
}

/// What is done to a final answer.
pub(crate) enum Fault {
    /// It is not signed.
    Unsigned,
    /// Its signature is another.
    WrongSignature,
    /// Another server's association signs it.
    OtherAssociation,
    /// Changed after signing.
    Edit(Edit),
    /// A forged answer comes first, the true one after it.
    ForgedFirst(Edit),
    /// Nothing is wrong with it.
    None,
}

/// A CHALLENGE token of a real server.
pub(crate) const CHALLENGE: &str = "TlRMTVNTUAACAAAAAAAAADgAAADzgpjiASNFZ4mrze8AAAAAAAAAAIwAjAA4AAAABQLODgAAAA8CABIATgBFAFQAVwBPAFIASwBDAE8AAQAEAEgAUwAEABYAbgBlAHQAdwBvAHIAawAuAGMAbwBtAAMAMgBoAG8AbQBlAHMAZQByAHYAZQByADEAMAAyAC4AbgBlAHQAdwBvAHIAawAuAGMAbwBtAAUAFgBuAGUAdAB3AG8AcgBrAC4AYwBvAG0AAAAAAA==";
/// How long it holds a handshake nobody ends.
const HALF_OPEN: Duration = Duration::from_secs(60);
const AGREED: u32 = flags::EXTENDED_SESSION_SECURITY | flags::STRONG_KEYS | flags::KEY_EXCHANGE;

impl Server {
    pub(crate) fn new(name: &str, session_key: Arc<Mutex<[u8; 16]>>) -> Self {
        Server {
            name: name.into(),
            targetname: name.into(),
            realm: "SIP Communications Service".into(),
            gate: Gate::Ntlm,
            then: Then::Accept { expires: 7_200 },
            faults: Vec::new(),
            unreachable: None,
            certificate: vec![name.into()],
            silent: false,
            manual: false,
            silent_after_challenge: false,
            closes: 0,
            onward: BTreeMap::new(),
            pings: 0,
            pongs: false,
            version: Version::V4,
            style: Style::Registrar,
            dials: 0,
            extra: Vec::new(),
            amnesia: false,
            stubborn: false,
            skew: 0,
            strict_realm: false,
            association: None,
            session_key,
            opaque: 0,
            half_open_until: Duration::ZERO,
            nonce: 0,
            digest_nonce: 0,
            digest_nonce_stale: false,
        }
    }

    pub(crate) fn redirect_to(&mut self, contact: &str) -> &mut Self {
        self.then = Then::Redirect { status: 301, contacts: vec![contact.into()], bound: false };
        self
    }

    pub(crate) fn redirect(&mut self, status: u16, contacts: &[&str], bound: bool) -> &mut Self {
        let contacts = contacts.iter().map(|contact| (*contact).to_owned()).collect();
        self.then = Then::Redirect { status, contacts, bound };
        self
    }

    pub(crate) fn answer(&mut self, status: u16, reason: &'static str) -> &mut Self {
        self.then = Then::Status { status, reason, headers: Vec::new() };
        self
    }

    pub(crate) fn gate(&mut self, gate: Gate) -> &mut Self {
        self.gate = gate;
        self
    }

    pub(crate) fn spoil(&mut self, faults: Fault) -> &mut Self {
        self.faults.push(faults);
        self
    }

    /// A new connection: what hung on the old one is gone.
    pub(crate) fn forget(&mut self) {
        self.association = None;
    }

    /// The next Digest answer is too old.
    pub(crate) fn expire_nonce(&mut self) {
        self.digest_nonce_stale = true;
    }

    /// What it says to a message, in order.
    pub(crate) fn receive(&mut self, request: &Message, wall: Duration) -> Vec<Bytes> {
        if self.silent || !request.is_request() {
            return Vec::new();
        }
        let is_ack = matches!(request.method(), Some(Method::Ack | Method::Cancel));
        if self.manual && is_ack {
            return Vec::new();
        }
        match self.admit(request, wall) {
            Err(challenge) => vec![challenge],
            Ok(()) if self.manual && request.method() != Some(Method::Register) => Vec::new(),
            Ok(()) if self.silent_after_challenge => Vec::new(),
            Ok(()) => self.decide(request, wall),
        }
    }

    /// A request of the server to the agent, signed if there is an association.
    pub(crate) fn request(
        &mut self,
        head: &str,
        headers: &[(&str, &str)],
        body: &str,
        wall: Duration,
    ) -> Bytes {
        self.nonce += 1;
        let (method, uri) = head.split_once(' ').unwrap();
        let mut builder = Builder::request(Method::parse(method), uri)
            .header(Name::Via, format_args!("SIP/2.0/TLS {};branch=z9hG4bKs{}", self.name, self.nonce))
            .header(Name::MaxForwards, 70)
            .header(Name::From, format_args!("<sip:user@network.com>;tag=srv{}", self.nonce))
            .header(Name::To, "<sip:user@network.com>;epid=3344")
            .header(Name::CallId, format_args!("srv{}", self.nonce))
            .header(Name::CSeq, format_args!("{} {method}", self.nonce));
        for (name, value) in headers {
            builder = builder.header(Name::parse(name), value);
        }
        if !body.is_empty() {
            builder = builder.body("text/registration-event", body.as_bytes());
        }
        self.sign(builder.finish(), wall)
    }

    /// Signs a message if there is an association.
    pub(crate) fn sign(&mut self, bytes: Bytes, _wall: Duration) -> Bytes {
        self.nonce += 1;
        let message = Message::parse(bytes.clone()).unwrap();
        match &mut self.association {
            Some(association) => association.sign_response(&message, self.nonce).unwrap().into(),
            None => bytes,
        }
    }

    fn admit(&mut self, request: &Message, wall: Duration) -> Result<(), Bytes> {
        if std::mem::take(&mut self.amnesia) {
            self.association = None;
        }
        match self.gate.clone() {
            Gate::Open => Ok(()),
            Gate::Ntlm => self.admit_ntlm(request, wall, true),
            Gate::NtlmRefusing => self.admit_ntlm(request, wall, false),
            Gate::Digest(algorithm) => self.admit_digest(request, algorithm, wall),
            Gate::Raw(lines) => Err(self.challenge(request, &lines, wall)),
        }
    }

    fn admit_ntlm(&mut self, request: &Message, wall: Duration, accepts: bool) -> Result<(), Bytes> {
        let version = self.version.number().map(|n| format!(", version={n}")).unwrap_or_default();
        let names = format!("targetname=\"{}\", realm=\"{}\"{version}", self.targetname, self.realm);
        let first = format!("NTLM {names}, qop=\"auth\"");
        let Some(auth) = request.auth(self.style.credentials()).next() else {
            return Err(self.challenge(request, &[first], wall));
        };
        if self.strict_realm && auth.param("realm") != Some(&self.realm) {
            return Err(self.challenge(request, &[first], wall));
        }
        match auth.param("gssapi-data") {
            Some("") => {
                self.opaque += 1;
                self.half_open_until = wall + HALF_OPEN;
                let second =
                    format!("NTLM opaque=\"{:08X}\", gssapi-data=\"{CHALLENGE}\", {names}", self.opaque);
                Err(self.challenge(request, &[second], wall))
            }
            Some(_) if accepts && self.stubborn && self.association.is_some() => Ok(()),
            Some(_) if accepts && wall < self.half_open_until => {
                let now = Now::new(Duration::ZERO, wall);
                let name = self.association_name();
                let keys = SessionKeys::derive(&self.session_key.lock().unwrap(), AGREED);
                let opaque = format!("{:08X}", self.opaque);
                self.association = Some(Association::new(name, &opaque, self.style, keys.into(), now));
                Ok(())
            }
            None if self.association.is_some() => Ok(()),
            Some(_) | None => Err(self.challenge(request, &[first], wall)),
        }
    }

    fn admit_digest(&mut self, request: &Message, algorithm: &str, wall: Duration) -> Result<(), Bytes> {
        let nonce = format!("nonce{}", self.digest_nonce);
        let stale = std::mem::take(&mut self.digest_nonce_stale);
        if !stale && let Some(auth) = request.auth(Name::Authorization).find(|auth| auth.is("Digest")) {
            let password = homing_core::secret::Password::new(super::PASSWORD);
            let input = DigestInput {
                algorithm: homing_core::auth::digest::Algorithm::parse(algorithm).unwrap(),
                user: auth.param("username").unwrap_or_default(),
                realm: &self.realm,
                secret: Secret::Password(&password),
                method: request.method().unwrap().as_str(),
                uri: auth.param("uri").unwrap_or_default(),
                nonce: &nonce,
                nc: auth.param("nc").unwrap_or_default(),
                cnonce: auth.param("cnonce").unwrap_or_default(),
                qop: Some(homing_core::auth::digest::Qop::Auth),
                body: b"",
            };
            if auth.param("nonce") == Some(&nonce)
                && verify(&input, auth.param("response").unwrap_or_default())
            {
                return Ok(());
            }
        }
        self.digest_nonce += 1;
        let line = format!(
            "Digest realm=\"{}\", nonce=\"nonce{}\", algorithm={algorithm}, qop=\"auth\"{}",
            self.realm,
            self.digest_nonce,
            if stale { ", stale=true" } else { "" }
        );
        Err(self.challenge(request, &[line], wall))
    }

    fn challenge(&mut self, request: &Message, lines: &[String], wall: Duration) -> Bytes {
        self.nonce += 1;
        let seconds = wall.as_secs().saturating_add_signed(self.skew);
        let mut builder = Builder::reply_to(request, self.style.status(), "Unauthorized")
            .to_tag(&format!("ch{}", self.nonce))
            .header(Name::Date, Date(seconds));
        for line in lines {
            builder = builder.header(self.style.challenge(), line);
        }
        builder.finish()
    }

    fn decide(&mut self, request: &Message, wall: Duration) -> Vec<Bytes> {
        if request.method() != Some(Method::Register) {
            let contacts = request.request_uri().and_then(|uri| self.onward.get(uri));
            let status = if contacts.is_some() { 301 } else { 200 };
            let answer = Builder::reply_to(request, status, "Whatever").to_tag("opt");
            let contacts = contacts.into_iter().flatten();
            let answer = contacts.fold(answer, |answer, contact| answer.header(Name::Contact, contact));
            return vec![self.sign(answer.finish(), wall)];
        }
        self.nonce += 1;
        let tag = format!("fin{}", self.nonce);
        let built = match &self.then {
            Then::Accept { expires } => {
                let ending = request.expires().ok().flatten() == Some(0);
                let expires = if ending { 0 } else { *expires };
                let contact = request.all::<Contact<'_>>().next().unwrap().unwrap();
                let uri = contact.addr().unwrap().uri_str().to_owned();
                Builder::reply_to(request, 200, "OK")
                    .to_tag(&tag)
                    .header(Name::Contact, format_args!("<{uri}>;expires={expires}"))
                    .header(Name::Expires, expires)
            }
            Then::Redirect { status, contacts, bound } => {
                let tag = if *bound { bound_tag(contacts) } else { tag };
                contacts.iter().fold(
                    Builder::reply_to(request, *status, "Moved Permanently").to_tag(&tag),
                    |builder, contact| builder.header(Name::Contact, contact),
                )
            }
            Then::Status { status, reason, headers } => headers
                .iter()
                .fold(Builder::reply_to(request, *status, reason).to_tag(&tag), |builder, (name, value)| {
                    builder.header(Name::parse(name), value)
                }),
        };
        let extra = self.extra.clone();
        let built =
            extra.iter().fold(built, |builder, (name, value)| builder.header(Name::parse(name), value));
        self.finish(built.finish(), wall)
    }

    fn finish(&mut self, bytes: Bytes, wall: Duration) -> Vec<Bytes> {
        let faults = if self.faults.is_empty() { Fault::None } else { self.faults.remove(0) };
        match faults {
            Fault::None => vec![self.sign(bytes, wall)],
            Fault::Unsigned => vec![bytes],
            Fault::WrongSignature => {
                vec![edited(&self.sign(bytes, wall), |text| text.replace("rspauth=\"0100", "rspauth=\"0199"))]
            }
            Fault::OtherAssociation => {
                let signed = self.sign(bytes, wall);
                let other = self.targetname.replace("hs", "other");
                vec![Bytes::from(
                    String::from_utf8(signed.to_vec())
                        .unwrap()
                        .replace(&self.targetname, &other)
                        .into_bytes(),
                )]
            }
            Fault::Edit(edit) => vec![edited(&self.sign(bytes, wall), edit)],
            Fault::ForgedFirst(edit) => {
                let signed = self.sign(bytes, wall);
                vec![edited(&signed, edit), signed]
            }
        }
    }

    fn association_name(&self) -> AssociationName {
        AssociationName {
            mechanism: Mechanism::Ntlm,
            realm: self.realm.as_str().into(),
            targetname: self.targetname.as_str().into(),
            version: self.version,
        }
    }
}

pub(crate) fn edited(bytes: &Bytes, edit: impl FnOnce(String) -> String) -> Bytes {
    Bytes::from(edit(String::from_utf8(bytes.to_vec()).unwrap()).into_bytes())
}

fn bound_tag(contacts: &[String]) -> String {
    let parsed: Vec<Contact<'_>> = contacts
        .iter()
        .map(|contact| Contact::Addr(homing_wire::NameAddr::parse(contact.as_bytes()).unwrap()))
        .collect();
    let targets = parsed
        .iter()
        .map(|contact| contact_binding::Target { uri: contact.addr().unwrap().uri_str(), q: contact.q() });
    contact_binding::tag(targets)
}
