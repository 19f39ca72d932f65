//! One login's way from its first question to its verdict: hops, their price, the servers visited.

use std::net::SocketAddr;
use std::time::Duration;

use super::asked_server::AskedServer;
use super::visited::Visited;
use crate::account::Account;
use crate::account::context::Context;
use crate::account::server_attempt::Dialled;
use crate::account::server_search::Miss;
use crate::config::Scheme;
use crate::connect::{ConnectError, TlsProof};
use crate::event::MoveCause;
use crate::journey::{FoundBy, Hop, HopVerdict, Journey, Remark, RoundTrips};
use crate::time::{Moment, Now};
use crate::transport::Transport;

/// The way of one login so far.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    journey: Journey,
    /// The servers asked so far; what a loop is measured by.
    pub visited: Visited,
    /// When the present attempt's first question was asked.
    leg_began: Moment,
    cause: MoveCause,
    /// A server asked to be left alone for so long.
    floor: Duration,
    /// Counts the changes, so that each is told once.
    changes: u32,
    /// True once this login counted against the remembered home.
    home_blamed: bool,
}

impl Attempt {
    /// A login begins.
    pub(super) fn new(limit: u8, cause: MoveCause, now: Now) -> Self {
        Self {
            journey: Journey { hops: Vec::new(), followed: 0, limit },
            visited: Visited::default(),
            leg_began: now.since_start,
            cause,
            floor: Duration::ZERO,
            changes: 0,
            home_blamed: false,
        }
    }

    /// Why the home server changes, if it does.
    pub(super) fn cause(&self) -> MoveCause {
        self.cause
    }

    /// A server asked to be left alone for so long.
    pub(super) fn leave_alone(&mut self, wait: Duration) {
        self.floor = self.floor.max(wait);
    }

    /// The least wait before another login.
    pub(super) fn floor(&self) -> Duration {
        self.floor
    }

    /// How often the journey changed.
    pub(super) fn changes(&self) -> u32 {
        self.changes
    }

    /// The hops so far.
    pub(super) fn journey(&self) -> &Journey {
        &self.journey
    }

    /// Gives the hops up at the end of the login.
    pub(super) fn into_journey(self) -> Journey {
        self.journey
    }

    /// A redirect is followed.
    pub(super) fn follow(&mut self, now: Now) {
        self.journey.followed = self.journey.followed.saturating_add(1);
        self.set_out(now);
    }

    /// True if the last server was the remembered home.
    pub(super) fn arrived_by_memory(&self) -> bool {
        self.journey.hops.last().is_some_and(|hop| hop.how == FoundBy::Remembered)
    }

    /// The remembered home did not take this login. It fails a login once, in whichever ways it does.
    pub(super) fn blame_home(&mut self, account: &mut Account, cx: &mut Context<'_>) {
        if !std::mem::replace(&mut self.home_blamed, true) {
            account.home_failed(cx);
        }
    }

    /// The search for the next server begins.
    pub(super) fn set_out(&mut self, now: Now) {
        self.leg_began = now.since_start;
    }

    /// Servers could not be reached.
    pub(super) fn missed_all(&mut self, misses: Vec<Miss>, account: &mut Account, cx: &mut Context<'_>) {
        for miss in misses {
            if miss.dialled.how == FoundBy::Remembered {
                self.blame_home(account, cx);
            }
            if let Some(address) = miss.dialled.address {
                cx.server_health.failed(address, miss.dialled.transport, cx.now);
            }
            self.missed(miss.dialled, miss.why, cx.now);
        }
    }

    fn missed(&mut self, dialled: Dialled, why: ConnectError, now: Now) {
        self.changes += 1;
        let mut hop = self.hop(dialled, now);
        hop.verdict = HopVerdict::Unreachable(why);
        // The hops that are being asked stay last.
        let hops = &mut self.journey.hops;
        let asked = hops.iter().rev().take_while(|hop| hop.verdict == HopVerdict::Pending).count();
        let place = hops.len() - asked;
        match hops[..place].last_mut() {
            Some(last) if last.server == hop.server && matches!(last.verdict, HopVerdict::Unreachable(_)) => {
                last.address = hop.address;
                last.verdict = hop.verdict;
                last.price.millis = hop.price.millis;
                last.price.tcp = last.price.tcp.saturating_add(hop.price.tcp);
            }
            Some(_) | None => hops.insert(place, hop),
        }
        self.trim();
    }

