//! `homing options`: asks the home server, or the owner of any SIP URI, whether it is there and what it takes.

use homing::account::Answered;
use homing::{Probe, Transport};

use crate::bridge::equip;
use crate::cli::agent::{Setup, block_on};
use crate::cli::args::{Cli, Options, Visit};
use crate::cli::beside;
use crate::control::Ask;
use crate::report::{Console, Exit, Failure, Told, options_verdict};
use crate::words::Trouble;

/// Runs the verb. A URI is asked through an account's home server, by the running phone where there is one;
/// directly if that is wanted, or if there is no account.
///
/// # Errors
/// Why the login failed or nobody could be dialled; that the answer was a refusal, or that none came.
pub(crate) fn run(cli: &Cli, options: &Options, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let mut visit = options.visit.clone();
    let target = visit.who.account.take_if(|name| is_uri(name));
    if let Some(target) = &target {
        check(target)?;
    }
    visit.who.account = visit.who.account.or_else(|| options.through.clone());
    let nobody = visit.who.account.is_none() && setup.config.accounts().is_empty();
    let asked = match &target {
        Some(target) if options.direct || nobody => directly(cli, &setup, &visit, (target, console))?,
        _ => {
            let uri = target.clone();
            let ask = |aor| Ask::Options { aor, uri };
            if let Some(exit) = beside::ask((cli, &setup, &visit), ask, console)? {
                return Ok(exit);
            }
            through_home(cli, &setup, &visit, (target.as_deref(), console))?
        }
    };
    console.tell(&Told::options(target.as_deref(), &asked.server, &asked.answered));
    options_verdict(&asked.server, &asked.answered)
}

/// Who answered what.
struct Asked {
    server: homing::ServerName,
    answered: Answered,
}

/// Signs in, asks, signs out.
fn through_home(
    cli: &Cli,
    setup: &Setup,
    visit: &Visit,
    (target, console): (Option<&str>, &Console),
) -> Result<Asked, Failure> {
    let session = setup.session(visit)?;
    session.run(cli.timeout, console, async {
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
fn directly(
    cli: &Cli,
    setup: &Setup,
    visit: &Visit,
    (target, console): (&str, &Console),
) -> Result<Asked, Failure> {
    let equipped = equip(&setup.config).map_err(|fault| Failure::config(Trouble::from(&fault)))?;
    let mut probe = Probe::new(equipped.resolver, equipped.roots);
    if !visit.who.transport.is_empty() {
        let words = visit.who.transport.iter();
        let transports = words.map(|word| Transport::parse(word)).collect::<Option<Vec<_>>>();
        probe = probe.transports(transports.ok_or_else(Failure::no_transport)?);
    }
    let probed = block_on(cli.timeout, async { Ok(probe.options(target).await) })?;
    crate::cli::trace::keep(&probed.trace, visit.trace.as_ref(), console)?;
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
    let sentence = format!("`{target}` is no SIP address");
    Err(Failure::new(Exit::Config, "E0133", &sentence, "Write sip:name@host, sip:host or sips:host:port."))
}
