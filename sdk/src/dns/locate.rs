//! The whole search for a domain's servers, carried out: what to dial, in which order, and why.

use futures_util::future::join_all;
use homing_core::config::ConfigError;
use homing_core::ids::Seed;
use homing_core::locate::{Explanation, NoCandidate, Plan, Request, ServerOrder, Step, Target};

use super::resolver::Resolver;

/// What the search for a domain's servers found.
#[derive(Clone, Debug)]
pub struct Located {
    /// What to dial, in order; each says why.
    pub targets: Vec<Target>,
    /// Every name that was asked, what came, and what was passed over.
    pub explanation: Explanation,
    /// Why the list ends where it does.
    pub end: NoCandidate,
}

/// Looks for servers by the names Microsoft clients ask for and by RFC 3263, without dialling any.
/// Weighted choices are drawn again each time. Needs a tokio runtime.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use homing::{Resolver, Transport};
/// use homing::dns::{Request, Srv, Table, Wanted, locate};
///
/// let record = Srv { priority: 10, weight: 60, port: 5061, target: "lb.network.com".into() };
/// let table = Table::default()
///     .srv_record("_sipinternaltls._tcp.network.com", record)
///     .address("lb.network.com", [192, 0, 2, 7]);
/// let request = Request::new(Wanted::Domain("network.com".into()), &[Transport::Tls]);
/// let found = locate(request, &Resolver::custom(Arc::new(table))).await;
/// assert_eq!(found.targets[0].addr.to_string(), "192.0.2.7:5061");
/// assert_eq!(found.targets[0].why.to_string(), "SRV _sipinternaltls._tcp.network.com 10/60");
/// # });
/// ```
pub async fn locate(request: Request, resolver: &Resolver) -> Located {
    // Without randomness the weights are drawn as the last resort allows: always alike.
    let seed = crate::clock::seed().unwrap_or(Seed([0; 32]));
    let mut plan = Plan::new(request, ServerOrder::new(seed));
    let mut targets = Vec::new();
    let end = loop {
        match plan.next_target() {
            Step::Target(target) => targets.push(*target),
            Step::NoCandidate(end) => break end,
            Step::Waiting => {
                let ask = |question: homing_core::dns::DnsQuestion| async {
                    let answer = resolver.resolve(question.clone()).await;
                    (question, answer)
                };
                for (question, answer) in join_all(plan.questions().into_iter().map(ask)).await {
                    plan.handle_answer(&question, answer);
                }
            }
        }
    };
    Located { targets, explanation: plan.explain(), end }
}

/// The request for the servers of a SIP domain over TLS.
pub(crate) fn of_domain(domain: &str) -> Result<Request, ConfigError> {
    let aor = homing_core::config::Aor::parse(&format!("anybody@{domain}"))?;
    let wanted = homing_core::locate::Wanted::Domain(aor.domain);
    Ok(Request::new(wanted, &[homing_core::transport::Transport::SIPS]))
}
