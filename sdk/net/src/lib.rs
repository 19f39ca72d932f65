//! Sockets that carry whole SIP messages, in order, within bounds.
#![doc = include_str!("../README.md")]

mod certificate;
mod config;
mod connection;
mod counters;
mod datagram;
mod descriptors;
mod dial;
mod fault;
mod key_log;
mod listen;
mod one_peer;
mod peers;
mod roots;
pub mod rtp;
mod send_queue;
mod shared;
mod sockets;
mod tls_client;
mod tls_server;
mod unfinished;
mod verifier;

pub use config::NetConfig;
pub use counters::NetCounters;
pub use dial::Dial;
pub use homing_core::connect::FlowEvent;
pub use homing_core::connect::{ConnectError, TlsProof};
pub use homing_core::identity::{CertNames, Expected};
pub use homing_core::ids::FlowId;
pub use homing_core::transport::Transport;
pub use key_log::KeyLogFile;
pub use listen::Listener;
pub use roots::{PemError, Roots};
pub use shared::FIRST_ACCEPTED;
pub use sockets::{OutOfDescriptors, Sockets};
pub use tls_client::TlsClient;
pub use tls_server::{ClientCertificates, TlsServer};
