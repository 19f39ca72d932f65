//! What can be typed after `homing`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::cli::examples;
use crate::report::Console;
use crate::text::is_utf8_locale;
use crate::trace::{TraceFormat, TraceFormatError};

/// A phone that finds its home server.
///
/// Without a verb it opens the phone on this terminal. Verbs ask the phone that runs, which stays signed in;
/// where none runs they sign in as a new endpoint, and out again. Exit codes: 0 done, 2 usage, 3 configuration or
/// no running phone, 4 name resolution, 5 transport or TLS, 6 authentication, 7 redirect rules, 8 refused by the
/// peer, 9 timeout, 11 expectation failed, 130 interrupted.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
#[command(name = "homing", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    /// One JSON object per line on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Lines of change instead of a screen
    #[arg(long, global = true)]
    pub(crate) plain: bool,
    #[command(flatten)]
    pub(crate) theme: ThemeArgs,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Ask this name server, as address or address:port
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(crate) name_server: Option<String>,
    /// Trust the certificate authorities in this PEM file too
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<String>,
    /// Write the keys of this run's TLS connections to this file (mode 0600), for Wireshark: anyone who reads it
    /// can read what was sent
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_log: Option<PathBuf>,
    /// Begin where the account says, whatever home server an earlier login found
    #[arg(long, global = true)]
    pub(crate) fresh: bool,
    /// Leave a running phone alone: sign in as a new endpoint, which is removed at the end
    #[arg(long, global = true)]
    pub(crate) new_endpoint: bool,
    /// Give up after so long, such as 10s or 500ms
    #[arg(long, global = true, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub(crate) timeout: Duration,
}

/// How the phone looks in this run.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct ThemeArgs {
    /// Colours: never, 16, 256 or true
    #[arg(long, global = true, value_parser = ["never", "16", "256", "true"])]
    pub(crate) color: Option<String>,
    /// Draw with ASCII only
    #[arg(long, global = true)]
    pub(crate) ascii: bool,
    /// ASCII only, no colours, nothing moves
    #[arg(long, global = true)]
    pub(crate) basic: bool,
    /// Show at most so much: auto, three-panes, two-panes, one-pane or mini
    #[arg(long, global = true, value_parser = ["auto", "three-panes", "two-panes", "one-pane", "mini"])]
    pub(crate) layout: Option<String>,
    /// Say each change on standard error too, or as a notice of the terminal
    #[arg(long, global = true)]
    pub(crate) announce: bool,
}

/// What can be typed first; without one the phone opens.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// An estate inside this program, and a phone that is led to its home server
    #[cfg(feature = "demo")]
    Demo(Demo),
    /// Set up an account: find its servers, sign in once, keep it
    #[command(after_help = examples::INIT)]
    Init(Init),
    /// Sign in
    #[command(visible_alias = "register", after_help = examples::LOGIN)]
    Login(Login),
    /// Have the running phone sign an account out; the phone stays
    #[command(after_help = examples::LOGOUT)]
    Logout(Logout),
    /// Ask the running phones how their accounts stand
    Status(Status),
    /// Show what the running phones do, until Ctrl-C; they go on
    #[command(after_help = examples::ATTACH)]
    Attach(Attach),
    /// Print which servers would be dialled for a domain, in order, with the reason of each
    #[command(after_help = examples::RESOLVE)]
    Resolve(Resolve),
    /// Look at redirects
    #[command(subcommand)]
    Redirect(Redirect),
    /// Ask the home server, or the owner of any SIP URI, whether it is there
    #[command(after_help = examples::OPTIONS, mut_arg("account", |arg| arg.value_name("ACCOUNT|URI").help(
        "An account, whose home server is asked, or a SIP URI (sip:…), whose owner is asked",
    )))]
    Options(Options),
    /// Call somebody: play, record, dial, and hang up
    #[command(after_help = examples::CALL, mut_arg("account", |arg| arg.value_name("ADDRESS|URI").help(
        "Whom to call: an address, or a SIP URI (sip:…)",
    )))]
    Call(Call),
    /// Check configuration, terminal, DNS, TLS and login
    Doctor(SessionArgs),
    /// Accounts of the configuration
    #[command(subcommand, after_help = examples::ACCOUNT)]
    Account(Account),
    /// Settings
    #[command(subcommand, after_help = examples::CONFIG)]
    Config(Config),
    /// Traces that were saved
    #[command(subcommand, after_help = examples::TRACE)]
    Trace(Trace),
    /// Recompute every token, signature and digest of a capture, a log of messages or a saved trace
    #[command(after_help = examples::VERIFY)]
    Verify(Verify),
    /// Print completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(Completions),
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man(Man),
    /// Print the version
    Version,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Seed of the estate's chance
    #[arg(long, default_value_t = 42)]
    pub(crate) seed: u64,
}

