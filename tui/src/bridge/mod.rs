//! Between the phone and the user agent: effects become calls, what the agent tells becomes messages.

mod account_check;
mod agent;
mod calls;
mod event_stream;
mod files;
mod hooks;
mod prompts;
mod reload;
mod remembered_servers;
mod unverified_password;

pub(crate) use account_check::{AccountCheck, check_of};
pub(crate) use agent::{StartFault, agent_setup};
pub(crate) use prompts::{EntryCredentials, GivenPassword, Prompts};
pub(crate) use remembered_servers::RememberedServers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use homing::dns::{DnsError, NoCandidate, ResolveError};
use homing::error::LoginError;
use homing::event::UnregisterOutcome;
use homing::sound::{DeviceChoice, Devices};
use homing::{Account, AccountEvent, AccountId, Error, UserAgent};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use crate::bridge::calls::Calls;
use crate::bridge::hooks::Hooks;
use crate::bridge::unverified_password::UnverifiedPasswords;
use crate::config::{AccountEntry, Config, EntryFault, Paths, new_epid};
use crate::effect::Effect;
use crate::messages::{Notification, Problem};
use crate::model::Clock;
use crate::msg::{AccountMsg, Msg, TaskEnd, TaskMsg};
use crate::text::{ScreenText, screen_text};

/// What carries effects out. It lives on the shell's runtime; the agent runs on its own thread.
pub(crate) struct Bridge {
    agent: UserAgent,
    accounts: BTreeMap<AccountId, Account>,
    /// What the file says of those that are from there.
    entries: BTreeMap<AccountId, AccountEntry>,
    given: BTreeMap<AccountId, GivenPassword>,
    prompts: Prompts,
    /// Where the keys of the demo's estate go.
    estate: Option<UnboundedSender<char>>,
    running: BTreeMap<u64, AbortHandle>,
    tasks: u64,
    files: Option<Paths>,
    /// The configuration in force; none where the accounts are from elsewhere.
    config: Option<Config>,
    memory: RememberedServers,
    unverified: UnverifiedPasswords,
    /// Accounts of the wizard that have not signed in: the file does not have them yet.
    unsaved: BTreeSet<AccountId>,
    /// What earlier logins taught is left aside.
    fresh: bool,
    /// Addresses that another phone has signed in: here they are endpoints of their own.
    elsewhere: BTreeSet<String>,
    calls: Calls,
    hooks: Hooks,
    /// Calls that come in ring.
    takes_calls: bool,
    told: UnboundedSender<Msg>,
    inbox: UnboundedReceiver<Msg>,
    born: Instant,
}

