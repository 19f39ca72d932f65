//! Showing a message without its secrets: what is not known to be harmless is masked.

use std::fmt;

/// A message whose `Display` masks what proves or carries an identity: responses, signatures, tokens
/// and nonces of the authentication headers, passwords in URIs, keys in SDP.
///
/// It works on lines and needs no well-formed message: broken ones are shown, and masked, too.
#[derive(Clone, Copy)]
pub struct Redacted<'m>(&'m [u8]);

impl<'m> Redacted<'m> {
    /// Shows these bytes.
    pub fn new(message: &'m [u8]) -> Self {
        Self(message)
    }
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(self.0);
        let mut place = Place::Open;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\r', '\n']);
            let folded = bare.starts_with([' ', '\t']);
            place = match place {
                Place::Auth if folded => Place::Auth,
                _ if is_auth_header(bare) => Place::Auth,
                _ if is_sdp_key(bare) => Place::Key,
                _ => Place::Open,
            };
            match place {
                Place::Auth => write_auth_line(f, bare, folded)?,
                Place::Key => write_key_line(f, bare)?,
                Place::Open => write_without_passwords(f, bare)?,
            }
            f.write_str(&line[bare.len()..])?;
        }
        Ok(())
    }
}

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redacted({} bytes)", self.0.len())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A line that may be shown.
    Open,
    /// An authentication header, or the folded rest of one.
    Auth,
    /// A line of SDP that carries a key.
    Key,
}

fn is_auth_header(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default().trim();
    AUTH_HEADERS.iter().any(|header| header.eq_ignore_ascii_case(name))
}

fn is_sdp_key(line: &str) -> bool {
    let starts = |prefix: &str| line.get(..prefix.len()).is_some_and(|s| s.eq_ignore_ascii_case(prefix));
    ["a=crypto:", "a=key-mgmt:", "a=ice-pwd:", "k="].into_iter().any(starts)
}

/// Writes one line of an authentication header; only parameters on the list keep their values.
fn write_auth_line(f: &mut fmt::Formatter<'_>, line: &str, folded: bool) -> fmt::Result {
    let (head, rest) = if folded { ("", line) } else { line.split_at(line.find(':').map_or(0, |at| at + 1)) };
    f.write_str(head)?;
    for (position, part) in split_outside_quotes(rest).into_iter().enumerate() {
        if position > 0 {
            f.write_str(",")?;
        }
        // Only there can a scheme stand; a folded line may begin in the middle of a token.
        let scheme_fits = position == 0 && !folded;
        write_parameter(f, part, scheme_fits)?;
    }
    Ok(())
}

fn write_parameter(f: &mut fmt::Formatter<'_>, part: &str, scheme_fits: bool) -> fmt::Result {
    let (before, value) = match part.split_once('=') {
        Some((before, value)) => (before, Some(value)),
        None => (part, None),
    };
    let words = before.trim_start();
    f.write_str(&before[..before.len() - words.len()])?;
    let mut words = words.split_whitespace();
    let name = value.and_then(|_| words.next_back());
    for (position, word) in words.enumerate() {
        let shown = scheme_fits && position == 0 && is_scheme(word);
        write!(f, "{}{}", if shown { word } else { "•••" }, if name.is_some() { " " } else { "" })?;
    }
    let (Some(name), Some(value)) = (name, value) else { return Ok(()) };
    let is_in = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
    let bare = value.trim().trim_matches('"');
    if bare.is_empty() || (is_in(&SHOWN) && is_one_value(value.trim())) {
        write!(f, "{name}=")?;
        return write_without_passwords(f, value);
    }
    let token = if name.eq_ignore_ascii_case("gssapi-data") { ntlm_message(bare) } else { "" };
    let name = if is_in(&SHOWN) || is_in(&MASKED) { name } else { "•••" };
    write!(f, "{name}=\"•••{token} ({} characters)\"", bare.chars().count())
}

