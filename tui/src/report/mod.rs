//! What a verb tells: sentences or JSON lines, failures, exit codes.

mod console;
mod exit;
mod journey;
mod json;
mod output;

pub(crate) use console::{Console, VERSION, json_line};
pub(crate) use exit::{Exit, Failure};
pub(crate) use journey::journey_lines;
pub(crate) use json::{event as event_json, journey_fields as journey_json};
pub(crate) use output::{Output, hop_checks, login_check, options_verdict, waited};
