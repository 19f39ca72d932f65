//! Which services a role consists of, in the order a request meets them.

use homing_core::ids::Seed;

use super::config::NodeConfig;
use super::fault_filter::{ArrivalFaults, RoutingFaults};
use super::service::Service;
use super::service::authentication::Authentication;
use super::service::home_authentication::HomeAuthentication;
use super::service::options::Options;
use super::service::party::Parties;
use super::service::proxy::Proxy;
use super::service::redirect_server::RedirectServer;
use super::service::registrar::Registrar;
use super::service::registration_notifier::RegistrationNotifier;
use super::service::router::Router;
use super::service::validation::Validation;
use crate::role::Role;

/// The services of a server with this configuration.
pub(super) fn services(config: &NodeConfig, seed: &Seed) -> Vec<Box<dyn Service>> {
    let mut services: Vec<Box<dyn Service>> = vec![
        Box::new(ArrivalFaults),
        Box::new(Validation::default()),
        Box::new(HomeAuthentication),
        Box::new(Authentication::new(config, seed)),
        Box::new(Options),
        Box::new(Router),
        Box::new(RoutingFaults),
        Box::new(RedirectServer),
        Box::new(Parties::default()),
        Box::new(Proxy::default()),
    ];
    match config.role {
        Role::Home => {
            services.push(Box::new(Registrar));
            services.push(Box::new(RegistrationNotifier::default()));
        }
        // Its directory never assigns anybody to it, so that it holds no binding (patent paragraph 55).
        Role::Distributor => {}
    }
    services
}
