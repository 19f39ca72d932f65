//! The thread an estate lives on: everything is opened here, and closed when the estate is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use homing_core::transport::Transport;
use homing_net::{ClientCertificates, Roots, TlsClient, TlsServer};
use tokio::sync::oneshot;

use super::builder::EstateBuilder;
use super::{Estate, EstateError, NodeHandle};
use crate::directory::{Change, Directory, DirectoryHandle, Key, MemoryDirectory, Placement};
use crate::node::accounts::Accounts;
use crate::node::config::{NodeConfig, Peer};
use crate::role::Role;
use crate::shell::Clock;
use crate::shell::ca::Authority;
use crate::shell::dns::NameServer;
use crate::shell::station::{Doors, Plan, Station, Surroundings};
use crate::shell::zone::{Service, Zone};

/// Runs an estate until `stopped` resolves. What became of the start is told by `told`.
pub(super) fn run(
    builder: EstateBuilder,
    told: oneshot::Sender<Result<Estate, EstateError>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return drop(told.send(Err(EstateError::Thread(why)))),
    };
    runtime.block_on(async {
        match start(&builder).await {
            Ok((estate, name_server)) => {
                if told.send(Ok(estate)).is_ok() {
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
    plan: Plan,
    doors: Doors,
}

async fn start(builder: &EstateBuilder) -> Result<(Estate, NameServer), EstateError> {
    check(builder)?;
    let clock = Clock::start(builder.world.skew);
    let authority = Authority::new(&builder.domain)?;
    let accounts = accounts(builder);
    let mut opened = Vec::new();
    for ((name, role), seed) in builder.nodes.iter().zip(builder.seeds()) {
        let config = config(builder, name, *role, &accounts);
        opened.push(open(builder, config, seed, &authority)?);
    }
    let peers: Vec<Peer> = opened.iter().map(|opened| peer(&opened.plan)).collect();
    let zone = zone(builder, &opened)?;
    let dns_port = builder.port_of("dns", Transport::Udp);
    let name_server = NameServer::start(zone, SocketAddr::new(builder.at, dns_port))
        .await
        .map_err(EstateError::NameServer)?;
    let directory = directory(builder, clock).await?;
    let hosts = opened.iter().map(|opened| (opened.plan.config.identity.fqdn.clone(), builder.at));
    let around = Surroundings {
        clock,
        directory: directory.clone(),
        journal: builder.journal.clone(),
        sockets: builder.world.sockets.clone(),
        hosts: Arc::new(hosts.collect()),
    };
    let service =
        opened.first().map(|opened| opened.plan.config.signpost.service.clone()).unwrap_or_default();
    let handles = opened.into_iter().map(|opened| set_running(opened, &peers, &around)).collect::<Vec<_>>();
    for (index, handle) in handles.iter().enumerate() {
        let ring = handles.iter().cycle().skip(index).take(handles.len()).cloned().collect();
        handle.set_ring(ring);
    }
    let estate = Estate {
        domain: builder.domain.clone(),
        dns: name_server.address(),
        zone: name_server.zone().clone(),
        ca_pem: authority.pem().to_owned(),
        nodes: handles.into_iter().map(|handle| (handle.name().to_owned(), handle)).collect(),
        journal: builder.journal.clone(),
        directory,
        clock,
        service,
        stop: None,
        thread: None,
    };
    Ok((estate, name_server))
}

fn check(builder: &EstateBuilder) -> Result<(), EstateError> {
    let mut names = BTreeSet::new();
    if let Some((twice, _)) = builder.nodes.iter().find(|(name, _)| !names.insert(name)) {
        return Err(EstateError::TwoNodes(twice.clone()));
    }
    if names.is_empty() {
        return Err(EstateError::NoNodes);
    }
    let certified = builder.world.certificates.iter().map(|(name, _)| name);
    if let Some(unknown) = builder.published.iter().chain(certified).find(|name| !names.contains(name)) {
        return Err(EstateError::NoSuchNode(unknown.clone()));
    }
    for user in &builder.users {
        let Some(home) = &user.home else { continue };
        if !builder.nodes.iter().any(|(name, role)| name == home && role.is_home()) {
            return Err(EstateError::NoHome { user: user.name.clone(), home: home.clone() });
        }
    }
    Ok(())
}

fn accounts(builder: &EstateBuilder) -> Arc<Accounts> {
    let mut accounts = Accounts::new();
    accounts.add_domain(&ntlm_domain(builder), &builder.domain);
    for user in &builder.users {
        accounts.add(&user.name, &builder.domain, user.password.clone());
    }
    Arc::new(accounts)
}

fn ntlm_domain(builder: &EstateBuilder) -> String {
    let first = builder.domain.split('.').next().unwrap_or_default().to_uppercase();
    builder.ntlm_domain.clone().unwrap_or(first)
}

fn config(builder: &EstateBuilder, name: &str, role: Role, accounts: &Arc<Accounts>) -> NodeConfig {
    let mut start = NodeConfig::new(name, &builder.domain, role);
    start.gate.names.netbios_domain = ntlm_domain(builder);
    start.accounts = Arc::clone(accounts);
    builder.changed(start)
}

/// Makes a server's certificate and opens its listeners.
fn open(
    builder: &EstateBuilder,
    mut config: NodeConfig,
    seed: homing_core::ids::Seed,
    authority: &Authority,
) -> Result<Opened, EstateError> {
    let certificate = builder.certificate_of(&config.identity.name);
    let leaf = authority.server(&config.identity.fqdn, &builder.domain, &certificate)?;
    config.gate.end_point_hash = Some(leaf.end_point_hash);
    let clients = ClientCertificates::Asked(Roots::pem(authority.pem())?);
    let server = TlsServer::with_clients(&leaf.certificate_pem, &leaf.key_pem, clients)?;
    let roots = Roots::pem(authority.pem())?;
    let client = TlsClient::with_certificate(roots, &leaf.certificate_pem, &leaf.key_pem)?;
    let mut transports = builder.transports.clone();
    if !transports.contains(&Transport::Tls) {
        transports.push(Transport::Tls);
    }
    let name = config.identity.name.clone();
    let at = |transport| SocketAddr::new(builder.at, builder.port_of(&name, transport));
    let mut listens: Vec<(Transport, SocketAddr)> =
        transports.into_iter().map(|transport| (transport, at(transport))).collect();
    let doors = Doors::open(&mut listens, &server, &builder.world.sockets)
        .map_err(|(transport, why)| EstateError::Listen { node: name.clone(), transport, why })?;
    Ok(Opened { plan: Plan { config, seed, tls: (server, client), listens }, doors })
}

fn peer(plan: &Plan) -> Peer {
    let ports = plan.listens.iter().map(|(transport, address)| (*transport, address.port()));
    Peer { fqdn: plan.config.identity.fqdn.clone(), ports: ports.collect() }
}

/// Addresses of all servers, and the way to those that are published.
fn zone(builder: &EstateBuilder, opened: &[Opened]) -> Result<Zone, EstateError> {
    let bad = |name: &str| EstateError::Name(name.to_owned());
    let mut zone = Zone::new(&builder.domain).map_err(|_| bad(&builder.domain))?;
    let distributors = builder.nodes.iter().any(|(_, role)| !role.is_home());
    for Opened { plan, .. } in opened {
        let identity = &plan.config.identity;
        zone.add_address(&identity.fqdn, builder.at).map_err(|_| bad(&identity.fqdn))?;
        let published = match builder.published.as_slice() {
            [] => distributors != plan.config.role.is_home(),
            names => names.contains(&identity.name),
        };
        if !published {
            continue;
        }
        for (transport, address) in &plan.listens {
            if builder.transports.contains(transport) {
                let (fqdn, port) = (identity.fqdn.clone(), address.port());
                let service = Service { fqdn, transport: *transport, port, priority: 10, weight: 10 };
                zone.add_service(&builder.domain, &service).map_err(|_| bad(&identity.fqdn))?;
            }
        }
    }
    Ok(zone)
}

/// The directory with everybody assigned who is not assigned yet.
async fn directory(builder: &EstateBuilder, clock: Clock) -> Result<DirectoryHandle, EstateError> {
    let fqdn = |name: &str| format!("{}.{}", name.to_ascii_lowercase(), builder.domain);
    let homes = builder.nodes.iter().filter(|(_, role)| role.is_home()).map(|(name, _)| fqdn(name));
    let placement = Placement { rule: builder.directory.unknown, homes: homes.collect() };
    let service = config(builder, "any", Role::Home, &Arc::default()).signpost.service;
    let now = clock.now().wall;
    let assigned: BTreeMap<Key, String> = builder
        .users
        .iter()
        .filter_map(|user| {
            let home = user.home.as_deref()?;
            Some((Key::new(&format!("{}@{}", user.name, builder.domain), &service), fqdn(home)))
        })
        .collect();
    let change = |(key, home): (&Key, &String)| {
        Change::new(key.clone(), home, "configuration", "named when the estate was started", now).based_on(0)
    };
    match &builder.directory.file {
        None => {
            let mut memory = MemoryDirectory::new();
            for entry in &assigned {
                memory.assign(&change(entry))?;
            }
            Ok(DirectoryHandle::memory(memory, placement))
        }
        Some(path) => {
            let file = DirectoryHandle::file(path, placement)?;
            for entry in &assigned {
                // Somebody moved them since: the file knows better than the configuration.
                match file.assign(change(entry)).await {
                    Ok(_) | Err(crate::directory::DirectoryError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(file)
        }
    }
}

fn set_running(opened: Opened, peers: &[Peer], around: &Surroundings) -> NodeHandle {
    let Opened { mut plan, doors } = opened;
    plan.config.peers = peers.to_vec();
    let identity = plan.config.identity.clone();
    let (role, listens) = (plan.config.role, plan.listens.clone());
    let (station, orders) = Station::new(plan, around.clone());
    tokio::spawn(station.run(doors));
    NodeHandle::new((&identity.name, &identity.fqdn), role, listens, orders, around.journal.clone())
}
