//! Holds what happened against what must be true of a script.

use std::time::Duration;

use homing_core::event::AccountEvent;
use homing_core::state::AccountState;
use homing_wire::{Message, Name};
use serde_json::{Map, Value};

use super::player::{Player, wanted};
use super::script::{Case, texts};
use super::server::{Seen, asks_for_nothing, credentials};

/// Plays a case and every variant of it; what is wrong with it, in words.
pub(crate) fn faults(case: &Case) -> Vec<String> {
    let mut faults = Vec::new();
    for variant in case.variants() {
        match Player::new(&variant) {
            Ok(mut player) => {
                player.play();
                faults.extend(judge(&variant.expect, &player));
                faults.extend(closed_port(&variant));
            }
            Err(why) => faults.push(format!("cannot be configured: {why}")),
        }
    }
    faults
}

fn judge(expect: &Map<String, Value>, player: &Player) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, value) in expect {
        faults.extend(judge_one(key, value, player).into_iter().map(|why| format!("{key}: {why}")));
    }
    faults
}

fn judge_one(key: &str, value: &Value, player: &Player) -> Vec<String> {
    match key {
        "state" | "ends" => state(value.as_str().unwrap_or_default(), player),
        "granted" => granted(value.as_u64().unwrap_or_default(), player),
        "requests" => {
            let count = registers(player).count() as u64;
            unless(value.as_u64() == Some(count), format!("{count} REGISTERs"))
        }
        "request" => {
            let nth = value["nth"].as_u64().and_then(|nth| usize::try_from(nth).ok()).unwrap_or(1);
            match registers(player).nth(nth - 1) {
                Some(seen) => request(value, &seen.request),
                None => vec![format!("there is no REGISTER {nth}")],
            }
        }
        "refresh" => refresh(value, player),
        "digest_username" => digest_username(value.as_str().unwrap_or_default(), player),
        "answer" => {
            let statuses: Vec<u16> = player.answers.iter().filter_map(Message::status).collect();
            let fits = |status: &u16| value.as_array().is_some_and(|list| list.contains(&(*status).into()));
            unless(!statuses.is_empty() && statuses.iter().all(fits), format!("{statuses:?}"))
        }
        "sentence_has" => {
            let said = sentences(player);
            unless(texts(value).iter().any(|one| said.contains(one.as_str())), said)
        }
        "sentence_lacks" => {
            let said = sentences(player);
            unless(!texts(value).iter().any(|one| said.contains(one.as_str())), said)
        }
        "trace_marks" => trace_marks(value.as_str().unwrap_or_default(), player),
        "code_never" => {
            let codes: Vec<&str> = failures(player).map(|failure| failure.error.code()).collect();
            unless(
                !codes.iter().any(|code| wanted(value).iter().any(|one| one == code)),
                format!("{codes:?}"),
            )
        }
        "never" => never(&wanted(value), player),
        "remark" => {
            let journey = journey(player);
            unless(journey.contains("remark"), journey)
        }
        "registers_in_window_max" => in_window(value.as_u64().unwrap_or_default(), player),
        "closed_by" => unless(player.closed_by_client, "the client closed nothing".to_owned()),
        "sni" => unless(player.sni.as_deref() == value.as_str(), format!("{:?}", player.sni)),
        "within_s" | "closed_port" => Vec::new(),
        other => vec![format!("`{other}` is not judged here")],
    }
}

fn refresh(value: &Value, player: &Player) -> Vec<String> {
    let Some(seen) = player.server.seen.iter().rev().find(|seen| seen.is_refresh) else {
        return vec!["there is none".to_owned()];
    };
    let status = seen.status.map(u64::from);
    let mut faults = unless(value["answered"].as_u64() == status, format!("answered {status:?}"));
    faults.extend(request(value, &seen.request));
    faults
}

fn digest_username(name: &str, player: &Player) -> Vec<String> {
    let given: Vec<String> = registers(player)
        .flat_map(|seen| credentials(&seen.request).map(|one| one.username.to_owned()).collect::<Vec<_>>())
        .collect();
    unless(!given.is_empty() && given.iter().all(|one| one == name), format!("{given:?}"))
}

fn state(wanted: &str, player: &Player) -> Vec<String> {
    let state = player.state();
    let fits = match wanted {
        "registered" => state == AccountState::Registered,
        "failed" => state.is_failure(),
        _ => false,
    };
    unless(fits, format!("{state:?}; {}", sentences(player)))
}

