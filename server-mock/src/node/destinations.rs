//! Whom a user may call.

/// The addresses a user may call: all, or those that fit one of some patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations(Option<Vec<String>>);

impl Destinations {
    /// Those that fit one of the patterns; `*` stands for any characters, letter case for nothing. A pattern without `@`
    /// is compared with the user part alone: `sales-*`, `+49*`, `*@network.com`. Without any pattern nobody may be
    /// called.
    pub fn only<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self(Some(patterns.into_iter().map(|pattern| pattern.as_ref().to_lowercase()).collect()))
    }

    /// True for an address of record, without scheme, that may be called.
    pub fn include(&self, address: &str) -> bool {
        let Some(patterns) = &self.0 else { return true };
        let address = address.to_lowercase();
        let user = address.rsplit_once('@').map_or(address.as_str(), |(user, _)| user);
        patterns.iter().any(|pattern| fits(pattern, if pattern.contains('@') { &address } else { user }))
    }
}

/// True for a text that a pattern describes. Each `*` takes as little as it can, which is as good as any other choice, so
/// that the time is the product of both lengths at most.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_say_whom_a_user_may_call() {
        for (pattern, address, is_allowed) in [
            ("bob", "bob@network.com", true),
            ("BOB", "bob@network.com", true),
            ("bob", "bobby@network.com", false),
            ("bo*", "bobby@network.com", true),
            ("*", "anybody@network.com", true),
            ("+49*", "+4930123@network.com", true),
            ("+49*", "+1555@network.com", false),
            ("*@network.com", "bob@network.com", true),
            ("*@network.com", "bob@other.com", false),
            ("s*l*s", "sales@network.com", true),
            ("s*l*s", "sls@network.com", true),
            ("s*l*s", "sl@network.com", false),
            ("ab*ba", "aba@network.com", false),
            ("**", "x@network.com", true),
            ("", "x@network.com", false),
        ] {
            let destinations = Destinations::only([pattern]);
            assert_eq!(destinations.include(address), is_allowed, "{pattern} {address}");
        }
        assert!(Destinations::default().include("bob@network.com"));
        assert!(!Destinations::only(Vec::<String>::new()).include("bob@network.com"));
    }
}
