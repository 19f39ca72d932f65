//! `homing options`: asks the home server, or the owner of any SIP URI, whether it is there and what it takes.

use homing::account::Answered;
use homing::{Probe, Transport};

use crate::bridge::agent_setup;
use crate::cli::agent::{Invocation, Setup, block_on};
use crate::cli::args::{Cli, Options};
use crate::cli::running_phone;
use crate::control::Ask;
use crate::messages::Problem;
use crate::report::{Console, Exit, Failure, Output, options_verdict};

/// Runs the verb. A URI is asked through an account's home server, by the running phone where there is one;
/// directly if that is wanted, or if there is no account.
///
/// # Errors
/// Why the login failed or no server could be dialled; that the answer was a refusal, or that none came.
pub(crate) fn run(cli: &Cli, options: &Options, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let mut session = options.session.clone();
    let target = session.account.account.take_if(|name| is_uri(name));
    if let Some(target) = &target {
        check(target)?;
    }
    session.account.account = session.account.account.or_else(|| options.through.clone());
    let nobody = session.account.account.is_none() && setup.config.accounts().is_empty();
    let invocation = Invocation { cli, setup: &setup, session: &session };
    let asked = match &target {
        Some(target) if options.direct || nobody => directly(&invocation, target, console)?,
        _ => {
            let uri = target.clone();
            let ask = |aor| Ask::Options { aor, uri };
            if let Some(exit) = running_phone::ask(&invocation, ask, console)? {
                return Ok(exit);
            }
            through_home(&invocation, target.as_deref(), console)?
        }
    };
    console.tell(&Output::options(target.as_deref(), &asked.server, &asked.answered));
    options_verdict(&asked.server, &asked.answered)
}

/// Who answered what.
struct Asked {
    server: homing::ServerName,
    answered: Answered,
}

/// Signs in, asks, signs out.
fn through_home(
    invocation: &Invocation<'_>,
    target: Option<&str>,
    console: &Console,
) -> Result<Asked, Failure> {
    let session = invocation.setup.session(invocation.session)?;
    session.run(invocation.cli.timeout, console, async {
        let registration = session.account.register().await.map_err(|error| Failure::from(&error))?;
        let answered = match target {
            Some(uri) => session.account.options_of(uri).await,
            None => session.account.options().await,
        };
        let answered = answered.map_err(|error| Failure::from(&error))?;
        Ok(Asked { server: registration.home().clone(), answered })
    })
}

/// Dials where DNS leads, and asks there.
fn directly(invocation: &Invocation<'_>, target: &str, console: &Console) -> Result<Asked, Failure> {
    let Invocation { cli, setup, session } = *invocation;
    let agent = agent_setup(&setup.config).map_err(|fault| Failure::config(Problem::from(&fault)))?;
    let mut probe = Probe::with_tls(agent.resolver, agent.tls);
    if !session.account.transport.is_empty() {
        let words = session.account.transport.iter();
        let transports = words.map(|word| Transport::parse(word)).collect::<Option<Vec<_>>>();
        probe = probe.transports(transports.ok_or_else(Failure::no_transport)?);
    }
    let probed = block_on(cli.timeout, async { Ok(probe.options(target).await) })?;
    crate::cli::trace::keep(&probed.trace, session.trace.as_ref(), console)?;
    let answered = probed.outcome.map_err(|error| Failure::from(&error))?;
    // Who answered was dialled.
    let server = probed.server.unwrap_or_else(|| homing::ServerName::new(target, 0));
    Ok(Asked { server, answered })
}

/// A bare address names an account; a URI begins with its scheme.
fn is_uri(name: &str) -> bool {
    let scheme = name.split(':').next().unwrap_or_default();
    scheme.len() < name.len() && !scheme.contains('@')
}

fn check(target: &str) -> Result<(), Failure> {
    if Probe::accepts(target) {
        return Ok(());
    }
    let sentence = format!("`{target}` is not a SIP address");
    Err(Failure::new(Exit::Config, "E0133", &sentence, "Write sip:name@host, sip:host or sips:host:port."))
}