impl Bridge {
    /// A bridge to an agent; `files` is none where nothing may be written (a demo).
    pub(crate) fn new(agent: UserAgent, files: Option<Paths>) -> Self {
        let (told, inbox) = unbounded_channel();
        event_stream::start(&agent, &told);
        let prompts = Prompts::new(told.clone());
        prompts.decide_redirects_of(&agent);
        let memory = RememberedServers::load(files.as_ref().map(|files| files.remembered.clone()));
        Self {
            agent,
            accounts: BTreeMap::new(),
            entries: BTreeMap::new(),
            given: BTreeMap::new(),
            prompts,
            estate: None,
            running: BTreeMap::new(),
            tasks: 0,
            files,
            config: None,
            memory,
            unverified: UnverifiedPasswords::default(),
            unsaved: BTreeSet::new(),
            fresh: false,
            elsewhere: BTreeSet::new(),
            calls: Calls::new(told.clone()),
            hooks: Hooks::new(told.clone()),
            takes_calls: false,
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

    /// Accounts begin where they say, whatever home server an earlier login found.
    pub(crate) fn set_fresh(&mut self, fresh: bool) {
        self.fresh = fresh;
    }

    /// Accounts with these addresses are signed in by another phone, which has the configured endpoint: here
    /// they get a new one, and what is learned of their home server is not kept.
    pub(crate) fn set_elsewhere(&mut self, addresses: BTreeSet<String>) {
        self.elsewhere = addresses;
    }

    /// Accounts that are taken in from now on make and take calls, where the file does not say otherwise.
    pub(crate) fn take_calls(&mut self) {
        self.takes_calls = true;
    }

    /// Microphone and loudspeaker as the configuration names them; the system's where it does not.
    fn devices(&self) -> Devices {
        let named = |path| {
            let name = self.config.as_ref().map(|config| config.text(path)).unwrap_or_default();
            if name.is_empty() { DeviceChoice::Default } else { DeviceChoice::Named(name) }
        };
        Devices { input: named("audio.input"), output: named("audio.output"), ..Devices::default() }
    }

    /// The accounts it has, in the order of their ids.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// The agent that every account of the phone signs in with.
    pub(crate) fn agent(&self) -> &UserAgent {
        &self.agent
    }

    /// The instant of now.
    pub(crate) fn clock(&self) -> Clock {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Clock { since_start: self.born.elapsed(), wall }
    }

    /// Keys of the demo's estate go there from now on.
    #[cfg(feature = "demo")]
    pub(crate) fn set_estate_keys(&mut self, keys: UnboundedSender<char>) {
        self.estate = Some(keys);
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
        config.calls = config.calls.filter(|_| self.takes_calls);
        config.remembered = self.memory.recall(&config.aor, &entry.start()).filter(|_| !self.fresh);
        self.memory.start(&config.aor, entry.start());
        let credentials = match prompt {
            Prompt::Screen => EntryCredentials::on_screen(&entry, self.prompts.clone()),
            Prompt::Terminal => EntryCredentials::on_terminal(&entry, entry.password_source()),
        };
        let given = credentials.given();
        let account = self.agent.account(config, credentials)?;
        let id = self.adopt(account);
        self.given.insert(id, given);
        self.entries.insert(id, entry);
        Ok(id)
    }

    /// Takes an account in that was made elsewhere.
    pub(crate) fn adopt(&mut self, account: Account) -> AccountId {
        let (id, aor) = (account.id(), account.aor().clone());
        if self.takes_calls {
            self.calls.listen(&account);
        }
        self.accounts.insert(id, account);
        self.tell(Msg::Account(AccountMsg::Added { id, aor }));
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
                // Events tell what became of it.
                account.unregister().await.map(|_| ScreenText::default())
            }),
            Effect::Options(id) => self.on_account(id, "OPTIONS", |account| async move {
                // The event tells what was answered.
                account.options().await.map(|_| ScreenText::default())
            }),
            Effect::Call(order) => self.calls.perform(order, &self.accounts, self.devices()),
            Effect::Consent { id, decision, always } => self.prompts.decide(id, decision, always),
            Effect::Password { id, password, keep } => files::take_password(self, id, password, keep),
            Effect::EstateKey(key) => {
                if let Some(estate) = &self.estate {
                    // The demo may have ended.
                    let _ = estate.send(key);
                }
            }
            Effect::SaveSetting { path, value } => files::save_setting(self, path, value),
            Effect::SaveTrace { form, entries } => files::save_trace(self, form, &entries),
            Effect::TestCredentials(id) => account_check::test_credentials(self, id),
            Effect::Reload(config) => reload::reload(self, &config),
            Effect::Admit(entry) => reload::admit(self, *entry),
            Effect::CancelTask(id) => self.cancel(id),
            Effect::Wizard(request) => files::wizard(self, request),
            Effect::Copy(_)
            | Effect::Announce(_)
            | Effect::Bell
            | Effect::Attention(_)
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
            match work.await {
                Ok(text) => TaskEnd::Done(text),
                Err(error) if error.login().is_some() => TaskEnd::FailedAsTold(Problem::from(&error)),
                Err(error) => TaskEnd::Failed(Problem::from(&error)),
            }
        });
    }

    /// Runs `work` as a task that can be watched and cancelled.
    fn run(&mut self, what: ScreenText, work: impl Future<Output = TaskEnd> + Send + 'static) {
        self.tasks += 1;
        let (id, told) = (self.tasks, self.told.clone());
        self.tell(Msg::Task(TaskMsg::Begun { id, what }));
        let task = tokio::spawn(async move {
            let end = work.await;
            // The shell may have ended first.
            let _ = told.send(Msg::Task(TaskMsg::Ended { id, end }));
        });
        self.running.retain(|_, handle| !handle.is_finished());
        self.running.insert(id, task.abort_handle());
    }

    fn cancel(&mut self, id: u64) {
        if let Some(handle) = self.running.remove(&id) {
            handle.abort();
            let end = TaskEnd::Done(ScreenText::of("no longer waited for"));
            self.tell(Msg::Task(TaskMsg::Ended { id, end }));
        }
    }

    /// Signs all accounts out and ends the agent.
    pub(crate) async fn sign_out(&self) -> Vec<LeftBehind> {
        let report = self.agent.shutdown(GRACE).await;
        let named = |(id, outcome)| {
            let aor = self.accounts.get(&id)?.aor();
            Some(LeftBehind { aor: format!("{}@{}", aor.user, aor.domain), outcome })
        };
        report.left_behind().filter_map(named).collect()
    }

    /// What the phone is told may have to be kept for the next run.
    fn notice(&mut self, msg: &Msg) {
        if let (Msg::Call(call), Some(config)) = (msg, &self.config) {
            let accounts = &self.accounts;
            let account = |id| accounts.get(&id).map(address).unwrap_or_default();
            self.hooks.handle(call, account, config);
        }
        if let Msg::Account(AccountMsg::Happened { id, what }) = msg
            && let Some(account) = self.accounts.get(id)
        {
            let aor = account.aor().clone();
            if !self.elsewhere.contains(&format!("{}@{}", aor.user, aor.domain)) {
                self.memory.handle(&aor, what);
            }
            if matches!(what, AccountEvent::Registered(_)) {
                files::save_account(self, *id);
            }
            if let Some(verdict) = self.unverified.handle(&aor, what) {
                files::keep_password(self, verdict);
            }
        }
    }

    /// Has something told to the person.
    fn notify(&self, notification: impl Into<Notification>) {
        self.tell(Msg::Notify(notification.into()));
    }

    fn tell(&self, msg: Msg) {
        // The inbox lives as long as the bridge.
        let _ = self.told.send(msg);
    }
}

