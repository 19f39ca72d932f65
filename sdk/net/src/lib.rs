//! Sockets that carry whole SIP messages, in order, within bounds.
#![doc = include_str!("../README.md")]

mod certificate;
mod config;
mod datagram;
mod dial;
mod event;
mod fault;
mod hub;
mod lane;
mod listen;
mod peers;
mod pump;
mod roads;
mod roots;
mod tally;
mod tls_client;
mod tls_server;
mod verifier;

pub use config::RoadConfig;
pub use dial::Dial;
pub use event::RoadEvent;
pub use homing_core::connect::{ConnectError, TlsProof};
pub use homing_core::identity::{CertNames, Expected};
pub use homing_core::ids::FlowId;
pub use homing_core::transport::Transport;
pub use hub::FIRST_ACCEPTED;
pub use listen::Listener;
pub use roads::Roads;
pub use roots::{PemError, Roots};
pub use tally::RoadCounters;
pub use tls_client::TlsClient;
pub use tls_server::{ClientCertificates, TlsServer};
