//! Events and journeys as JSON: names and fields that programs may rely on.

use homing::AccountEvent;
use homing::error::LoginError;
use homing::event::{Hop, HopVerdict, Journey, RequestOutcome, UnregisterOutcome};
use serde_json::{Value, json};

/// Name and fields of an event.
pub(crate) fn event(event: &AccountEvent) -> (&'static str, Value) {
    match event {
        AccountEvent::StateChanged { from, to } => {
            ("state", json!({ "from": from.words().word, "to": to.words().word }))
        }
        AccountEvent::JourneyChanged(journey) => ("journey", journey_fields(journey)),
        AccountEvent::Registered(registered) => (
            "registered",
            json!({
                "home": registered.home.to_string(),
                "expires": registered.expires,
                "gruu": registered.gruu,
                "journey": journey_fields(&registered.journey),
            }),
        ),
        AccountEvent::Refreshed { expires } => ("refreshed", json!({ "expires": expires })),
        AccountEvent::AssociationRenewed => ("association-renewed", json!({})),
        AccountEvent::LoginFailed { failure, retry_in } => (
            "login-failed",
            json!({
                "error": error(&failure.error),
                "journey": journey_fields(&failure.journey),
                "retry_in": retry_in.map(|pause| pause.as_secs()),
            }),
        ),
        AccountEvent::Unregistered { outcome } => ("unregistered", unregistered_fields(*outcome)),
        AccountEvent::LoggedOut { why } => ("logged-out", json!({ "why": logout_word(*why) })),
        AccountEvent::HomeServerChanged { old, new, cause } => (
            "home-changed",
            json!({
                "old": old.as_ref().map(ToString::to_string),
                "new": new.to_string(),
                "cause": cause_word(*cause),
            }),
        ),
        AccountEvent::MessageRefused { server, why } => {
            ("message-refused", json!({ "server": server.to_string(), "why": why.to_string() }))
        }
        AccountEvent::ResponseDropped { server, why } => {
            ("response-dropped", json!({ "server": server.to_string(), "why": why.to_string() }))
        }
        AccountEvent::ProofWrong { server } => ("proof-wrong", json!({ "server": server.to_string() })),
        AccountEvent::Learned(remembered) => (
            "learned",
            json!({ "host": remembered.host, "port": remembered.port, "transport": remembered.transport.uri_token() }),
        ),
        AccountEvent::Forgotten => ("forgotten", json!({})),
        AccountEvent::RequestEnded { outcome: RequestOutcome::Answered { answer, .. }, .. } => {
            ("options", json!({ "status": answer.status, "millis": answer.millis }))
        }
        other => ("other", json!({ "what": other.kind().name() })),
    }
}

/// What became of a binding that was to be removed.
pub(crate) fn unregistered_fields(outcome: UnregisterOutcome) -> Value {
    let (word, status) = match outcome {
        UnregisterOutcome::Removed => ("removed", None),
        UnregisterOutcome::NotRegistered => ("not-registered", None),
        UnregisterOutcome::Refused { status } => ("refused", Some(status)),
        UnregisterOutcome::Unanswered => ("unanswered", None),
        _ => ("other", None),
    };
    json!({ "outcome": word, "status": status })
}

/// An error with code, sentence and next step.
pub(crate) fn error(error: &LoginError) -> Value {
    json!({ "code": error.code(), "sentence": error.to_string(), "hint": error.hint() })
}

/// Its hops, and the counts that belong to it as a whole.
pub(crate) fn journey_fields(journey: &Journey) -> Value {
    json!({
        "hops": journey.hops.iter().map(hop).collect::<Vec<_>>(),
        "redirects": journey.redirects(),
        "limit": journey.limit,
        "round_trips": journey.round_trips(),
    })
}

fn hop(hop: &Hop) -> Value {
    let words = crate::messages::hop(hop);
    json!({
        "server": hop.server.to_string(),
        "address": hop.address.map(|address| address.to_string()),
        "transport": hop.transport.uri_token(),
        "how": words.how.as_str(),
        "verified_as": hop.verified_as,
        "pinned": hop.pinned,
        "scheme": hop.scheme.map(crate::messages::scheme_word),
        "verdict": verdict(&hop.verdict),
        "round_trips": {
            "dns": hop.price.dns,
            "tcp": hop.price.tcp,
            "tls": hop.price.tls,
            "register": hop.price.register,
        },
        "millis": hop.price.millis,
        "remarks": hop.remarks.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn verdict(verdict: &HopVerdict) -> Value {
    match verdict {
        HopVerdict::Pending => json!({ "is": "pending" }),
        HopVerdict::Accepted { expires, signed } => {
            json!({ "is": "accepted", "expires": expires, "signed": signed })
        }
        HopVerdict::Redirected { status, signed, to } => {
            json!({ "is": "redirected", "status": status, "signed": signed, "to": to })
        }
        HopVerdict::RedirectRefused(error) => {
            json!({ "is": "redirect-refused", "code": error.code(), "sentence": error.to_string() })
        }
        HopVerdict::Unreachable(error) => {
            json!({ "is": "unreachable", "code": error.code(), "sentence": error.to_string() })
        }
        HopVerdict::Refused { status } => json!({ "is": "refused", "status": status }),
        HopVerdict::Superseded => json!({ "is": "superseded" }),
        _ => json!({ "is": "other" }),
    }
}

fn logout_word(why: homing::event::LogoutReason) -> &'static str {
    use homing::event::LogoutReason;
    match why {
        LogoutReason::Asked => "asked",
        LogoutReason::Moved => "moved",
        LogoutReason::Deactivated => "deactivated",
        LogoutReason::Displaced => "displaced",
        LogoutReason::Disabled => "disabled",
        LogoutReason::BindingLost => "binding-lost",
        LogoutReason::ConnectionLost => "connection-lost",
        LogoutReason::Lapsed => "lapsed",
        _ => "other",
    }
}

fn cause_word(cause: homing::event::MoveCause) -> &'static str {
    use homing::event::MoveCause;
    match cause {
        MoveCause::First => "first",
        MoveCause::Moved => "moved",
        MoveCause::Preferred => "preferred",
        MoveCause::Failover => "failover",
        _ => "other",
    }
}
