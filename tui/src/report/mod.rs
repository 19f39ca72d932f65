//! What a verb tells: sentences or JSON lines, failures, exit codes.

mod console;
mod exit;
mod journey;
mod json;
mod told;

pub(crate) use console::{Console, json_line};
pub(crate) use exit::{Exit, Failure};
pub(crate) use journey::journey_lines;
pub(crate) use json::{event as event_json, journey_fields as journey_json};
pub(crate) use told::{Told, hop_checks, login_check, options_verdict, waited};
