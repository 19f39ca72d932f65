//! Messages as text without what could be used: tokens, responses, nonces' answers, media keys.

/// The message with secret values replaced by `…`.
///
/// Blanked are the NTLM and Kerberos tokens, Digest responses and signatures' salts' answers in auth
/// header fields, and `inline:` keys of SDP. Names, realms, counters and salts stay readable.
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
        } else if let Some(at) = line.find("inline:").filter(|_| line.starts_with("a=crypto:")) {
            out.push_str(&line[..at + "inline:".len()]);
            out.push_str("…\r\n");
        } else {
            out.push_str(line);
        }
    }
    out
}

fn is_auth_header(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default().trim();
    AUTH_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name))
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
const SECRETS: [&str; 5] = ["gssapi-data", "response", "rspauth", "cnonce", "nextnonce"];
