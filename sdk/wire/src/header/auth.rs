//! Challenges, credentials and signatures: the one lenient grammar of all auth headers.

mod key;
pub(crate) mod reader;
mod value;

use smallvec::SmallVec;

use key::Key;

pub use value::AuthValue;

/// A challenge, credentials or a signature: a scheme and its parameters (RFC 3261 20.44, MS-SIPAE 2.2).
///
/// Takes what is met in practice: blanks in names (`target name`) and around `=`, typographic quotes, quoted and bare
/// values alike, missing and trailing commas. Values are the text between the quotes; escapes are not undone.
#[derive(Clone)]
pub struct Auth<'m> {
    /// The scheme as written: `Digest`, `NTLM`, `Kerberos`, `TLS-DSK`, …
    pub scheme: &'m str,
    /// What the parameters point into.
    line: &'m [u8],
    params: SmallVec<[Param; 12]>,
    /// One bit for each known key that was seen.
    seen: u32,
    conflicting: bool,
}

/// Where a parameter stands: offsets keep a header small, which is moved about more often than it is asked.
#[derive(Clone, Copy)]
struct Param {
    key: Key,
    name_len: u16,
    name: u32,
    value: u32,
    value_len: u32,
}

impl<'m> Auth<'m> {
    /// The first scheme of one header value.
    pub fn parse(value: &'m [u8]) -> Option<Auth<'m>> {
        reader::read_line(value).next()
    }

    /// Whether this is the scheme of that name, in any case.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of the parameter of that name (any case); of two the first. `None` also where it is no UTF-8.
    pub fn param(&self, name: &str) -> Option<&'m str> {
        let key = Key::parse(name.as_bytes());
        let param = self.params.iter().find(|param| match key {
            Key::Other => param.key == Key::Other && key::same_name(self.name(param), name.as_bytes()),
            known => param.key == known,
        })?;
        str::from_utf8(self.value(param)).ok()
    }

    /// Name and value in order; known names in their usual form, others as written.
    pub fn params(&self) -> impl Iterator<Item = (&'m str, &'m str)> + '_ {
        self.params.iter().filter_map(|param| {
            let name = match param.key {
                Key::Other => str::from_utf8(self.name(param)).ok()?,
                known => known.as_str(),
            };
            Some((name, str::from_utf8(self.value(param)).ok()?))
        })
    }

    /// Two parameters of one name contradict each other where it matters for security: do not trust this header.
    pub fn conflicting(&self) -> bool {
        self.conflicting
    }

    fn name(&self, param: &Param) -> &'m [u8] {
        let start = param.name as usize;
        self.line.get(start..start + usize::from(param.name_len)).unwrap_or(&[])
    }

    fn value(&self, param: &Param) -> &'m [u8] {
        let start = param.value as usize;
        self.line.get(start..start + param.value_len as usize).unwrap_or(&[])
    }

    fn offset(&self, part: &[u8]) -> u32 {
        number(part.as_ptr().addr().wrapping_sub(self.line.as_ptr().addr()))
    }

    /// Takes one more parameter, both parts out of the line; `false` when there are too many.
    fn push(&mut self, key: Key, name: &'m [u8], value: &'m [u8]) -> bool {
        if self.params.len() == MOST_PARAMS {
            self.conflicting = true;
            return false;
        }
        let seen = self.seen & key.bit() != 0;
        self.seen |= key.bit();
        if seen && key.decides_trust() {
            self.conflicting |= self.params.iter().any(|old| old.key == key && self.value(old) != value);
        }
        let param = Param {
            key,
            name_len: u16::try_from(name.len()).unwrap_or(u16::MAX),
            name: self.offset(name),
            value: self.offset(value),
            value_len: number(value.len()),
        };
        self.params.push(param);
        true
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a line is far shorter than these numbers reach")]
fn number(number: usize) -> u32 {
    number as u32
}

/// Scheme and names only: responses, tokens and signatures have no place in a log.
impl std::fmt::Debug for Auth<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.params().map(|(name, _)| name).collect();
        f.debug_struct("Auth").field("scheme", &self.scheme).field("names", &names).finish_non_exhaustive()
    }
}

