//! The states of an account: one table from which machine, event, phone, glossary and glyph come.

/// Where an account stands between off-line and registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AccountState {
    /// Not signed in and not trying.
    Offline,
    /// Asking DNS where the server is.
    Resolving,
    /// Opening a connection and verifying the server.
    Connecting,
    /// REGISTER sent, nothing demanded yet.
    Registering,
    /// Proving who we are.
    Authenticating,
    /// Following a signed redirect.
    Redirected,
    /// Signed in at the home server.
    Registered,
    /// Signed in at a server that was not the first choice.
    Fallback,
    /// A refresh is overdue; the binding still holds.
    Expiring,
    /// The home server changed; signing in again.
    Moved,
    /// The login failed before a server answered: DNS, connection, certificate or silence.
    Unreachable,
    /// The login failed for want of a password that the server accepts.
    NeedsPassword,
    /// The login failed because a server or a rule of the account said no.
    Rejected,
    /// Signed out on request.
    LoggedOff,
    /// This machine has no network.
    NoNetwork,
}

/// How a state is shown and explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateWords {
    /// One word for screens and JSON.
    pub word: &'static str,
    /// A symbol outside ASCII, followed by `!` while a refresh is overdue.
    pub glyph: &'static str,
    /// The same in three ASCII characters.
    pub ascii: &'static str,
    /// One sentence for the glossary.
    pub meaning: &'static str,
}

impl AccountState {
    /// Every state, in the order of a login.
    pub const ALL: [AccountState; 15] = [
        AccountState::Offline,
        AccountState::Resolving,
        AccountState::Connecting,
        AccountState::Registering,
        AccountState::Authenticating,
        AccountState::Redirected,
        AccountState::Registered,
        AccountState::Fallback,
        AccountState::Expiring,
        AccountState::Moved,
        AccountState::Unreachable,
        AccountState::NeedsPassword,
        AccountState::Rejected,
        AccountState::LoggedOff,
        AccountState::NoNetwork,
    ];

    /// The words for this state.
    pub fn words(self) -> StateWords {
        let (word, glyph, ascii, meaning) = match self {
            AccountState::Offline => ("offline", "○", "( )", "Not signed in and not trying to."),
            AccountState::Resolving => ("resolving", "◌", "(.)", "Asking DNS which server to dial."),
            AccountState::Connecting => ("connecting", "◔", "(-)", "Dialling a server and verifying it."),
            AccountState::Registering => ("registering", "◑", "(=)", "REGISTER is on its way."),
            AccountState::Authenticating => {
                ("authenticating", "◕", "(+)", "Proving to the server who we are.")
            }
            AccountState::Redirected => {
                ("redirected", "⟳", "(>)", "Following a signed 301 to the next server.")
            }
            AccountState::Registered => ("registered", "●", "(#)", "Signed in at the home server."),
            AccountState::Fallback => ("registered*", "◍", "(*)", "Signed in, but not at the first choice."),
            AccountState::Expiring => ("expiring", "◍!", "(!)", "A refresh is overdue; still reachable."),
            AccountState::Moved => ("moved", "⇄", "(~)", "The home server changed; signing in again."),
            AccountState::Unreachable => ("unreachable", "⊗", "(o)", "No server answered the login."),
            AccountState::NeedsPassword => {
                ("needs password", "◈", "(?)", "The server wants a password that it accepts.")
            }
            AccountState::Rejected => ("rejected", "✖", "(x)", "A server or a rule said no to the login."),
            AccountState::LoggedOff => ("logged off", "▣", "[ ]", "Signed out on request."),
            AccountState::NoNetwork => ("no network", "⌁", "(/)", "This machine reaches no network."),
        };
        StateWords { word, glyph, ascii, meaning }
    }

    /// True after a login that failed; the reason is told, and the next attempt is timed if there is one.
    pub fn is_failure(self) -> bool {
        matches!(self, AccountState::Unreachable | AccountState::NeedsPassword | AccountState::Rejected)
    }

    /// True while requests can be sent and received through a home server.
    pub fn is_reachable(self) -> bool {
        matches!(self, AccountState::Registered | AccountState::Fallback | AccountState::Expiring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_state_has_words_of_its_own() {
        let words: BTreeSet<_> = AccountState::ALL.iter().map(|s| s.words().word).collect();
        let ascii: BTreeSet<_> = AccountState::ALL.iter().map(|s| s.words().ascii).collect();
        assert_eq!(words.len(), AccountState::ALL.len());
        assert_eq!(ascii.len(), AccountState::ALL.len());
    }
}
