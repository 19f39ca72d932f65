//! Finds whole messages in text: debug logs of phones and servers, exports of tracers, plain pasted conversations.

use bytes::Bytes;
use homing::offline::{Message, Name};

use super::cut::{first_line_at, is_first_line};
use super::{Kind, Link, Place, Recorded, Recording, Remark, Repeats, limits};

/// Reads a log. Who sent a message and over which link is taken from the lines before it: arrows, words
/// such as `TX` or `received`, and addresses such as `10.0.0.1:5060 -> 10.0.0.2:5060`.
pub(super) fn read(bytes: &[u8]) -> Recording {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').map(without_return).collect();
    let mut log = Log { recording: Recording { kind: Kind::Log, ..Recording::default() } };
    let (mut at, mut behind_last) = (0, 0);
    while at < lines.len() {
        let Some(found) = Found::at(&lines, at) else {
            at += 1;
            continue;
        };
        let heard = Hint::of(&lines[behind_last.max(at.saturating_sub(HINT_LINES))..at], found.prefix);
        log.message(found.bytes, heard, at);
        at = found.end.max(at + 1);
        behind_last = at;
    }
    log.recording
}

/// A message with its head and body, line ends restored.
struct Found<'a> {
    prefix: &'a [u8],
    bytes: Vec<u8>,
    /// The line behind it.
    end: usize,
}

impl<'a> Found<'a> {
    fn at(lines: &[&'a [u8]], first: usize) -> Option<Self> {
        let line = lines[first];
        let (prefix, start) = line.split_at(first_line_at(line)?);
        let inside = |at: usize| lines.get(at).map(|line| line.strip_prefix(prefix).unwrap_or(line));
        // A first line alone is talk about a message.
        if !is_header(inside(first + 1)?) {
            return None;
        }
        let mut bytes = start.trim_ascii_end().to_vec();
        bytes.extend_from_slice(b"\r\n");
        let (mut at, mut body) = (first + 1, 0);
        while let Some(line) = inside(at) {
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            if line.trim_ascii().is_empty() {
                at += 1;
                break;
            }
            if !folded && !is_header(line) {
                body = 0;
                break;
            }
            if !folded {
                body = content_length(line).unwrap_or(body);
            }
            bytes.extend_from_slice(line.trim_ascii_end());
            bytes.extend_from_slice(b"\r\n");
            at += 1;
        }
        bytes.extend_from_slice(b"\r\n");
        let head = bytes.len();
        let body = body.min(limits().body);
        while bytes.len() - head < body {
            let Some(line) = inside(at).filter(|line| !is_first_line(line)) else { break };
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
            at += 1;
        }
        bytes.truncate(head + body);
        Some(Self { prefix, bytes, end: at })
    }
}

/// What the lines before a message say about it.
#[derive(Default)]
struct Hint {
    sender: Option<String>,
    link: Option<String>,
}

impl Hint {
    fn of(before: &[&[u8]], prefix: &[u8]) -> Self {
        let mut hint = Self::default();
        for line in std::iter::once(prefix).chain(before.iter().rev().copied()) {
            let line = String::from_utf8_lossy(&line[..line.len().min(LONGEST_HINT)]);
            let ends = ends(&line);
            if hint.link.is_none()
                && let Some((from, to)) = &ends
            {
                let (low, high) = if from < to { (from, to) } else { (to, from) };
                hint.link = Some(format!("{low} – {high}"));
                hint.sender.get_or_insert_with(|| (*from).to_owned());
            }
            let Some(way) = way(&line) else { continue };
            if hint.sender.is_none() {
                hint.sender = Some(way.to_owned());
            }
            if hint.link.is_none() {
                hint.link = peer(&line).map(str::to_owned);
            }
            break;
        }
        hint
    }
}

struct Log {
    recording: Recording,
}

impl Log {
    fn message(&mut self, bytes: Vec<u8>, hint: Hint, line: usize) {
        let place = Place::Line(line as u64 + 1);
        match Message::parse_with(Bytes::from(bytes), &limits()) {
            Ok(message) => {
                let link = link_of(&mut self.recording, hint.link.unwrap_or_else(|| "log".to_owned()));
                self.recording.push(Recorded { place, link, sender: hint.sender, at: None, message });
            }
            Err(why) => self.recording.remark(Remark::NoMessage { place, why }),
        }
    }
}

/// The link of that name, made if it is new.
pub(super) fn link_of(recording: &mut Recording, name: String) -> usize {
    // Logs name few links; past the limit all others are one.
    let known = recording.links.iter().rposition(|link| link.name == name);
    if let Some(known) = known {
        return known;
    }
    if recording.links.len() >= LINK_LIMIT {
        return LINK_LIMIT - 1;
    }
    recording.links.push(Link { name, repeats: Repeats::AsViaTells });
    recording.links.len() - 1
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_header(line: &[u8]) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let name = line[..colon].trim_ascii_end();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte);
    !name.is_empty() && name.iter().all(is_token)
}

