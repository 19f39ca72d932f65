//! Between the phone and the user agent: effects become calls, what the agent tells becomes messages.

mod account_check;
mod agent;
mod ask;
mod pump;
mod reload;
mod remember;
mod setup;
mod unproved;

pub(crate) use account_check::AccountCheck;
pub(crate) use agent::{StartFault, equip};
pub(crate) use ask::{Asker, Questions};
pub(crate) use remember::Memory;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use homing::dns::{DnsError, NoCandidate};
use homing::error::LoginError;
use homing::{Account, AccountId, Error, UserAgent};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use crate::bridge::unproved::Unproved;
use crate::config::{AccountEntry, Config, EntryFault, Paths, new_epid};
use crate::effect::Effect;
use crate::model::Clock;
use crate::msg::Msg;
use crate::screen::{accounts, tasks};
use crate::text::{ScreenText, screen_text};
use crate::words::Trouble;

/// What carries effects out. It lives on the shell's runtime; the agent runs on its own thread.
pub(crate) struct Bridge {
    agent: UserAgent,
    accounts: BTreeMap<AccountId, Account>,
    /// What the file says of those that are from there.
    entries: BTreeMap<AccountId, AccountEntry>,
    questions: Questions,
    /// A stage whose keys are pressed on the Accounts screen.
    stage: Option<UnboundedSender<char>>,
    running: BTreeMap<u64, AbortHandle>,
    tasks: u64,
    files: Option<Paths>,
    /// The configuration in force; none where the accounts are from elsewhere.
    config: Option<Config>,
    memory: Memory,
    unproved: Unproved,
    /// Addresses that another phone has signed in: here they are endpoints of their own.
    elsewhere: BTreeSet<String>,
    told: UnboundedSender<Msg>,
    inbox: UnboundedReceiver<Msg>,
    born: Instant,
}

impl Bridge {
    /// A bridge to an agent; `files` is none where nothing may be written (a demo).
    pub(crate) fn new(agent: UserAgent, files: Option<Paths>) -> Self {
        let (told, inbox) = unbounded_channel();
        pump::start(&agent, &told);
        let questions = Questions::new(told.clone());
        questions.decide_redirects_of(&agent);
        let memory = Memory::load(files.as_ref().map(|files| files.remembered.clone()));
        Self {
            agent,
            accounts: BTreeMap::new(),
            entries: BTreeMap::new(),
            questions,
            stage: None,
            running: BTreeMap::new(),
            tasks: 0,
            files,
            config: None,
            memory,
            unproved: Unproved::default(),
            elsewhere: BTreeSet::new(),
            told,
            inbox,
            born: Instant::now(),
        }
    }

    /// Where others may put messages for the phone.
    #[cfg(feature = "demo")]
    pub(crate) fn line(&self) -> UnboundedSender<Msg> {
        self.told.clone()
    }

    /// The configuration that the accounts are from.
    pub(crate) fn set_config(&mut self, config: Config) {
        self.config = Some(config);
    }

    /// Accounts with these addresses are signed in by another phone, which has the configured endpoint: here
    /// they get a new one, and what is learned of their home server is not kept.
    pub(crate) fn set_elsewhere(&mut self, addresses: BTreeSet<String>) {
        self.elsewhere = addresses;
    }

    /// The accounts it has, in the order of their ids.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The agent.
    pub(crate) fn agent(&self) -> &UserAgent {
        &self.agent
    }

    /// The instant of now.
    pub(crate) fn clock(&self) -> Clock {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { since_start: self.born.elapsed(), wall }
    }

    /// Keys of the stage go there from now on.
    #[cfg(feature = "demo")]
    pub(crate) fn set_stage(&mut self, keys: UnboundedSender<char>) {
        self.stage = Some(keys);
    }

    /// Takes an account of the configuration in; where it names no password, one is asked for there.
    ///
    /// # Errors
    /// What is wrong with the entry, or what the agent says.
    pub(crate) fn add(&mut self, mut entry: AccountEntry, prompt: Prompt) -> Result<AccountId, AddFault> {
        if self.elsewhere.contains(&entry.address()) {
            entry.set("epid", toml::Value::String(new_epid()));
        }
        let mut config = entry.account_config()?;
        config.remembered = self.memory.recall(&config.aor);
        let asker = match prompt {
            Prompt::Screen => Asker::on_screen(&entry, self.questions.clone()),
            Prompt::Terminal => Asker::on_terminal(&entry, entry.password_source()),
        };
        let account = self.agent.account(config, asker)?;
        let id = self.adopt(account);
        self.entries.insert(id, entry);
        Ok(id)
    }

    /// Takes an account in that was made elsewhere.
    pub(crate) fn adopt(&mut self, account: Account) -> AccountId {
        let (id, aor) = (account.id(), account.aor().clone());
        self.accounts.insert(id, account);
        self.tell(Msg::Account(accounts::Msg::Added { id, aor }));
        id
    }

    /// The next message for the phone.
    pub(crate) async fn next(&mut self) -> Option<Msg> {
        let msg = self.inbox.recv().await;
        msg.inspect(|msg| self.notice(msg))
    }

    /// A message that is there already.
    pub(crate) fn next_now(&mut self) -> Option<Msg> {
        let msg = self.inbox.try_recv().ok();
        msg.inspect(|msg| self.notice(msg))
    }

