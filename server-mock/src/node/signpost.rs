//! Where an authenticated REGISTER belongs: here, there by redirect, or there by proxy (figures 5a, 5b).

use std::borrow::Cow;

use homing_core::server::ServerName;
use homing_core::transport::Transport;

use super::config::{Mode, NoAssociation, NodeConfig};
use crate::directory::Lookup;

/// What the decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'c> {
    /// What the directory says.
    pub lookup: &'c Lookup,
    /// Via values of the request as received (patent paragraph 51).
    pub via_count: usize,
    /// The transport the request came by.
    pub transport: Transport,
    /// Whether an association could sign a redirect.
    pub has_association: bool,
    /// Whether another server of the estate sent it.
    pub from_server: bool,
    /// Hosts of its Via values: servers it passed already.
    pub passed: &'c [String],
}

/// The way on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// This server takes it.
    Accept,
    /// The client is sent there.
    Redirect {
        /// Where.
        home: ServerName,
        /// By which transport.
        transport: Transport,
    },
    /// The request is passed on.
    Proxy {
        /// Where.
        home: ServerName,
    },
    /// It is refused.
    Refuse {
        /// 403, 404, 480, 482 or 503.
        status: u16,
    },
}

/// Decides, with the reason in words.
pub fn decide(config: &NodeConfig, crossing: &Crossing<'_>) -> (Way, Cow<'static, str>) {
    let home = match crossing.lookup {
        Lookup::Home { home, .. } => home,
        Lookup::Unknown => return refuse(404, "nobody knows where this user belongs"),
        Lookup::Unavailable => return refuse(503, "the directory cannot be asked"),
    };
    if *home == config.identity.fqdn {
        return if config.role.is_home() {
            (Way::Accept, "assigned to this server".into())
        } else {
            refuse(503, "assigned to a server that is nobody's home")
        };
    }
    if crossing.passed.iter().any(|host| host.eq_ignore_ascii_case(home)) {
        return refuse(482, "it has been at its home server already");
    }
    if crossing.from_server {
        return proxy(config, home, "another server passed it on");
    }
    let vias = crossing.via_count;
    match config.signpost.mode {
        Mode::AlwaysProxy => proxy(config, home, "this server always proxies"),
        Mode::ByVia if vias > 1 => {
            proxy(config, home, format!("{vias} Vias: it did not come straight from its client"))
        }
        Mode::ByVia => redirect(config, crossing, home, "one Via: straight from its client"),
        Mode::AlwaysRedirect => redirect(config, crossing, home, "this server always redirects"),
    }
}

fn redirect(
    config: &NodeConfig,
    crossing: &Crossing<'_>,
    home: &str,
    why: &'static str,
) -> (Way, Cow<'static, str>) {
    if !crossing.has_association {
        return match config.signpost.no_association {
            NoAssociation::Proxy => proxy(config, home, "no association that could sign a redirect"),
            NoAssociation::Unsigned301 if crossing.transport.is_secure() => {
                let why = "one Via, and unsigned redirects are allowed over TLS";
                (target(config, crossing.transport, home), why.into())
            }
            NoAssociation::Unsigned301 | NoAssociation::Forbid => {
                refuse(403, "no association that could sign a redirect")
            }
        };
    }
    (target(config, crossing.transport, home), why.into())
}

fn target(config: &NodeConfig, transport: Transport, home: &str) -> Way {
    let (home, transport) = entrance(config, transport, home);
    Way::Redirect { home, transport }
}

/// A server by the transport the client uses, or by TLS where it does not listen for that.
pub(super) fn entrance(config: &NodeConfig, transport: Transport, home: &str) -> (ServerName, Transport) {
    let peer = config.peer(home);
    let by = |transport| peer.and_then(|peer| peer.port(transport)).map(|port| (transport, port));
    let (transport, port) =
        by(transport).or_else(|| by(Transport::Tls)).unwrap_or((transport, transport.default_port()));
    (ServerName::new(home, port), transport)
}

/// Servers speak with each other over TLS only: both ends prove their names.
fn proxy(config: &NodeConfig, home: &str, why: impl Into<Cow<'static, str>>) -> (Way, Cow<'static, str>) {
    let port = config.peer(home).and_then(|peer| peer.port(Transport::Tls));
    let home = ServerName::new(home, port.unwrap_or(Transport::Tls.default_port()));
    (Way::Proxy { home }, why.into())
}

