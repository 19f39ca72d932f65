//! Agent and account of one verb: from the configuration, or from arguments alone.

use std::future::Future;
use std::time::Duration;

use homing::{Account, Aor, UserAgent};
use toml::Value;

use crate::bridge::{EntryCredentials, RememberedServers, SIGN_OUT, agent_setup};
use crate::cli::args::{AccountArgs, Cli, SessionArgs, TraceFile};
use crate::config::{AccountEntry, Config, PasswordSource, Paths, TomlFault, new_epid, read_configuration};
use crate::messages::Problem;
use crate::report::{Console, Exit, Failure};
use crate::shell::Signals;
use crate::text::is_utf8_locale;

/// A verb with what it was given.
#[derive(Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) setup: &'a Setup,
    pub(crate) session: &'a SessionArgs,
}

/// The configuration of this run and where it lies.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) paths: Paths,
    /// What earlier logins taught is left aside.
    pub(crate) fresh: bool,
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
        let text =
            read_configuration(&paths.config).map_err(|fault| Failure::config(Problem::from(&fault)))?;
        // A variable that is no text is none of ours.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut config = Config::new(&text, variables).map_err(|error| {
            let fault = TomlFault::new(&text, &error);
            let hint = "Correct the line; nothing else of the file is used until then.";
            let sentence = format!("{}: {fault}", paths.config.display());
            Failure { excerpt: fault.excerpt, ..Failure::new(Exit::Config, "E0106", &sentence, hint) }
        })?;
        if let Some(folder) = paths.config.parent() {
            config = config.in_folder(folder);
        }
        let basic = cli.theme.basic.then(|| "never".to_owned());
        let texts = [
            ("ui.color", &basic.or_else(|| cli.theme.color.clone())),
            ("ui.layout", &cli.theme.layout),
            ("network.name_server", &cli.name_server),
            ("network.ca_file", &cli.ca_file),
        ];
        for (path, value) in texts {
            if let Some(value) = value {
                config.override_with(path, Value::String(value.clone()));
            }
        }
        if !is_utf8_locale(|name| std::env::var(name).ok()) && config.is_default("ui.ascii") {
            config.override_with("ui.ascii", Value::Boolean(true));
        }
        let flags = [
            ("ui.ascii", cli.theme.ascii || cli.theme.basic),
            ("ui.reduced_motion", cli.theme.basic),
            ("ui.announce", cli.theme.announce),
        ];
        for (path, _) in flags.into_iter().filter(|(_, wanted)| *wanted) {
            config.override_with(path, Value::Boolean(true));
        }
        if let Some(file) = &cli.key_log {
            config.log_keys(file.clone());
        }
        Ok(Self { config, paths, fresh: cli.fresh })
    }

    /// Starts an agent.
    ///
    /// # Errors
    /// The setting that is not usable.
    pub(crate) fn agent(&self) -> Result<UserAgent, Failure> {
        let fault = |fault| Failure::config(Problem::from(&fault));
        agent_setup(&self.config).map_err(fault)?.start().map_err(fault)
    }

    /// The account that is meant: one of the configuration, else one made of the arguments.
    ///
    /// # Errors
    /// No account, several, or an address that is none.
    pub(crate) fn entry(&self, args: &AccountArgs) -> Result<AccountEntry, Failure> {
        let mut accounts = self.config.accounts();
        let mut entry = match &args.account {
            Some(name) => {
                let new = AccountEntry::for_written_address(name)
                    .map_err(|error| Failure::from(&homing::Error::Config(error)))?;
                let wanted = new.address();
                accounts.into_iter().find(|entry| entry.address() == wanted).unwrap_or(new)
            }
            None if accounts.len() == 1 => accounts.remove(0),
            None if accounts.is_empty() => {
                let hint = "Name an address, or add an account: homing account add alice@corp.example";
                return Err(Failure::new(Exit::Config, "E0107", &"no account is configured", hint));
            }
            None => {
                let hint = "Name one (beside a URI: --account); `homing account list` shows them.";
                return Err(Failure::new(Exit::Config, "E0108", &"there are several accounts", hint));
            }
        };
        lay_over(&mut entry, args);
        Ok(entry)
    }

    /// An agent with the account that is meant, as a new endpoint: what it does leaves the binding of the
    /// configured endpoint alone, and signing out removes the new one only.
    ///
    /// # Errors
    /// As [`Setup::agent`] and [`Setup::entry`]; or the account is not usable.
    pub(crate) fn session(&self, session: &SessionArgs) -> Result<Session, Failure> {
        let mut entry = self.entry(&session.account)?;
        entry.set("epid", Value::String(new_epid()));
        self.session_of(&entry, session)
    }

    /// An agent with this account, as the endpoint it names.
    ///
    /// # Errors
    /// As [`Setup::agent`]; or the account is not usable.
    pub(crate) fn session_of(&self, entry: &AccountEntry, session: &SessionArgs) -> Result<Session, Failure> {
        let args = &session.account;
        let mut config = entry
            .account_config()
            .map_err(|fault| Failure::config(Problem::from(&crate::bridge::AddFault::Entry(fault))))?;
        let remembered = RememberedServers::load(Some(self.paths.remembered.clone()));
        config.remembered = remembered.recall(&config.aor, &entry.start()).filter(|_| !self.fresh);
        let source = args.password.source().unwrap_or_else(|| entry.password_source());
        let credentials = EntryCredentials::on_terminal(entry, source)
            .filled()
            .map_err(|fault| Failure::no_password(&fault))?;
        let agent = self.agent()?;
        let account = agent.account(config, credentials).map_err(|error| Failure::from(&error))?;
        Ok(Session { agent, account, trace: session.trace.clone() })
    }
}

