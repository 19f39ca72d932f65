//! NAPTR records as RFC 3263 section 4.1 uses them: filter by service, order, preference.

use crate::dns::Naptr;
use crate::transport::Transport;

/// The transport a record's service means; none for other services.
pub(super) fn transport(record: &Naptr) -> Option<Transport> {
    Transport::ALL
        .into_iter()
        .find(|transport| transport.naptr_service().eq_ignore_ascii_case(&record.service))
}

/// Where a record leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To SRV records.
    ToSrv,
    /// To addresses.
    ToAddress,
    /// Nowhere a SIP client may follow: a rewrite rule or an unknown flag.
    Nowhere,
}

/// Flags count in any letter case (RFC 3403 section 4.1).
pub(super) fn leads(record: &Naptr) -> Leads {
    if record.flags.eq_ignore_ascii_case("s") {
        Leads::ToSrv
    } else if record.flags.eq_ignore_ascii_case("a") {
        Leads::ToAddress
    } else {
        Leads::Nowhere
    }
}

/// The records in order, then preference; equal ones by the account's preference of transports. An
/// account that prefers TLS takes what is secure first: a record in the clear, however it is ordered,
/// never stands in for it.
pub(super) fn order(mut records: Vec<Naptr>, transports: &[Transport]) -> Vec<Naptr> {
    let prefers_secure = transports.first().is_some_and(|best| best.is_secure());
    records.sort_by_key(|record| {
        let means = transport(record);
        let rank = means.and_then(|one| transports.iter().position(|other| *other == one));
        let clear = prefers_secure && !means.is_some_and(Transport::is_secure);
        (clear, record.order, record.preference, rank.unwrap_or(usize::MAX))
    });
    records
}