/// Which account, or one made of arguments.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AccountArgs {
    /// An account of the configuration, by its address, or any address
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// Start at this server instead of asking DNS: host or host:port
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) server: Option<String>,
    /// Transports allowed: tls, tcp, udp
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) transport: Vec<String>,
    /// User name for the login, if it is not the address's
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Windows domain for NTLM
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<String>,
    #[command(flatten)]
    pub(crate) password: PasswordFrom,
}

/// An account that servers are visited for.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SessionArgs {
    #[command(flatten)]
    pub(crate) account: AccountArgs,
    /// Save every message, secrets masked, in the form the name ends in: .pcap, .txt, .jsonl or .mmd
    #[arg(long, value_name = "FILE", value_parser = trace_file)]
    pub(crate) trace: Option<TraceFile>,
}

/// A file that a trace is written to.
#[derive(Clone, Debug)]
pub(crate) struct TraceFile {
    pub(crate) path: PathBuf,
    pub(crate) form: TraceFormat,
}

/// Where the password comes from; it is prompted for if nothing else is said.
#[derive(Clone, Debug, Default, Args)]
#[group(multiple = false)]
pub(crate) struct PasswordFrom {
    /// Read the password from a file of mode 0600
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Read the password from an open file descriptor
    #[arg(long, value_name = "NUMBER")]
    pub(crate) password_fd: Option<u32>,
    /// Run a command that prints the password; separated at spaces, no shell
    #[arg(long, value_name = "COMMAND")]
    pub(crate) password_command: Option<String>,
    /// Take the password from the desktop's keyring (builds with feature `keyring`)
    #[arg(long)]
    pub(crate) password_keyring: bool,
}

/// `homing options`: an address names an account whose home server is asked, a URI whom to ask.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Ask a URI through the home server of this account
    #[arg(long = "account", value_name = "ADDRESS")]
    pub(crate) through: Option<String>,
    /// Ask a URI directly, without signing in
    #[arg(long, conflicts_with = "through")]
    pub(crate) direct: bool,
}

/// `homing call`: the address names whom to call.
#[derive(Debug, Args)]
pub(crate) struct Call {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Call from this account
    #[arg(long = "account", value_name = "ADDRESS")]
    pub(crate) through: Option<String>,
    /// Play a WAV file once, or `tone`: 1000 Hz for two seconds
    #[arg(long, value_name = "FILE|tone")]
    pub(crate) play: Option<String>,
    /// Record both sides into a WAV file: left what is said, right what is heard
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Send these digits after what is played: 0-9, *, #, A-D
    #[arg(long, value_name = "DIGITS")]
    pub(crate) dtmf: Option<String>,
    /// Hang up so long after what is played and dialled: 30s, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// Exit 11 unless it comes to this: `connected`, or the status that refuses it, such as 486
    #[arg(long, value_name = "OUTCOME")]
    pub(crate) expect: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Keep the account even if it cannot sign in now
    #[arg(long)]
    pub(crate) keep_anyway: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Sign in, print the journey, sign out (the default)
    #[arg(long, conflicts_with_all = ["watch", "wait"])]
    pub(crate) once: bool,
    /// Stay signed in and print every change until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
    /// Wait for a state, such as registered,10s; then sign out
    #[arg(long, value_name = "STATE,TIME", value_parser = expectation)]
    pub(crate) wait: Option<Expectation>,
}