/// More parameters than any scheme has; a header with more is not trusted.
const MOST_PARAMS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Auth<'_> {
        Auth::parse(text.as_bytes()).unwrap()
    }

    fn all<'m>(auth: &Auth<'m>) -> Vec<(&'m str, &'m str)> {
        auth.params().collect()
    }

    #[test]
    fn an_info_of_digest_has_no_scheme() {
        let info = parse(r#"nextnonce="n2", rspauth="0a", nc=00000001"#);
        assert_eq!(
            (info.scheme, info.param("nextnonce"), info.param("rspauth")),
            ("", Some("n2"), Some("0a"))
        );
        assert!(!parse("qop = auth").is("qop"));
    }

    #[test]
    fn a_digest_answer_comes_apart() {
        let auth = parse(
            r#"Digest username="alice", realm="a, b", uri="sip:e.com", algorithm=MD5, qop=auth, nc=00000001"#,
        );
        assert!(auth.is("digest"));
        assert_eq!(auth.param("Realm"), Some("a, b"));
        assert_eq!(
            (auth.param("nc"), auth.param("qop"), auth.param("nonce")),
            (Some("00000001"), Some("auth"), None)
        );
        assert_eq!(auth.params().count(), 6);
    }

    #[test]
    fn the_patents_spelling_is_understood() {
        let auth = parse(
            "NTLM realm = “NetworkCo”, target name = “HomeServer102.network.com”, qop = “auth”, rspauth = “gdj223”, \
             opaque = “GGF122”, srand = 8733, snum =1",
        );
        assert_eq!(
            all(&auth),
            [
                ("realm", "NetworkCo"),
                ("targetname", "HomeServer102.network.com"),
                ("qop", "auth"),
                ("rspauth", "gdj223"),
                ("opaque", "GGF122"),
                ("srand", "8733"),
                ("snum", "1")
            ]
        );
        let windows = Auth::parse(b"NTLM realm=\x93NetworkCo\x94, targetname=\x93x\x94").unwrap();
        assert_eq!(all(&windows), [("realm", "NetworkCo"), ("targetname", "x")]);
    }

    #[test]
    fn commas_may_be_missing_or_too_many() {
        let auth = parse(r#"NTLM realm="r" targetname="t" version=4 qop="auth",, opaque="o","#);
        assert_eq!(
            all(&auth),
            [("realm", "r"), ("targetname", "t"), ("version", "4"), ("qop", "auth"), ("opaque", "o")]
        );
        let bare = parse("X qop=auth int, y=1");
        assert_eq!(all(&bare), [("qop", "auth int"), ("y", "1")]);
    }

    #[test]
    fn an_empty_value_is_a_value() {
        assert_eq!(parse(r#"NTLM gssapi-data="", version=4"#).param("gssapi-data"), Some(""));
        assert_eq!(parse("NTLM gssapi-data=, version=4").param("gssapi-data"), Some(""));
    }

    #[test]
    fn the_first_of_two_wins_and_a_contradiction_is_told() {
        let same = parse(r#"NTLM realm="a", realm="a""#);
        assert!(!same.conflicting());
        let other = parse(r#"NTLM realm="a", opaque="1", target name="t", targetname="u""#);
        assert!(other.conflicting());
        assert_eq!(other.param("targetname"), Some("t"));
        assert!(!parse(r#"NTLM qop="auth", qop="x""#).conflicting());
    }

    #[test]
    fn escapes_end_no_string_where_the_scheme_knows_them() {
        let digest = parse(r#"Digest username="a\"b", realm="r""#);
        assert_eq!((digest.param("username"), digest.param("realm")), (Some(r#"a\"b"#), Some("r")));
        let ntlm = parse(r#"NTLM realm="dom\", opaque="o""#);
        assert_eq!((ntlm.param("realm"), ntlm.param("opaque")), (Some("dom\\"), Some("o")));
    }

    #[test]
    fn two_challenges_on_one_line_are_told_apart() {
        let line = br#"NTLM realm="r", targetname="t", Kerberos realm="r", targetname="sip/t", Negotiate"#;
        let schemes: Vec<_> = reader::read_line(line).map(|auth| (auth.scheme, auth.params.len())).collect();
        assert_eq!(schemes, [("NTLM", 2), ("Kerberos", 2), ("Negotiate", 0)]);
    }

    #[test]
    fn unknown_schemes_and_names_are_kept() {
        let auth = parse("NoOneKnowsThisScheme opaque-data=here");
        assert_eq!((auth.scheme, auth.param("OPAQUE-data")), ("NoOneKnowsThisScheme", Some("here")));
        assert_eq!(parse("Negotiate").params().count(), 0);
        assert!(Auth::parse(b"").is_none());
        assert!(Auth::parse(b", ,").is_none());
    }

    #[test]
    fn a_quote_that_stays_open_runs_to_the_end() {
        assert_eq!(all(&parse(r#"NTLM realm="r, opaque=o"#)), [("realm", "r, opaque=o")]);
    }

    #[test]
    fn more_parameters_than_any_scheme_has_are_not_trusted() {
        let many = format!("NTLM {}", "a=1,".repeat(100));
        assert!(parse(&many).conflicting());
    }
}
