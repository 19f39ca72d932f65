//! The questions where the agent's questions are worked on: names, passwords, consent; each with its time.

use std::collections::BTreeMap;
use std::future::Future;
use std::future::ready;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use homing_core::description::DescriptionRefusal;
use homing_core::dns::DnsError;
use homing_core::ids::{AccountId, AskId, CallId};
use homing_core::locate::Request;
use homing_core::outbox::{Answer, Decision, Question};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::timeout_at;
use tracing::Instrument;

use crate::call::Describer;
use crate::command::Reply;
use crate::credentials::{AnyCredentials, CredentialsRequest};
use crate::dns::Resolver;
use crate::dns::{Located, locate};
use crate::redirect::RedirectPolicy;

/// The questions under way. What is asked of the application never runs inside the agent.
pub(super) struct Questions {
    resolver: Resolver,
    providers: BTreeMap<AccountId, Arc<dyn AnyCredentials>>,
    policy: Option<Arc<dyn RedirectPolicy>>,
    describer: Option<Describer>,
    /// Of calls that have one of their own.
    describers: BTreeMap<CallId, Describer>,
    /// With the task that works on it; none where the answer was at hand and only waits to be taken.
    under_way: BTreeMap<AskId, Option<AbortHandle>>,
    finished: mpsc::UnboundedSender<(AskId, Answer)>,
    answers: mpsc::UnboundedReceiver<(AskId, Answer)>,
}

impl Questions {
    pub(super) fn new(resolver: Resolver, describer: Option<Describer>) -> Self {
        // As many answers as there are questions: the agent bounds them.
        let (finished, answers) = mpsc::unbounded_channel();
        Self {
            resolver,
            providers: BTreeMap::new(),
            policy: None,
            describer,
            describers: BTreeMap::new(),
            under_way: BTreeMap::new(),
            finished,
            answers,
        }
    }

    pub(super) fn add(&mut self, account: AccountId, provider: Arc<dyn AnyCredentials>) {
        self.providers.insert(account, provider);
    }

    pub(super) fn remove(&mut self, account: AccountId) {
        self.providers.remove(&account);
    }

    /// True where the application describes the sessions of all calls that nobody else describes.
    pub(super) fn has_describer(&self) -> bool {
        self.describer.is_some()
    }

    /// Asks this describer about that call from now on.
    pub(super) fn describe_by(&mut self, call: CallId, describer: Describer) {
        self.describers.insert(call, describer);
    }

    /// A call is over.
    pub(super) fn forget_call(&mut self, call: CallId) {
        self.describers.remove(&call);
    }

    pub(super) fn policy(&mut self, policy: Arc<dyn RedirectPolicy>) {
        self.policy = Some(policy);
    }

    /// Starts work on a question; when its time is over it is answered with a no.
    pub(super) fn ask(&mut self, id: AskId, question: Question, until: Option<Instant>) {
        match question {
            Question::Resolve(question) => {
                let resolver = self.resolver.clone();
                let span = tracing::debug_span!("sip.dns", name = ?question.name, kind = ?question.kind);
                let work = async move { Answer::Resolved(resolver.resolve(question).await) };
                let work = work.instrument(span);
                self.work(id, work, Answer::Resolved(Err(DnsError::Timeout)), until);
            }
            Question::Credentials { account, server, realm, refused_before } => {
                let provider = self.providers.get(&account).cloned();
                let request = CredentialsRequest { account, server, realm, refused_before };
                let work = async move {
                    match provider {
                        Some(provider) => Answer::Credentials(provider.ask(request).await),
                        None => Answer::Credentials(None),
                    }
                };
                self.work(id, work, Answer::Credentials(None), until);
            }
            Question::Describe(question) => {
                // RFC 3261 section 20.43: 399 is for what no other code says.
                let none = DescriptionRefusal::new(399, "no session description is at hand");
                let none = Answer::Described(Err(none));
                match self.describers.get(&question.call).or(self.describer.as_ref()) {
                    Some(describer) => {
                        let work = describer.clone().ask(question).map(Answer::Described);
                        self.work(id, work, none, until);
                    }
                    None => self.work(id, ready(none.clone()), none, until),
                }
            }
            Question::Redirect(attempt) => {
                let policy = self.policy.clone();
                let work = async move {
                    let Some(policy) = policy else { return Answer::Redirect(Decision::Stop) };
                    let decision = spawn_blocking(move || policy.decide(&attempt)).await;
                    // A policy that panics has not consented.
                    Answer::Redirect(decision.unwrap_or(Decision::Stop))
                };
                self.work(id, work, Answer::Redirect(Decision::Stop), until);
            }
        }
    }

    /// Looks for servers and replies with what was found.
    pub(super) fn locate(&self, request: Request, reply: Reply<Located>) {
        let resolver = self.resolver.clone();
        tokio::spawn(async move {
            let located = locate(request, &resolver).await;
            // The future that waits may have been dropped.
            let _ = reply.send(Ok(located));
        });
    }

    /// Stops work on a question.
    pub(super) fn forget(&mut self, id: AskId) {
        if let Some(Some(task)) = self.under_way.remove(&id) {
            task.abort();
        }
    }

    /// Waits for the next answer. Cancel-safe.
    pub(super) async fn next(&mut self) -> (AskId, Answer) {
        loop {
            // The questions holds a sender itself, so there is always a next one.
            if let Some((id, answer)) = self.answers.recv().await
                && self.under_way.remove(&id).is_some()
            {
                return (id, answer);
            }
        }
    }

    fn work(
        &mut self,
        id: AskId,
        work: impl Future<Output = Answer> + Send + 'static,
        too_late: Answer,
        until: Option<Instant>,
    ) {
        // A provider of the application that panics has given no answer; its panic ends here.
        let mut work = Box::pin(AssertUnwindSafe(work).catch_unwind());
        // Most answers are at hand: only what has to wait gets a task and a timer.
        if let Some(outcome) = (&mut work).now_or_never() {
            self.under_way.insert(id, None);
            // The questions itself takes it.
            let _ = self.finished.send((id, outcome.unwrap_or(too_late)));
            return;
        }
        let finished = self.finished.clone();
        let task = tokio::spawn(async move {
            let outcome = match until {
                Some(until) => timeout_at(until.into(), work).await.unwrap_or(Ok(too_late.clone())),
                None => work.await,
            };
            // The receiver is gone once the driver has ended.
            let _ = finished.send((id, outcome.unwrap_or(too_late)));
        });
        self.under_way.insert(id, Some(task.abort_handle()));
    }
}
