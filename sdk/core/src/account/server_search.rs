//! Finds a server that can be connected to: attempts, each with its DNS questions, and a race among their
//! targets.
//!
//! Attempts run one after the other, except that one with a head start lets the next begin while it is
//! still under way. Targets of equal rank are dialled 250 ms apart, and the first verified connection
//! wins (decision 9; RFC 8305 section 5). What lost stays in store: if the winner turns out to be of
//! no use, the search goes on where it stopped.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::context::{Claim, Context};
use super::server_attempt::{Dialled, Next, ServerAttempt};
use super::server_link::OpenFlow;
use crate::connect::{ConnectError, TlsProof};
use crate::dns::{DnsAnswer, DnsError, DnsQuestion};
use crate::error::LoginError;
use crate::flow::Flow;
use crate::ids::{AskId, FlowId};
use crate::journey::FoundBy;
use crate::locate::Target;
use crate::outbox::Question;
use crate::time::{Deadline, Moment, Why};
use crate::transaction::FlowRef;

/// The search of one login for its next server.
pub(crate) struct ServerSearch {
    /// What is searched, for errors.
    domain: Box<str>,
    attempts: Vec<ServerAttempt>,
    /// Attempts begun so far; the others wait.
    begun: usize,
    /// When the next attempt may begin although the present one is under way.
    next_attempt: Option<Moment>,
    questions: Vec<Asked>,
    /// Questions taken back because a connection won.
    parked: Vec<(usize, DnsQuestion)>,
    ready: VecDeque<(usize, Target)>,
    dials: Vec<Dial>,
    /// Until when the next target of equal rank waits.
    next_dial: Option<Moment>,
    /// The last reason a server was not reached.
    last: Option<LoginError>,
}

/// What became of an input.
pub(crate) enum Found {
    /// The search goes on.
    Nothing,
    /// A connection stands; everything else was taken back.
    Connection(Box<Connection>),
    /// Nothing is left to try.
    NoCandidate(LoginError),
}

/// The connection that won.
pub(crate) struct Connection {
    /// Its flow; one use of it is the winner's.
    pub flow: FlowId,
    /// What was dialled.
    pub dialled: Dialled,
    /// Our end.
    pub local: SocketAddr,
    /// What TLS proved.
    pub proof: Option<Arc<TlsProof>>,
    /// True if the connection was there before.
    pub shared: bool,
    /// True if the remembered home was being dialled and did not answer in its head start.
    pub outran_home: bool,
}

impl Connection {
    /// The flow, for the link that begins with it.
    pub(crate) fn into_flow(self) -> OpenFlow {
        let Dialled { server, named, transport, .. } = self.dialled;
        let flow_ref = FlowRef::new(self.flow, transport);
        OpenFlow { server, named, flow_ref, proof: self.proof, local: self.local }
    }
}

/// A server that was not reached, for the journey.
pub(crate) struct Miss {
    /// What was dialled.
    pub dialled: Dialled,
    /// Why it came to nothing.
    pub why: ConnectError,
}

struct Asked {
    id: AskId,
    attempt: usize,
    question: DnsQuestion,
    until: Moment,
}

struct Dial {
    flow: FlowId,
    attempt: usize,
    target: Target,
    dialled: Dialled,
    until: Moment,
}

impl ServerSearch {
    /// A search along `attempts`, the first first. Nothing happens before [`ServerSearch::advance`].
    pub(crate) fn new(domain: &str, attempts: Vec<ServerAttempt>) -> Self {
        Self {
            domain: domain.into(),
            attempts,
            begun: 0,
            next_attempt: None,
            questions: Vec::new(),
            parked: Vec::new(),
            ready: VecDeque::new(),
            dials: Vec::new(),
            next_dial: None,
            last: None,
        }
    }

    /// True while a connection is being opened.
    pub(crate) fn is_dialling(&self) -> bool {
        !self.dials.is_empty()
    }

    fn is_dialling_home(&self) -> bool {
        self.dials.iter().any(|dial| dial.dialled.how == FoundBy::Remembered)
    }

    /// True if that question is this search's.
    pub(crate) fn has_asked(&self, id: AskId) -> bool {
        self.questions.iter().any(|asked| asked.id == id)
    }