fn content_length(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = std::str::from_utf8(line[..colon].trim_ascii()).ok()?;
    if Name::parse(name) != Name::ContentLength {
        return None;
    }
    std::str::from_utf8(&line[colon + 1..]).ok()?.trim().parse().ok()
}

/// Two addresses with an arrow between them.
fn ends(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line.split_whitespace().take(40).collect();
    words.windows(3).find_map(|three| {
        let clean = |word: &'_ str| {
            word.trim_matches(|c: char| "[](),".contains(c)).len() > 2 && word.contains([':', '.'])
        };
        let arrow = ["->", "→", "=>", "-->", "--->", "==>"].contains(&three[1]);
        (arrow && clean(three[0]) && clean(three[2]))
            .then(|| (three[0].trim_end_matches(','), three[2].trim_end_matches([':', ','])))
    })
}

/// Which way it went, seen from the writer of the log.
fn way(line: &str) -> Option<&'static str> {
    for (mark, word) in [(">>>", "client"), ("<<<", "server"), ("-->", "client"), ("<--", "server")] {
        if line.contains(mark) {
            return Some(word);
        }
    }
    line.split(|c: char| !c.is_ascii_alphanumeric()).find_map(|word| {
        match word.to_ascii_lowercase().as_str() {
            "tx" | "sent" | "sending" | "outgoing" => Some("client"),
            "rx" | "received" | "receiving" | "recv" | "incoming" => Some("server"),
            _ => None,
        }
    })
}

/// The other end: `to 10.0.0.1:5060`, `from hs1.network.com`.
fn peer(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        if ["to", "from", "TCP", "TLS", "UDP"].contains(&word)
            && let Some(name) = words.clone().next()
            && name.contains('.')
        {
            return Some(name.trim_end_matches([':', ',']));
        }
    }
    None
}

/// How far before a message its direction may stand.
const HINT_LINES: usize = 4;
const LONGEST_HINT: usize = 512;
const LINK_LIMIT: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "Via: SIP/2.0/TCP a\nCall-ID: 1\nCSeq: 1 OPTIONS\nContent-Length: 0\n";

    #[test]
    fn messages_are_found_between_all_sorts_of_lines() {
        let log = format!(
            "10:00 something about SIP/2.0 200 OK\n\
             MESSAGE START >>>>>>>>>> SIP - 2026\nOPTIONS sip:b SIP/2.0\r\n{HEAD}\nMESSAGE END\n\
             MESSAGE START <<<<<<<<<< SIP - 2026\nSIP/2.0 200 OK\n{HEAD}\n\
             2026/01/01 10.0.0.1:5060 -> 10.0.0.2:5060\n  | SIP/2.0 200 OK\n  | Via: x\n  | CSeq: 2 A\n  |\n\
             trailing words\n"
        );
        let read = read(log.as_bytes());
        let seen: Vec<_> = read.messages.iter().map(|m| (m.sender.as_deref(), m.message.status())).collect();
        assert_eq!(
            seen,
            [(Some("client"), None), (Some("server"), Some(200)), (Some("10.0.0.1:5060"), Some(200))]
        );
        assert_eq!(read.messages[0].place, Place::Line(3));
        let names: Vec<_> = read.links.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["log", "10.0.0.1:5060 – 10.0.0.2:5060"]);
    }

    #[test]
    fn bodies_are_taken_and_do_not_end_the_message() {
        let log = "MESSAGE sip:b SIP/2.0\nCall-ID: 1\nContent-Length: 8\n\nab\n\ncd\n\nSIP/2.0 200 OK\nCall-ID: 1\n\n";
        let read = read(log.as_bytes());
        assert_eq!(read.messages.len(), 2);
        assert_eq!(read.messages[0].message.body(), b"ab\r\n\r\ncd");
    }
}
