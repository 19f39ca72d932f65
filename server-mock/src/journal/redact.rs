//! Messages as text without what could be used: tokens, responses, nonces' answers, media keys.

/// The message with secret values replaced by `…`.
///
/// Blanked are the NTLM and Kerberos tokens, Digest responses and signatures' salts' answers in auth
/// header fields, passwords in SIP URIs, and the keys and passwords of SDP. Names, realms, counters and salts stay readable.
pub fn redacted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut secret_header = false;
    for line in text.split_inclusive('\n') {
        let folded = line.starts_with([' ', '\t']);
        if !folded {
            secret_header = is_auth_header(line);
        }
        if secret_header {
            blank_values(line, &mut out);
        } else if is_media_key(line) {
            blank_key(line, &mut out);
        } else {
            blank_passwords(line, &mut out);
        }
    }
    out
}

fn is_auth_header(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default().trim();
    AUTH_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_media_key(line: &str) -> bool {
    let starts = |prefix: &&str| line.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix));
    MEDIA_KEYS.iter().any(starts)
}

/// Copies a line of SDP that carries a key as far as the key.
fn blank_key(line: &str, out: &mut String) {
    let bare = line.trim_end_matches(['\r', '\n']);
    let shown = match bare.find("inline:") {
        Some(at) => at + "inline:".len(),
        None => bare
            .find(if bare.starts_with("a=") || bare.starts_with("A=") { ':' } else { '=' })
            .map_or(0, |at| at + 1),
    };
    out.push_str(&bare[..shown]);
    out.push('…');
    out.push_str(&line[bare.len()..]);
}

/// Copies `line`, blanking the password of every `sip:user:password@host`.
fn blank_passwords(line: &str, out: &mut String) {
    let lower = line.to_ascii_lowercase();
    let mut done = 0;
    while let Some(start) = uri_start(&lower[done..]) {
        let uri = &line[done + start..];
        let end = uri.find(['@', '>', '"', ' ', ',', ';']).unwrap_or(uri.len());
        out.push_str(&line[done..done + start]);
        match uri[..end].split_once(':') {
            Some((user, password)) if uri[end..].starts_with('@') && !password.is_empty() => {
                out.push_str(user);
                out.push_str(":…");
            }
            _ => out.push_str(&uri[..end]),
        }
        done += start + end;
    }
    out.push_str(&line[done..]);
}

/// Where the user part of the next SIP URI begins.
fn uri_start(lower: &str) -> Option<usize> {
    lower.match_indices("sip").find_map(|(at, _)| {
        let rest = &lower[at + 3..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        rest.strip_prefix(':').map(|rest| lower.len() - rest.len())
    })
}

/// Copies `line`, blanking the value of every secret parameter, quoted or bare.
fn blank_values(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some((before, value)) = rest.split_once('=') {
        out.push_str(before);
        out.push('=');
        let value_start = value.trim_start_matches([' ', '\t']);
        let quoted = value_start.strip_prefix('"');
        let body = quoted.unwrap_or(value_start);
        let end = match quoted {
            Some(body) => body.find('"'),
            None => body.find([',', ' ', '\r', '\n']),
        }
        .unwrap_or(body.len());
        let (value_text, after) = body.split_at(end);
        if quoted.is_some() {
            out.push('"');
        }
        out.push_str(if is_secret(before) && !value_text.is_empty() { "…" } else { value_text });
        rest = after;
    }
    out.push_str(rest);
}

/// True if the text before an equals sign ends in the name of a secret parameter.
fn is_secret(before: &str) -> bool {
    let name = before.rsplit([',', ' ', '"', '\t']).find(|part| !part.is_empty()).unwrap_or_default();
    SECRETS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

const AUTH_HEADERS: [&str; 6] = [
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Proxy-Authentication-Info",
];
const MEDIA_KEYS: [&str; 4] = ["a=crypto:", "a=key-mgmt:", "a=ice-pwd:", "k="];
const SECRETS: [&str; 5] = ["gssapi-data", "response", "rspauth", "cnonce", "nextnonce"];
