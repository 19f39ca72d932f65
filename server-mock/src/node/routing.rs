//! Where an authenticated REGISTER belongs: here, there by redirect, or there by proxy (figures 5a, 5b).

use std::borrow::Cow;

use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::transport::Transport;

use super::config::{BETWEEN_SERVERS, Mode, NoAssociation, NodeConfig};
use crate::directory::Lookup;

/// What the decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct RouteQuery<'c> {
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

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteDecision {
    /// This server is the home, and takes it.
    Accept,
    /// The client is told to go there.
    Redirect {
        /// As the estate names it.
        home: ServerName,
        /// The client's own where the home listens for it, else TLS.
        transport: Transport,
    },
    /// The request is passed on.
    Proxy {
        /// As the estate names it.
        home: ServerName,
    },
    /// The request is passed on with its credentials, for its home server to authenticate.
    PassOn {
        /// Over TLS.
        home: ServerName,
    },
    /// It came from another server and goes to the client behind a flow of this one.
    AlongPath {
        /// Named by the token in Path.
        flow: FlowId,
    },
    /// It is refused.
    Refuse {
        /// 403, 404, 480, 482 or 503.
        status: u16,
    },
}

/// Decides, with the reason in words.
pub fn decide(config: &NodeConfig, query: &RouteQuery<'_>) -> (RouteDecision, Cow<'static, str>) {
    let home = match query.lookup {
        Lookup::Home { home, .. } => home,
        Lookup::Unknown => return refuse(404, "no assignment is known"),
        Lookup::Unavailable => return refuse(503, "the directory cannot be asked"),
    };
    if *home == config.identity.fqdn {
        return if config.role.is_home() {
            (RouteDecision::Accept, "assigned to this server".into())
        } else {
            refuse(503, "assigned to a server that is no home server")
        };
    }
    if query.passed.iter().any(|host| host.eq_ignore_ascii_case(home)) {
        return refuse(482, "it has been at its home server already");
    }
    if query.from_server {
        return proxy(config, home, "another server passed it on");
    }
    let vias = query.via_count;
    match config.routing.mode {
        Mode::AlwaysProxy => proxy(config, home, "this server always proxies"),
        Mode::ByVia if vias > 1 => {
            proxy(config, home, format!("{vias} Vias: it did not come straight from its client"))
        }
        Mode::ByVia => redirect(config, query, home, "one Via: straight from its client"),
        Mode::AlwaysRedirect => redirect(config, query, home, "this server always redirects"),
    }
}

fn redirect(
    config: &NodeConfig,
    query: &RouteQuery<'_>,
    home: &str,
    why: &'static str,
) -> (RouteDecision, Cow<'static, str>) {
    if !query.has_association {
        return match config.routing.no_association {
            NoAssociation::Proxy => proxy(config, home, "no association that could sign a redirect"),
            NoAssociation::Unsigned301 if query.transport.is_secure() => {
                let why = "one Via, and unsigned redirects are allowed over TLS";
                (target(config, query.transport, home), why.into())
            }
            NoAssociation::Unsigned301 | NoAssociation::Forbid => {
                refuse(403, "no association that could sign a redirect")
            }
        };
    }
    (target(config, query.transport, home), why.into())
}

fn target(config: &NodeConfig, transport: Transport, home: &str) -> RouteDecision {
    let (home, transport) = entrance(config, transport, home);
    RouteDecision::Redirect { home, transport }
}

/// A server by the transport the client uses, or by TLS where it does not listen for that.
pub(super) fn entrance(config: &NodeConfig, transport: Transport, home: &str) -> (ServerName, Transport) {
    let peer = config.peer(home);
    let by = |transport| peer.and_then(|peer| peer.port(transport)).map(|port| (transport, port));
    let (transport, port) =
        by(transport).or_else(|| by(BETWEEN_SERVERS)).unwrap_or((transport, transport.default_port()));
    (ServerName::new(home, port), transport)
}

fn proxy(
    config: &NodeConfig,
    home: &str,
    why: impl Into<Cow<'static, str>>,
) -> (RouteDecision, Cow<'static, str>) {
    (RouteDecision::Proxy { home: between_servers(config, home) }, why.into())
}

/// A server as another one dials it: servers speak with each other over TLS only, and both prove their names.
pub(super) fn between_servers(config: &NodeConfig, home: &str) -> ServerName {
    let port = config.peer(home).and_then(|peer| peer.port(BETWEEN_SERVERS));
    ServerName::new(home, port.unwrap_or(BETWEEN_SERVERS.default_port()))
}