    /// True if that connection is being opened for this search.
    pub(crate) fn dials(&self, flow: FlowId) -> bool {
        self.dials.iter().any(|dial| dial.flow == flow)
    }

    /// The reason to give if nothing else comes of the search.
    pub(crate) fn note(&mut self, error: LoginError) {
        self.last = Some(error);
    }

    /// The next thing overdue.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let questions = self.questions.iter().map(|asked| Deadline::new(asked.until, Why::QuestionOverdue));
        let dials = self.dials.iter().map(|dial| Deadline::new(dial.until, Why::ConnectOverdue));
        let racing = self.next_dial.filter(|_| self.is_dialling());
        let racer = racing.map(|at| Deadline::new(at, Why::NextCandidate));
        let attempt = self.next_attempt.map(|at| Deadline::new(at, Why::NextCandidate));
        questions
            .chain(dials)
            .chain(racer)
            .chain(attempt)
            .fold(None, |least, one| Deadline::earlier(least, Some(one)))
    }

    /// Does whatever can be done now; servers not reached go to `misses`.
    pub(crate) fn advance(&mut self, cx: &mut Context<'_>, misses: &mut Vec<Miss>) -> Found {
        loop {
            self.next_dial.take_if(|at| cx.now.reached(*at));
            self.ask(cx);
            self.fetch(misses);
            self.ask(cx);
            if self.may_dial() {
                if let Some(won) = self.dial(cx) {
                    return Found::Connection(Box::new(won));
                }
                continue;
            }
            if !self.may_begin_attempt(cx) {
                break;
            }
            self.begin_attempt(cx);
        }
        if self.is_under_way() {
            return Found::Nothing;
        }
        let why = DnsError::NoRecord.into();
        let nothing = LoginError::Resolve { domain: self.domain.to_string(), why };
        Found::NoCandidate(self.last.take().unwrap_or(nothing))
    }

    /// An answer of DNS; ignored if it is not this search's.
    pub(crate) fn handle_answer(&mut self, id: AskId, answer: Result<DnsAnswer, DnsError>) {
        let Some(at) = self.questions.iter().position(|asked| asked.id == id) else { return };
        let asked = self.questions.remove(at);
        self.attempts[asked.attempt].handle_answer(&asked.question, answer);
    }

    /// A connection stands: everything else is taken back and kept for later.
    pub(crate) fn handle_connected(&mut self, flow: FlowId, cx: &mut Context<'_>) -> Option<Box<Connection>> {
        let opened = cx.flows.find(flow).and_then(Flow::opened)?;
        let (local, proof) = (opened.local, opened.proof.clone());
        let at = self.dials.iter().position(|dial| dial.flow == flow)?;
        let dial = self.dials.remove(at);
        let outran_home = self.is_dialling_home();
        self.rest(cx);
        let dialled = dial.dialled;
        Some(Box::new(Connection { flow, dialled, local, proof, shared: false, outran_home }))
    }

    /// A connection could not be opened.
    pub(crate) fn handle_failed(&mut self, flow: FlowId, why: ConnectError, misses: &mut Vec<Miss>) {
        if let Some(at) = self.dials.iter().position(|dial| dial.flow == flow) {
            let dial = self.dials.remove(at);
            self.miss(dial.dialled, why, misses);
        }
    }

    /// Gives up what is overdue.
    pub(crate) fn handle_deadline(&mut self, cx: &mut Context<'_>, misses: &mut Vec<Miss>) {
        while let Some(at) = self.questions.iter().position(|asked| cx.now.reached(asked.until)) {
            let id = self.questions[at].id;
            cx.forget(id);
            self.handle_answer(id, Err(DnsError::Timeout));
        }
        while let Some(at) = self.dials.iter().position(|dial| cx.now.reached(dial.until)) {
            let dial = self.dials.remove(at);
            cx.release(dial.flow);
            self.miss(dial.dialled, ConnectError::Timeout, misses);
        }
    }

    /// Takes back whatever is under way; [`ServerSearch::advance`] goes on from there.
    pub(crate) fn rest(&mut self, cx: &mut Context<'_>) {
        for dial in self.dials.drain(..).rev() {
            cx.release(dial.flow);
            self.ready.push_front((dial.attempt, dial.target));
        }
        for asked in self.questions.drain(..) {
            cx.forget(asked.id);
            self.parked.push((asked.attempt, asked.question));
        }
        self.next_attempt = None;
    }

    fn ask(&mut self, cx: &mut Context<'_>) {
        let mut due = std::mem::take(&mut self.parked);
        for (attempt, one) in self.attempts.iter_mut().enumerate().take(self.begun) {
            due.extend(one.questions().into_iter().map(|question| (attempt, question)));
        }
        for (attempt, question) in due {
            let until = cx.now.after(cx.agent.limits.question);
            let id = cx.ask(Question::Resolve(question.clone()), Some(until));
            self.questions.push(Asked { id, attempt, question, until });
        }
    }

    /// Takes the next target out of the plans, but not before it may be dialled.
    fn fetch(&mut self, misses: &mut Vec<Miss>) {
        let wanted = self.dials.is_empty() || self.next_dial.is_none();
        for attempt in 0..self.begun {
            if !wanted || !self.ready.is_empty() {
                return;
            }
            match self.attempts[attempt].next() {
                Next::Target(target) => self.ready.push_back((attempt, *target)),
                Next::Nothing => {}
                Next::Barren(Some(dialled), why) => self.miss(dialled, ConnectError::NoAddress(why), misses),
                Next::Barren(None, why) => {
                    self.last = Some(LoginError::Resolve { domain: self.domain.to_string(), why });
                }
            }
        }
    }

    /// True if the next target may be dialled: alone, or beside its equals once their head start is over.
    fn may_dial(&self) -> bool {
        let Some((attempt, next)) = self.ready.front() else { return false };
        match self.dials.last() {
            None => true,
            Some(last) => {
                self.next_dial.is_none()
                    && (*attempt != last.attempt || next.why.is_of_one_rank_with(&last.target.why))
            }
        }
    }

    /// Dials the next target; returns a connection if one was there already.
    fn dial(&mut self, cx: &mut Context<'_>) -> Option<Connection> {
        let (attempt, target) = self.ready.pop_front()?;
        let dialled = self.attempts[attempt].dialled(&target);
        self.next_dial = Some(cx.now.after(STAGGER));
        match cx.claim(&target) {
            Claim::Open { flow, local, proof } => {
                let outran_home = self.is_dialling_home();
                self.rest(cx);
                Some(Connection { flow, dialled, local, proof, shared: true, outran_home })
            }
            // The same server found twice, as remembered and in DNS: the first dial stands for both.
            Claim::Opening { flow } if self.dials.iter().any(|dial| dial.flow == flow) => None,
            Claim::Opening { flow } => {
                let until = cx.now.after(cx.agent.limits.connect);
                self.dials.push(Dial { flow, attempt, target, dialled, until });
                None
            }
        }
    }

    fn may_begin_attempt(&self, cx: &Context<'_>) -> bool {
        self.begun < self.attempts.len()
            && (!self.is_under_way() || self.next_attempt.is_some_and(|at| cx.now.reached(at)))
    }

    fn begin_attempt(&mut self, cx: &Context<'_>) {
        self.next_attempt = self.attempts[self.begun]
            .head_start
            .filter(|_| self.begun + 1 < self.attempts.len())
            .map(|wait| cx.now.after(wait));
        self.begun += 1;
    }

    /// True while the attempts begun may still come to something.
    fn is_under_way(&self) -> bool {
        !(self.questions.is_empty()
            && self.parked.is_empty()
            && self.ready.is_empty()
            && self.dials.is_empty())
    }

    fn miss(&mut self, dialled: Dialled, why: ConnectError, misses: &mut Vec<Miss>) {
        self.last = Some(LoginError::Connect { server: dialled.server.clone(), why: why.clone() });
        misses.push(Miss { dialled, why });
    }
}

/// Between two dials of equal rank, and between the remembered home and discovery (decision 9).
pub(crate) const STAGGER: Duration = Duration::from_millis(250);
