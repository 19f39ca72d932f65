//! A cache before a resolver: keeps to lifetimes, remembers what does not exist, serves old answers
//! while name servers are silent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt, Shared, WeakShared};
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion};

use super::resolve::Resolve;

/// What answers questions that are not cached: an answer with its lifetime, also if it is a no.
pub(super) trait Source: Send + Sync + 'static {
    fn fetch(self: Arc<Self>, question: DnsQuestion) -> Fetch;
}

/// A question under way.
pub(super) type Fetch = BoxFuture<'static, Result<Fetched, Failure>>;

/// An answer, and whether it is all there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fetched {
    answer: DnsAnswer,
    /// False while one family of addresses has not answered: it serves now and is not kept.
    whole: bool,
}

impl Fetched {
    /// All records there are.
    pub(super) fn whole(answer: DnsAnswer) -> Self {
        Self { answer, whole: true }
    }

    /// The addresses of one family, while the other is silent. Its lifetime is zero: who has tried them all
    /// may ask again.
    pub(super) fn half(answer: DnsAnswer) -> Self {
        Self { answer: DnsAnswer { ttl: Duration::ZERO, ..answer }, whole: false }
    }
}

/// A question without an answer, and for how long that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) why: DnsError,
    pub(super) ttl: Duration,
}

/// Answers kept, at most [`ENTRIES`], the oldest going first. Who asks what is being asked already waits
/// for that answer: a crowd of accounts of one domain asks once.
pub(super) struct Cache<S> {
    source: Arc<S>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: BTreeMap<DnsQuestion, Entry>,
    oldest_first: VecDeque<DnsQuestion>,
    under_way: BTreeMap<DnsQuestion, WeakShared<Fetch>>,
}

#[derive(Clone)]
struct Entry {
    answer: Result<DnsAnswer, DnsError>,
    until: Instant,
}

impl<S: Source> Cache<S> {
    pub(super) fn new(source: S) -> Self {
        Self { source: Arc::new(source), kept: Mutex::default() }
    }

