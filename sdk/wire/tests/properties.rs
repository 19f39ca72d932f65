//! What holds for every message: built ones read back, no octets cause a panic, work grows with length only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use bytes::Bytes;
use homing_wire::header::{
    Allow, AssertedIdentity, ContentType, Path, Reason, RecordRoute, Route, Supported, Warning,
};
use homing_wire::multipart::Multipart;
use homing_wire::sdp::Session;
use homing_wire::{
    AuthValue, Builder, Contact, Date, Diagnostics, EventHeader, Framer, Header, KeepAlive, Limits, Message,
    Method, Name, NameAddrBuf, RAck, ReferTo, Replaces, RetryAfter, SessionExpires, SubscriptionState, Uri,
    UriBuf, Via, ViaBuf,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Any text a person or a peer could hand in, line ends and quotes more often than by chance.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zA-Z0-9 \"\\\\<>;,=:@%\r\n\0\t?]{0,24}",
        Just("x\r\nVia: evil\r\n\r\n".to_owned()),
    ]
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,16}"
}

/// How many cases of each property; the long run asks for more.
fn cases() -> u32 {
    std::env::var("HOMING_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

/// What control characters become.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c < ' ' || c == '\u{7f}' { ' ' } else { c }).collect()
}

/// A received message to take lines from: whole, open, with a false length, folded, odd in its names.
fn received() -> impl Strategy<Value = Message> {
    let octets = prop_oneof![
        prop::sample::select(&SOURCES[..]).prop_map(|text| text.to_vec()),
        ("(X|To|v|f|x\\*)", "[ \t]{0,2}:[ -~]{0,12}(\r\n [ -~]{0,6})?[ \t]{0,2}", any::<bool>()).prop_map(
            |(name, value, whole)| {
                let end = if whole { "\r\n\r\nbody" } else { "" };
                format!("BYE sip:a SIP/2.0\r\nl: 2\r\n{name}{value}{end}").into_bytes()
            }
        ),
    ];
    octets.prop_map(|octets| Message::parse(octets).unwrap())
}

/// Any name a caller could hand in, known ones among them.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(&NAMES[..]).prop_map(str::to_owned), text()]
}

/// One step of building.
#[derive(Clone, Debug)]
enum Step {
    Header(String, String),
    Prepend(String, String),
    Replace(String, String),
    ReplaceFirst(String, String),
    Remove(String),
    RemoveFirst(String),
    Copy(Box<Message>, String),
    ToTag(String),
    Body(String, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (name(), text()).prop_map(|(name, value)| Step::Header(name, value)),
        (name(), text()).prop_map(|(name, value)| Step::Prepend(name, value)),
        (name(), text()).prop_map(|(name, value)| Step::Replace(name, value)),
        (name(), text()).prop_map(|(name, value)| Step::ReplaceFirst(name, value)),
        name().prop_map(Step::Remove),
        name().prop_map(Step::RemoveFirst),
        (received(), name()).prop_map(|(message, name)| Step::Copy(Box::new(message), name)),
        text().prop_map(Step::ToTag),
        (text(), vec(any::<u8>(), 0..20)).prop_map(|(kind, body)| Step::Body(kind, body)),
    ]
}

/// Everything a builder can begin with.
fn begun() -> impl Strategy<Value = Builder> {
    let method = prop_oneof![token(), text()];
    prop_oneof![
        (method, text()).prop_map(|(method, uri)| Builder::request(Method::parse(&method), &uri)),
        (any::<u16>(), text()).prop_map(|(status, reason)| Builder::response(status, &reason)),
        (200..500_u16, text()).prop_map(|(status, reason)| Builder::response(status, &reason)),
        (received(), text()).prop_map(|(request, reason)| Builder::reply_to(&request, 200, &reason)),
        received().prop_map(|message| Builder::from_message(&message)),
    ]
}

fn built() -> impl Strategy<Value = Builder> {
    (begun(), vec(step(), 0..8)).prop_map(|(builder, steps)| steps.into_iter().fold(builder, taken))
}

