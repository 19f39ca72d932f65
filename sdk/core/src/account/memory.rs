//! What an account knows about its home server and its servers' logins, and when it forgets it.

use crate::config::{Remembered, RememberedLogin};

/// What was learned in earlier logins, in this run or before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    home: Option<Home>,
    /// The servers whose login was verified, by the host that was dialled; the shortcut needs them
    /// (decision 10).
    logins: Vec<(String, RememberedLogin)>,
    /// True after a server refused the last credentials.
    pub refused_before: bool,
    /// True after a refusal over UDP that may have been of the address and not of the password.
    pub doubted: bool,
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
        let home = remembered.map(|what| Home { what, failures: 0 });
        Self { home, logins, ..Self::default() }
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
