//! The thread an estate lives on: everything is opened here, and closed when the estate is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use homing_core::transport::Transport;
use homing_net::{ClientCertificates, Roots, TlsClient, TlsServer};
use tokio::sync::oneshot;

use super::error::EstateError;
use super::handle::{NodeHandle, Origin};
use super::plan::EstatePlan;
use super::user::User;
use crate::directory::{
    Assignment, Change, DirectoryError, DirectoryHandle, Key, MemoryDirectory, Placement,
};
use crate::journal::Journal;
use crate::node::accounts::Accounts;
use crate::node::config::{BETWEEN_SERVERS, NodeConfig, Peer};
use crate::role::Role;
use crate::shell::Clock;
use crate::shell::ca::Authority;
use crate::shell::dns::{NameServer, SharedZone};
use crate::shell::node_task::{Env, Listeners, NodePlan, NodeTask};
use crate::shell::zone::{Service, Zone};

/// What a tester holds of an estate that runs.
pub(super) struct Started {
    pub(super) domain: String,
    /// Of the name server.
    pub(super) dns: SocketAddr,
    pub(super) zone: SharedZone,
    pub(super) ca_pem: String,
    /// By their short names.
    pub(super) nodes: BTreeMap<String, NodeHandle>,
    pub(super) journal: Journal,
    pub(super) directory: DirectoryHandle,
    pub(super) clock: Clock,
    /// Who may sign in now.
    pub(super) accounts: Mutex<Arc<Accounts>>,
    /// Users whatever the configuration says when it is read again: their servers go on with their calls.
    pub(super) parties: Vec<User>,
    /// Of the SIP domain.
    pub(super) ntlm_domain: String,
    /// The one whose assignments are looked up.
    pub(super) service: String,
}

/// Runs an estate until `stopped` resolves. What became of the start is told by `told`.
pub(super) fn run(
    plan: EstatePlan,
    told: oneshot::Sender<Result<Started, EstateError>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return drop(told.send(Err(EstateError::Thread(why)))),
    };
    runtime.block_on(async {
        match start(&plan).await {
            Ok((started, name_server)) => {
                if told.send(Ok(started)).is_ok() {
                    // An error means that the estate was dropped: the same wish.
                    let _ = stopped.await;
                }
                drop(name_server);
            }
            Err(error) => drop(told.send(Err(error))),
        }
    });
}

/// Listeners of one server, before anybody knows the ports of the others.
struct Opened {
    plan: NodePlan,
    listeners: Listeners,
}

async fn start(estate: &EstatePlan) -> Result<(Started, NameServer), EstateError> {
    check(estate)?;
    let clock = Clock::start(estate.conditions.skew);
    let authority = match &estate.conditions.authority {
        Some(authority) => Arc::clone(authority),
        None => Arc::new(Authority::new(&estate.domain)?),
    };
    // The parties last: nobody signs in by the name of one.
    let parties = estate.party_accounts();
    let users = [estate.users.as_slice(), &parties].concat();
    let accounts = accounts(&ntlm_domain(estate), &estate.domain, &users);
    let mut opened = Vec::new();
    for ((name, role), seed) in estate.nodes.iter().zip(estate.seeds()) {
        let config = config(estate, name, *role, &accounts);
        opened.push(open(estate, config, seed, &authority)?);
    }
    let peers: Vec<Peer> = opened.iter().map(|opened| peer(&opened.plan)).collect();
    let zone = zone(estate, &opened)?;
    let name_server = NameServer::start(zone, SocketAddr::new(estate.at, estate.dns_port))
        .await
        .map_err(EstateError::NameServer)?;
    let directory = directory(estate, &users, clock).await?;
    let hosts = opened.iter().map(|opened| (opened.plan.config.identity.fqdn.clone(), estate.at));
    let env = Env {
        clock,
        directory: directory.clone(),
        journal: estate.journal.clone(),
        sockets: estate.conditions.sockets.clone(),
        hosts: Arc::new(hosts.collect()),
    };
    let service = opened.first().map(|opened| opened.plan.config.routing.service.clone()).unwrap_or_default();
    let handles = opened.into_iter().map(|opened| set_running(opened, &peers, &env)).collect::<Vec<_>>();
    for (index, handle) in handles.iter().enumerate() {
        let ring = handles.iter().cycle().skip(index).take(handles.len()).cloned().collect();
        handle.set_ring(ring);
    }
    let started = Started {
        domain: estate.domain.clone(),
        dns: name_server.address(),
        zone: name_server.zone().clone(),
        ca_pem: authority.pem().to_owned(),
        nodes: handles.into_iter().map(|handle| (handle.name().to_owned(), handle)).collect(),
        journal: estate.journal.clone(),
        directory,
        clock,
        accounts: Mutex::new(accounts),
        parties,
        ntlm_domain: ntlm_domain(estate),
        service,
    };
    Ok((started, name_server))
}

