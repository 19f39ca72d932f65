//! A journal as a ladder: arrows for messages, dots for decisions, peers by number.

use std::fmt::Write;
use std::net::SocketAddr;

use super::entry::{Entry, What};

/// One line for each entry.
pub(super) fn ladder(entries: &[Entry]) -> String {
    let mut peers = Vec::new();
    let mut text = String::new();
    for entry in entries {
        let at = entry.at.as_secs_f64();
        let peer = entry.peer.map(|peer| name(&mut peers, peer)).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = match &entry.what {
            What::Received(_) => {
                writeln!(text, "{at:9.3}  {peer:>6} ──▶ {:<8} {}", entry.node, entry.start_line())
            }
            What::Sent(_) => {
                writeln!(text, "{at:9.3}  {peer:>6} ◀── {:<8} {}", entry.node, entry.start_line())
            }
            What::Decided(decision) => writeln!(text, "{at:9.3}  {:>6}  ·  {:<8} {decision}", "", entry.node),
        };
    }
    if !peers.is_empty() {
        let named: Vec<String> =
            peers.iter().enumerate().map(|(n, at)| format!("p{} = {at}", n + 1)).collect();
        let _ = writeln!(text, "{}", named.join(", "));
    }
    text
}

fn name(peers: &mut Vec<SocketAddr>, peer: SocketAddr) -> String {
    let index = peers.iter().position(|known| *known == peer).unwrap_or_else(|| {
        peers.push(peer);
        peers.len() - 1
    });
    format!("p{}", index + 1)
}
