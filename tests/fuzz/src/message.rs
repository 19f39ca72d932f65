//! One message: every view of it may be asked for, and printed again it says the same.

use bytes::Bytes;
use homing_wire::header::{
    Allow, AllowEvents, AssertedIdentity, ContentDisposition, ContentEncoding, ContentType, Date,
    Diagnostics, DiagnosticsPublic, EventHeader, FlowTimer, KeepAlive, MinExpires, MinSe, Path,
    PreferredIdentity, PreferredRegistrar, PresenceState, ProxyRequire, RAck, RSeq, Reason, RecordRoute,
    ReferTo, ReferredBy, Replaces, Require, RetryAfter, Route, ServiceRoute, SessionExpires,
    SubscriptionState, Supported, Unsupported, Warning,
};
use homing_wire::{Builder, Contact, Message, Name, Uri, Via};

/// Reads octets as a message and asks it everything.
pub fn check(octets: &[u8]) {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(octets)) else { return };
    ask(&message);
    let printed = Builder::from_message(&message).finish();
    let again = Message::parse(printed).expect("what was read can be printed and read again");
    assert_eq!(again.body(), message.body());
    assert_eq!(again.method(), message.method());
    assert_eq!(again.status(), message.status());
    for name in
        [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq, Name::Contact, Name::Authorization]
    {
        // A line the peer did not end is ended, and what is no UTF-8 in it replaced.
        let text = |line: &[u8]| String::from_utf8_lossy(line).trim().to_owned();
        let texts = |message: &Message| message.lines(name).map(text).collect::<Vec<_>>();
        assert_eq!(texts(&again), texts(&message), "{name:?}");
    }
    if message.is_request() {
        for status in [100, 200, 400, 481] {
            let reply = Builder::reply_to(&message, status, "As it is").to_tag("t1").finish();
            let reply = Message::parse(reply).expect("an answer to anything can be read");
            assert_eq!(reply.status(), Some(status));
        }
    }
}

fn ask(message: &Message) {
    let _findings = message.validate();
    let _views = (message.via(), message.from(), message.to(), message.call_id(), message.cseq());
    let _numbers = (message.expires(), message.max_forwards(), message.via_count());
    message
        .all::<Via<'_>>()
        .flatten()
        .for_each(|via| drop((via.branch().map(str::to_owned), format!("{via:?}"))));
    message.all::<Contact<'_>>().flatten().for_each(|contact| {
        let _parts = (contact.q(), contact.expires(), contact.addr().map(|addr| addr.uri_str().to_owned()));
    });
    macro_rules! read {
        ($($header:ident)*) => {
            $(message.all::<$header>().for_each(drop);)*
        };
    }
    read!(Allow AllowEvents AssertedIdentity ContentDisposition ContentEncoding ContentType Date Diagnostics);
    read!(DiagnosticsPublic EventHeader FlowTimer KeepAlive MinExpires MinSe Path PreferredIdentity);
    read!(PreferredRegistrar PresenceState ProxyRequire RAck RSeq Reason RecordRoute ReferTo ReferredBy);
    read!(Replaces Require RetryAfter Route ServiceRoute SessionExpires SubscriptionState Supported);
    read!(Unsupported Warning);
    if let Some(uri) = message.request_uri()
        && let Ok(uri) = Uri::parse(uri)
    {
        let text = uri.to_string();
        let again = Uri::parse(&text).expect("a URI that was read can be read again");
        assert_eq!(again.to_string(), text);
    }
    for line in message.headers() {
        let _text = message.text(line.name).map(|text| text.into_owned());
    }
}