/// A state to be reached in time.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    pub(crate) state: homing::AccountState,
    pub(crate) within: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    /// Its address; the configuration's only account if none is named
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Keep asking, and print every change
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Attach {
    /// Only this account
    #[arg(value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The SIP domain, or an address in it
    pub(crate) domain: String,
    /// Transports allowed: tls, tcp, udp
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "tls")]
    pub(crate) transport: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Redirect {
    /// Sign in once and print every hop with its signature and the decision taken
    Trace(SessionArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Add an account to the configuration
    Add(AccountArgs),
    /// List the accounts
    List,
    /// Sign in and out once
    Test(SessionArgs),
    /// Remove an account from the configuration
    Rm {
        /// Its address
        account: String,
    },
    /// Change one setting of an account
    Edit {
        /// Its address
        account: String,
        /// The setting
        key: String,
        /// Its new value
        value: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Say what is odd about the file
    Check,
    /// Print the settings in force
    Show {
        /// With the place each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Change a setting
    Set {
        /// Its path, such as ui.theme
        key: String,
        /// Its new value
        value: String,
    },
    /// Print the JSON schema of the file
    Schema,
    /// Rename settings that have another name elsewhere to the name they have here
    Migrate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trace {
    /// Turn a saved trace into another form, by the end of the name: .pcap, .txt, .jsonl or .mmd
    Export {
        /// A trace as JSON lines, saved by `--trace FILE.jsonl` or by the phone
        from: PathBuf,
        /// The file to write
        #[arg(value_parser = trace_file)]
        to: TraceFile,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A packet capture, a message log, or a saved trace
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) password: PasswordFrom,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell that is to complete, such as bash or zsh
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// A verb; without one, the page of the program
    pub(crate) verb: Vec<String>,
}

/// Reads `500ms`, `10s`, `2m`; a bare number counts seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is not a time; write 10s or 500ms"))?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        unit => Err(format!("`{unit}` is not a unit of time (ms, s, m)")),
    }
}

fn expectation(text: &str) -> Result<Expectation, String> {
    let (word, time) = text.split_once(',').unwrap_or((text, "30s"));
    let state = homing::AccountState::ALL
        .into_iter()
        .find(|state| state.words().word == word)
        .ok_or_else(|| format!("`{word}` is not a state; the help of `homing` lists them"))?;
    Ok(Expectation { state, within: duration(time)? })
}

fn trace_file(text: &str) -> Result<TraceFile, TraceFormatError> {
    let path = PathBuf::from(text);
    TraceFormat::of(&path).map(|form| TraceFile { path, form })
}

impl Cli {
    /// Where verbs print; programs read JSON even if people want quiet.
    pub(crate) fn console(&self) -> Console {
        match (self.json, self.quiet) {
            (true, _) => Console::Json,
            (false, true) => Console::Quiet,
            (false, false) if self.theme.ascii || self.theme.basic => Console::Ascii,
            (false, false) if !is_utf8_locale(|name| std::env::var(name).ok()) => Console::Ascii,
            (false, false) => Console::Sentences,
        }
    }
}

impl PasswordFrom {
    /// The source that was named, if one was.
    pub(crate) fn source(&self) -> Option<crate::config::PasswordSource> {
        use crate::config::PasswordSource;
        let words = |text: &String| text.split_whitespace().map(str::to_owned).collect();
        let file = self.password_file.clone().map(PasswordSource::File);
        let descriptor = || self.password_fd.map(PasswordSource::Descriptor);
        let command = || self.password_command.as_ref().map(|text| PasswordSource::Command(words(text)));
        let keyring = || self.password_keyring.then_some(PasswordSource::Keyring);
        file.or_else(descriptor).or_else(command).or_else(keyring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_argument_takes_a_password() {
        fn walk(command: &clap::Command) {
            for arg in command.get_arguments() {
                assert_ne!(arg.get_id().as_str(), "password", "{}", command.get_name());
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Cli::command());
    }

    #[test]
    fn times_and_states_are_read() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert!(duration("10y").is_err() && duration("s").is_err());
        let expected = expectation("registered,10s").expect("a state and a time");
        assert_eq!(
            (expected.state, expected.within),
            (homing::AccountState::Registered, Duration::from_secs(10))
        );
        assert!(expectation("happy").is_err());
    }
}
