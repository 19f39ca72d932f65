//! What a phone has at one instant, for the tasks that answer on its control socket.

use std::time::Duration;

use homing::{Account, UserAgent};
use serde_json::json;

use crate::bridge::{AccountCheck, Bridge, check_of};
use crate::model::Model;
use crate::report::Output;
use crate::screen::accounts::Card;
use crate::text::{ScreenText, screen_text};

/// The accounts of a phone.
pub(crate) struct Snapshot {
    pub(super) agent: UserAgent,
    pub(super) accounts: Vec<Held>,
}

/// One account.
pub(super) struct Held {
    /// `user@domain`.
    pub(super) aor: String,
    pub(super) account: Account,
    /// How it stands.
    pub(super) status: Output,
    /// A check of its credentials, or why there is none.
    pub(super) check: Result<AccountCheck, &'static str>,
}

/// Takes one.
pub(crate) fn snapshot(bridge: &Bridge, model: &Model) -> Snapshot {
    let now = bridge.clock().since_start;
    let accounts = bridge.accounts().map(|account| {
        let (id, aor) = (account.id(), account.aor());
        // One that was just taken in is not in the model yet.
        let fresh = Card::new(id, aor);
        let card = model.pages.accounts.cards.iter().find(|card| card.id == id).unwrap_or(&fresh);
        Held {
            aor: format!("{}@{}", aor.user, aor.domain),
            account: account.clone(),
            status: status(card, account, now),
            check: check_of(bridge, id),
        }
    });
    Snapshot { agent: bridge.agent().clone(), accounts: accounts.collect() }
}

fn status(card: &Card, account: &Account, now: Duration) -> Output {
    let state = account.state();
    let home = card.home.as_ref().filter(|_| state.is_reachable());
    let problem = card.failed_login.as_ref().map(|failed_login| &failed_login.problem);
    let word = state.words().word;
    let fields = json!({
        "process": std::process::id(),
        "aor": card.aor.as_str(),
        "state": word,
        "reachable": state.is_reachable(),
        "home": home.map(|home| home.server.as_str()),
        "path": card.path_words().as_str(),
        "signed": home.is_some_and(|home| home.signed),
        "expires_in": card.left(now).map(|left| left.as_secs()),
        "code": problem.map(|problem| problem.code),
        "sentence": problem.map(|problem| problem.sentence.as_str()),
    });
    let at = home.map(|home| screen_text!(" at {} ({})", home.server, card.path_words())).unwrap_or_default();
    let why = problem
        .map_or_else(ScreenText::default, |problem| screen_text!(" {} {}", problem.code, problem.sentence));
    Output::new("account", fields, vec![screen_text!("{} {word}{at}{why}", card.aor)])
}
