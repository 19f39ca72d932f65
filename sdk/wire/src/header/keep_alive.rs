//! ms-keep-alive: how a connection is kept open (MS-CONMGMT 2.2.1).

use std::fmt;

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;
use crate::scan::number;

/// What a client asks for, or a server grants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeepAlive {
    /// A client asks.
    Uac {
        /// Between neighbours.
        hop_hop: bool,
    },
    /// A server grants.
    Uas {
        /// Between neighbours.
        hop_hop: bool,
        /// The connection must not be silent for longer, in seconds.
        timeout: Option<u32>,
    },
}

impl KeepAlive {
    /// The seconds a server grants, where it keeps this connection alive at all.
    pub fn granted(&self) -> Option<u32> {
        match self {
            KeepAlive::Uas { hop_hop: true, timeout } => *timeout,
            KeepAlive::Uas { .. } | KeepAlive::Uac { .. } => None,
        }
    }
}

impl<'m> Header<'m> for KeepAlive {
    const NAME: Name<'static> = Name::MsKeepAlive;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            let side = cursor.token()?;
            let params = Params::read(cursor)?;
            let hop_hop = params.value("hop-hop").is_some_and(|word| word.eq_ignore_ascii_case("yes"));
            if side.eq_ignore_ascii_case("UAC") {
                return Some(KeepAlive::Uac { hop_hop });
            }
            let timeout = params.value("timeout").and_then(|seconds| number(seconds.as_bytes()));
            side.eq_ignore_ascii_case("UAS").then_some(KeepAlive::Uas { hop_hop, timeout })
        })
    }
}

impl fmt::Display for KeepAlive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |yes| if yes { "yes" } else { "no" };
        match self {
            KeepAlive::Uac { hop_hop } => write!(f, "UAC;hop-hop={}", word(*hop_hop)),
            KeepAlive::Uas { hop_hop, timeout } => {
                write!(f, "UAS; tcp=no; hop-hop={}; end-end=no", word(*hop_hop))?;
                timeout.map_or(Ok(()), |seconds| write!(f, "; timeout={seconds}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_read_as_printed() {
        for text in ["UAC;hop-hop=yes", "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300"] {
            assert_eq!(KeepAlive::read(text.as_bytes()).unwrap().0.to_string(), text);
        }
        assert!(KeepAlive::read(b"proxy;hop-hop=yes").is_none());
    }

    #[test]
    fn only_a_server_between_neighbours_grants() {
        let granted = |text: &str| KeepAlive::read(text.as_bytes()).unwrap().0.granted();
        assert_eq!(granted("uas;hop-hop=Yes;timeout=300"), Some(300));
        assert_eq!(granted("UAS;hop-hop=no;timeout=300"), None);
        assert_eq!(granted("UAC;hop-hop=yes;timeout=300"), None);
    }
}
