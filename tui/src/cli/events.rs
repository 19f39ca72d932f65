//! The events of an account, printed as they come.

use homing::AccountEvent;

use crate::report::{Console, event_json};
use crate::words::news;

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
    let told = matches!(event, AccountEvent::LoggedOut { .. } | AccountEvent::MessageRefused { .. });
    if let Some(news) = news(event).filter(|_| told) {
        console.say(&news.text);
    }
}