    /// A connection stands and the server is about to be asked.
    pub(super) fn arrived(&mut self, dialled: Dialled, proof: Option<&TlsProof>, now: Now) {
        self.changes += 1;
        let named = dialled.named.server(dialled.transport);
        self.visited.enter(dialled.server.clone(), named);
        let mut hop = self.hop(dialled, now);
        if let Some(proof) = proof {
            hop.price.tls = proof.round_trips;
            hop.verified_as = Some(proof.name.clone());
            hop.pinned = proof.pinned;
        }
        self.journey.hops.push(hop);
        self.trim();
    }

    /// The connection of the last hop was there already: nothing was paid for it.
    pub(super) fn rode_along(&mut self) {
        if let Some(hop) = self.journey.hops.last_mut() {
            hop.price.tcp = 0;
            hop.price.tls = 0;
        }
    }

    /// The server of the last hop closed the connection after its challenge, and there is a new one.
    pub(super) fn reconnected(&mut self, proof: Option<&TlsProof>) {
        self.changes += 1;
        if let Some(hop) = self.journey.hops.last_mut() {
            hop.price.tcp = hop.price.tcp.saturating_add(1);
            hop.price.tls = hop.price.tls.saturating_add(proof.map_or(0, |proof| proof.round_trips));
            hop.remarks.push(Remark::ClosedAfterChallenge);
        }
    }

    /// A REGISTER left for the last hop.
    pub(super) fn asked(&mut self) {
        if let Some(hop) = self.journey.hops.last_mut() {
            hop.price.register = hop.price.register.saturating_add(1);
        }
    }

    /// The last hop is answered with this scheme; the server calls itself `targetname`.
    pub(super) fn answered_with(&mut self, scheme: Scheme, targetname: Option<&str>) {
        self.changes += 1;
        if let Some(hop) = self.journey.hops.last_mut() {
            hop.scheme = Some(scheme);
        }
        if let Some(name) = targetname {
            self.visited.name_last(name);
        }
    }

    /// The last hop ended.
    pub(super) fn ended(&mut self, verdict: HopVerdict, now: Now) {
        self.changes += 1;
        let spent = millis(now, self.leg_began);
        if let Some(hop) = self.journey.hops.last_mut() {
            hop.verdict = verdict;
            hop.price.millis = spent;
        }
    }

    /// Something about the last hop is odd.
    pub(super) fn remark(&mut self, remark: Remark) {
        if let Some(hop) = self.journey.hops.last_mut() {
            hop.remarks.push(remark);
        }
    }

    /// Where the last hop was dialled.
    pub(super) fn last_place(&self) -> Option<(SocketAddr, Transport)> {
        self.journey.last().and_then(|hop| Some((hop.address?, hop.transport)))
    }

    /// Something about one of the servers that are asked is odd.
    pub(super) fn remark_on(&mut self, asked: &AskedServer, remark: Remark) {
        self.changes += 1;
        if let Some(hop) = self.hop_of(asked) {
            hop.remarks.retain(|known| *known != remark);
            hop.remarks.push(remark);
        }
    }

    /// The server asked there is not talked to: it is gone, or another answered first. One is not dialled that is
    /// gone or mute soon again, and as the remembered home it failed.
    pub(super) fn pass_over(
        &mut self,
        asked: &AskedServer,
        verdict: HopVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) {
        let has_failed = matches!(verdict, HopVerdict::Unreachable(_));
        let is_home = self.passed_over(asked, verdict, cx.now);
        if is_home && has_failed {
            self.blame_home(account, cx);
        }
        if let Some(address) = asked.address.filter(|_| has_failed) {
            cx.server_health.failed(address, asked.transport, cx.now);
        }
    }

