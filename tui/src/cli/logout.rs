//! `homing logout`: has the running phone sign an account out; the phone stays.

use crate::cli::agent::{Setup, block_on};
use crate::cli::args::{AccountArgs, Cli, Logout};
use crate::cli::attach::{nobody, silent, without};
use crate::cli::running_phone::{failed, lost, relay};
use crate::control::{Ask, End, find};
use crate::report::{Console, Exit, Failure};

/// Runs the verb.
///
/// # Errors
/// No phone has the account; the account is not signed in; the server refused, or did not answer.
pub(crate) fn run(cli: &Cli, logout: &Logout, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let args = AccountArgs { account: logout.account.clone(), ..AccountArgs::default() };
    let aor = setup.entry(&args)?.address();
    block_on(cli.timeout, async {
        let phone = find(&setup.paths.phones).await.take(&aor).map_err(|found| {
            match (found.silent.first(), found.phones.is_empty()) {
                (Some(process), _) => silent(*process),
                (None, false) => without(&aor),
                (None, true) => nobody(),
            }
        })?;
        match phone.ask(Ask::Logout { aor }, false, |event| relay(event, console)).await {
            End::Done => Ok(Exit::Done),
            End::Failed(event) => Ok(failed(&event, console)),
            End::Declined(_) | End::Lost => Err(lost(phone.process)),
        }
    })
}
