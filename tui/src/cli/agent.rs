//! Agent and account of one verb: from the configuration, or from arguments alone.

use std::future::Future;
use std::time::Duration;

use homing::{Account, Aor, UserAgent};
use toml::Value;

use crate::bridge::{Asker, GRACE, Memory, equip};
use crate::cli::args::{Cli, TraceFile, Visit, Who};
use crate::config::{AccountEntry, Config, PasswordSource, Paths, new_epid, read};
use crate::report::{Console, Exit, Failure};
use crate::shell::Signals;
use crate::words::Trouble;

/// The configuration of this run and where it lies.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) paths: Paths,
}

/// An agent with one account on it.
pub(crate) struct Session {
    pub(crate) agent: UserAgent,
    pub(crate) account: Account,
    trace: Option<TraceFile>,
}

impl Setup {
    /// Reads the configuration and lays the arguments over it.
    ///
    /// # Errors
    /// A file that cannot be read or is no TOML.
    pub(crate) fn load(cli: &Cli) -> Result<Self, Failure> {
        let no_home = || {
            let hint = "Set HOME, or name a file with --config.";
            Failure::new(Exit::Config, "E0105", &"this user has no home folder", hint)
        };
        let paths = Paths::find(cli.config.clone()).ok_or_else(no_home)?;
        let text = read(&paths.config).map_err(|fault| Failure::config(Trouble::from(&fault)))?;
        // A variable that is no text is none of ours.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut config = Config::new(&text, variables).map_err(|error| {
            let hint = "Correct the line; nothing else of the file is used until then.";
            Failure::new(Exit::Config, "E0106", &format!("{}: {error}", paths.config.display()), hint)
        })?;
        let basic = cli.look.basic.then(|| "never".to_owned());
        let texts = [
            ("ui.color", &basic.or_else(|| cli.look.color.clone())),
            ("ui.layout", &cli.look.layout),
            ("network.name_server", &cli.name_server),
            ("network.ca_file", &cli.ca_file),
        ];
        for (path, value) in texts {
            if let Some(value) = value {
                config.override_with(path, Value::String(value.clone()));
            }
        }
        let flags = [
            ("ui.ascii", cli.look.ascii || cli.look.basic),
            ("ui.reduced_motion", cli.look.basic),
            ("ui.announce", cli.look.announce),
        ];
        for (path, _) in flags.into_iter().filter(|(_, wanted)| *wanted) {
            config.override_with(path, Value::Boolean(true));
        }
        Ok(Self { config, paths })
    }

    /// Starts an agent.
    ///
    /// # Errors
    /// The setting that is not usable.
    pub(crate) fn agent(&self) -> Result<UserAgent, Failure> {
        let fault = |fault| Failure::config(Trouble::from(&fault));
        equip(&self.config).map_err(fault)?.start().map_err(fault)
    }

    /// The account that is meant: one of the configuration, else one made of the arguments.
    ///
    /// # Errors
    /// No account, several, or an address that is none.
    pub(crate) fn entry(&self, who: &Who) -> Result<AccountEntry, Failure> {
        let mut accounts = self.config.accounts();
        let mut entry = match &who.account {
            Some(name) => {
                let aor = Aor::parse(name).map_err(|error| Failure::from(&homing::Error::Config(error)))?;
                let wanted = format!("{}@{}", aor.user, aor.domain);
                let known = accounts.into_iter().find(|entry| entry.address() == wanted);
                known.unwrap_or_else(|| AccountEntry::for_address(&aor))
            }
            None if accounts.len() == 1 => accounts.remove(0),
            None if accounts.is_empty() => {
                let hint = "Name an address, or add an account: homing account add alice@corp.example";
                return Err(Failure::new(Exit::Config, "E0107", &"no account is configured", hint));
            }
            None => {
                let hint = "Name one; `homing account list` shows them.";
                return Err(Failure::new(Exit::Config, "E0108", &"there are several accounts", hint));
            }
        };
        lay_over(&mut entry, who);
        Ok(entry)
    }

    /// An agent with the account that is meant, as a new endpoint: what it does leaves the binding of the
    /// configured endpoint alone, and signing out removes the new one only.
    ///
    /// # Errors
    /// As [`Setup::agent`] and [`Setup::entry`]; or the account is not usable.
    pub(crate) fn session(&self, visit: &Visit) -> Result<Session, Failure> {
        let mut entry = self.entry(&visit.who)?;
        entry.set("epid", Value::String(new_epid()));
        self.session_of(&entry, visit)
    }

    /// An agent with this account, as the endpoint it names.
    ///
    /// # Errors
    /// As [`Setup::agent`]; or the account is not usable.
    pub(crate) fn session_of(&self, entry: &AccountEntry, visit: &Visit) -> Result<Session, Failure> {
        let who = &visit.who;
        let mut config = entry
            .account_config()
            .map_err(|fault| Failure::config(Trouble::from(&crate::bridge::AddFault::Entry(fault))))?;
        config.remembered = Memory::load(Some(self.paths.remembered.clone())).recall(&config.aor);
        let source = who.password.source().unwrap_or_else(|| entry.password_source());
        let asker =
            Asker::on_terminal(entry, source).filled().map_err(|fault| Failure::no_password(&fault))?;
        let agent = self.agent()?;
        let account = agent.account(config, asker).map_err(|error| Failure::from(&error))?;
        Ok(Session { agent, account, trace: visit.trace.clone() })
    }
}