fn is_scheme(word: &str) -> bool {
    SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// True for one token or one quoted string: nothing else can hide behind it.
fn is_one_value(value: &str) -> bool {
    let Some(inner) = value.strip_prefix('"') else { return !value.contains(['"', ' ', '\t']) };
    let Some(inner) = inner.strip_suffix('"') else { return false };
    let mut escaped = false;
    inner.bytes().all(|byte| {
        let fits = escaped || byte != b'"';
        escaped = byte == b'\\' && !escaped;
        fits
    }) && !escaped
}

fn write_key_line(f: &mut fmt::Formatter<'_>, line: &str) -> fmt::Result {
    let shown = match line.find("inline:") {
        Some(at) => at + "inline:".len(),
        None => {
            let attribute = line.starts_with(['a', 'A']);
            line.find(if attribute { ':' } else { '=' }).map_or(0, |at| at + 1)
        }
    };
    write!(f, "{}•••", &line[..shown])
}

/// Writes a line, masking the password part of `sip:user:password@host`.
///
/// Commas and semicolons are legal in user and password (RFC 3261 section 25.1), so that only what
/// encloses or follows a whole URI ends the search for the last `@`: of two URIs that stand together
/// without a space the first may be masked with the second.
fn write_without_passwords(f: &mut fmt::Formatter<'_>, line: &str) -> fmt::Result {
    for piece in line.split_inclusive(['<', '>', '"', ' ', '\t']) {
        let (before, after) = piece.split_at(piece.rfind('@').unwrap_or(0));
        let (head, userinfo) = before.split_at(find_uri(before).unwrap_or(before.len()));
        f.write_str(head)?;
        match userinfo.split_once(':') {
            Some((user, password)) if !password.is_empty() => write!(f, "{user}:•••")?,
            _ => f.write_str(userinfo)?,
        }
        f.write_str(after)?;
    }
    Ok(())
}

/// Where the user part of the first SIP URI begins.
fn find_uri(text: &str) -> Option<usize> {
    let starts = |at: usize, scheme: &str| {
        text.get(at..at + scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme))
    };
    text.bytes().enumerate().filter(|(_, byte)| byte.eq_ignore_ascii_case(&b's')).find_map(|(at, _)| {
        let scheme = ["sip:", "sips:"].into_iter().find(|scheme| starts(at, scheme))?;
        Some(at + scheme.len())
    })
}

/// Splits at commas that stand outside quotes. An unclosed quote ends with the line.
fn split_outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Which of the three NTLM messages a token is, from its unsecret first bytes.
fn ntlm_message(base64: &str) -> &'static str {
    match base64.get(..14) {
        Some("TlRMTVNTUAABAA") => " NTLM NEGOTIATE",
        Some("TlRMTVNTUAACAA") => " NTLM CHALLENGE",
        Some("TlRMTVNTUAADAA") => " NTLM AUTHENTICATE",
        _ => "",
    }
}

const AUTH_HEADERS: [&str; 6] = [
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Proxy-Authentication-Info",
];

const SCHEMES: [&str; 7] = ["Digest", "NTLM", "Kerberos", "TLS-DSK", "Negotiate", "Basic", "Bearer"];

/// Parameters that may be named but not shown.
const MASKED: [&str; 6] = ["response", "nonce", "cnonce", "nextnonce", "gssapi-data", "rspauth"];