fn check(estate: &EstatePlan) -> Result<(), EstateError> {
    let mut names = BTreeSet::new();
    if let Some((twice, _)) = estate.nodes.iter().find(|(name, _)| !names.insert(name)) {
        return Err(EstateError::TwoNodes(twice.clone()));
    }
    if names.is_empty() {
        return Err(EstateError::NoNodes);
    }
    let certified = estate.conditions.certificates.iter().map(|(name, _)| name);
    if let Some(unknown) = estate.published.iter().chain(certified).find(|name| !names.contains(name)) {
        return Err(EstateError::NoSuchNode(unknown.clone()));
    }
    let persons = estate.users.iter().filter_map(|user| Some((&user.name, user.home.as_ref()?)));
    let parties = estate.parties.iter().map(|(home, party)| (&party.user, home));
    for (user, home) in persons.chain(parties) {
        if !estate.nodes.iter().any(|(name, role)| name == home && role.is_home()) {
            return Err(EstateError::NoHome { user: user.clone(), home: home.clone() });
        }
    }
    Ok(())
}

/// The accounts of these users.
pub(super) fn accounts(ntlm_domain: &str, domain: &str, users: &[User]) -> Arc<Accounts> {
    let mut accounts = Accounts::new();
    accounts.add_domain(ntlm_domain, domain);
    for user in users {
        accounts.add(&user.name, domain, user.password.clone());
        let address = format!("{}@{domain}", user.name);
        accounts.enable(&address, user.enabled);
        accounts.restrict(&address, user.destinations.clone());
    }
    Arc::new(accounts)
}

fn ntlm_domain(estate: &EstatePlan) -> String {
    let first = estate.domain.split('.').next().unwrap_or_default().to_uppercase();
    estate.ntlm_domain.clone().unwrap_or(first)
}

fn config(estate: &EstatePlan, name: &str, role: Role, accounts: &Arc<Accounts>) -> NodeConfig {
    let mut start = NodeConfig::new(name, &estate.domain, role);
    start.authentication.names.netbios_domain = ntlm_domain(estate);
    start.accounts = Arc::clone(accounts);
    estate.changed(start)
}

/// Makes a server's certificate and opens its listeners.
fn open(
    estate: &EstatePlan,
    mut config: NodeConfig,
    seed: homing_core::ids::Seed,
    authority: &Authority,
) -> Result<Opened, EstateError> {
    let certificate = estate.certificate_of(&config.identity.name);
    let leaf = authority.server(&config.identity.fqdn, &estate.domain, &certificate)?;
    config.authentication.end_point_hash = Some(leaf.end_point_hash);
    let clients = ClientCertificates::Asked(Roots::pem(authority.pem())?);
    let server = TlsServer::with_clients(&leaf.certificate_pem, &leaf.key_pem, clients)?;
    let roots = Roots::pem(authority.pem())?;
    let client = TlsClient::with_certificate(roots, &leaf.certificate_pem, &leaf.key_pem)?;
    let mut transports = estate.transports.clone();
    if !transports.contains(&BETWEEN_SERVERS) {
        transports.push(BETWEEN_SERVERS);
    }
    let name = config.identity.name.clone();
    let at = |transport| SocketAddr::new(estate.at, estate.port_of(&name, transport));
    let mut listens: Vec<(Transport, SocketAddr)> =
        transports.into_iter().map(|transport| (transport, at(transport))).collect();
    let listeners = Listeners::open(&mut listens, &server, &estate.conditions.sockets)
        .map_err(|(transport, why)| EstateError::Listen { node: name.clone(), transport, why })?;
    Ok(Opened { plan: NodePlan { config, seed, tls: (server, client), listens }, listeners })
}

fn peer(plan: &NodePlan) -> Peer {
    let ports = plan.listens.iter().map(|(transport, address)| (*transport, address.port()));
    Peer { fqdn: plan.config.identity.fqdn.clone(), ports: ports.collect() }
}

