//! The servers one login has visited: what a loop is measured by (decisions 1 and 10a).

use crate::server::ServerName;

/// Servers in the order of visiting, each by the name it was dialled, the name it was known by before
/// DNS was asked, and the name it gave itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visited {
    servers: Vec<Visit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Visit {
    dialled: ServerName,
    /// What a Contact or the configuration called it.
    named: ServerName,
    /// The host of the server's `targetname`, lower case.
    targetname: Option<String>,
}

impl Visited {
    /// Enters a server that answered in SIP, or is about to be asked.
    pub fn enter(&mut self, dialled: ServerName, named: ServerName) {
        if self.servers.last().is_none_or(|last| last.dialled != dialled) {
            self.servers.push(Visit { dialled, named, targetname: None });
        }
    }

    /// Takes back the last visit to a server: it could not be reached, and the dead are not visited.
    pub fn withdraw(&mut self, dialled: &ServerName) {
        if let Some(at) = self.servers.iter().rposition(|visit| visit.dialled == *dialled) {
            self.servers.remove(at);
        }
    }

    /// Notes how the server visited last calls itself.
    pub fn name_last(&mut self, targetname: &str) {
        if let Some(last) = self.servers.last_mut() {
            last.targetname = Some(targetname.to_ascii_lowercase());
        }
    }

    /// The place of `target` in the order of visiting, from 1, if it was visited.
    pub fn position(&self, target: &ServerName) -> Option<usize> {
        let seen = |visit: &Visit| {
            visit.dialled == *target
                || visit.named == *target
                || visit.targetname.as_deref() == Some(target.host.as_str())
        };
        self.servers.iter().position(seen).map(|index| index + 1)
    }

    /// How many servers were visited.
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// True before the first server.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_both_its_names() {
        let mut visited = Visited::default();
        let hs104 = ServerName::new("hs104.network.com", 5061);
        visited.enter(ServerName::new("sip.network.com", 5061), ServerName::new("pool.network.com", 5061));
        visited.name_last("HS102.network.com");
        visited.enter(hs104.clone(), hs104);
        assert_eq!(visited.position(&ServerName::new("pool.network.com", 5061)), Some(1));
        assert_eq!(visited.position(&ServerName::new("SIP.network.com", 5061)), Some(1));
        assert_eq!(visited.position(&ServerName::new("hs102.network.com", 5061)), Some(1));
        assert_eq!(visited.position(&ServerName::new("hs104.network.com", 5061)), Some(2));
        assert_eq!(visited.position(&ServerName::new("hs104.network.com", 5062)), None);
    }

    #[test]
    fn the_dead_are_not_visited() {
        let mut visited = Visited::default();
        let dead = ServerName::new("hs1.network.com", 5061);
        visited.enter(dead.clone(), dead.clone());
        visited.withdraw(&dead);
        assert!(visited.is_empty());
    }
}