impl Session {
    /// Works with the account for at most `timeout`; however it ends, the account is signed out and the
    /// trace is saved where that was asked for.
    ///
    /// # Errors
    /// The work's own failure, the timeout, an interruption, or that the trace cannot be written.
    pub(crate) fn run<T>(
        &self,
        timeout: Duration,
        console: &Console,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let result = runtime()?.block_on(async {
            let result = bounded(timeout, work).await;
            let state = self.account.state().words().word;
            self.agent.shutdown(GRACE).await;
            result.map_err(|failure| failure.while_in(state))
        });
        let kept = self.keep_trace(console);
        let result = result?;
        kept.map(|()| result)
    }

    /// Saves the trace where that was asked for.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn keep_trace(&self, console: &Console) -> Result<(), Failure> {
        crate::cli::trace::keep(&self.agent.trace(), self.trace.as_ref(), console)
    }
}

/// Runs a future on a runtime of its own, for at most `timeout`; a signal ends it.
///
/// # Errors
/// The future's own failure, the timeout, or an interruption.
pub(crate) fn block_on<T>(
    timeout: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    runtime()?.block_on(bounded(timeout, work))
}

async fn bounded<T>(timeout: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut signals = Signals::new().map_err(|error| Failure::system(&error))?;
    tokio::select! {
        result = tokio::time::timeout(timeout, work) => {
            result.unwrap_or_else(|_| Err(Failure::timeout(timeout)))
        }
        () = signals.end() => {
            Err(Failure::new(Exit::Interrupted, "E0130", &"interrupted", "Start it again when you like."))
        }
    }
}

/// The runtime of the phone; the agent has its own thread.
///
/// # Errors
/// What the system refuses.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system(&error))
}

/// An address as `user@domain`.
///
/// # Errors
/// It is none.
pub(crate) fn address(text: &str) -> Result<String, Failure> {
    let aor = Aor::parse(text).map_err(|error| Failure::from(&homing::Error::Config(error)))?;
    Ok(format!("{}@{}", aor.user, aor.domain))
}

fn lay_over(entry: &mut AccountEntry, who: &Who) {
    for (key, value) in [("server", &who.server), ("user", &who.user), ("domain", &who.domain)] {
        if let Some(value) = value {
            entry.set(key, Value::String(value.clone()));
        }
    }
    if !who.transport.is_empty() {
        let names = who.transport.iter().map(|name| Value::String(name.to_ascii_lowercase())).collect();
        entry.set("transports", Value::Array(names));
    }
    match who.password.source() {
        Some(PasswordSource::File(path)) => {
            // The account may be used from another folder later.
            let path = std::path::absolute(&path).unwrap_or(path);
            entry.set("password_file", Value::String(path.display().to_string()));
        }
        Some(PasswordSource::Command(words)) => {
            entry.set("password_command", Value::Array(words.into_iter().map(Value::String).collect()));
        }
        Some(PasswordSource::Keyring) => entry.set("password_keyring", Value::Boolean(true)),
        Some(PasswordSource::Descriptor(_) | PasswordSource::Prompt) | None => {}
    }
}
