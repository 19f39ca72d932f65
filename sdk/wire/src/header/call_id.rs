//! Call-ID: what ties the messages of a call or a registration together (RFC 3261 20.8).

use super::{Header, read_whole};
use crate::name::Name;
use crate::scan::is_white;

/// The identifier, compared octet by octet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CallId<'m>(pub &'m str);

impl<'m> Header<'m> for CallId<'m> {
    const NAME: Name<'static> = Name::CallId;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let word = cursor.take_while(|octet| !is_white(octet));
            str::from_utf8(word).ok().filter(|word| !word.is_empty()).map(CallId)
        })
    }
}

impl std::fmt::Display for CallId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_word_is_a_call_id() {
        let odd = "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{";
        assert_eq!(CallId::read(odd.as_bytes()).unwrap().0, CallId(odd));
        assert!(CallId::read(b"").is_none() && CallId::read(b"a b").is_none());
    }
}
