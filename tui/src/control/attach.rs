//! Connections that stay: every event of a running phone, or the moment an account reaches a state.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, SystemTime};

use homing::{Account, AccountEvent, AccountId, AccountState};
use serde_json::json;
use tokio::time::timeout;

use crate::control::connection::{Outcome, Reader, Shared, Writer, leaving};
use crate::control::request::Ask;
use crate::messages::{Severity, clock, notification};
use crate::report::{Failure, Output, event_json, waited};
use crate::text::{ScreenText, screen_text};

/// Answers as long as the client is there.
pub(super) async fn answer(
    ask: Ask,
    shared: &Shared,
    mut reader: Reader,
    writer: &mut Writer,
) -> io::Result<()> {
    let answering = async {
        match ask {
            Ask::Wait { aor, state, within } => wait(shared, &aor, &state, within, writer).await,
            ask => follow(shared, ask.aor(), writer).await,
        }
    };
    tokio::select! {
        answered = answering => answered,
        () = reader.gone() => Ok(()),
    }
}

async fn follow(shared: &Shared, aor: Option<&str>, writer: &mut Writer) -> io::Result<()> {
    let Some(snapshot) = shared.snapshot().await else {
        return writer.end(&Outcome::Failed(leaving())).await;
    };
    // Listening begins before the states are told, so that nothing is missed between.
    let mut events = snapshot.agent.events();
    let mut names = states(shared, aor, writer).await?;
    loop {
        match events.next().await {
            Some(Ok(event)) => {
                if !names.contains_key(&event.account) {
                    names = known(shared).await;
                }
                if let Some(name) =
                    names.get(&event.account).filter(|name| aor.is_none_or(|aor| aor == *name))
                {
                    writer.tell(&told(name, &event.what)).await?;
                }
            }
            Some(Err(lagged)) => {
                let say = vec![screen_text!("{lagged}")];
                writer.tell(&Output::new("missed", json!({ "events": lagged.missed() }), say)).await?;
                names = states(shared, aor, writer).await?;
            }
            None => return writer.end(&Outcome::Done).await,
        }
    }
}

/// Tells how the accounts stand; whose events are whose comes back.
async fn states(
    shared: &Shared,
    aor: Option<&str>,
    writer: &mut Writer,
) -> io::Result<BTreeMap<AccountId, String>> {
    let Some(snapshot) = shared.snapshot().await else { return Ok(BTreeMap::new()) };
    for held in &snapshot.accounts {
        if aor.is_none_or(|aor| aor == held.aor) {
            writer.tell(&held.status).await?;
        }
    }
    Ok(snapshot.accounts.into_iter().map(|held| (held.account.id(), held.aor)).collect())
}

async fn known(shared: &Shared) -> BTreeMap<AccountId, String> {
    let accounts = shared.snapshot().await.map(|snapshot| snapshot.accounts).unwrap_or_default();
    accounts.into_iter().map(|held| (held.account.id(), held.aor)).collect()
}

fn told(aor: &str, event: &AccountEvent) -> Output {
    let (name, mut fields) = event_json(event);
    fields["aor"] = json!(aor);
    fields["process"] = json!(std::process::id());
    let text = match event {
        AccountEvent::StateChanged { to, .. } => ScreenText::of(to.words().word),
        other => match notification(other) {
            Some(notification) if notification.severity > Severity::Detail => {
                screen_text!(
                    "{}{}",
                    notification.code.map(|code| format!("{code} ")).unwrap_or_default(),
                    notification.text
                )
            }
            _ => return Output::new(name, fields, Vec::new()),
        },
    };
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Output::new(name, fields, vec![screen_text!("{} {aor} {text}", clock(wall))])
}

async fn wait(shared: &Shared, aor: &str, word: &str, within: u64, writer: &mut Writer) -> io::Result<()> {
    let wanted = AccountState::ALL.into_iter().find(|state| state.words().word == word);
    let accounts = shared.snapshot().await.map(|snapshot| snapshot.accounts).unwrap_or_default();
    let held = accounts.into_iter().find(|held| held.aor == aor);
    let (Some(wanted), Some(held)) = (wanted, held) else {
        let process = std::process::id();
        let why = screen_text!("the phone of process {process} does not have {aor}");
        return writer.end(&Outcome::Declined(why)).await;
    };
    let within = Duration::from_millis(within);
    let in_time = reached(held.account.clone(), wanted, within).await;
    let (told, verdict) = waited(held.account.state(), wanted, in_time, within);
    writer.tell(&told).await?;
    writer.end(&verdict.map_or_else(|failure: Failure| Outcome::Failed(failure), |_| Outcome::Done)).await
}

/// True if the account is in this state in time.
pub(crate) async fn reached(mut account: Account, wanted: AccountState, within: Duration) -> bool {
    let reached = async {
        while account.state() != wanted {
            if account.changed().await.is_none() {
                return false;
            }
        }
        true
    };
    timeout(within, reached).await.unwrap_or(false)
}
