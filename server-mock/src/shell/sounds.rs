//! The sound of a node's calls: ports, and one paced thread that starts with the first of them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use homing_core::ids::{Rng, Seed};
use homing_net::rtp::{
    Commands, Driven, PacedConfig, PacedThreads, PortRange, RtpAddress, RtpPair, RtpPorts,
};

use crate::node::NodeInput;
use crate::node::sound::{PartySound, SoundOrder, SoundPorts};
use crate::sound::{Agree, PartyMachine};

/// The calls of one node that have sound, at most as many as its parties have calls.
pub(crate) struct Sounds {
    ip: IpAddr,
    /// As an announcement says it.
    server: String,
    ports: RtpPorts,
    seeds: Rng,
    threads: Option<PacedThreads>,
    calls: BTreeMap<u64, Commands<Agree>>,
}

impl Sounds {
    /// For the node of that short name, at its address.
    pub(crate) fn new(ip: IpAddr, server: &str, seed: &Seed) -> Self {
        Self {
            ip,
            server: server.to_owned(),
            ports: RtpPorts::new(PortRange::default(), &seed.stream("sound ports", &[])),
            seeds: seed.rng("sound"),
            threads: None,
            calls: BTreeMap::new(),
        }
    }

    /// Carries an order out. What the node is to be told of it, and why a call has no sound.
    pub(crate) fn handle(&mut self, order: SoundOrder) -> Outcome {
        match order {
            SoundOrder::Open { call, sound } => {
                let opened = self.open(call, sound);
                let (ports, failure) = match opened {
                    Ok(ports) => (Some(ports), None),
                    Err(words) => (None, Some(words)),
                };
                Outcome { input: Some(NodeInput::SoundOpened { call, ports }), failure }
            }
            SoundOrder::Agree { call, agreed } => {
                let sent = self.calls.get_mut(&call).map(|commands| commands.send(Agree(agreed)));
                let failure = sent.and_then(|sent| sent.err()).map(|refused| refused.to_string());
                Outcome { input: None, failure }
            }
            SoundOrder::Close { call } => {
                self.calls.remove(&call);
                Outcome { input: None, failure: None }
            }
        }
    }

    fn open(&mut self, call: u64, sound: PartySound) -> Result<SoundPorts, String> {
        let here = RtpAddress { bind: self.ip, advertise: None };
        let sockets = self.ports.bind(here, RtpPair::Two).map_err(|error| error.to_string())?;
        let (rtp, rtcp) = (sockets.advertised().port(), sockets.local_rtcp().map(|address| address.port()));
        let threads = match self.threads.take() {
            Some(threads) => threads,
            None => {
                PacedThreads::start(PacedConfig::new(Instant::now())).map_err(|error| error.to_string())?
            }
        };
        let machine = PartyMachine::new(sound, &self.server, self.seeds.fork());
        let added = self.threads.insert(threads).add(sockets, machine);
        let Driven { commands, .. } = added.map_err(|error| error.to_string())?;
        self.calls.insert(call, commands);
        Ok(SoundPorts { ip: self.ip, rtp, rtcp, seed: self.seeds.fork() })
    }
}

/// What came of an order.
pub(crate) struct Outcome {
    pub(crate) input: Option<NodeInput>,
    /// In words, for the journal.
    pub(crate) failure: Option<String>,
}
