//! The behaviour digest: what was sent, when, by whom and to whom, with random values by number.
//!
//! Two runs have the same digest if they behave alike (decision 40: time, direction,
//! fate and message; of notes only dials, DNS questions and states). Every random value (branch, tag,
//! Call-ID, nonce, opaque, token, salt, signature) counts as the number of its first appearance among
//! values of its kind, so that a different draw changes nothing and a value repeated in the wrong place
//! does. Nothing of the code's own words enters: hosts, states and kinds come as numbers.
//!
//! The file needs nothing but the standard library and works on octets, so that unit tests of other crates
//! take it in by path.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// What happened so far, as one number.
#[derive(Clone, Debug)]
pub struct Digest {
    hash: u64,
    seen: HashMap<(Kind, Vec<u8>), u64>,
    counts: [u64; KINDS],
}

/// What became of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It went out.
    Sent = 0,
    /// Somebody in the middle kept it.
    Swallowed = 1,
    /// Somebody in the middle sent something else.
    Altered = 2,
}

/// What is told of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It opens a connection.
    Dial = 1,
    /// It asks DNS.
    Question = 2,
    /// An account's state changes.
    State = 3,
    /// So many copies of a datagram will arrive.
    Copies = 4,
}

/// A kind of random value. Each is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Branch,
    Tag,
    CallId,
    Nonce,
    ClientNonce,
    Opaque,
    Token,
    ClientSalt,
    ServerSalt,
    Signature,
    Path,
    Stun,
}

/// What of a header's value is random.
enum Random {
    /// Nothing.
    Nothing,
    /// All of it.
    Whole(Kind),
    /// Parameters, and the user part of a URI if so said.
    Within { user: Option<Kind> },
}

impl Default for Digest {
    fn default() -> Self {
        Self { hash: FNV_BASIS, seen: HashMap::new(), counts: [0; KINDS] }
    }
}

impl Digest {
    /// Takes in a message, keep-alive or datagram that leaves one host for another.
    pub fn sent(&mut self, at: Duration, (from, to): (u64, u64), fate: Fate, bytes: &[u8]) {
        self.start(0, at);
        self.numbers(&[from, to, fate as u64]);
        if bytes.len() >= STUN_HEADER && bytes[0] < 2 && bytes[4..8] == STUN_COOKIE {
            self.octets(&bytes[..8]);
            self.value(Kind::Stun, &bytes[8..STUN_HEADER]);
            self.octets(&bytes[STUN_HEADER..]);
        } else {
            self.message(bytes);
        }
    }

    /// Takes in what one host does or is, in numbers and in words of the network.
    pub fn fact(&mut self, at: Duration, host: u64, fact: Fact, (numbers, words): (&[u64], &str)) {
        self.start(fact as u64, at);
        self.numbers(&[host]);
        self.numbers(numbers);
        self.octets(words.as_bytes());
    }

    /// The number of everything so far.
    pub fn finish(&self) -> u64 {
        self.hash
    }

    fn message(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        let mut random = Random::Nothing;
        let mut first = true;
        while !rest.is_empty() {
            let end = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(end);
            if line == b"\r\n" && !first {
                // What follows is the body.
                return self.octets(rest);
            }
            if first {
                self.octets(line);
            } else {
                let folded = matches!(line[0], b' ' | b'\t');
                let value =
                    if folded { 0 } else { line.iter().position(|octet| *octet == b':').unwrap_or(0) };
                if !folded {
                    random = random_in(&line[..value]);
                }
                self.octets(&line[..value]);
                self.header_value(&line[value..], &random);
            }
            first = false;
            rest = after;
        }
    }

    fn header_value(&mut self, value: &[u8], random: &Random) {
        match random {
            Random::Nothing => self.octets(value),
            Random::Whole(kind) => self.value(*kind, value.trim_ascii()),
            Random::Within { user } => self.parameters(value, *user),
        }
    }

    /// A value in which some parameters are random, and perhaps the user part of a URI.
    fn parameters(&mut self, value: &[u8], user: Option<Kind>) {
        let (mut taken, mut at) = (0, 0);
        while at < value.len() {
            let (kind, start, end) = match value[at] {
                b':' if user.is_some() && value[..at].ends_with(b"sip") => {
                    let host = value[at..].iter().position(|octet| matches!(octet, b'@' | b';' | b'>'));
                    match host {
                        Some(length) if value[at + length] == b'@' => (user, at + 1, at + length),
                        _ => (None, at, at + 1),
                    }
                }
                b'=' => {
                    let key = value[..at].iter().rposition(|octet| !is_token(*octet)).map_or(0, |at| at + 1);
                    let (start, end) = parameter_value(value, at + 1);
                    (kind_of_parameter(&value[key..at]), start, end)
                }
                _ => (None, at, at + 1),
            };
            if let Some(kind) = kind.filter(|_| start < end) {
                self.octets(&value[taken..start]);
                self.value(kind, &value[start..end]);
                taken = end;
            }
            at = end.max(at + 1);
        }
        self.octets(&value[taken..]);
    }

