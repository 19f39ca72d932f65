//! What tests of several modules share: the published suites of vectors, and a link to act over.

use std::time::Duration;

use homing_wire::Message;

use crate::account::Account;
use crate::account::context::{Asks, Context};
use crate::account::link_context::LinkContext;
use crate::account::random::SeededRandom;
use crate::account::server_link::ServerLink;
use crate::account::waiting::Waiting;
use crate::config::{AccountConfig, AgentConfig, Aor};
use crate::counter::Counters;
use crate::flow::{FlowRules, Flows};
use crate::ids::{AccountId, Owner, Seed};
use crate::locate::ServerHealth;
use crate::outbox::Outbox;
use crate::time::Now;
use crate::transaction::{Caps, Transactions, TxOutput};

/// A file of the suites, which travel with the tests.
pub(crate) fn suite(file: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/suites").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path:?}: {why}"))
}

/// What came of an act over a link.
pub(crate) struct Acted<T> {
    pub(crate) result: T,
    /// The requests that left.
    pub(crate) sent: Vec<Message>,
    pub(crate) counters: Counters,
}

/// Acts over a link of an account that is otherwise at rest, at time zero.
pub(crate) fn act_over<T>(link: &mut ServerLink, act: impl FnOnce(LinkContext<'_, '_>) -> T) -> Acted<T> {
    let (agent, seed) = (AgentConfig::default(), Seed::from_number(1));
    let config = AccountConfig::new(Aor::parse("alice@network.com").unwrap(), "3344");
    let mut account = Account::new(AccountId(0), config);
    let mut transactions = Transactions::new(agent.timers, Caps::from(&agent.limits), &seed);
    let mut counters = Counters::default();
    let mut cx = Context {
        account: AccountId(0),
        owner: Owner::Registration(AccountId(0)),
        agent: &agent,
        outbox: &mut Outbox::default(),
        counters: &mut counters,
        random: &mut SeededRandom::new(&seed),
        server_order: &seed.streams(),
        transactions: &mut transactions,
        flows: &mut Flows::new(FlowRules::from(&agent.limits), &seed),
        server_health: &mut ServerHealth::new(agent.limits.retry_after),
        waiting: &mut Waiting::default(),
        asks: &mut Asks::default(),
        drained: &mut Vec::new(),
        news: &mut Vec::new(),
        now: Now::new(Duration::ZERO, Duration::ZERO),
    };
    let result = act(LinkContext { link, account: &mut account, cx: &mut cx });
    let outputs = std::iter::from_fn(|| transactions.poll_output());
    let sent = outputs.filter_map(|output| match output {
        TxOutput::Send { bytes, .. } => Some(Message::parse(bytes).unwrap()),
        _ => None,
    });
    Acted { result, sent: sent.collect(), counters }
}