fn taken(builder: Builder, step: Step) -> Builder {
    match step {
        Step::Header(name, value) => builder.header(Name::Other(&name), value),
        Step::Prepend(name, value) => builder.prepend(Name::parse(&name), value),
        Step::Replace(name, value) => builder.replace(Name::Other(&name), value),
        Step::ReplaceFirst(name, value) => builder.replace_first(Name::parse(&name), value),
        Step::Remove(name) => builder.remove(Name::Other(&name)),
        Step::RemoveFirst(name) => builder.remove_first(Name::parse(&name)),
        Step::Copy(message, name) => builder.copy_from(&message, Name::parse(&name)),
        Step::ToTag(tag) => builder.to_tag(&tag),
        Step::Body(kind, body) => builder.body(&kind, &body),
    }
}

/// A message is equal to another only if the whole index is: start line, flaws, every line, body.
fn read_again(bytes: &Bytes) -> Message {
    Message::parse_with(bytes.clone(), &UNBOUNDED).unwrap()
}

const UNBOUNDED: Limits = Limits {
    message: usize::MAX,
    line: usize::MAX,
    auth_line: usize::MAX,
    headers: usize::MAX,
    vias: usize::MAX,
    contacts: usize::MAX,
    uri: usize::MAX,
    body: usize::MAX,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_built_message_reads_back(
        method in token(),
        uri in text(),
        lines in vec((token(), text()), 0..12),
        body in vec(any::<u8>(), 0..64),
    ) {
        let mut builder = Builder::request(Method::parse(&method), &format!("sip:{uri}"));
        for (name, value) in &lines {
            builder = builder.header(Name::Other(&format!("X-{name}")), value);
        }
        let bytes = builder.body("application/octet-stream", &body).finish();
        let message = Message::parse(bytes.clone()).unwrap();
        prop_assert_eq!(message.method().unwrap().as_str(), method.as_str());
        prop_assert_eq!(message.body(), &body[..]);
        prop_assert_eq!(message.headers().count(), lines.len() + 1 + usize::from(!body.is_empty()));
        for (line, (name, value)) in message.headers().zip(&lines) {
            prop_assert_eq!(line.name, Name::Other(&format!("X-{name}")));
            let value = clean(value);
            prop_assert_eq!(line.value, value.trim_matches(' ').as_bytes());
        }
        prop_assert_eq!(Builder::from_message(&message).finish(), bytes);
    }

    #[test]
    fn a_built_message_is_the_message_its_octets_are(builder in built()) {
        let bytes = builder.clone().finish();
        let message = builder.message();
        prop_assert_eq!(message.bytes(), &bytes);
        prop_assert!(message == read_again(&bytes), "{:?}", bytes);
        prop_assert_eq!(message.validate(), read_again(&bytes).validate());
    }

    #[test]
    fn what_is_written_holds_no_control_characters(
        method in text(),
        reason in text(),
        steps in vec(step().prop_filter("nothing taken over", |step| !matches!(step, Step::Copy(..))), 0..8),
    ) {
        for begun in [Builder::request(Method::parse(&method), &reason), Builder::response(200, &reason)] {
            let message = steps.iter().cloned().fold(begun, taken).message();
            let end = message.bytes().windows(4).position(|end| end == b"\r\n\r\n").unwrap();
            let lines: Vec<_> = str::from_utf8(&message.bytes()[..end]).unwrap().split("\r\n").collect();
            prop_assert!(lines.iter().all(|line| !line.contains(|c: char| c < ' ' || c == '\x7f')), "{:?}", lines);
            prop_assert_eq!(message.headers().count() + 1, lines.len());
        }
    }

    #[test]
    fn a_header_put_in_gives_the_message_its_octets_are(
        message in prop_oneof![built().prop_map(Builder::message), received()],
        lines in vec((name(), text()), 1..4),
    ) {
        let mut signed = message.clone();
        for (name, value) in &lines {
            let longer = signed.with_header(Name::Other(name), value);
            prop_assert!(longer == read_again(longer.bytes()), "{:?}", longer.bytes());
            prop_assert_eq!(longer.body(), message.body());
            prop_assert_eq!(longer.start(), message.start());
            prop_assert!((0..2).contains(&(longer.headers().count() - signed.headers().count())));
            signed = longer;
        }
        let before: Vec<_> = message.headers().collect();
        let kept = signed.headers().filter(|line| before.contains(line)).count();
        prop_assert!(kept >= before.len());
    }

    #[test]
    fn a_built_address_reads_back(
        user in "[^\0]{1,12}",
        host in "[a-z][a-z0-9.-]{0,12}",
        port in proptest::option::of(any::<u16>()),
        display in proptest::option::of(text()),
        params in vec((token(), proptest::option::of(text())), 0..4),
    ) {
        let mut uri = UriBuf::sip(Some(&user), &host);
        if let Some(port) = port {
            uri = uri.port(port);
        }
        let mut built = NameAddrBuf::new(&uri);
        if let Some(display) = &display {
            built = built.display(display);
        }
        for (number, (name, value)) in params.iter().enumerate() {
            built = built.param(&format!("{number}{name}"), value.as_deref());
        }
        let message = Message::parse(Builder::response(200, "OK").header(Name::From, &built).finish()).unwrap();
        let read = message.from().unwrap();
        let shown = read.uri().unwrap().user_text().unwrap();
        prop_assert_eq!(shown.as_ref(), user.as_str());
        prop_assert_eq!(read.uri().unwrap().port(), port);
        let display = display.map(|display| clean(&display)).filter(|display| !display.is_empty());
        prop_assert_eq!(read.display().map(|display| display.into_owned()), display);
        let expected = params.iter().enumerate().map(|(number, (name, value))| (format!("{number}{name}"), value.as_deref().map(clean)));
        let found = read.params().texts().map(|(name, value)| (name.into_owned(), value.map(|value| value.into_owned())));
        prop_assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        prop_assert_eq!(read.into_owned().to_string(), Message::parse(Builder::response(200, "").header(Name::From, read.into_owned()).finish()).unwrap().from().unwrap().into_owned().to_string());
    }

    #[test]
    fn a_built_via_reads_back(
        transport in token(),
        v6 in any::<bool>(),
        address in any::<u32>(),
        port in proptest::option::of(any::<u16>()),
        branch in token(),
    ) {
        let ip = std::net::Ipv4Addr::from(address);
        let host = if v6 { ip.to_ipv6_mapped().to_string() } else { ip.to_string() };
        let mut built = ViaBuf::new(&transport, &host).branch(&branch).param("received", Some(&host)).param("rport", None);
        if let Some(port) = port {
            built = built.port(port);
        }
        let text = built.to_string();
        let (read, rest) = Via::read(text.as_bytes()).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!((read.transport, read.port, read.branch()), (&*transport, port, Some(&*branch)));
        prop_assert_eq!(read.host.ip(), host.parse().ok());
        prop_assert_eq!(read.received_ip(), host.parse().ok());
        prop_assert_eq!(read.into_owned(), built);
    }

    #[test]
    fn a_built_challenge_reads_back(values in vec(text(), 1..6), user in text(), microsoft in any::<bool>()) {
        let scheme = if microsoft { "NTLM" } else { "Digest" };
        let names = ["realm", "targetname", "opaque", "x-one", "x-two"];
        let mut built = AuthValue::new(scheme);
        for (name, value) in names.iter().zip(&values) {
            built = built.quoted(name, value);
        }
        if !microsoft {
            built = built.text("username", &user);
        }
        let message = Message::parse(Builder::response(401, "").header(Name::WwwAuthenticate, &built).finish()).unwrap();
        let all: Vec<_> = message.auth(Name::WwwAuthenticate).collect();
        prop_assert_eq!(all.len(), 1);
        let read: Vec<_> = all[0].params().map(|(name, _)| name).collect();
        let expected: Vec<_> = names.iter().take(values.len()).copied().chain((!microsoft).then_some("username")).collect();
        prop_assert_eq!(read, expected);
        // What was read goes back unchanged.
        let mut again = AuthValue::new(scheme);
        for (name, value) in all[0].params() {
            again = again.quoted(name, value);
        }
        let text = again.to_string();
        let again = homing_wire::Auth::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(again.params().collect::<Vec<_>>(), all[0].params().collect::<Vec<_>>());
    }

    #[test]
    fn a_uri_reads_as_printed(text in "(sip|sips|tel|x-y):[a-z0-9;=?&:@%.+-]{0,30}") {
        if let Ok(uri) = Uri::parse(&text) {
            let owned = UriBuf::from(uri);
            let printed = owned.to_string();
            let again = Uri::parse(&printed).unwrap();
            prop_assert!(again.equivalent(&uri) && uri.equivalent(&again), "{} {}", text, printed);
            prop_assert_eq!(UriBuf::from(again), owned);
        }
    }

    #[test]
    fn a_date_reads_as_printed(seconds in 0..253_402_300_799_u64) {
        let text = Date(seconds).to_string();
        prop_assert_eq!(Date::read(text.as_bytes()).unwrap().0, Date(seconds));
    }

    #[test]
    fn a_description_reads_as_printed(body in "v=0\r\n([a-z]=[ -~]{0,12}\r\n|m=[a-z]{1,5} [0-9]{1,4} [A-Z/]{1,8} [0-9]{1,3}\r\n){0,12}") {
        if let Ok(session) = Session::parse(body.as_bytes()) {
            let printed = session.to_string();
            prop_assert_eq!(Session::parse(printed.as_bytes()).unwrap(), session);
        }
    }

    #[test]
    fn parts_read_as_written(bodies in vec("(--?|[a-z]{1,6}|\\r\\n|--b|b)*", 1..17), preamble in "[a-z\r\n]{0,6}") {
        let part = |body: &String| format!("\r\n--x9\r\nContent-Type: text/plain\r\n\r\n{body}");
        let written: String = bodies.iter().map(part).collect();
        let written = format!("{preamble}{written}\r\n--x9--\r\n");
        let (content_type, _) = ContentType::read(b"multipart/mixed;boundary=x9").unwrap();
        let read = Multipart::parse(&content_type, written.as_bytes()).unwrap();
        let read: Vec<&[u8]> = read.parts.iter().map(|part| part.body).collect();
        prop_assert_eq!(read, bodies.iter().map(|body| body.as_bytes()).collect::<Vec<_>>());
    }

    #[test]
    fn no_parts_cause_a_panic(body in "(--b|--|-|\r\n|\n|[A-Za-z-]{1,12}:|multipart/mixed;boundary=b| |x){0,40}") {
        let (content_type, _) = ContentType::read(b"multipart/mixed;boundary=b").unwrap();
        let _ = Multipart::parse(&content_type, body.as_bytes()).map(|read| read.find("text/plain").is_some());
    }

    #[test]
    fn what_another_sdp_parser_takes_means_the_same_here(
        media in vec(("(audio|video)", 0..65_536_u32, "(RTP/AVP|UDP/TLS/RTP/SAVPF)", "[0-9]{1,3}( [0-9]{1,3}){0,3}"), 0..4),
        attributes in vec(("[a-z-]{1,8}", "(:[ -~]{1,12})?"), 0..6),
    ) {
        let mut body = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n".to_owned();
        for (kind, port, proto, formats) in &media {
            body.push_str(&format!("m={kind} {port} {proto} {formats}\r\n"));
            body.extend(attributes.iter().map(|(name, value)| format!("a={name}{value}\r\n")));
        }
        let Ok(theirs) = sdp_types::Session::parse(body.as_bytes()) else { return Ok(()) };
        let ours = Session::parse(body.as_bytes()).unwrap();
        prop_assert_eq!(&ours.to_string(), &body);
        prop_assert_eq!(ours.media.len(), theirs.medias.len());
        for (ours, theirs) in ours.media.iter().zip(&theirs.medias) {
            prop_assert_eq!((&*ours.kind, ours.port, &*ours.proto), (&*theirs.media, theirs.port, &*theirs.proto));
            prop_assert_eq!(&*ours.formats, &*theirs.fmt);
            let expected = theirs.attributes.iter().map(|a| (&*a.attribute, a.value.as_deref().unwrap_or("")));
            prop_assert_eq!(ours.attributes().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_octets_cause_a_panic(octets in vec(any::<u8>(), 0..400)) {
        read_everything(&octets);
    }

    #[test]
    fn no_mutation_of_a_message_causes_a_panic(
        sample in 0..SAMPLES.len(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..12),
    ) {
        let mut octets = SAMPLES[sample].as_bytes().to_vec();
        for (at, octet, kind) in changes {
            let at = at.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, b"\"\\<>;,=:\r\n\0 \xe2"[usize::from(octet) % 13]),
                2 => drop(octets.remove(at)),
                _ => octets.truncate(at.max(20)),
            }
            if octets.is_empty() {
                octets.push(b'x');
            }
        }
        read_everything(&octets);
    }

    #[test]
    fn the_framer_and_the_parser_agree(octets in vec(any::<u8>(), 0..60), cut in any::<prop::sample::Index>()) {
        let message = Builder::request(Method::Info, "sip:a@b").body("x/y", &octets).finish();
        let mut framer = Framer::new(Limits::default());
        let at = cut.index(message.len());
        framer.push(&message[..at]);
        prop_assert_eq!(framer.next(), Ok(None));
        framer.push(&message[at..]);
        prop_assert_eq!(framer.next(), Ok(Some(homing_wire::Frame::Message(message))));
    }
}

/// Every accessor there is.
fn read_everything(octets: &[u8]) {
    let mut framer = Framer::new(Limits::default());
    framer.push(octets);
    while let Ok(Some(_)) = framer.next() {}
    let _ = framer.refused();
    let _ = Session::parse(octets).map(|session| session.to_string());
    let Ok(message) = Message::parse(Bytes::copy_from_slice(octets)) else { return };
    let _ = (message.start(), message.validate(), message.via_count(), format!("{message:?}"));
    let _ = (message.cseq().is_ok(), message.call_id().is_ok(), message.expires().is_ok());
    let _ = (message.max_forwards().is_ok(), message.has_token(Name::Supported, "x"));
    for address in [message.from(), message.to()].into_iter().flatten() {
        let _ = (address.display(), address.tag(), address.param("epid"), address.into_owned().to_string());
        let _ = address
            .uri()
            .map(|uri| (UriBuf::from(uri).to_string(), uri.equivalent(&uri), uri.user_text().is_some()));
    }
    for name in [Name::Authorization, Name::ProxyAuthenticate, Name::WwwAuthenticate] {
        for auth in message.auth(name) {
            let _ = (auth.conflicting(), auth.param("target name").is_some(), auth.params().count());
        }
    }
    let _ = (
        message.all::<Via<'_>>().count(),
        message.all::<Contact<'_>>().count(),
        message.all::<Route<'_>>().count(),
    );
    let _ = (message.all::<RecordRoute<'_>>().count(), message.all::<Path<'_>>().count());
    let _ = (message.all::<Reason<'_>>().count(), message.all::<Warning<'_>>().count());
    let _ = (message.all::<Supported<'_>>().count(), message.all::<Allow<'_>>().count());
    let _ = (message.all::<AssertedIdentity<'_>>().count(), message.get::<ReferTo<'_>>().is_ok());
    let _ = (
        message.get::<Date>().is_ok(),
        message.get::<KeepAlive>().is_ok(),
        message.get::<RetryAfter>().is_ok(),
    );
    let _ = (message.get::<Diagnostics<'_>>().is_ok(), message.get::<EventHeader<'_>>().is_ok());
    let _ = (message.get::<Replaces<'_>>().is_ok(), message.get::<RAck<'_>>().is_ok());
    let _ = (message.get::<SessionExpires>().is_ok(), message.get::<SubscriptionState<'_>>().is_ok());
    let _ = message.get::<ContentType<'_>>().is_ok();
    let reply = Builder::reply_to(&message, 400, "Bad Request").to_tag("t").finish();
    assert!(Message::parse(reply).is_ok());
    let relayed =
        Builder::from_message(&message).remove_first(Name::Via).prepend(Name::Via, "SIP/2.0/UDP x").finish();
    assert!(Message::parse(relayed).is_ok_and(|relayed| relayed.via_count() >= 1));
}

const NAMES: [&str; 9] = ["Via", "t", "Content-Length", "l", "Contact", "Authorization", "Vi a", "X-Odd", ""];

/// Messages that a builder takes lines from.
const SOURCES: [&[u8]; 8] = [
    include_bytes!("../../../tests/data/bench/register.sip"),
    b"\r\n\r\nINVITE  <sip:bob@b> SIP/7.0 \r\nv: SIP/2.0/TLS p, SIP/2.0/UDP q\r\nf:  <sip:a>\r\n ;tag=1\r\n\
      t : <sip:b>\r\nX-Odd  :  kept  \r\ni: c1\r\nCSeq: 1 INVITE\r\nl: 3\r\nRoute: <sip:a;lr>, <sip:b;lr>\r\n\r\nabcdef",
    b"SIP/2.0 200 \xff\xfe",
    b"SIP/2.0 200 OK\r\nX: \xff \xfe  ",
    b"SIP/2.0 200\r\nv:\xff\r\n \xfe\r\n ",
    b"SIP/2.0 200 OK\r\nContent-Length: 99",
    b"SIP/2.0 200 OK\r\nl: 1\r\nl: 1\r\nTo:\r\n\r\nab",
    b"SIP/2.0 200 OK\r\nTo: \"\xff\" <sip:a>\r\nContent-Length: x\r\n\r\n\xff\0",
];

const SAMPLES: [&str; 3] = [
    include_str!("../../../tests/data/bench/register.sip"),
    include_str!("../../../tests/data/bench/invite.sip"),
    "SIP/2.0 401 No\r\nv: SIP / 2.0 / TLS [::1]:5061 ; branch = \"x\", SIP/2.0/UDP a\r\nf: \"A \\\" B\" <sip:a:b@c;d?e=f>;epid; 7\r\n\
     WWW-Authenticate: NTLM realm = “r”, target name = \"t\", opaque=\"1\" Kerberos x=y\r\nReason: SIP;cause=200;text=\"a\\\"b\"\r\n\
     Refer-To: <sip:a?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>\r\nWarning: 399 a \"b\"\r\nDate: Sat, 21 Nov 2026 00:09:58 GMT\r\n\
     Retry-After: 5 (a (b)) ;duration=1\r\nms-keep-alive: UAS; timeout=300\r\nms-diagnostics: 1;reason=\"x\"\r\n\r\nv=0\r\no=- 1 1 IN IP4 a\r\nm=a 1 b c\r\n",
];

/// Inputs made to be read again and again by a careless parser; all of them as long as a header line may be, repeated
/// over a whole message. Linear work on them takes moments, quadratic work would not end in a test's time; the bench
/// `parse` compares the growth itself.
#[test]
fn work_grows_with_length_only() {
    let value = |pattern: &str| pattern.repeat(8_000 / pattern.len());
    for pattern in PATTERNS {
        let line = value(pattern);
        let mut text =
            format!("INVITE sip:{} SIP/2.0\r\n", pattern.replace(['\r', '\n', ' ', '\t'], "").repeat(200));
        for name in
            ["Via", "From", "To", "Contact", "Authorization", "Route", "Reason", "Warning", "Retry-After"]
        {
            for prefix in ["", "\"a\" <sip:a@b>;x", "SIP/2.0/UDP a;x", "SIP;x", "NTLM x"] {
                text.push_str(&format!(
                    "{name}: {prefix}{}\r\n",
                    line.chars().take(1_500).collect::<String>()
                ));
            }
        }
        text.push_str("\r\n");
        read_everything(text.as_bytes());
        for name in ["Authorization", "From", "Via", "Contact", "Refer-To"] {
            read_everything(
                format!("INVITE sip:a SIP/2.0\r\n{name}: NTLM {line}\r\n{name}: <sip:{line}>\r\n\r\n")
                    .as_bytes(),
            );
        }
        let _ = Uri::parse(&format!("sip:a@b;{line}")).map(|uri| uri.equivalent(&uri));
    }
}

/// A line of exactly its limit is taken by both, one octet more by neither, however the octets arrive.
#[test]
fn the_framer_and_the_parser_hold_a_line_to_the_same_octet() {
    let limits = Limits { line: 100, auth_line: 200, ..Limits::default() };
    let filled = |before: &str, octets: usize, behind: &str| {
        let fill = "x".repeat(octets - before.len() - 2);
        format!("{before}{fill}\r\n{behind}l: 0\r\n\r\n")
    };
    let rows = [
        ("a status line", "", "SIP/2.0 200 ", 100),
        ("a header line", "SIP/2.0 200 OK\r\n", "X: ", 100),
        ("a folded line", "SIP/2.0 200 OK\r\n", "X: a\r\n\tb\r\n ", 100),
        ("credentials", "SIP/2.0 200 OK\r\n", "Authorization : NTLM ", 200),
    ];
    for (name, head, before, most) in rows {
        for (octets, behind) in [(most - 1, ""), (most, ""), (most + 1, ""), (most, "v: SIP/2.0/UDP a\r\n")] {
            let text = format!("{head}{}", filled(before, octets, behind));
            let parsed = Message::parse_with(text.clone().into(), &limits);
            assert_eq!(parsed.is_ok(), octets <= most, "{name}: {octets}, {parsed:?}");
            for step in [1, 2, 3, text.len()] {
                let mut framer = Framer::answering(limits);
                let framed = text.as_bytes().chunks(step).try_fold(None, |found, part| {
                    framer.push(part);
                    framer.next().map(|frame| found.or(frame))
                });
                assert_eq!(
                    framed.is_ok_and(|frame| frame.is_some()),
                    octets <= most,
                    "{name}: {octets} by {step}"
                );
            }
        }
    }
}

/// As many lines as fit, octet by octet.
#[test]
fn a_head_that_comes_in_drops_is_read_once() {
    let many_lines = format!("SIP/2.0 200 OK\r\n{}\r\n", "a:\r\n".repeat(30_000));
    let all = Limits { headers: usize::MAX, ..Limits::default() };
    assert!(Message::parse_with(many_lines.clone().into(), &all).is_ok());
    let mut framer = Framer::new(all);
    for octet in many_lines.bytes() {
        framer.push(&[octet]);
        assert!(framer.next().is_ok());
        if framer.pending() == many_lines.len() - 1 {
            break;
        }
    }
}

/// What makes a careless parser begin again.
const PATTERNS: &[&str] = &[
    "\"",
    "\\",
    "\"\\",
    "<",
    "<>",
    "<<",
    ",",
    ", ",
    ";",
    ";;",
    ";a",
    ";a=",
    ";a=\"",
    ";a=\"b\"",
    "=",
    "a=",
    "a=b ",
    "a=b,",
    "a=\"",
    "“",
    "a=“",
    "NTLM ",
    "NTLM a=b ",
    "Digest,",
    "\r\n ",
    " ",
    "(",
    ")(",
    "%",
    "%41",
    "@",
    ":",
    "?",
    "&",
    "[",
    "SIP/2.0/UDP a,",
    "sip:a@b;x?y=z,",
    "\"a\" <sip:b>,",
    "x\r\n\t",
    "1 ",
    "é",
];