fn refuse(status: u16, why: &'static str) -> (Way, Cow<'static, str>) {
    (Way::Refuse { status }, why.into())
}

#[cfg(test)]
mod tests {
    use super::super::config::Peer;
    use super::*;
    use crate::role::Role;

    fn config(role: Role, mode: Mode) -> NodeConfig {
        let mut config = NodeConfig::new("hs102", "network.com", role);
        config.signpost.mode = mode;
        let ports = vec![(Transport::Tls, 5071), (Transport::Tcp, 5070)];
        config.peers = vec![Peer { fqdn: "hs104.network.com".into(), ports }];
        config
    }

    fn way(config: &NodeConfig, home: &str, via_count: usize, has_association: bool) -> Way {
        let lookup = Lookup::Home { home: home.to_owned(), version: 1 };
        let transport = Transport::Tls;
        let crossing = Crossing {
            lookup: &lookup,
            via_count,
            transport,
            has_association,
            from_server: false,
            passed: &[],
        };
        decide(config, &crossing).0
    }

    fn there() -> Way {
        Way::Redirect { home: ServerName::new("hs104.network.com", 5071), transport: Transport::Tls }
    }

    fn through() -> Way {
        Way::Proxy { home: ServerName::new("hs104.network.com", 5071) }
    }

    #[test]
    fn claim_11_one_via_redirects_and_more_proxy() {
        let config = config(Role::Home, Mode::ByVia);
        assert_eq!(way(&config, "hs104.network.com", 1, true), there());
        assert_eq!(way(&config, "hs104.network.com", 2, true), through());
        assert_eq!(way(&config, "hs102.network.com", 1, true), Way::Accept);
        assert_eq!(way(&config, "hs102.network.com", 2, true), Way::Accept);
    }

    #[test]
    fn claim_01_and_claim_21_by_configuration() {
        for vias in [1, 2] {
            let redirecting = config(Role::Home, Mode::AlwaysRedirect);
            assert_eq!(way(&redirecting, "hs104.network.com", vias, true), there());
            let proxying = config(Role::Distributor, Mode::AlwaysProxy);
            assert_eq!(way(&proxying, "hs104.network.com", vias, true), through());
        }
    }

    #[test]
    fn para_55_a_distributor_is_nobodys_home() {
        let config = config(Role::Distributor, Mode::ByVia);
        assert_eq!(way(&config, "hs102.network.com", 1, true), Way::Refuse { status: 503 });
        assert_eq!(way(&config, "hs104.network.com", 1, true), there());
    }

    #[test]
    fn without_an_association_nothing_is_redirected_unless_allowed() {
        let mut config = config(Role::Distributor, Mode::ByVia);
        assert_eq!(way(&config, "hs104.network.com", 1, false), through());
        config.signpost.no_association = NoAssociation::Unsigned301;
        assert_eq!(way(&config, "hs104.network.com", 1, false), there());
        config.signpost.no_association = NoAssociation::Forbid;
        assert_eq!(way(&config, "hs104.network.com", 1, false), Way::Refuse { status: 403 });
    }

    #[test]
    fn nobody_is_sent_anywhere_without_the_directory() {
        let config = config(Role::Home, Mode::ByVia);
        for (lookup, status) in [(Lookup::Unknown, 404), (Lookup::Unavailable, 503)] {
            let crossing = Crossing {
                lookup: &lookup,
                via_count: 1,
                transport: Transport::Tls,
                has_association: true,
                from_server: false,
                passed: &[],
            };
            assert_eq!(decide(&config, &crossing).0, Way::Refuse { status });
        }
    }

    #[test]
    fn a_request_is_not_sent_where_it_has_been() {
        let config = config(Role::Distributor, Mode::AlwaysProxy);
        let lookup = Lookup::Home { home: "hs104.network.com".into(), version: 1 };
        let crossing = Crossing {
            lookup: &lookup,
            via_count: 2,
            transport: Transport::Tls,
            has_association: false,
            from_server: true,
            passed: &["HS104.network.com".to_owned()],
        };
        assert_eq!(decide(&config, &crossing).0, Way::Refuse { status: 482 });
    }
}
