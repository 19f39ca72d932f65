//! `homing resolve`: every name that is asked, every server in order, every reason.

use homing::Transport;
use homing::account::WrittenAddress;
use homing::dns::{Candidate, DnsError, NoCandidate, Request, Wanted, locate};
use homing::error::LoginError;
use serde_json::json;

use crate::bridge::agent_setup;
use crate::cli::agent::{Setup, block_on};
use crate::cli::args::{Cli, Resolve};
use crate::messages::Problem;
use crate::report::{Console, Exit, Failure};
use crate::text::{ScreenText, screen_text};

/// Runs the verb.
///
/// # Errors
/// A transport there is not, or a domain without servers.
pub(crate) fn run(cli: &Cli, resolve: &Resolve, console: &Console) -> Result<Exit, Failure> {
    let setup = Setup::load(cli)?;
    let domain = domain_of(&resolve.domain);
    let resolver =
        agent_setup(&setup.config).map_err(|fault| Failure::config(Problem::from(&fault)))?.resolver;
    let transports = resolve.transport.iter().map(|word| Transport::parse(word)).collect::<Option<Vec<_>>>();
    let transports = transports.ok_or_else(Failure::no_transport)?;
    let request = Request::new(Wanted::Domain(domain.clone()), &transports);
    let located = block_on(cli.timeout, async { Ok(locate(request, &resolver).await) })?;

    for name in &located.explanation.names {
        console.event("name", json!({ "text": name.to_string() }));
        console.say(&screen_text!("asked   {name}"));
    }
    for considered in &located.explanation.considered {
        match considered {
            Candidate::Picked(target) => console.event(
                "target",
                json!({
                    "server": target.name.to_string(),
                    "address": target.addr.to_string(),
                    "transport": target.transport.uri_token(),
                    "why": target.why.to_string(),
                    "ttl": target.ttl.as_secs(),
                }),
            ),
            Candidate::Skipped { what, why } => {
                console.event("skipped", json!({ "what": what, "why": why.to_string() }));
            }
            other => console.event("considered", json!({ "what": other.to_string() })),
        }
        console.say(&screen_text!("        {considered}"));
    }
    console.event(
        "located",
        json!({ "targets": located.targets.len(), "round_trips": located.explanation.round_trips }),
    );
    console.say(&screen_text!(
        "{} servers, {} DNS round trips",
        located.targets.len(),
        located.explanation.round_trips
    ));
    if located.targets.is_empty() { Err(nobody(&domain, located.end)) } else { Ok(Exit::Done) }
}

/// The domain alone, also of an address or of a URI.
fn domain_of(text: &str) -> String {
    let alone = || WrittenAddress::parse(&format!("anybody@{text}"));
    let read = WrittenAddress::parse(text).or_else(alone);
    read.map_or_else(|| text.to_lowercase(), |address| address.domain)
}

fn nobody(domain: &str, end: NoCandidate) -> Failure {
    let why = match end {
        NoCandidate::NoServer(why) => why,
        _ => DnsError::NoRecord.into(),
    };
    let error = LoginError::Resolve { domain: ScreenText::of(domain).to_string(), why };
    Failure::of(Exit::Resolve, Problem::from(&error))
}

#[cfg(test)]
mod tests {
    use super::domain_of;

    #[test]
    fn the_domain_is_found_in_whatever_is_given() {
        for (text, domain) in [
            ("Corp.Example", "corp.example"),
            ("alice@corp.example", "corp.example"),
            ("sip:alice@corp.example;transport=tcp", "corp.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("alice@[::1]", "[::1]"),
        ] {
            assert_eq!(domain_of(text), domain, "{text}");
        }
    }
}