fn refuse(status: u16, why: &'static str) -> (RouteDecision, Cow<'static, str>) {
    (RouteDecision::Refuse { status }, why.into())
}

#[cfg(test)]
mod tests {
    use super::super::config::Peer;
    use super::*;
    use crate::role::Role;

    fn config(role: Role, mode: Mode) -> NodeConfig {
        let mut config = NodeConfig::new("hs102", "network.com", role);
        config.routing.mode = mode;
        let ports = vec![(Transport::Tls, 5071), (Transport::Tcp, 5070)];
        config.peers = vec![Peer { fqdn: "hs104.network.com".into(), ports }];
        config
    }

    fn decision(config: &NodeConfig, home: &str, via_count: usize, has_association: bool) -> RouteDecision {
        let lookup = Lookup::Home { home: home.to_owned(), version: 1 };
        let transport = Transport::Tls;
        let query = RouteQuery {
            lookup: &lookup,
            via_count,
            transport,
            has_association,
            from_server: false,
            passed: &[],
        };
        decide(config, &query).0
    }

    fn there() -> RouteDecision {
        RouteDecision::Redirect {
            home: ServerName::new("hs104.network.com", 5071),
            transport: Transport::Tls,
        }
    }

    fn through() -> RouteDecision {
        RouteDecision::Proxy { home: ServerName::new("hs104.network.com", 5071) }
    }

    #[test]
    fn one_via_redirects_and_more_proxy() {
        let config = config(Role::Home, Mode::ByVia);
        assert_eq!(decision(&config, "hs104.network.com", 1, true), there());
        assert_eq!(decision(&config, "hs104.network.com", 2, true), through());
        assert_eq!(decision(&config, "hs102.network.com", 1, true), RouteDecision::Accept);
        assert_eq!(decision(&config, "hs102.network.com", 2, true), RouteDecision::Accept);
    }

    #[test]
    fn configuration_may_redirect_all_or_proxy_all() {
        for vias in [1, 2] {
            let redirecting = config(Role::Home, Mode::AlwaysRedirect);
            assert_eq!(decision(&redirecting, "hs104.network.com", vias, true), there());
            let proxying = config(Role::Distributor, Mode::AlwaysProxy);
            assert_eq!(decision(&proxying, "hs104.network.com", vias, true), through());
        }
    }

    #[test]
    fn para_55_a_distributor_is_nobodys_home() {
        let config = config(Role::Distributor, Mode::ByVia);
        assert_eq!(decision(&config, "hs102.network.com", 1, true), RouteDecision::Refuse { status: 503 });
        assert_eq!(decision(&config, "hs104.network.com", 1, true), there());
    }

    #[test]
    fn without_an_association_nothing_is_redirected_unless_allowed() {
        let mut config = config(Role::Distributor, Mode::ByVia);
        assert_eq!(decision(&config, "hs104.network.com", 1, false), through());
        config.routing.no_association = NoAssociation::Unsigned301;
        assert_eq!(decision(&config, "hs104.network.com", 1, false), there());
        config.routing.no_association = NoAssociation::Forbid;
        assert_eq!(decision(&config, "hs104.network.com", 1, false), RouteDecision::Refuse { status: 403 });
    }

    #[test]
    fn nobody_is_sent_anywhere_without_the_directory() {
        let config = config(Role::Home, Mode::ByVia);
        for (lookup, status) in [(Lookup::Unknown, 404), (Lookup::Unavailable, 503)] {
            let query = RouteQuery {
                lookup: &lookup,
                via_count: 1,
                transport: Transport::Tls,
                has_association: true,
                from_server: false,
                passed: &[],
            };
            assert_eq!(decide(&config, &query).0, RouteDecision::Refuse { status });
        }
    }

    #[test]
    fn a_request_is_not_sent_where_it_has_been() {
        let config = config(Role::Distributor, Mode::AlwaysProxy);
        let lookup = Lookup::Home { home: "hs104.network.com".into(), version: 1 };
        let query = RouteQuery {
            lookup: &lookup,
            via_count: 2,
            transport: Transport::Tls,
            has_association: false,
            from_server: true,
            passed: &["HS104.network.com".to_owned()],
        };
        assert_eq!(decide(&config, &query).0, RouteDecision::Refuse { status: 482 });
    }
}