    /// As [`Attempt::pass_over`], but only told. True if it is the remembered home.
    pub(super) fn passed_over(&mut self, asked: &AskedServer, verdict: HopVerdict, now: Now) -> bool {
        self.changes += 1;
        let spent = millis(now, self.leg_began);
        let Some(hop) = self.hop_of(asked) else { return false };
        hop.verdict = verdict;
        hop.price.millis = spent;
        let is_home = hop.how == FoundBy::Remembered;
        // It may be asked at another of its addresses still.
        let is_same = |hop: &Hop| hop.verdict == HopVerdict::Pending && hop.server == asked.server;
        if !self.journey.hops.iter().any(is_same) {
            self.visited.withdraw(&asked.server);
        }
        is_home
    }

    /// Of the servers that are asked this is the one that is talked to.
    pub(super) fn goes_on_with(&mut self, asked: &AskedServer) {
        if let Some(at) = self.journey.hops.iter().rposition(|hop| is_pending_at(hop, asked)) {
            let hop = self.journey.hops.remove(at);
            self.journey.hops.push(hop);
        }
    }

    fn hop_of(&mut self, asked: &AskedServer) -> Option<&mut Hop> {
        self.journey.hops.iter_mut().rev().find(|hop| is_pending_at(hop, asked))
    }

    /// The last hop never said anything in SIP: it was not visited.
    pub(super) fn last_was_silent(&mut self, why: ConnectError, now: Now) {
        if let Some(server) = self.journey.last().map(|hop| hop.server.clone()) {
            self.visited.withdraw(&server);
        }
        self.ended(HopVerdict::Unreachable(why), now);
    }

    /// The login ends here; a hop without a verdict gets none any more, but its time.
    pub(super) fn give_up(&mut self, now: Now) {
        if let Some(verdict) = self.journey.last().map(|hop| hop.verdict.clone()) {
            self.ended(verdict, now);
        }
    }

    /// True if a redirect led to the last hop.
    pub(super) fn was_redirected(&self) -> bool {
        self.journey.last().is_some_and(|hop| matches!(hop.how, FoundBy::Redirected { .. }))
    }

    /// True if a server before the last hop, on the same list, was dead.
    pub(super) fn is_second_choice(&self) -> bool {
        let mut hops = self.journey.hops.iter().rev();
        let Some(home) = hops.next() else { return false };
        if matches!(home.how, FoundBy::Redirected { candidate } if candidate > 0) {
            return true;
        }
        hops.next().is_some_and(|before| {
            matches!(before.verdict, HopVerdict::Unreachable(_))
                && before.server != home.server
                && before.how != FoundBy::Remembered
        })
    }

    fn hop(&self, dialled: Dialled, now: Now) -> Hop {
        let tcp = u8::from(dialled.transport.is_reliable() && dialled.address.is_some());
        Hop {
            server: dialled.server,
            address: dialled.address,
            transport: dialled.transport,
            how: dialled.how,
            price: RoundTrips {
                dns: dialled.dns,
                tcp,
                millis: millis(now, self.leg_began),
                ..RoundTrips::default()
            },
            scheme: None,
            verified_as: None,
            pinned: false,
            verdict: HopVerdict::Pending,
            remarks: Vec::new(),
        }
    }

    /// A journey is shown to people and kept in events: it stays small whatever DNS answers. What was
    /// not reached goes before what answered.
    fn trim(&mut self) {
        if self.journey.hops.len() > MOST_HOPS {
            let dead = |hop: &Hop| matches!(hop.verdict, HopVerdict::Unreachable(_));
            let least = self.journey.hops.iter().position(dead).unwrap_or_default();
            self.journey.hops.remove(least);
        }
    }
}

fn is_pending_at(hop: &Hop, asked: &AskedServer) -> bool {
    hop.verdict == HopVerdict::Pending && hop.address == asked.address && hop.server == asked.server
}

fn millis(now: Now, since: Moment) -> u32 {
    u32::try_from(now.since_start.since(since).as_millis()).unwrap_or(u32::MAX)
}

/// Six redirect lists of eight candidates each, and some.
const MOST_HOPS: usize = 64;
