//! The program `homing-estate`: one process, a whole estate, one file that describes it.

mod calls_section;
mod check;
mod client;
mod config;
mod control;
mod error;
mod fault_section;
mod kept;
mod party_section;
mod quick;
mod reload;
mod serve;
mod server_section;
#[cfg(unix)]
mod socket;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::Value;

pub use config::{ConfigError, EstateConfig};

use error::CliError;
use fault_section::FaultSection;

use crate::expect::Pattern;
use crate::fault::Fault;

use crate::journal::{sanitize, sanitize_json};

/// An estate of SIP servers: home servers, a load distributor, DNS, certificates.
#[derive(Debug, Parser)]
#[command(name = "homing-estate", version, about, arg_required_else_help = true)]
struct Arguments {
    /// Print a commented configuration and end.
    #[arg(long)]
    example_config: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start the estate a file describes; ends cleanly on SIGTERM and Ctrl-C.
    Run {
        /// The configuration.
        file: PathBuf,
        /// What to print of the journal while it runs.
        #[arg(long, value_enum, default_value_t = JournalStyle::Decisions)]
        journal: JournalStyle,
    },
    /// Start an estate of one distributor and two home servers for tests in any language: prints one line of JSON that
    /// says where everything is, and ends with its standard input.
    Quick {
        /// The users to be, by name; their passwords are made up and written to files.
        #[arg(default_values_t = ["alice".to_owned(), "bob".to_owned()])]
        users: Vec<String>,
    },
    /// Make a server play a fault.
    Fault {
        /// Its short name.
        server: String,
        /// `silence`, or with values in JSON: `{"respond":{"status":486}}`.
        play: String,
        #[command(flatten)]
        limits: FaultLimits,
        #[command(flatten)]
        target: Target,
    },
    /// Play no more faults.
    ClearFaults {
        /// Of this server; of all without.
        server: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Wait for messages; fails with the nearest miss and the conversation.
    Expect {
        #[command(flatten)]
        message: ExpectedMessage,
        #[command(flatten)]
        target: Target,
    },
    /// Show the servers of a running estate.
    Status(Target),
    /// Show who sits where, and why.
    Users(Target),
    /// Assign a user to another home server; the next refresh leads the client there.
    Move {
        /// `alice` or `alice@network.com`.
        user: String,
        /// Short name of the home server.
        home: String,
        /// The reason, kept in the directory.
        #[arg(long, default_value = "by hand")]
        why: String,
        #[command(flatten)]
        target: Target,
    },
    /// Tell a user's clients to sign in again, from discovery.
    Recall {
        /// `alice` or `alice@network.com`.
        user: String,
        #[command(flatten)]
        target: Target,
    },
    /// Bar a user from signing in, and end what is held. It lasts until the estate ends or reads its file again.
    Disable {
        /// `alice` or `alice@network.com`.
        user: String,
        #[command(flatten)]
        target: Target,
    },
    /// Let a user sign in again.
    Enable {
        /// `alice` or `alice@network.com`.
        user: String,
        #[command(flatten)]
        target: Target,
    },
    /// Show the journal of a running estate.
    Journal {
        /// Go on with what is still to come.
        #[arg(long)]
        follow: bool,
        /// Only what comes after the entry with this number.
        #[arg(long, default_value_t = 0)]
        since: u64,
        #[command(flatten)]
        target: Target,
    },
    /// Stop one server as a crash would.
    Stop {
        /// Its short name.
        server: String,
        #[command(flatten)]
        target: Target,
    },
    /// Start a stopped server again.
    Restart {
        /// Its short name.
        server: String,
        #[command(flatten)]
        target: Target,
    },
}

/// To whom and how often a fault is played.
#[derive(Debug, clap::Args)]
struct FaultLimits {
    /// Only to this user.
    #[arg(long)]
    user: Option<String>,
    /// To this method instead of REGISTER; `*` for all.
    #[arg(long)]
    method: Option<String>,
    /// So many times instead of once.
    #[arg(long)]
    times: Option<u32>,
    /// Until it is taken away.
    #[arg(long, conflicts_with = "times")]
    always: bool,
}

/// Which messages are expected, how many, and for how long they are waited for.
#[derive(Debug, clap::Args)]
struct ExpectedMessage {
    /// Such as REGISTER.
    method: String,
    /// Responses with this status instead of requests.
    #[arg(long)]
    status: Option<u16>,
    /// Only of this user.
    #[arg(long)]
    user: Option<String>,
    /// Only at the server with this short name.
    #[arg(long)]
    server: Option<String>,
    /// Only with this header field, such as `Expires: 600`; may be given several times.
    #[arg(long)]
    header: Vec<String>,
    /// Exactly so many; at least one without.
    #[arg(long)]
    times: Option<usize>,
    /// Seconds to wait.
    #[arg(long, default_value_t = 0)]
    within: u32,
    /// Only after the entry of the journal with this number.
    #[arg(long, default_value_t = 0)]
    since: u64,
}

impl ExpectedMessage {
    fn section(self) -> control::ExpectSection {
        let field = |text: &String| match text.split_once(':') {
            Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
            None => (text.clone(), String::new()),
        };
        let headers = self.header.iter().map(field).collect();
        let Self { method, status, user, server, times, within, since, .. } = self;
        control::ExpectSection {
            message: Pattern { method: Some(method), status, user, server, headers },
            times,
            within_ms: u64::from(within) * 1_000,
            since,
        }
    }
}

/// A fault as a command line writes it: a word, or JSON.
fn fault(text: &str) -> Result<Fault, CliError> {
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    serde_json::from_value(value).map_err(|why| CliError::no_fault(text, &why))
}

/// Which running estate is meant.
#[derive(Debug, clap::Args)]
struct Target {
    /// The file the estate was started with.
    #[arg(long, short, default_value = "estate.toml")]
    config: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum JournalStyle {
    /// Nothing.
    Off,
    /// One line for each decision, with its reason.
    Decisions,
    /// Messages too, by their first lines.
    Ladder,
    /// One JSON object for each entry.
    Json,
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.example_config {
        say(config::EXAMPLE);
        return ExitCode::SUCCESS;
    }
    let Some(verb) = arguments.verb else { return ExitCode::from(USAGE) };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(&CliError::machine(format!("the system gives no runtime: {error}"))),
    };
    match runtime.block_on(verb.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

impl Verb {
    async fn run(self) -> Result<(), CliError> {
        let (target, command) = match self {
            Verb::Run { file, journal } => return serve::serve(&file, journal).await,
            Verb::Quick { users } => return quick::run(&users).await,
            Verb::Fault { server, play, limits, target } => {
                let FaultLimits { user, method, times, always } = limits;
                let section =
                    FaultSection::new(server, fault(&play)?).limited(user, method, times).always(always);
                (target, control::ControlCommand::Fault(section))
            }
            Verb::ClearFaults { server, target } => (target, control::ControlCommand::ClearFaults { server }),
            Verb::Expect { message, target } => (target, control::ControlCommand::Expect(message.section())),
            Verb::Status(target) => (target, control::ControlCommand::Status),
            Verb::Users(target) => (target, control::ControlCommand::Users),
            Verb::Move { user, home, why, target } => {
                (target, control::ControlCommand::Move { user, home, why })
            }
            Verb::Recall { user, target } => (target, control::ControlCommand::Recall { user }),
            Verb::Disable { user, target } => (target, control::ControlCommand::Disable { user }),
            Verb::Enable { user, target } => (target, control::ControlCommand::Enable { user }),
            Verb::Journal { follow, since, target } => {
                (target, control::ControlCommand::Journal { since, follow })
            }
            Verb::Stop { server, target } => (target, control::ControlCommand::Stop { server }),
            Verb::Restart { server, target } => (target, control::ControlCommand::Restart { server }),
        };
        let socket = EstateConfig::read(&target.config)?.control;
        let socket = socket.ok_or_else(|| {
            let hint = "Set `control` in its file and start it again.";
            CliError::new("S0403", "this estate has no control socket", hint)
        })?;
        show(&socket, &command, target.json)
    }
}

/// Gives a command to a running estate and prints its answer.
fn show(socket: &Path, command: &control::ControlCommand, json: bool) -> Result<(), CliError> {
    let pure = |value: &Value| sanitize_json(&(value.to_string() + "\n"));
    match command {
        control::ControlCommand::Users if json => {
            let mut before = "{\"v\":2,\"users\":[";
            client::users(socket, &mut |row| {
                say(before);
                before = ",";
                say(pure(row).trim_end());
            })?;
            // Without a row nothing was said yet.
            say(if before == "," { "]}\n" } else { "{\"v\":2,\"users\":[]}\n" });
        }
        control::ControlCommand::Users => client::users(socket, &mut |row| {
            say(&table::render_user(row));
        })?,
        control::ControlCommand::Journal { .. } => client::lines(socket, command, |entry| {
            say(&if json { pure(&entry) } else { table::render_entry(&entry) })
        })?,
        command => {
            let answer = client::ask(socket, command)?;
            say(&if json { pure(&answer) } else { table::render(&answer) });
        }
    }
    Ok(())
}

/// Prints to standard output. False where nobody reads any more; that is no error worth a word.
fn say(text: &str) -> bool {
    use std::io::Write as _;
    std::io::stdout().write_all(text.as_bytes()).is_ok()
}

fn report(complaint: &CliError) -> ExitCode {
    use std::io::Write as _;
    // What failed may quote what others wrote; the lines of a message of our own stay lines.
    let text = complaint.to_string();
    let lines: Vec<String> = text.lines().map(sanitize).collect();
    let _ = writeln!(std::io::stderr(), "homing-estate: {}", lines.join("\n"));
    ExitCode::FAILURE
}

/// Exit code for a command line that makes no sense, as clap gives it.
const USAGE: u8 = 2;

#[cfg(test)]
mod tests;
