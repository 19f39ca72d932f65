//! The plan of an estate: everything that is known before it starts.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use homing_core::ids::Seed;
use homing_core::transport::Transport;
use homing_net::NetConfig;

use super::user::User;
use crate::directory::UnknownUser;
use crate::journal::Journal;
use crate::node::config::NodeConfig;
use crate::node::party::Party;
use crate::role::Role;
use crate::shell::Skew;
use crate::shell::ca::{Authority, Certificate};

/// Changes the configuration of every server before it starts.
type Change = Arc<dyn Fn(&mut NodeConfig) + Send + Sync>;

/// What an estate is to be: its servers, users, and what surrounds them.
#[derive(Clone)]
pub(super) struct EstatePlan {
    pub(super) domain: String,
    pub(super) ntlm_domain: Option<String>,
    pub(super) nodes: Vec<(String, Role)>,
    pub(super) published: Vec<String>,
    pub(super) users: Vec<User>,
    /// Each with its home server, by short name.
    pub(super) parties: Vec<(String, Party)>,
    pub(super) transports: Vec<Transport>,
    pub(super) at: IpAddr,
    pub(super) ports: Vec<(String, Transport, u16)>,
    /// Of the name server; 0 where the system picks one.
    pub(super) dns_port: u16,
    pub(super) conditions: Conditions,
    pub(super) directory: DirectoryPlan,
    pub(super) changes: Vec<Change>,
    pub(super) journal: Journal,
}

/// The conditions the servers run under: randomness, the wall clock, certificates that are not as they should be, and the
/// bounds of their sockets.
#[derive(Clone)]
pub(super) struct Conditions {
    pub(super) seed: Seed,
    pub(super) certificates: Vec<(String, Certificate)>,
    /// Of the certificates; a new one without.
    pub(super) authority: Option<Arc<Authority>>,
    pub(super) skew: Skew,
    pub(super) sockets: NetConfig,
}

/// Where assignments are kept, and what becomes of users without one.
#[derive(Clone, Debug, Default)]
pub(super) struct DirectoryPlan {
    pub(super) file: Option<PathBuf>,
    pub(super) unknown: UnknownUser,
}

impl Default for EstatePlan {
    fn default() -> Self {
        Self {
            domain: "network.com".to_owned(),
            ntlm_domain: None,
            nodes: Vec::new(),
            published: Vec::new(),
            users: Vec::new(),
            parties: Vec::new(),
            transports: vec![Transport::SIPS],
            at: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: Vec::new(),
            dns_port: 0,
            conditions: Conditions {
                seed: Seed::from_number(0),
                certificates: Vec::new(),
                authority: None,
                skew: Skew::None,
                sockets: NetConfig::default(),
            },
            directory: DirectoryPlan::default(),
            changes: Vec::new(),
            journal: Journal::new(),
        }
    }
}

impl EstatePlan {
    /// The configuration of a server after everything that was asked for.
    pub(super) fn changed(&self, mut config: NodeConfig) -> NodeConfig {
        for change in &self.changes {
            change(&mut config);
        }
        let own = self.parties.iter().filter(|(home, _)| home.eq_ignore_ascii_case(&config.identity.name));
        let whole = |party: &Party| Party {
            user: format!("{}@{}", party.user.to_ascii_lowercase(), config.identity.domain),
            ..party.clone()
        };
        let own: Vec<Party> = own.map(|(_, party)| whole(party)).collect();
        config.parties.extend(own);
        config
    }

    /// The accounts by which the estate knows its parties: barred, and should anything ever open one, with a password
    /// that nobody was told.
    pub(super) fn party_accounts(&self) -> Vec<User> {
        let mut random = self.conditions.seed.rng("passwords of parties");
        let parties = self.parties.iter();
        let account = |(home, party): &(String, Party)| {
            User::new(&party.user, &random.token(SECRET_DIGITS)).disabled().assigned(home)
        };
        parties.map(account).collect()
    }

    /// The fixed port of a server for a transport; 0 where the system picks one.
    pub(super) fn port_of(&self, node: &str, transport: Transport) -> u16 {
        let found = self.ports.iter().find(|(name, kind, _)| name == node && *kind == transport);
        found.map_or(0, |(_, _, port)| *port)
    }

    /// The certificate a server was given, else a good one.
    pub(super) fn certificate_of(&self, node: &str) -> Certificate {
        let found = self.conditions.certificates.iter().rfind(|(name, _)| name == node);
        found.map(|(_, certificate)| certificate.clone()).unwrap_or_default()
    }

    /// A seed for each server, by its place.
    pub(super) fn seeds(&self) -> impl Iterator<Item = Seed> {
        let seed = self.conditions.seed.clone();
        (0..).map(move |place| seed.stream("server", &[place]))
    }
}

/// Hexadecimal digits of a password that nobody is to guess: 128 bits.
const SECRET_DIGITS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_guess_the_password_of_a_party() {
        let passwords = |seed: u8| {
            let mut plan = EstatePlan::default();
            plan.conditions.seed = Seed([seed; 32]);
            plan.parties = ["echo", "busy"].map(|name| ("hs104".to_owned(), Party::new(name))).to_vec();
            let accounts = plan.party_accounts();
            assert!(
                accounts.iter().all(|account| !account.enabled && account.home.as_deref() == Some("hs104"))
            );
            accounts.iter().map(|account| account.password.reveal().to_owned()).collect::<Vec<String>>()
        };
        let (one, other) = (passwords(1), passwords(2));
        assert!(one.iter().all(|password| password.len() == 32));
        assert!(one[0] != one[1] && one != other, "each party and each secret has its own");
    }
}
