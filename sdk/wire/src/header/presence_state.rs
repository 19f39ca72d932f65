//! presence-state: what a registrar did with a binding (MS-SIPREGE 2.2).

use super::{Header, read_whole};
use crate::name::Name;
use crate::params::Params;

/// What a registrar did.
#[derive(Clone, Copy, Debug)]
pub struct PresenceState<'m> {
    /// `added`, `refreshed` or `fixed`: the first and the last, in answer to a refresh, say that the server had lost
    /// the binding.
    pub register_action: &'m str,
    params: Params<'m>,
}

impl<'m> PresenceState<'m> {
    /// The other parameters.
    pub fn params(&self) -> Params<'m> {
        self.params
    }
}

impl<'m> Header<'m> for PresenceState<'m> {
    const NAME: Name<'static> = Name::PresenceState;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        read_whole(value, |cursor| {
            if !cursor.token()?.eq_ignore_ascii_case("register-action") || !cursor.eat_spaced(b'=') {
                return None;
            }
            let register_action = match cursor.peek()? {
                b'"' => str::from_utf8(cursor.quoted()?).ok()?,
                _ => cursor.token()?,
            };
            Some(PresenceState { register_action, params: Params::read(cursor)? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_is_read_quoted_or_bare() {
        let (read, _) =
            PresenceState::read(br#"register-action="fixed";is-connected-to-primary="yes""#).unwrap();
        assert_eq!(read.register_action, "fixed");
        assert_eq!(read.params().value("is-connected-to-primary"), Some("yes"));
        assert_eq!(PresenceState::read(b"register-action=added").unwrap().0.register_action, "added");
        assert!(PresenceState::read(b"added").is_none());
    }
}