impl Session {
    /// Works with the account for at most `timeout`; however it ends, the account is signed out and the
    /// trace is saved where that was asked for.
    ///
    /// # Errors
    /// The work's own failure, the timeout, an interruption, a binding that is left at the server, or that the trace
    /// cannot be written.
    pub(crate) fn run<T>(
        &self,
        timeout: Duration,
        console: &Console,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let result = runtime()?.block_on(async {
            let result = bounded(timeout, work).await;
            let state = self.account.state().words().word;
            (result.map_err(|failure| failure.while_in(state)), self.sign_out().await)
        });
        let kept = self.keep_trace(console);
        let (result, signed_out) = result;
        let result = result?;
        signed_out.and(kept).map(|()| result)
    }

    /// Signs out and ends the agent; a signal does not wait for the server.
    ///
    /// # Errors
    /// The server refused to remove the binding, or did not answer in time; an interruption.
    pub(crate) async fn sign_out(&self) -> Result<(), Failure> {
        let mut signals = Signals::new().map_err(|error| Failure::system(&error))?;
        let report = tokio::select! {
            report = self.agent.shutdown(SIGN_OUT) => report,
            () = signals.end() => return Err(interrupted()),
        };
        let left = report.left_behind().find_map(|(_, outcome)| Failure::sign_out(None, outcome));
        left.map_or(Ok(()), Err)
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
            Err(interrupted())
        }
    }
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "E0130", &"interrupted", "Start it again when you like.")
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
    let aor = Aor::read(text).map_err(|error| Failure::from(&homing::Error::Config(error)))?;
    Ok(format!("{}@{}", aor.user, aor.domain))
}

fn lay_over(entry: &mut AccountEntry, args: &AccountArgs) {
    for (key, value) in [("server", &args.server), ("user", &args.user), ("domain", &args.domain)] {
        if let Some(value) = value {
            entry.set(key, Value::String(value.clone()));
        }
    }
    if !args.transport.is_empty() {
        let names = args.transport.iter().map(|name| Value::String(name.to_ascii_lowercase())).collect();
        entry.set("transports", Value::Array(names));
    }
    match args.password.source() {
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
