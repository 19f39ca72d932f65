//! Where accounts without registrar are heard: sockets that listen, shared by accounts of one address.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use homing_core::config::{AccountConfig, ServerChoice};
use homing_core::error::Misuse;
use homing_core::ids::AccountId;
use homing_core::transport::Transport;
use homing_net::{Listener, Sockets, TlsServer};

use crate::error::{Error, ListenError};

/// The listening sockets of all accounts.
pub(super) struct Listeners {
    certificate: Option<TlsServer>,
    accounts: BTreeMap<AccountId, Heard>,
    /// Those that others may share.
    bound: Vec<Bound>,
}

/// Where one account is heard, or why it is not.
struct Heard {
    outcome: Result<SocketAddr, ListenError>,
    /// They listen while this lives.
    _sockets: Vec<Arc<Listener>>,
}

struct Bound {
    address: SocketAddr,
    transport: Transport,
    socket: Weak<Listener>,
}

impl Listeners {
    pub(super) fn new(certificate: Option<TlsServer>) -> Self {
        Self { certificate, accounts: BTreeMap::new(), bound: Vec::new() }
    }

    /// Listens for an account that wants to be heard, and gives its configuration the address that came of it. One that
    /// cannot be heard still calls.
    pub(super) fn add(&mut self, id: AccountId, config: &mut AccountConfig, sockets: &mut Sockets) {
        let is_direct = config.server == ServerChoice::NoRegistrar;
        let transports = config.transports.clone();
        let Some(wanted) = config.calls.as_mut().filter(|_| is_direct).map(|calls| &mut calls.listen) else {
            return;
        };
        let Some(address) = *wanted else { return };
        let heard = match self.listen(address, &transports, sockets) {
            Ok((address, sockets)) => Heard { outcome: Ok(address), _sockets: sockets },
            Err(error) => Heard { outcome: Err(error), _sockets: Vec::new() },
        };
        *wanted = heard.outcome.as_ref().ok().copied();
        self.accounts.insert(id, heard);
    }

    pub(super) fn remove(&mut self, id: AccountId) {
        self.accounts.remove(&id);
    }

    /// Where an account is heard.
    ///
    /// # Errors
    /// [`Error::Listen`], or [`Error::Misuse`] for an account that does not want to be heard.
    pub(super) fn address(&self, id: AccountId) -> Result<SocketAddr, Error> {
        let heard = self.accounts.get(&id).ok_or(Misuse::WrongState)?;
        heard.outcome.map_err(Error::Listen)
    }

    /// All transports on one port, which the account's Contact names. One that the system chose for the first may be taken for another: it is asked again.
    fn listen(
        &mut self,
        address: SocketAddr,
        transports: &[Transport],
        sockets: &mut Sockets,
    ) -> Result<(SocketAddr, Vec<Arc<Listener>>), ListenError> {
        let mut tries = if address.port() == 0 { TRIES } else { 1 };
        loop {
            tries -= 1;
            match self.listen_once(address, transports, sockets) {
                Err(_) if tries > 0 => {}
                outcome => return outcome,
            }
        }
    }

    fn listen_once(
        &mut self,
        mut address: SocketAddr,
        transports: &[Transport],
        sockets: &mut Sockets,
    ) -> Result<(SocketAddr, Vec<Arc<Listener>>), ListenError> {
        let mut listening = Vec::with_capacity(transports.len());
        for transport in transports {
            let socket = self.bind(address, *transport, sockets)?;
            address.set_port(socket.local_addr().port());
            listening.push(socket);
        }
        Ok((address, listening))
    }

    fn bind(
        &mut self,
        address: SocketAddr,
        transport: Transport,
        sockets: &mut Sockets,
    ) -> Result<Arc<Listener>, ListenError> {
        self.bound.retain(|bound| bound.socket.strong_count() > 0);
        let same = |bound: &&Bound| bound.address == address && bound.transport == transport;
        if let Some(socket) = self.bound.iter().find(same).and_then(|bound| bound.socket.upgrade()) {
            return Ok(socket);
        }
        let socket = sockets.listen(address, transport, self.certificate.clone());
        let socket =
            Arc::new(socket.map_err(|error| ListenError { address, transport, kind: error.kind() })?);
        let (address, socket_of) = (socket.local_addr(), Arc::downgrade(&socket));
        self.bound.push(Bound { address, transport, socket: socket_of });
        Ok(socket)
    }
}

/// How often a port is asked for that is free for every transport.
const TRIES: u8 = 8;