    /// Carries an effect out; drawing and leaving are the shell's.
    pub(crate) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::SignIn(id) => self.sign_in(id),
            Effect::SignOut(id) => self.on_account(id, "sign out", |account| async move {
                account.unregister().await.map(|()| ScreenText::default())
            }),
            Effect::Options(id) => self.on_account(id, "OPTIONS", |account| async move {
                // The event tells what was answered.
                account.options().await.map(|_| ScreenText::default())
            }),
            Effect::Consent { id, decision, always } => self.questions.decide(id, decision, always),
            Effect::Password { id, password, keep } => self.take_password(id, password, keep),
            Effect::Stage(key) => {
                if let Some(stage) = &self.stage {
                    // A stage that has ended hears no more keys.
                    let _ = stage.send(key);
                }
            }
            Effect::SaveSetting { path, value } => self.save_setting(path, value),
            Effect::SaveTrace { form, entries } => self.save_trace(form, &entries),
            Effect::TestCredentials(id) => self.test_credentials(id),
            Effect::Reload(config) => self.reload(&config),
            Effect::Admit(entry) => self.admit(*entry),
            Effect::CancelTask(id) => self.cancel(id),
            Effect::Wizard(request) => self.wizard(request),
            Effect::Copy(_)
            | Effect::Announce(_)
            | Effect::Bell
            | Effect::Redraw
            | Effect::Suspend
            | Effect::Leave => {}
        }
    }

    fn sign_in(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get(&id) else { return };
        if account.state().is_reachable() {
            self.on_account(id, "refresh", |account| async move {
                account.refresh().await.map(|_| ScreenText::default())
            });
        } else {
            self.on_account(id, "sign in", |account| async move {
                account.register().await.map(|_| ScreenText::default())
            });
        }
    }

    /// Runs what takes time with an account as a task that can be watched and cancelled.
    fn on_account<F>(&mut self, id: AccountId, what: &'static str, work: impl FnOnce(Account) -> F)
    where
        F: Future<Output = Result<ScreenText, Error>> + Send + 'static,
    {
        let Some(account) = self.accounts.get(&id) else { return };
        let aor = account.aor().clone();
        let work = work(account.clone());
        self.run(screen_text!("{what} {}@{}", aor.user, aor.domain), async move {
            work.await.map_err(|error| (Trouble::from(&error), error.login().is_some()))
        });
    }

    /// Runs `work`; with its trouble comes whether an event tells it already.
    fn run<F>(&mut self, what: ScreenText, work: F)
    where
        F: Future<Output = Result<ScreenText, (Trouble, bool)>> + Send + 'static,
    {
        self.tasks += 1;
        let (id, told) = (self.tasks, self.told.clone());
        self.tell(Msg::Task(tasks::Msg::Begun { id, what }));
        let task = tokio::spawn(async move {
            let (result, told_already) = match work.await {
                Ok(text) => (Ok(text), false),
                Err((trouble, told_already)) => (Err(trouble), told_already),
            };
            // The shell may have ended first.
            let _ = told.send(Msg::Task(tasks::Msg::Ended { id, result, told: told_already }));
        });
        self.running.retain(|_, handle| !handle.is_finished());
        self.running.insert(id, task.abort_handle());
    }

    fn cancel(&mut self, id: u64) {
        if let Some(handle) = self.running.remove(&id) {
            handle.abort();
            let result = Ok(ScreenText::of("no longer waited for"));
            self.tell(Msg::Task(tasks::Msg::Ended { id, result, told: false }));
        }
    }

    /// What the phone is told may have to be kept for the next run.
    fn notice(&mut self, msg: &Msg) {
        if let Msg::Account(accounts::Msg::Happened { id, what }) = msg
            && let Some(account) = self.accounts.get(id)
        {
            let aor = account.aor().clone();
            if !self.elsewhere.contains(&format!("{}@{}", aor.user, aor.domain)) {
                self.memory.handle(&aor, what);
            }
            if let Some(proof) = self.unproved.handle(&aor, what) {
                self.keep_password(proof);
            }
        }
    }

    fn tell(&self, msg: Msg) {
        // The inbox lives as long as the bridge.
        let _ = self.told.send(msg);
    }
}

/// Where a person is asked for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Above the phone's screen.
    Screen,
    /// On the terminal, line by line.
    Terminal,
}

/// Why an account could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddFault {
    #[error("{0}")]
    Entry(#[from] EntryFault),
    #[error("{0}")]
    Agent(#[from] Error),
    #[error("{0}")]
    Start(#[from] StartFault),
}

impl From<&AddFault> for Trouble {
    fn from(fault: &AddFault) -> Self {
        match fault {
            AddFault::Entry(fault) => {
                Trouble::new("E0101", fault, "Correct the account; `homing config check` names every fault.")
            }
            AddFault::Agent(error) => Trouble::from(error),
            AddFault::Start(fault) => Trouble::from(fault),
        }
    }
}

/// Where the agent would dial for a domain, one line per server; empty where DNS names none.
///
/// # Errors
/// What DNS said where nobody could be asked.
pub(crate) async fn plan(agent: &UserAgent, domain: &str) -> Result<Vec<ScreenText>, Trouble> {
    let located = agent.plan(domain).await.map_err(|error| Trouble::from(&error))?;
    match (&located.targets[..], located.end) {
        ([], NoCandidate::NoServer(why)) if why != DnsError::NoRecord => {
            let error = LoginError::Resolve { domain: domain.to_owned(), why };
            Err(Trouble::from(&error))
        }
        (targets, _) => Ok(targets
            .iter()
            .map(|target| {
                screen_text!("{} {} at {} ({})", target.transport, target.name, target.addr, target.why)
            })
            .collect()),
    }
}

/// How long signing out may take when the phone ends.
pub(crate) const GRACE: Duration = Duration::from_millis(1_800);
