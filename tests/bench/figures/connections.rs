//! What an idle TLS connection takes in the memory of either side, counted apart from accounts (decision 25).

use homing::Transport;
use homing_net::{FlowEvent, FlowId, NetConfig, Roots, Sockets, TlsClient};

use crate::line::dial;
use crate::process::Usage;
use crate::{Fallible, Peer};

/// Opens [`CONNECTIONS`] and prints the memory of one on both sides.
pub(crate) fn measure(peer: &mut dyn Peer) -> Fallible<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tls = TlsClient::new(Roots::pem(peer.ca_pem())?);
    let mut sockets = {
        let _inside = runtime.enter();
        Sockets::new(NetConfig::default())
    };
    // What the first connections load stays loaded and is not counted.
    runtime.block_on(open(&mut sockets, &tls, peer, 1..=WARM))?;
    let (client_before, server_before) = (Usage::read()?, peer.usage()?);
    runtime.block_on(open(&mut sockets, &tls, peer, WARM + 1..=WARM + CONNECTIONS))?;
    let (client_after, server_after) = (Usage::read()?, peer.usage()?);
    let count = usize::try_from(CONNECTIONS)?;
    println!("TLS: {count} idle connections");
    println!("  user agent   {:>6.1} KiB per connection", client_after.kib_since(&client_before, count));
    println!(
        "  {:<12} {:>6.1} KiB per connection",
        peer.name(),
        server_after.kib_since(&server_before, count)
    );
    Ok(())
}

async fn open(
    sockets: &mut Sockets,
    tls: &TlsClient,
    peer: &dyn Peer,
    flows: impl Iterator<Item = u64>,
) -> Fallible<()> {
    for flow in flows {
        dial(sockets, tls, peer, Transport::Tls, FlowId(flow));
        match sockets.next().await {
            FlowEvent::Connected { .. } => {}
            other => return Err(format!("no connection: {other:?}").into()),
        }
    }
    Ok(())
}

const WARM: u64 = 20;
/// Both ends stay below the number of files a process may have open by default.
const CONNECTIONS: u64 = 400;