/// Addresses of all servers, and the way to those that are published.
fn zone(estate: &EstatePlan, opened: &[Opened]) -> Result<Zone, EstateError> {
    let bad = |name: &str| EstateError::Name(name.to_owned());
    let mut zone = Zone::new(&estate.domain).map_err(|_| bad(&estate.domain))?;
    let distributors = estate.nodes.iter().any(|(_, role)| !role.is_home());
    for Opened { plan, .. } in opened {
        let identity = &plan.config.identity;
        zone.add_address(&identity.fqdn, estate.at).map_err(|_| bad(&identity.fqdn))?;
        let published = match estate.published.as_slice() {
            [] => distributors != plan.config.role.is_home(),
            names => names.contains(&identity.name),
        };
        if !published {
            continue;
        }
        for (transport, address) in &plan.listens {
            if estate.transports.contains(transport) {
                let (fqdn, port) = (identity.fqdn.clone(), address.port());
                let service = Service { fqdn, transport: *transport, port, priority: 10, weight: 10 };
                zone.add_service(&estate.domain, &service).map_err(|_| bad(&identity.fqdn))?;
            }
        }
    }
    Ok(zone)
}

/// The directory with every user assigned who is not assigned yet.
async fn directory(
    estate: &EstatePlan,
    users: &[User],
    clock: Clock,
) -> Result<DirectoryHandle, EstateError> {
    let fqdn = |name: &str| format!("{}.{}", name.to_ascii_lowercase(), estate.domain);
    let homes = estate.nodes.iter().filter(|(_, role)| role.is_home()).map(|(name, _)| fqdn(name));
    let placement = Placement { rule: estate.directory.unknown, homes: homes.collect() };
    let service = config(estate, "any", Role::Home, &Arc::default()).routing.service;
    let directory = match &estate.directory.file {
        None => DirectoryHandle::memory(MemoryDirectory::new(), placement),
        Some(path) => DirectoryHandle::file(path, placement)?,
    };
    // Whom others assigned meanwhile stays there.
    assign_named(&directory, users, &estate.domain, &service, clock).await?;
    Ok(directory)
}

/// Assigns every user to the home the configuration names, unless somebody else assigned them meanwhile. Gives the
/// addresses of those, where they sit elsewhere.
pub(super) async fn assign_named(
    directory: &DirectoryHandle,
    users: &[User],
    domain: &str,
    service: &str,
    clock: Clock,
) -> Result<Vec<String>, DirectoryError> {
    let now = clock.now().wall;
    let named = users.iter().filter_map(|user| Some((user, user.home.as_deref()?)));
    let keyed: BTreeMap<Key, String> = named
        .map(|(user, home)| {
            let key = Key::new(&format!("{}@{domain}", user.name), service);
            (key, format!("{}.{domain}", home.to_ascii_lowercase()))
        })
        .collect();
    if keyed.is_empty() {
        return Ok(Vec::new());
    }
    let current: BTreeMap<Key, Assignment> = directory.list().await?.into_iter().collect();
    let mut left = Vec::new();
    for (key, home) in keyed {
        let version = match current.get(&key) {
            Some(there) if there.home == home => continue,
            Some(there) if there.who != CONFIGURATION => {
                left.push(key.user);
                continue;
            }
            there => there.map_or(0, |there| there.version),
        };
        let user = key.user.clone();
        let change = Change::new(key, &home, CONFIGURATION, "named by the configuration", now);
        match directory.assign(change.based_on(version)).await {
            Ok(_) => {}
            // Moved in this moment: whoever did it knows better than the configuration.
            Err(DirectoryError::Conflict { .. }) => left.push(user),
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}

/// Who assigned, where the configuration did.
const CONFIGURATION: &str = "configuration";

fn set_running(opened: Opened, peers: &[Peer], env: &Env) -> NodeHandle {
    let Opened { mut plan, listeners } = opened;
    plan.config.peers = peers.to_vec();
    let (identity, role) = (plan.config.identity.clone(), plan.config.role);
    let parties = plan.config.parties.iter().map(|party| party.user.clone()).collect();
    let listens = plan.listens.clone();
    let origin = Origin { name: identity.name, fqdn: identity.fqdn, role, listens, parties };
    let (node_task, orders) = NodeTask::new(plan, env.clone());
    tokio::spawn(node_task.run(listeners));
    NodeHandle::new(origin, orders, env.journal.clone())
}
