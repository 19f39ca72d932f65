//! The events of an account, printed as they come.

use homing::AccountEvent;
use homing::event::UnregisterOutcome;

use crate::messages::notification;
use crate::report::{Console, event_json};

/// Tells every event of an account until its agent ends.
pub(crate) async fn tell_events(mut events: homing::AccountEvents, console: Console) {
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => tell(&event, console),
            Err(lagged) => console.event("missed", serde_json::json!({ "events": lagged.missed() })),
        }
    }
}

fn tell(event: &AccountEvent, console: Console) {
    let (name, fields) = event_json(event);
    console.event(name, fields);
    let told = match event {
        // What is left behind is the failure that the verb ends with.
        AccountEvent::Unregistered { outcome } => *outcome == UnregisterOutcome::Removed,
        AccountEvent::LoggedOut { .. }
        | AccountEvent::MessageRefused { .. }
        | AccountEvent::ResponseDropped { .. } => true,
        _ => false,
    };
    if let Some(notification) = notification(event).filter(|_| told) {
        console.say(&notification.text);
    }
}