    async fn answer(&self, question: DnsQuestion, clock: fn() -> Instant) -> Result<DnsAnswer, DnsError> {
        let (old, fetch) = {
            let mut kept = self.lock();
            let old = kept.answers.get(&question).cloned();
            if let Some(entry) = &old
                && clock() < entry.until
            {
                return entry.served(clock());
            }
            (old, kept.fetch(&question, &self.source))
        };
        let answer = fetch.await;
        let mut kept = self.lock();
        kept.under_way.remove(&question);
        match answer {
            Ok(Fetched { answer, whole: false }) => Ok(answer),
            Ok(Fetched { answer, whole: true }) => {
                let until = clock() + answer.ttl.clamp(SHORTEST, LONGEST);
                kept.keep(question, Entry { answer: Ok(answer.clone()), until });
                Ok(answer)
            }
            Err(Failure { why: DnsError::NoRecord, ttl }) => {
                let until = clock() + ttl.clamp(SHORTEST, LONGEST_NO);
                kept.keep(question, Entry { answer: Err(DnsError::NoRecord), until });
                Err(DnsError::NoRecord)
            }
            Err(failure) => match old {
                // An old answer is better than none while nobody can be asked.
                Some(old) if old.answer.is_ok() && clock() < old.until + STALE => old.served(clock()),
                _ => Err(failure.why),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Source> Resolve for Cache<S> {
    fn resolve(&self, question: DnsQuestion) -> BoxFuture<'_, Result<DnsAnswer, DnsError>> {
        Box::pin(self.answer(question, Instant::now))
    }
}

impl Kept {
    /// Joins the question that is under way, or asks it. One that all askers gave up is asked again.
    fn fetch<S: Source>(&mut self, question: &DnsQuestion, source: &Arc<S>) -> Shared<Fetch> {
        if let Some(fetch) = self.under_way.get(question).and_then(WeakShared::upgrade) {
            return fetch;
        }
        let fetch = Arc::clone(source).fetch(question.clone()).shared();
        if let Some(weak) = fetch.downgrade() {
            self.under_way.insert(question.clone(), weak);
        }
        fetch
    }

    fn keep(&mut self, question: DnsQuestion, entry: Entry) {
        if self.answers.insert(question.clone(), entry).is_none() {
            self.oldest_first.push_back(question);
        }
        while self.answers.len() > ENTRIES {
            let Some(oldest) = self.oldest_first.pop_front() else { break };
            self.answers.remove(&oldest);
        }
    }
}

impl Entry {
    /// The answer as it is served from the cache: for the rest of its life, at no price.
    fn served(&self, now: Instant) -> Result<DnsAnswer, DnsError> {
        let ttl = self.until.saturating_duration_since(now);
        self.answer.clone().map(|answer| DnsAnswer { ttl, round_trips: 0, ..answer })
    }
}

const ENTRIES: usize = 10_000;
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(86_400);
/// How long something is taken not to exist at most: new users must not wait for hours.
const LONGEST_NO: Duration = Duration::from_secs(300);
/// How long an answer outlives itself while name servers are silent.
const STALE: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use homing_core::dns::{DnsRecords, RecordKind};

    use super::*;

    thread_local! {
        static AHEAD: Cell<Duration> = const { Cell::new(Duration::ZERO) };
        static START: Instant = Instant::now();
    }

    fn clock() -> Instant {
        START.with(|start| *start) + AHEAD.get()
    }

    fn at(seconds: u64) {
        AHEAD.set(Duration::from_secs(seconds));
    }

    /// Counts what it is asked, and answers as its script says.
    #[derive(Default)]
    struct Script(AtomicUsize, Mutex<Vec<Result<u64, Failure>>>);

    impl Source for Script {
        fn fetch(self: Arc<Self>, _: DnsQuestion) -> Fetch {
            self.0.fetch_add(1, Ordering::Relaxed);
            let next = self.1.lock().unwrap().remove(0);
            let records = || DnsRecords::Addresses(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
            let answer = move |seconds| DnsAnswer {
                records: records(),
                glue: Vec::new(),
                ttl: Duration::from_secs(seconds),
                round_trips: 1,
            };
            Box::pin(async move {
                tokio::task::yield_now().await;
                next.map(answer).map(Fetched::whole)
            })
        }
    }

    fn cache(script: Vec<Result<u64, Failure>>) -> Cache<Script> {
        Cache::new(Script(AtomicUsize::new(0), Mutex::new(script)))
    }

    fn ask(cache: &Cache<Script>) -> (Result<u8, DnsError>, usize) {
        let question = DnsQuestion { name: "hs1.network.com".to_owned(), kind: RecordKind::Address };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(cache.answer(question, clock));
        (answer.map(|answer| answer.round_trips), cache.source.0.load(Ordering::Relaxed))
    }

    #[test]
    fn answers_live_as_long_as_their_records() {
        at(0);
        let cache = cache(vec![Ok(30), Ok(0)]);
        assert_eq!(ask(&cache), (Ok(1), 1));
        at(29);
        assert_eq!(ask(&cache), (Ok(0), 1), "from the cache, at no price");
        at(30);
        assert_eq!(ask(&cache), (Ok(1), 2));
        assert_eq!(ask(&cache), (Ok(0), 2), "a lifetime of zero still serves one second");
    }

    #[test]
    fn what_does_not_exist_is_remembered() {
        at(0);
        let no = |seconds| Err(Failure { why: DnsError::NoRecord, ttl: Duration::from_secs(seconds) });
        let cache = cache(vec![no(3_600), Ok(5)]);
        assert_eq!(ask(&cache), (Err(DnsError::NoRecord), 1));
        at(299);
        assert_eq!(ask(&cache), (Err(DnsError::NoRecord), 1));
        at(300);
        assert_eq!(ask(&cache), (Ok(1), 2), "but not for longer than five minutes");
    }

    #[test]
    fn old_answers_serve_while_name_servers_are_silent() {
        at(0);
        let silence = || Err(Failure { why: DnsError::Timeout, ttl: Duration::ZERO });
        let cache = cache(vec![Ok(10), silence(), silence(), Ok(10)]);
        assert_eq!(ask(&cache), (Ok(1), 1));
        at(3_600);
        assert_eq!(ask(&cache), (Ok(0), 2));
        at(10 + 86_400);
        assert_eq!(ask(&cache), (Err(DnsError::Timeout), 3), "a day later it is forgotten");
        assert_eq!(ask(&cache), (Ok(1), 4), "silence itself is not remembered");
    }

    #[test]
    fn a_crowd_asks_once() {
        at(0);
        let cache = cache(vec![Ok(30)]);
        let question = DnsQuestion { name: "network.com".to_owned(), kind: RecordKind::Srv };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = (0..100).map(|_| cache.answer(question.clone(), clock));
        let answers = runtime.block_on(futures_util::future::join_all(all));
        assert!(answers.into_iter().all(|answer| answer.is_ok()));
        assert_eq!(cache.source.0.load(Ordering::Relaxed), 1);
        assert!(cache.lock().under_way.is_empty());
    }

    #[test]
    fn a_question_that_was_given_up_is_asked_anew() {
        at(0);
        let cache = cache(vec![Ok(1), Ok(30)]);
        let question = DnsQuestion { name: "hs1.network.com".to_owned(), kind: RecordKind::Address };
        let given_up = cache.answer(question, clock).now_or_never();
        assert!(given_up.is_none());
        assert_eq!(ask(&cache), (Ok(1), 2));
    }
}
