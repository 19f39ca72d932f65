//! Neighbourhood with the crate `rsip`: its messages, methods and URIs become ours, and ours become its.
//!
//! For applications built on rsip's vocabulary. What one side cannot say is an error, never a guess: rsip knows 14
//! methods, no IPv6 references and no header fields in URIs. Folds are undone and names written long on the way there;
//! bodies stay octets both ways.
//!
//! ```
//! use homing_wire::{Message, Name};
//!
//! // An application built on rsip hands a request over …
//! let request: rsip::SipMessage = "OPTIONS sip:bob@example.com SIP/2.0\r\nMax-Forwards: 70\r\n\r\n".try_into().unwrap();
//! let message = Message::try_from(&request).unwrap();
//! assert_eq!(message.max_forwards(), Ok(Some(70)));
//!
//! // … and takes the answer in its own types.
//! let answer = homing_wire::Builder::reply_to(&message, 200, "OK").header(Name::Server, "homing").message();
//! let answer = rsip::SipMessage::try_from(&answer).unwrap();
//! assert!(answer.is_response());
//! ```

mod header;
mod uri;

use crate::build::Builder;
use crate::message::{Message, StartLine};
use crate::method::Method;
use crate::name::Name;
use crate::uri::{Uri, UriBuf};

/// What one side has no word for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Untranslatable {
    /// rsip has no variant for this method.
    #[error("a method rsip does not know")]
    Method,
    /// The URI is malformed, or holds what rsip's URI cannot.
    #[error("a URI rsip cannot hold")]
    Uri,
    /// A header value or reason phrase is no UTF-8.
    #[error("a header that is no UTF-8")]
    Header,
}

impl TryFrom<&rsip::SipMessage> for Message {
    type Error = Untranslatable;

    fn try_from(theirs: &rsip::SipMessage) -> Result<Message, Untranslatable> {
        let (builder, headers, body) = match theirs {
            rsip::SipMessage::Request(request) => {
                let uri = UriBuf::try_from(&request.uri)?.to_string();
                (Builder::request(request.method.into(), &uri), &request.headers, &request.body)
            }
            rsip::SipMessage::Response(response) => {
                let line = response.status_code.to_string();
                let reason = line.split_once(' ').map_or("", |(_, reason)| reason);
                (Builder::response(response.status_code.code(), reason), &response.headers, &response.body)
            }
        };
        let mut builder = builder.octets_behind(body);
        for line in headers.iter() {
            let line = line.to_string();
            let Some((name, value)) = line.split_once(':') else { continue };
            // The length is counted here, not believed.
            if Name::parse(name.trim()) != Name::ContentLength {
                builder = builder.header(Name::parse(name.trim()), value.trim());
            }
        }
        Ok(builder.message())
    }
}

impl TryFrom<&Message> for rsip::SipMessage {
    type Error = Untranslatable;

    fn try_from(ours: &Message) -> Result<rsip::SipMessage, Untranslatable> {
        let mut headers = rsip::Headers::default();
        for line in ours.headers() {
            let value = crate::scan::unfold(line.value);
            if matches!(value, std::borrow::Cow::Owned(_)) && str::from_utf8(line.value).is_err() {
                return Err(Untranslatable::Header);
            }
            headers.push(header::theirs(line.name, &value));
        }
        let (body, version) = (ours.body().to_vec(), rsip::Version::V2);
        Ok(match ours.start() {
            StartLine::Request { method, uri } => {
                let uri = Uri::parse(uri).map_err(|_| Untranslatable::Uri)?;
                rsip::Request { method: method.try_into()?, uri: uri.try_into()?, version, headers, body }
                    .into()
            }
            StartLine::Response { status, reason } => {
                let reason = str::from_utf8(reason).map_err(|_| Untranslatable::Header)?;
                let status_code = match rsip::StatusCode::from(status) {
                    rsip::StatusCode::Other(code, _) => rsip::StatusCode::Other(code, reason.to_owned()),
                    known => known,
                };
                rsip::Response { status_code, version, headers, body }.into()
            }
        })
    }
}

impl From<rsip::Method> for Method<'static> {
    fn from(theirs: rsip::Method) -> Method<'static> {
        match theirs {
            rsip::Method::Ack => Method::Ack,
            rsip::Method::Bye => Method::Bye,
            rsip::Method::Cancel => Method::Cancel,
            rsip::Method::Info => Method::Info,
            rsip::Method::Invite => Method::Invite,
            rsip::Method::Message => Method::Message,
            rsip::Method::Notify => Method::Notify,
            rsip::Method::Options => Method::Options,
            rsip::Method::PRack => Method::Prack,
            rsip::Method::Publish => Method::Publish,
            rsip::Method::Refer => Method::Refer,
            rsip::Method::Register => Method::Register,
            rsip::Method::Subscribe => Method::Subscribe,
            rsip::Method::Update => Method::Update,
        }
    }
}

impl TryFrom<Method<'_>> for rsip::Method {
    type Error = Untranslatable;

    fn try_from(ours: Method<'_>) -> Result<rsip::Method, Untranslatable> {
        let same = |theirs: &rsip::Method| Method::from(*theirs) == ours;
        rsip::Method::all().into_iter().find(same).ok_or(Untranslatable::Method)
    }
}

#[cfg(test)]
mod tests;
