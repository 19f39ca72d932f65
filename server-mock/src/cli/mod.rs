//! The program `homing-estate`: one process, a whole estate, one file that describes it.

mod client;
mod complaint;
mod config;
mod control;
mod serve;
#[cfg(unix)]
mod socket;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

pub use config::{ConfigError, EstateConfig};

use complaint::Complaint;

use crate::journal::{harmless, harmless_json};

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
    /// Tell a user's clients to sign in anew, from discovery.
    Recall {
        /// `alice` or `alice@network.com`.
        user: String,
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
        Err(error) => return complain(&Complaint::machine(format!("the system gives no runtime: {error}"))),
    };
    match runtime.block_on(verb.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

impl Verb {
    async fn run(self) -> Result<(), Complaint> {
        let (target, order) = match self {
            Verb::Run { file, journal } => return serve::serve(&file, journal).await,
            Verb::Status(target) => (target, control::Order::Status),
            Verb::Users(target) => (target, control::Order::Users),
            Verb::Move { user, home, why, target } => (target, control::Order::Move { user, home, why }),
            Verb::Recall { user, target } => (target, control::Order::Recall { user }),
            Verb::Stop { server, target } => (target, control::Order::Stop { server }),
            Verb::Restart { server, target } => (target, control::Order::Restart { server }),
        };
        let socket = EstateConfig::read(&target.config)?.control;
        let socket = socket.ok_or_else(|| {
            let hint = "Set `control` in its file and start it again.";
            Complaint::new("S0403", "this estate has no control socket", hint)
        })?;
        let answer = client::ask(&socket, &order).await?;
        say(&if target.json { harmless_json(&(answer.to_string() + "\n")) } else { table::render(&answer) });
        Ok(())
    }
}

/// Prints to standard output; a closed pipe is no error worth a word.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(complaint: &Complaint) -> ExitCode {
    use std::io::Write as _;
    // What failed may quote what somebody else wrote; the lines of a message of our own stay lines.
    let text = complaint.to_string();
    let lines: Vec<String> = text.lines().map(harmless).collect();
    let _ = writeln!(std::io::stderr(), "homing-estate: {}", lines.join("\n"));
    ExitCode::FAILURE
}

/// Exit code for a command line that makes no sense, as clap gives it.
const USAGE: u8 = 2;

#[cfg(test)]
mod tests;