/// Parameters whose values prove nothing.
const SHOWN: [&str; 18] = [
    "realm",
    "targetname",
    "algorithm",
    "qop",
    "version",
    "uri",
    "username",
    "nc",
    "stale",
    "domain",
    "opaque",
    "cnum",
    "snum",
    "crand",
    "srand",
    "userhash",
    "charset",
    "epid",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Redacted::new(text.as_bytes()).to_string()
    }

    /// Every place a secret can stand in; none of them may be shown.
    #[test]
    fn no_canary_is_ever_shown() {
        const CANARY: &str = "canary7f3a9";
        let places = [
            "Authorization: Digest username=\"alice\", response=\"@\", nonce=\"@\", cnonce=\"@\"",
            "authorization:Digest response=@,nonce=@",
            "PROXY-AUTHORIZATION : NTLM qop=\"auth\", gssapi-data=\"@\", targetname=\"hs1\"",
            "Proxy-Authenticate: NTLM realm=\"x\", gssapi-data=\"TlRMTVNTUAACAAAA@\"",
            "WWW-Authenticate: Digest realm=\"a, b\", nonce=\"@\", opaque=\"1\"",
            "Authentication-Info: NTLM rspauth=\"@\", srand=\"1\", snum=\"2\"",
            "Authentication-Info: nextnonce=\"@\"",
            "Authorization: Basic @",
            "Authorization: Bearer @.@.@==",
            "Authorization: @",
            "Authorization: Digest username=\"a\",\r\n response=\"@\"",
            "Authorization: NTLM gssapi-data=\"@\r\n\t@\"",
            "Authorization: Digest realm=\"un\\\"closed, response=\"@\", x=\"@\"",
            "Authorization: Digest unknown-parameter=\"@\"",
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:@|2^20|1:32",
            "a=CRYPTO:@",
            "a=ice-pwd:@",
            "k=clear:@",
            "From: \"Alice\" <sip:alice:@@network.com>;tag=1",
            "Route: <sips:hs:@@hs1.network.com;lr>, <sip:a:@@b>",
            "REGISTER sip:alice:@@network.com SIP/2.0",
            "REGISTER sip:alice:se,@@network.com SIP/2.0",
            "REGISTER sip:alice;phone=1:@@network.com SIP/2.0",
            "REGISTER sip:alice;phone=1,2:a;b,@@network.com SIP/2.0",
            "Contact: <sip:alice:one@two;@@network.com>",
            "Contact: sip:10.0.0.1;q=1,sip:alice:@@network.com",
            "Authorization: Digest username=\"alice\", uri=\"sip:alice:se,@@network.com\"",
        ];
        for place in places {
            let secret = place.replace("@@", "\u{1}").replace('@', CANARY).replace('\u{1}', "canary7f3a9@");
            let text = format!("X: 1\r\n{secret}\r\nY: 2\r\n\r\n");
            let masked = shown(&text);
            assert!(!masked.contains("7f3a"), "{place:?} shows {masked:?}");
            assert!(masked.contains("•••"), "{place:?} is not masked: {masked:?}");
            assert!(masked.starts_with("X: 1\r\n") && masked.ends_with("Y: 2\r\n\r\n"), "{masked:?}");
        }
    }

    #[test]
    fn what_helps_and_harms_nobody_stays() {
        let line = "Proxy-Authenticate: NTLM realm=\"SIP, Service\", targetname=\"hs1\", version=4\r\n";
        assert_eq!(shown(line), line);
        let token = "Proxy-Authenticate: NTLM gssapi-data=\"TlRMTVNTUAACAAAAAA\"\r\n";
        assert_eq!(
            shown(token),
            "Proxy-Authenticate: NTLM gssapi-data=\"••• NTLM CHALLENGE (18 characters)\"\r\n"
        );
        let open = "Contact: <sip:alice@10.0.0.1:5061;transport=tls>\r\n\r\nv=0\r\n";
        assert_eq!(shown(open), open);
        let open = "Route: <sip:hs1.network.com:5061;lr>, <sip:hs2@10.0.0.1:5061;transport=tls;lr>\r\n";
        assert_eq!(shown(open), open);
        assert_eq!(
            shown("Authorization: NTLM gssapi-data=\"\"\r\n"),
            "Authorization: NTLM gssapi-data=\"\"\r\n"
        );
    }

    /// URIs without number on one line, with and without passwords, cost no more than their length.
    #[test]
    fn long_lines_take_no_longer_than_they_are() {
        for unit in ["sip:", "sip:a:b@", "sip:a:b@c ", "a=\"", "Authorization: ", ","] {
            let line = unit.repeat((1 << 20) / unit.len());
            assert!(!shown(&line).is_empty() && !shown(&format!("Authorization: {line}")).is_empty());
        }
    }

    #[test]
    fn any_bytes_can_be_shown() {
        let mut state = 1u64;
        for length in 0..300 {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    b"sip:@=\",\r\n a\xff\xc3Authorization:"[(state >> 33) as usize % 28]
                })
                .collect();
            let _ = Redacted::new(&bytes).to_string();
        }
    }
}
