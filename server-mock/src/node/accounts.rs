//! Who may sign in, and with what: shared by all nodes of an estate, read-only while they run.

use std::collections::BTreeMap;

use homing_core::secret::Password;

use super::authenticator::acceptor::NtHash;
use super::destinations::Destinations;

/// The people an estate knows.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// By `user@domain`, lower case.
    by_address: BTreeMap<String, Account>,
    /// SIP domain of each NetBIOS domain, upper case.
    domains: BTreeMap<String, String>,
}

/// One person.
#[derive(Clone, Debug)]
pub struct Account {
    /// Address of record without scheme, lower case.
    pub address: String,
    /// The user part as it is written.
    pub user: String,
    /// For Digest.
    pub password: Password,
    /// For NTLM.
    pub hash: NtHash,
    /// False for a user an administrator has disabled.
    pub enabled: bool,
    /// Whom the user may call.
    pub destinations: Destinations,
}

impl Accounts {
    /// Without accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which SIP domain the NetBIOS domain `netbios` is.
    pub fn add_domain(&mut self, netbios: &str, domain: &str) {
        self.domains.insert(netbios.to_uppercase(), domain.to_ascii_lowercase());
    }

    /// Adds a person; replaces one of the same address.
    pub fn add(&mut self, user: &str, domain: &str, password: Password) {
        let address = format!("{user}@{domain}").to_ascii_lowercase();
        let hash = NtHash::of(password.reveal());
        let account = Account {
            address: address.clone(),
            user: user.to_owned(),
            password,
            hash,
            enabled: true,
            destinations: Destinations::default(),
        };
        self.by_address.insert(address, account);
    }

    /// Bars a person from signing in, or lets them again. False if there is no such person.
    pub fn enable(&mut self, address: &str, enabled: bool) -> bool {
        let account = self.by_address.get_mut(&address.to_ascii_lowercase());
        account.map(|account| account.enabled = enabled).is_some()
    }

    /// Says whom a person may call. False if there is no such person.
    pub fn restrict(&mut self, address: &str, destinations: Destinations) -> bool {
        let account = self.by_address.get_mut(&address.to_ascii_lowercase());
        account.map(|account| account.destinations = destinations).is_some()
    }

    /// True where `from` may call `to`; whoever is no person of this estate is bound by their own.
    pub fn may_call(&self, from: &str, to: &str) -> bool {
        self.find(from).is_none_or(|account| account.destinations.include(to))
    }

    /// True for a person there is and who is not barred; in any letter case.
    pub fn may_sign_in(&self, address: &str) -> bool {
        self.find(address).is_some_and(|account| account.enabled)
    }

    /// The person with this address of record, in any letter case.
    pub fn find(&self, address: &str) -> Option<&Account> {
        self.by_address.get(&address.to_ascii_lowercase())
    }

    /// The person an NTLM token claims to come from: `DOMAIN` and user, the DNS domain and user, or a
    /// user principal name with an empty domain. `here` is the SIP domain of the server.
    pub fn find_login(&self, user: &str, domain: &str, here: &str) -> Option<&Account> {
        self.by_address.get(&self.login_address(user, domain, here))
    }

    /// The address of record somebody claims by a login, whether there is such a person or not.
    pub fn login_address(&self, user: &str, domain: &str, here: &str) -> String {
        if user.contains('@') {
            return user.to_ascii_lowercase();
        }
        let domain = match domain {
            "" => here,
            name => self.domains.get(&name.to_uppercase()).map_or(name, String::as_str),
        };
        let mut address = format!("{user}@{domain}");
        address.make_ascii_lowercase();
        address
    }

    /// All users, ordered by address.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_address.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_windows_login_finds_its_person() {
        let mut accounts = Accounts::new();
        accounts.add_domain("NETWORK", "network.com");
        accounts.add("Alice", "network.com", Password::new("secret"));
        let find = |user, domain| accounts.find_login(user, domain, "network.com").map(|a| a.address.clone());
        let alice = Some("alice@network.com".to_owned());
        assert_eq!(find("ALICE", "NETWORK"), alice);
        assert_eq!(find("alice", "network"), alice);
        assert_eq!(find("alice", "network.com"), alice);
        assert_eq!(find("alice@Network.com", ""), alice);
        assert_eq!(find("alice", ""), alice);
        assert_eq!(find("alice", "ELSEWHERE"), None);
        assert_eq!(find("bob", "NETWORK"), None);
    }
}
