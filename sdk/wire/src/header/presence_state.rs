//! presence-state: what a registrar did with a binding (MS-SIPREGE 2.2).

use super::Header;
use crate::name::Name;
use crate::params::Params;

/// What a registrar did, and whatever else it says, in any order.
#[derive(Clone, Copy, Debug)]
pub struct PresenceState<'m> {
    /// `added`, `refreshed` or `fixed`: the first and the last, in answer to a refresh, say that the server had lost
    /// the binding.
    pub register_action: &'m str,
    params: Params<'m>,
}

impl<'m> PresenceState<'m> {
    /// All parameters, the action among them.
    pub fn params(&self) -> Params<'m> {
        self.params
    }
}

impl<'m> Header<'m> for PresenceState<'m> {
    const NAME: Name<'static> = Name::PresenceState;

    fn read(value: &'m [u8]) -> Option<(Self, &'m [u8])> {
        let params = Params::of(value);
        let register_action = params.value("register-action")?;
        Some((PresenceState { register_action, params }, &value[value.len()..]))
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
        let last = PresenceState::read(b"is-connected-to-primary=yes; Register-Action = \"refreshed\"");
        assert_eq!(last.unwrap().0.register_action, "refreshed", "in any order");
        for wrong in ["", "added", "register-action", "register-action="] {
            assert!(PresenceState::read(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
