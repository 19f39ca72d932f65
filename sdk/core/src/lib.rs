//! The state machines of a SIP user agent: values and time in, values out.
#![doc = include_str!("../README.md")]

pub mod account;
pub mod address;
pub mod agent;
pub mod answer;
pub mod auth;
mod call;
pub mod call_event;
pub mod call_path;
pub mod call_request;
pub mod certificate;
pub mod command;
pub mod config;
pub mod connect;
pub mod counter;
pub mod description;
mod dialog;
pub mod dns;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod fingerprint;
pub mod flow;
pub mod identity;
pub mod ids;
pub mod journey;
pub mod limits;
pub mod locate;
pub mod outbox;
pub mod registration;
pub mod registration_notify;
mod remembered;
mod request;
pub mod secret;
pub mod server;
pub mod state;
pub mod time;
pub mod timer_queue;
pub mod transaction;
pub mod transport;
mod uas;

#[cfg(test)]
mod tests;
