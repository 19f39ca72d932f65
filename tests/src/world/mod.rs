//! The world: hosts, links, zone and directory under one virtual clock.

pub mod chance;
pub mod ladder;
pub mod link;
pub mod person;
pub mod phone;
pub mod server;
pub mod zone;

mod calls;
mod checks;
mod network;
mod queue;
mod rules;
mod serving;
mod steps;

use std::net::IpAddr;
use std::time::Duration;

use homing_core::config::AccountConfig;
use homing_core::ids::Seed;
use homing_core::outbox::Credentials;
use homing_core::time::Now;
use homing_server_mock::directory::{Change, Directory as _, Key, MemoryDirectory};

use chance::Chance;
use ladder::Ladder;
use link::{HostId, Link, NetworkConditions, Tamper};
use phone::Phone;
use queue::{Happening, Queue};
use rules::Rules;
use server::Server;
use zone::Zone;

use crate::digest::Digest;

/// Everything there is.
pub struct World {
    /// What the world was born from; printed when a rule breaks.
    pub seed: u64,
    /// The phones.
    pub phones: Vec<Phone>,
    /// The servers.
    pub servers: Vec<Server>,
    /// DNS.
    pub zone: Zone,
    /// Who is assigned to which server.
    pub directory: MemoryDirectory,
    /// What the network does.
    pub network: Network,
    /// What happened.
    pub ladder: Ladder,
    /// What always holds.
    pub rules: Rules,
    /// What happened, as a number that no renaming changes; kept only where somebody asks for it.
    pub digest: Option<Digest>,
    clock: Clock,
    /// What every phone, every server and the network draw their own randomness from.
    root: Seed,
    chance: Chance,
}

/// Links and conditions.
#[derive(Default)]
pub struct Network {
    /// The conditions everywhere.
    pub conditions: NetworkConditions,
    /// Somebody in the middle of every link.
    pub tamper: Option<Tamper>,
    links: Vec<Link>,
    renamed: u64,
}

#[derive(Default)]
struct Clock {
    now: Duration,
    queue: Queue<World>,
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        let root = Seed::from_number(seed);
        Self {
            seed,
            phones: Vec::new(),
            servers: Vec::new(),
            zone: Zone::default(),
            directory: MemoryDirectory::new(),
            network: Network::default(),
            ladder: Ladder::default(),
            rules: Rules::default(),
            clock: Clock::default(),
            digest: None,
            chance: Chance::new(&root),
            root,
        }
    }

    /// Virtual time since the world began.
    pub fn now(&self) -> Duration {
        self.clock.now
    }

    /// The instant as a machine born at `born` sees it.
    pub fn instant(&self, born: Duration) -> Now {
        Now::new(self.clock.now.saturating_sub(born), WALL + self.clock.now)
    }

    /// Adds a phone, switched on and signed out; returns its place.
    pub fn add_phone(&mut self, name: &str, config: AccountConfig, credentials: Credentials) -> usize {
        let (seed, now) = (self.seed_of(HostId::Phone(self.phones.len()), 0), self.instant(self.clock.now));
        let mut phone = Phone::new(name, config, credentials, seed, now);
        phone.born = self.clock.now;
        let last = u8::try_from(self.phones.len() + 1).unwrap_or(255);
        phone.place.ip = IpAddr::from([10, 9, 0, last]);
        self.phones.push(phone);
        self.phones.len() - 1
    }

    /// The seed of one life of a host.
    fn seed_of(&self, host: HostId, life: u32) -> Seed {
        self.root.stream("host", &[host.number(), u64::from(life)])
    }

    /// Assigns a user to a home server, as an operator would.
    pub fn assign(&mut self, user: &str, home: &str, why: &str) {
        let when = self.instant(Duration::ZERO).wall;
        let change = Change::new(Key::rtc(user), home, "operator", why, when);
        self.directory.assign(&change).expect("an operator's change overwrites");
        self.ladder.note(self.clock.now, "directory", format!("{user} → {home}: {why}"));
        self.rules.assignment_changed(user, self.clock.now);
        self.tell_assignment(user);
    }

    /// The home server a user is assigned to.
    pub fn home_of(&self, user: &str) -> Option<String> {
        let found = self.directory.look_up(&Key::rtc(user)).expect("a directory in memory answers");
        found.map(|assignment| assignment.home)
    }

    /// Does something at a later time.
    pub fn at(&mut self, when: Duration, deed: impl FnOnce(&mut World) + 'static) {
        self.clock.queue.add(when.max(self.clock.now), Happening::Deed(Box::new(deed)));
    }

    /// The place of the server with this short name.
    ///
    /// # Panics
    /// If the script names a server that does not exist.
    pub fn server(&self, short: &str) -> usize {
        let found = self.servers.iter().position(|server| server.short == short);
        found.unwrap_or_else(|| self.fail(&format!("the script names no server {short}")))
    }

    /// Ends the test with the seed, the reason and the ladder.
    ///
    /// # Panics
    /// Always; that is its purpose.
    #[expect(clippy::panic, reason = "a broken rule ends the test")]
    pub fn fail(&self, why: &str) -> ! {
        panic!("\nseed {}: {why}\nat {:.3} s\n\n{}", self.seed, self.clock.now.as_secs_f64(), self.ladder);
    }

    /// Fails unless `holds`.
    pub fn require(&self, holds: bool, why: &str) {
        if !holds {
            self.fail(why);
        }
    }
}

/// The wall clock at the world's beginning: the day of the golden conversations.
pub const WALL: Duration = Duration::from_secs(1_705_564_800);
