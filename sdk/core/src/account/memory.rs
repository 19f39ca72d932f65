//! What an account knows about its home server and its servers' logins, and when it forgets it.

use super::credentials_hash::CredentialsHash;
use crate::config::{Remembered, RememberedLogin};
use crate::outbox::Credentials;

/// What was learned in earlier logins, in this run or before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    home: Option<Home>,
    /// The servers whose login was verified, by the host that was dialled; the shortcut needs them
    /// (decision 10).
    logins: Vec<(String, RememberedLogin)>,
    /// True after a server refused the last credentials.
    pub refused_before: bool,
    /// The password that was given last.
    given: Option<CredentialsHash>,
    /// The password that a server accepted.
    accepted: Accepted,
    /// Servers that refused outbound with 439, by the host that was dialled, until the account signs out.
    without_outbound: Vec<Box<str>>,
    /// True after a refusal over UDP that may have been of the address and not of the password.
    pub doubted: bool,
}

/// Whether a password was accepted, and which.
#[derive(Clone, Debug, Default)]
enum Accepted {
    /// None yet.
    #[default]
    No,
    /// One of an earlier run: whichever is given first counts for it.
    Remembered,
    /// The one that this run gave.
    This(CredentialsHash),
}

#[derive(Clone, Debug)]
struct Home {
    what: Remembered,
    /// Failed attempts in a row.
    failures: u8,
}

impl Memory {
    /// What an earlier run left.
    pub(crate) fn new(remembered: Option<Remembered>) -> Self {
        let login = |home: &Remembered| Some((home.host.clone(), home.login.clone()?));
        let logins = remembered.iter().filter_map(login).collect();
        let is_known = remembered.as_ref().is_some_and(|home| home.login.is_some());
        let accepted = if is_known { Accepted::Remembered } else { Accepted::No };
        let home = remembered.map(|what| Home { what, failures: 0 });
        Self { home, logins, accepted, ..Self::default() }
    }

    /// The world gave credentials.
    pub(crate) fn note_given(&mut self, credentials: &Credentials) {
        self.given = Some(CredentialsHash::new(credentials));
    }

    /// A server accepted them.
    pub(crate) fn note_accepted(&mut self) {
        self.refused_before = false;
        if let Some(given) = self.given.clone() {
            self.accepted = Accepted::This(given);
        }
    }

    /// True if the credentials that were just refused had been accepted before: then the server may have a fault, and
    /// trying again later is no guessing.
    pub(crate) fn was_accepted(&self) -> bool {
        match (&self.accepted, &self.given) {
            (Accepted::No, _) => false,
            (Accepted::Remembered, _) | (Accepted::This(_), None) => true,
            (Accepted::This(accepted), Some(given)) => accepted == given,
        }
    }

    /// A server refused outbound.
    pub(crate) fn forgo_outbound(&mut self, host: &str) {
        if self.without_outbound.len() < MOST_LOGINS {
            self.without_outbound.push(host.into());
        }
    }

    /// True unless that server refused outbound.
    pub(crate) fn may_use_outbound(&self, host: &str) -> bool {
        !self.without_outbound.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// The account signed out.
    pub(crate) fn sign_out(&mut self) {
        self.without_outbound.clear();
    }

    /// The home server to try first.
    pub(crate) fn home(&self) -> Option<&Remembered> {
        self.home.as_ref().map(|home| &home.what)
    }

    /// What the first REGISTER to `host` needs to skip a round trip, if it was learned from that host.
    pub(crate) fn login_of(&self, host: &str) -> Option<&RememberedLogin> {
        self.logins.iter().find(|(known, _)| known.eq_ignore_ascii_case(host)).map(|(_, login)| login)
    }

    /// The login of the server dialled as `host` was verified by its signature.
    pub(crate) fn learn_login(&mut self, host: &str, login: RememberedLogin) {
        self.forget_login(host);
        self.logins.push((host.to_owned(), login));
        if self.logins.len() > MOST_LOGINS {
            self.logins.remove(0);
        }
    }

    /// A server's login is not as it was.
    pub(crate) fn forget_login(&mut self, host: &str) {
        self.logins.retain(|(known, _)| !known.eq_ignore_ascii_case(host));
    }

    /// This is the home server now. Returns true if that is news worth keeping.
    pub(crate) fn settle(&mut self, what: Remembered) -> bool {
        let news = self.home().is_none_or(|known| *known != what);
        self.home = Some(Home { what, failures: 0 });
        news
    }

    /// The remembered home server redirected, or is known to be wrong. True if it was remembered.
    pub(crate) fn forget_home(&mut self) -> bool {
        self.home.take().is_some()
    }

    /// The remembered home server could not be reached. True if it is forgotten over that.
    pub(crate) fn home_failed(&mut self) -> bool {
        let Some(home) = &mut self.home else { return false };
        home.failures += 1;
        home.failures >= MOST_FAILURES && self.forget_home()
    }
}

/// Failures in a row after which a home server is forgotten (decision 9).
const MOST_FAILURES: u8 = 3;
/// Six servers of one login, and some.
const MOST_LOGINS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;

    fn home() -> Remembered {
        Remembered {
            host: "hs104.network.com".into(),
            port: Some(5061),
            transport: Transport::Tls,
            exact: true,
            login: None,
        }
    }

    #[test]
    fn three_failures_in_a_row_forget_the_home() {
        let mut memory = Memory::new(Some(home()));
        assert!(!memory.home_failed());
        assert!(!memory.home_failed());
        assert!(!memory.settle(home()), "nothing new");
        assert!(!memory.home_failed(), "a success starts the count again");
        assert!(!memory.home_failed());
        assert!(memory.home_failed());
        assert!(memory.home().is_none());
        assert!(!memory.home_failed());
    }

    #[test]
    fn a_login_is_known_for_the_server_that_gave_it_only() {
        let mut memory = Memory::default();
        let login = |name: &str| RememberedLogin {
            realm: "R".into(),
            targetname: name.into(),
            version: 4,
            proxy_headers: false,
        };
        memory.learn_login("HS102.network.com", login("pool.network.com"));
        assert!(memory.login_of("hs102.network.com").is_some());
        assert!(memory.login_of("hs104.network.com").is_none());
        assert!(memory.login_of("pool.network.com").is_none());
        (0..20).for_each(|n| memory.learn_login(&format!("hs{n}.network.com"), login("pool.network.com")));
        assert!(memory.login_of("hs102.network.com").is_none(), "the memory stays small");
        memory.forget_login("hs19.network.com");
        assert!(memory.login_of("hs19.network.com").is_none());
    }
}
