//! The faults a server plays: filters among its services, and one of its responses.

mod arrival;
mod false_redirect;
mod responses;
mod routing;

pub(super) use arrival::ArrivalFaults;
pub(super) use responses::Faults;
pub(super) use routing::RoutingFaults;