    /// A random value, by the number of its first appearance.
    fn value(&mut self, kind: Kind, value: &[u8]) {
        let count = &mut self.counts[kind as usize];
        let number = *self.seen.entry((kind, value.to_vec())).or_insert_with(|| {
            *count += 1;
            *count
        });
        self.numbers(&[kind as u64, number]);
    }

    fn start(&mut self, what: u64, at: Duration) {
        self.numbers(&[what, u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)]);
    }

    fn numbers(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.octets(&number.to_be_bytes());
        }
    }

    /// FNV-1a: the same on every machine and in every release of the compiler.
    fn octets(&mut self, octets: &[u8]) {
        for octet in octets {
            self.hash = (self.hash ^ u64::from(*octet)).wrapping_mul(FNV_PRIME);
        }
    }
}

/// What of a header is random, by its name.
fn random_in(name: &[u8]) -> Random {
    let is = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one.as_bytes()));
    if is(&["Call-ID", "i"]) {
        Random::Whole(Kind::CallId)
    } else if is(&["Path", "Route", "Record-Route", "Service-Route"]) {
        Random::Within { user: Some(Kind::Path) }
    } else if is(&[
        "Via",
        "v",
        "From",
        "f",
        "To",
        "t",
        "Contact",
        "m",
        "WWW-Authenticate",
        "Authorization",
        "Authentication-Info",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Authentication-Info",
    ]) {
        Random::Within { user: None }
    } else {
        Random::Nothing
    }
}

fn kind_of_parameter(name: &[u8]) -> Option<Kind> {
    let kinds = [
        ("branch", Kind::Branch),
        ("tag", Kind::Tag),
        ("nonce", Kind::Nonce),
        ("nextnonce", Kind::Nonce),
        ("cnonce", Kind::ClientNonce),
        ("opaque", Kind::Opaque),
        ("gssapi-data", Kind::Token),
        ("crand", Kind::ClientSalt),
        ("srand", Kind::ServerSalt),
        ("response", Kind::Signature),
        ("rspauth", Kind::Signature),
    ];
    kinds.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes())).map(|(_, kind)| kind)
}

/// Where the value that begins at `start` begins and ends, without quotation marks.
fn parameter_value(text: &[u8], start: usize) -> (usize, usize) {
    if text.get(start) == Some(&b'"') {
        let length = text[start + 1..].iter().position(|octet| *octet == b'"');
        return (start + 1, length.map_or(text.len(), |length| start + 1 + length));
    }
    let ends = |octet: &u8| matches!(octet, b';' | b',' | b'>' | b' ' | b'\t' | b'\r' | b'\n');
    (start, text[start..].iter().position(ends).map_or(text.len(), |length| start + length))
}

fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.' | b'+')
}

/// Holds digests against the committed list in `path`: one line each, name and digest. With
/// `HOMING_BLESS=1` the list is written again.
///
/// # Errors
/// The names whose digests differ from the list or are missing in it.
pub fn compare(path: &Path, digests: &[(String, u64)]) -> Result<(), String> {
    if std::env::var_os("HOMING_BLESS").is_some_and(|bless| bless == "1") {
        return std::fs::write(path, lines(digests)).map_err(|fault| format!("{}: {fault}", path.display()));
    }
    let listed = std::fs::read_to_string(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    let ours = lines(digests);
    let moved: Vec<&str> = ours
        .lines()
        .filter(|line| !listed.lines().any(|other| other == *line))
        .filter_map(|line| line.split(' ').next())
        .collect();
    if moved.is_empty() {
        return Ok(());
    }
    Err(format!(
        "behaviour moved in {} of {} ({}), against {}; if it was meant to, HOMING_BLESS=1 writes the list anew",
        moved.len(),
        digests.len(),
        moved.join(", "),
        path.display()
    ))
}

/// One line for each digest: name and number.
pub fn lines(digests: &[(String, u64)]) -> String {
    let mut lines = String::new();
    for (name, digest) in digests {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{name} {digest:016x}");
    }
    lines
}

const KINDS: usize = Kind::Stun as usize + 1;
const STUN_HEADER: usize = 20;
const STUN_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;
