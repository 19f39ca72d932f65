//! What a verb tells: sentences or JSON lines, failures, exit codes.

mod console;
mod exit;
mod journey;
mod json;

pub(crate) use console::{Console, json_line};
pub(crate) use exit::{Exit, Failure};
pub(crate) use journey::say_journey;
pub(crate) use json::{event as event_json, journey_fields as journey_json};
