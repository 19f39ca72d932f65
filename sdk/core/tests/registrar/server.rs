//! A scripted registrar: for each REGISTER the first rule whose conditions hold answers, octet by octet as written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homing_core::auth::digest::{DigestCredentials, Secret};
use homing_core::secret::Password;
use homing_wire::{Contact, Message, Method, Name};

use super::script::{Case, Rule, texts};

/// A registrar and what it remembers.
pub(crate) struct Registrar {
    rules: Vec<Rule>,
    user: String,
    password: Password,
    /// Nonces given, and when.
    nonces: BTreeMap<String, Duration>,
    /// Nonces accepted in a 200.
    accepted: BTreeSet<String>,
    /// Call-IDs that got a 200.
    granted: BTreeSet<String>,
    first: Option<Duration>,
    /// Every REGISTER, in order.
    pub(crate) seen: Vec<Seen>,
}

/// A REGISTER and its answer.
pub(crate) struct Seen {
    pub(crate) request: Message,
    /// Since the first REGISTER.
    pub(crate) at: Duration,
    pub(crate) status: Option<u16>,
    pub(crate) is_refresh: bool,
}

impl Registrar {
    pub(crate) fn new(case: &Case, user: String) -> Self {
        Registrar {
            rules: case.rules.clone(),
            user,
            password: Password::new(case.password()),
            nonces: BTreeMap::new(),
            accepted: BTreeSet::new(),
            granted: BTreeSet::new(),
            first: None,
            seen: Vec::new(),
        }
    }

    /// What it says to a request; none is silence.
    pub(crate) fn answer(&mut self, request: &Message, sni: &str, now: Duration) -> Option<String> {
        if request.method() != Some(Method::Register) {
            return Some(response(request, 200, "OK", &["Content-Length: 0".to_owned()]));
        }
        let first = *self.first.get_or_insert(now);
        let at = now.saturating_sub(first);
        let call_id = request.call_id().unwrap_or_default().to_owned();
        let is_refresh = self.granted.contains(&call_id);
        let found = (0..self.rules.len()).find(|index| self.holds(*index, request, sni, now));
        let Some(rule) = found else { panic!("no rule answers\n{request:?}") };
        let reply = self.rules[rule].reply.clone();
        let status = reply.as_ref().and_then(|reply| reply["status"].as_u64());
        let status = status.and_then(|status| u16::try_from(status).ok());
        self.seen.push(Seen { request: request.clone(), at, status, is_refresh });
        let reply = reply?;
        let status = status.expect("a status");
        if (200..300).contains(&status) && !asks_for_nothing(request) {
            self.granted.insert(call_id);
            self.accepted.extend(credentials(request).map(|given| given.nonce.to_owned()));
        }
        let reason = reply.get("reason").and_then(|reason| reason.as_str()).unwrap_or("Reason");
        let headers = reply.get("headers").map(texts).unwrap_or_default();
        let mut lines: Vec<String> = headers.iter().map(|line| self.expand(line, request, now)).collect();
        let omitted = reply.get("omit").map(texts).unwrap_or_default();
        if !omitted.iter().any(|name| name.eq_ignore_ascii_case("Content-Length")) {
            lines.push("Content-Length: 0".to_owned());
        }
        Some(response(request, status, reason, &lines))
    }

    fn holds(&self, index: usize, request: &Message, sni: &str, now: Duration) -> bool {
        let rule = &self.rules[index];
        let at = now.saturating_sub(self.first.unwrap_or(now)).as_secs_f64();
        let in_time = rule.number("from_s").is_none_or(|from| at >= from)
            && rule.number("to_s").is_none_or(|to| at <= to);
        let text = |key: &str| rule.when.get(key).and_then(|value| value.as_str());
        let is = |key: &str| rule.when.get(key).and_then(serde_json::Value::as_bool).unwrap_or_default();
        in_time
            && (!is("sign_out") || asks_for_nothing(request))
            && (!is("refresh") || request.call_id().is_ok_and(|call_id| self.granted.contains(call_id)))
            && (!is("nonce_seen_before")
                || credentials(request).any(|given| self.accepted.contains(given.nonce)))
            && text("contact_has").is_none_or(|wanted| {
                request.text(Name::Contact).is_some_and(|contact| contact.contains(wanted))
            })
            && text("sni_is_not").is_none_or(|name| name != sni)
            && text("lacks_credentials_for").is_none_or(|realm| {
                !self.has_credentials(realm, rule.number("or_nonce_older_than_s"), request, now)
            })
    }

