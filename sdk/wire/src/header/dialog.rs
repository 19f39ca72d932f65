//! What names a call or a registration, and a call to take the place of: Call-ID and Replaces.

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;
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

impl fmt::Display for CallId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The dialog, as its receiver sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Replaces<'m> {
    /// Of the dialog to be replaced, not of the message that carries this header field.
    pub call_id: &'m str,
    /// Its remote tag, as the receiver of this header sees it the local one.
    pub to_tag: &'m str,
    /// Its other tag.
    pub from_tag: &'m str,
    /// Only as long as it was not answered.
    pub early_only: bool,
}

impl<'m> Replaces<'m> {
    /// Reads the value, also out of a Refer-To.
    pub fn parse(value: &'m [u8]) -> Option<Replaces<'m>> {
        read_whole(value, |cursor| {
            let call_id = cursor.take_while(|octet| octet != b';' && octet != b',' && !is_white(octet));
            let call_id = str::from_utf8(call_id).ok().filter(|word| !word.is_empty())?;
            let params = Params::read(cursor)?;
            let (to_tag, from_tag) = (params.value("to-tag")?, params.value("from-tag")?);
            Some(Replaces { call_id, to_tag, from_tag, early_only: params.find("early-only").is_some() })
        })
        .map(|(replaces, _)| replaces)
    }
}

impl<'m> Header<'m> for Replaces<'m> {
    const NAME: Name<'static> = Name::Replaces;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        Replaces::parse(value).map(|replaces| (replaces, &value[value.len()..]))
    }
}

impl fmt::Display for Replaces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};to-tag={};from-tag={}", self.call_id, self.to_tag, self.from_tag)?;
        f.write_str(if self.early_only { ";early-only" } else { "" })
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

    #[test]
    fn a_replaces_reads_as_printed() {
        let text = "98732@sip.example.com;to-tag=r33th4x0r;from-tag=ff87ff;early-only";
        let (read, _) = Replaces::read(text.as_bytes()).unwrap();
        assert!(read.early_only);
        assert_eq!(read.to_string(), text);
        let (spaced, _) = Replaces::read(b"a@b\r\n ;from-tag=1 ; to-tag = 2").unwrap();
        assert_eq!(spaced, Replaces { call_id: "a@b", to_tag: "2", from_tag: "1", early_only: false });
    }

    #[test]
    fn both_tags_are_needed() {
        for wrong in
            ["", "a", "a;to-tag=1", "a;from-tag=1", "a;to-tag=;from-tag=1", "a;to-tag=1;from-tag=2, b"]
        {
            assert!(Replaces::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
