//! Messages in a text: a log with anything between them, or JSON lines that carry a message each.

use serde_json::Value;

use crate::verify::Recorded;

/// The messages of a text, in order.
pub(crate) fn read(recording: &[u8]) -> Vec<Recorded> {
    let text = String::from_utf8_lossy(recording);
    let from_json = from_json_lines(&text);
    if from_json.is_empty() { from_log(&text) } else { from_json }
}

/// JSON lines whose object has a `text` or `message` that is a SIP message.
fn from_json_lines(text: &str) -> Vec<Recorded> {
    let message = |line: &str| {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = value.get("text").or_else(|| value.get("message"))?.as_str()?.to_owned();
        is_start(text.lines().next()?).then_some(text)
    };
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| Some((index, message(line)?)))
        .map(|(index, text)| recorded(index, &text))
        .collect()
}

/// Everything from one start line to the next.
fn from_log(text: &str) -> Vec<Recorded> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(start) = start_in(line) {
            found.push((index, format!("{start}\r\n")));
        } else if let Some((_, message)) = found.last_mut()
            && message.len() < LONGEST
        {
            message.push_str(line.trim_end_matches('\r'));
            message.push_str("\r\n");
        }
    }
    found.iter().map(|(index, message)| recorded(*index, message)).collect()
}

fn recorded(line: usize, text: &str) -> Recorded {
    // A message whose blank line the log left out still has to end.
    let whole =
        if text.contains("\r\n\r\n") { text.to_owned() } else { format!("{}\r\n\r\n", text.trim_end()) };
    Recorded { place: format!("line {}", line + 1), bytes: whole.into_bytes() }
}

/// A start line, with what a logger wrote before it left out.
fn start_in(line: &str) -> Option<&str> {
    let line = line.trim_end_matches('\r');
    if is_start(line) {
        return Some(line);
    }
    let response = line.find("SIP/2.0 ").map(|at| &line[at..]).filter(|rest| is_start(rest));
    let request = || {
        let rest = line.strip_suffix(" SIP/2.0")?;
        let uri = rest.rfind(' ')?;
        let method = rest[..uri].rfind(|c: char| !c.is_ascii_uppercase()).map_or(0, |at| at + 1);
        Some(&line[method..]).filter(|rest| is_start(rest))
    };
    response.or_else(request)
}

fn is_start(line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        return rest.get(..3).is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit()));
    }
    let mut words = line.split(' ');
    let method =
        words.next().is_some_and(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase()));
    let uri = words.next().is_some_and(|word| word.contains(':'));
    method && uri && words.next() == Some("SIP/2.0") && words.next().is_none()
}

/// Characters taken of one message.
const LONGEST: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_at_its_start_lines() {
        let log = "(09:12:01) sipe: sending REGISTER sip:a SIP/2.0\nCall-ID: 1\n\njunk between\n\
                   09:12 <- SIP/2.0 200 OK\r\nCall-ID: 1\r\n";
        let found = read(log.as_bytes());
        assert_eq!(found.len(), 2);
        assert!(found[0].bytes.starts_with(b"REGISTER sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n"));
        assert_eq!(found[1].bytes, b"SIP/2.0 200 OK\r\nCall-ID: 1\r\n\r\n");
        assert_eq!(found[1].place, "line 5");
    }

    #[test]
    fn json_lines_carry_messages() {
        let lines = "{\"event\":\"x\"}\n{\"text\":\"SIP/2.0 200 OK\\r\\nCall-ID: 1\\r\\n\\r\\n\"}\n";
        assert_eq!(read(lines.as_bytes())[0].place, "line 2");
    }

    #[test]
    fn no_bytes_harm_the_reader() {
        for bytes in
            [&b"\xff\xfe SIP/2.0 "[..], b" SIP/2.0", b"SIP/2.0 2", b"{\"text\":", b"\n\n\n", b"A : SIP/2.0"]
        {
            let _ = read(bytes);
        }
    }
}