/// An account whose server may hold its binding although the phone has ended.
pub(crate) struct LeftBehind {
    pub(crate) aor: String,
    pub(crate) outcome: UnregisterOutcome,
}

fn address(account: &Account) -> String {
    let aor = account.aor();
    format!("{}@{}", aor.user, aor.domain)
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

impl From<&AddFault> for Problem {
    fn from(fault: &AddFault) -> Self {
        match fault {
            AddFault::Entry(fault) => {
                Problem::new("E0101", fault, "Correct the account; `homing config check` names every fault.")
            }
            AddFault::Agent(error) => Problem::from(error),
            AddFault::Start(fault) => Problem::from(fault),
        }
    }
}

/// Where the agent would dial for a domain, one line per server; empty where DNS names none.
///
/// # Errors
/// What DNS said where no name server could be asked, or the rule that excludes all it named.
pub(crate) async fn plan(agent: &UserAgent, domain: &str) -> Result<Vec<ScreenText>, Problem> {
    let located = agent.plan(domain).await.map_err(|error| Problem::from(&error))?;
    match (&located.targets[..], located.end) {
        ([], NoCandidate::NoServer(why)) if why != ResolveError::Dns(DnsError::NoRecord) => {
            let error = LoginError::Resolve { domain: domain.to_owned(), why };
            Err(Problem::from(&error))
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
/// How long a verb that signed in waits for the answer to its sign-out.
pub(crate) const SIGN_OUT: Duration = Duration::from_secs(5);