    fn has_credentials(&self, realm: &str, oldest: Option<f64>, request: &Message, now: Duration) -> bool {
        let method = request.method().map(|method| method.as_str().to_owned()).unwrap_or_default();
        credentials(request).any(|given| {
            let fresh = self.nonces.get(given.nonce).is_some_and(|born| {
                oldest.is_none_or(|oldest| now.saturating_sub(*born).as_secs_f64() <= oldest)
            });
            given.realm == realm
                && fresh
                && given.is_from(&self.user)
                && given.check(&method, request.body(), &self.user, Secret::Password(&self.password))
        })
    }

    /// Puts the request's values, nonces and long runs into a header line.
    fn expand(&mut self, line: &str, request: &Message, now: Duration) -> String {
        let contact = request.all::<Contact<'_>>().find_map(Result::ok);
        let addr = contact.as_ref().and_then(Contact::addr).expect("a REGISTER has a Contact");
        let uri = addr.uri().expect("a sound Contact");
        let text = addr.uri_str();
        let params = text.split_once(';').map(|(_, params)| format!(";{params}")).unwrap_or_default();
        let instance: String = addr
            .params()
            .iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("expires"))
            .map(|(name, value)| match value {
                Some(value) if name == "+sip.instance" => format!(";{name}=\"{value}\""),
                Some(value) => format!(";{name}={value}"),
                None => format!(";{name}"),
            })
            .collect();
        let host = uri.host().to_string();
        let port = uri.port().unwrap_or(5060).to_string();
        let mut line = line
            .replace("{U}", text)
            .replace("{user}", uri.user().unwrap_or_default())
            .replace("{host}", &host)
            .replace("{port}", &port)
            .replace("{params}", &params)
            .replace("{I}", &instance);
        while let Some(at) = line.find("{nonce}") {
            let nonce = format!("nonce-{}", self.nonces.len() + 1);
            line.replace_range(at..at + "{nonce}".len(), &nonce);
            self.nonces.insert(nonce, now);
        }
        while let Some(at) = line.find("{a*") {
            let end = at + line[at..].find('}').expect("a closed run");
            let count: usize = line[at + 3..end].parse().expect("a number");
            line.replace_range(at..=end, &"a".repeat(count));
        }
        line
    }
}

/// A REGISTER that ends the binding.
pub(crate) fn asks_for_nothing(request: &Message) -> bool {
    let contacts = request.all::<Contact<'_>>().filter_map(Result::ok);
    request.expires().ok().flatten() == Some(0) || contacts.into_iter().any(|one| one.expires() == Some(0))
}

/// The Digest credentials of a request.
pub(crate) fn credentials(request: &Message) -> impl Iterator<Item = DigestCredentials<'_>> {
    let headers = request.auth(Name::Authorization).chain(request.auth(Name::ProxyAuthorization));
    headers.filter_map(|auth| DigestCredentials::parse(&auth).ok())
}

/// A response that copies what a response copies, with these lines as they stand.
fn response(request: &Message, status: u16, reason: &str, lines: &[String]) -> String {
    let mut text = format!("SIP/2.0 {status} {reason}\r\n");
    let mut copy = |name: Name<'static>, label: &str, more: &str| {
        for value in request.lines(name) {
            text.push_str(&format!("{label}: {}{more}\r\n", String::from_utf8_lossy(value)));
        }
    };
    copy(Name::Via, "Via", "");
    copy(Name::From, "From", "");
    copy(Name::To, "To", ";tag=registrar");
    copy(Name::CallId, "Call-ID", "");
    copy(Name::CSeq, "CSeq", "");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text + "\r\n"
}