/// What was granted, and that the next REGISTER comes before it lapses.
fn granted(seconds: u64, player: &Player) -> Vec<String> {
    let told = player.events.iter().rev().find_map(|(_, event)| match event {
        AccountEvent::Registered(registered) => Some(u64::from(registered.expires)),
        AccountEvent::Refreshed { expires } => Some(u64::from(*expires)),
        _ => None,
    });
    let due = player.agent.deadline().map(|due| due.at.0.saturating_sub(player.clock));
    let in_time = due.is_some_and(|due| due <= Duration::from_secs(seconds));
    let mut faults = unless(told == Some(seconds), format!("{told:?}"));
    faults.extend(unless(in_time, format!("the next refresh is due in {due:?}")));
    faults
}

fn request(wanted: &Value, request: &Message) -> Vec<String> {
    let mut faults = Vec::new();
    let contact = request.text(Name::Contact).unwrap_or_default().into_owned();
    let realms: Vec<String> = credentials(request).map(|one| one.realm.to_owned()).collect();
    let supported = request.text(Name::Supported).unwrap_or_default().into_owned();
    let uri =
        |header: Result<homing_wire::NameAddr<'_>, _>| header.map(|addr| addr.uri_str().to_owned()).ok();
    for (key, value) in wanted.as_object().into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        let (fits, found) = match key.as_str() {
            "nth" | "answered" => (true, String::new()),
            "credentials_for" => {
                (texts(value).iter().all(|realm| realms.contains(realm)), format!("{realms:?}"))
            }
            "contact_lacks" => (!contact.contains(text), contact.clone()),
            "supported_lacks" => (!supported.contains(text), supported.clone()),
            "from_uri" => {
                (uri(request.from()).as_deref() == Some(text), format!("{:?}", uri(request.from())))
            }
            "to_uri" => (uri(request.to()).as_deref() == Some(text), format!("{:?}", uri(request.to()))),
            "contact_user" => (contact.contains(&format!("sip:{text}@")), contact.clone()),
            other => (false, format!("`{other}` is not judged")),
        };
        faults.extend(unless(fits, format!("{key}: {found}")));
    }
    faults
}

/// What a saved trace would mark: lines that were skipped, and why a connection was closed.
fn trace_marks(text: &str, player: &Player) -> Vec<String> {
    let skipped = player.received.iter().any(|bytes| {
        let message = Message::parse(bytes.clone());
        message
            .is_ok_and(|message| message.skipped().any(|line| String::from_utf8_lossy(line).contains(text)))
    });
    unless(skipped || sentences(player).contains(text), "nothing is marked".to_owned())
}

fn never(words: &[String], player: &Player) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, event) in &player.events {
        let word = match event {
            AccountEvent::LoginFailed { .. } => "failed",
            AccountEvent::LoggedOut { .. } => "logged-out",
            AccountEvent::StateChanged { to: AccountState::Expiring, .. } => "expired",
            _ => continue,
        };
        faults.extend(unless(!words.iter().any(|one| one == word), format!("{word} at {at:?}")));
    }
    faults
}

/// REGISTERs within the seconds of the first rule that names any.
fn in_window(most: u64, player: &Player) -> Vec<String> {
    let count = player.server.seen.iter().filter(|seen| player.is_in_window(seen)).count() as u64;
    unless(count <= most, format!("{count} REGISTERs in the window"))
}

fn closed_port(case: &Case) -> Vec<String> {
    let Some(wanted) = case.expect.get("closed_port") else { return Vec::new() };
    let mut player = Player::new(case).expect("played before");
    player.is_port_closed = true;
    player.play();
    let codes: Vec<&str> = failures(&player).map(|failure| failure.error.code()).collect();
    let within = wanted["within_s"].as_f64().unwrap_or(1.0);
    let in_time = player.clock.as_secs_f64() <= within;
    unless(
        in_time && codes.first().copied() == wanted["code"].as_str(),
        format!("closed port: {codes:?} after {:?}", player.clock),
    )
}

fn registers(player: &Player) -> impl Iterator<Item = &Seen> {
    player.server.seen.iter().filter(|seen| !asks_for_nothing(&seen.request))
}

fn failures(player: &Player) -> impl Iterator<Item = &homing_core::journey::LoginFailure> {
    player.events.iter().filter_map(|(_, event)| match event {
        AccountEvent::LoginFailed { failure, .. } => Some(failure),
        _ => None,
    })
}

/// All that a person reads of failures.
fn sentences(player: &Player) -> String {
    let one = |failure: &homing_core::journey::LoginFailure| {
        format!("{} {} {} [{}]", failure.error.code(), failure.error, failure.error.hint(), failure.journey)
    };
    failures(player).map(one).collect::<Vec<_>>().join(" | ")
}

fn journey(player: &Player) -> String {
    let last = player.events.iter().rev().find_map(|(_, event)| match event {
        AccountEvent::Registered(registered) => Some(registered.journey.to_string()),
        _ => None,
    });
    last.unwrap_or_default()
}

fn unless(fits: bool, why: String) -> Vec<String> {
    if fits { Vec::new() } else { vec![why] }
}
