//! The claims and paragraphs of both patents, in our words, and where each stands.

/// One numbering of one document.
pub(super) struct Numbering {
    /// How the names of tests call it.
    pub(super) kind: &'static str,
    /// The document.
    pub(super) title: &'static str,
    /// Everything in it, in order.
    pub(super) rows: &'static [Row],
}

/// One claim or paragraph.
pub(super) struct Row {
    pub(super) number: u8,
    /// What it says, in our words.
    pub(super) words: &'static str,
    pub(super) status: Status,
}

/// Where a claim or paragraph stands.
#[derive(Clone, Copy)]
pub(super) enum Status {
    /// A test must prove it.
    Built,
    /// It is not built, or in part only; what it waits for.
    Open(&'static str),
    /// There is nothing to build.
    NoBehaviour,
}

const fn row(number: u8, words: &'static str, status: Status) -> Row {
    Row { number, words, status }
}

const KERBEROS: &str = "comes with Kerberos";
const REAL_TIME: &str = "the servers carry no real-time traffic yet: comes with calls";
const TOPOLOGIES: &str = "comes with the edge topologies";
const MONITOR: &str = "comes with the monitor";
const SUBSCRIPTIONS: &str = "comes with subscriptions";
const TREE: &str = "comes with the tree of servers";

pub(super) const NUMBERINGS: &[Numbering] = &[
    Numbering {
        kind: "redirect_claim",
        title: "Redirecting traffic: the claims of the application",
        rows: REDIRECT_CLAIMS,
    },
    Numbering {
        kind: "granted_claim",
        title: "Redirecting traffic: the claim as granted (US 7,543,061)",
        rows: GRANTED_CLAIM,
    },
    Numbering {
        kind: "para",
        title: "Redirecting traffic: the paragraphs of the description",
        rows: PARAGRAPHS,
    },
    Numbering { kind: "tree_claim", title: "Tree of servers: the claims", rows: TREE_CLAIMS },
];

const REDIRECT_CLAIMS: &[Row] = &[
    row(1, "a first server redirects a client to the server it is assigned to", Status::Built),
    row(2, "… which is a home server or a load distributor", Status::Built),
    row(3, "… to a real-time communications server", Status::Open(REAL_TIME)),
    row(4, "… the registration request comes over TLS", Status::Built),
    row(5, "… and is a SIP REGISTER", Status::Built),
    row(6, "… the assignment is looked up in a directory entry", Status::Built),
    row(7, "… after the client was authenticated", Status::Built),
    row(8, "… by NTLM", Status::Built),
    row(9, "… by Kerberos", Status::Open(KERBEROS)),
    row(10, "claim 1 as a program", Status::Built),
    row(11, "one Via redirects, more than one proxies", Status::Built),
    row(12, "… by a home server or a load distributor", Status::Built),
    row(13, "… to a real-time communications server", Status::Open(REAL_TIME)),
    row(14, "… over TLS", Status::Built),
    row(15, "… a SIP REGISTER", Status::Built),
    row(16, "… by a directory entry", Status::Built),
    row(17, "… after the client was authenticated", Status::Built),
    row(18, "… by NTLM", Status::Built),
    row(19, "… by Kerberos", Status::Open(KERBEROS)),
    row(20, "claim 11 as a program", Status::Built),
    row(21, "a first server proxies the request to the assigned server", Status::Built),
    row(22, "… which is a load distributor or an internal edge", Status::Open(TOPOLOGIES)),
    row(23, "… to a real-time communications server", Status::Open(REAL_TIME)),
    row(24, "… over TLS", Status::Built),
    row(25, "… a SIP REGISTER", Status::Built),
    row(26, "… by a directory entry", Status::Built),
    row(27, "… after the client was authenticated", Status::Built),
    row(28, "… by NTLM", Status::Built),
    row(29, "… by Kerberos", Status::Open(KERBEROS)),
    row(30, "claim 21 as a program", Status::Built),
    row(31, "the assignment structure: client and home server", Status::Built),
    row(32, "… by its fully qualified domain name", Status::Built),
    row(
        33,
        "directory service, redirecting home server, client and assigned home server as a system",
        Status::Built,
    ),
    row(34, "the same with the Via count", Status::Built),
    row(35, "the same with proxying", Status::Built),
    row(36, "monitor, decide, modify, invalidate subscriptions", Status::Open(MONITOR)),
    row(37, "… on overload, loss or return of a server", Status::Open(MONITOR)),
    row(38, "claim 36 as a program", Status::Open(MONITOR)),
];

const GRANTED_CLAIM: &[Row] = &[row(
    1,
    "the Via count decides, and a monitor moves clients and notifies their watchers",
    Status::Open("redirecting and proxying are proved above; monitor and notification come with the monitor"),
)];

const PARAGRAPHS: &[Row] = &[
    row(1, "the field of the invention", Status::NoBehaviour),
    row(2, "background: clients, servers, name services, real-time services", Status::NoBehaviour),
    row(3, "background: clients, servers, name services, real-time services", Status::NoBehaviour),
    row(4, "background: clients, servers, name services, real-time services", Status::NoBehaviour),
    row(5, "background: clients, servers, name services, real-time services", Status::NoBehaviour),
    row(6, "background: clients, servers, name services, real-time services", Status::NoBehaviour),
    row(7, "summary of paragraphs 31 to 44", Status::NoBehaviour),
    row(8, "summary of paragraphs 51 and 52", Status::NoBehaviour),
    row(9, "existing protocols need not change", Status::NoBehaviour),
    row(10, "summary of paragraphs 53 and 55", Status::NoBehaviour),
    row(11, "summary of paragraphs 38 and 53", Status::NoBehaviour),
    row(12, "the drawings", Status::NoBehaviour),
    row(13, "the drawings", Status::NoBehaviour),
    row(14, "the drawings", Status::NoBehaviour),
    row(15, "the drawings", Status::NoBehaviour),
    row(16, "the drawings", Status::NoBehaviour),
    row(17, "the drawings", Status::NoBehaviour),
    row(18, "the drawings", Status::NoBehaviour),
    row(19, "the drawings", Status::NoBehaviour),
    row(20, "the drawings", Status::NoBehaviour),
    row(21, "the drawings", Status::NoBehaviour),
    row(22, "the drawings", Status::NoBehaviour),
    row(23, "the drawings", Status::NoBehaviour),
    row(24, "the drawings", Status::NoBehaviour),
    row(25, "the drawings", Status::NoBehaviour),
    row(26, "how the description is to be read", Status::NoBehaviour),
    row(27, "how the description is to be read", Status::NoBehaviour),
    row(28, "how the description is to be read", Status::NoBehaviour),
    row(29, "the scene of figure 1", Status::NoBehaviour),
    row(30, "the scene of figure 1", Status::NoBehaviour),
    row(
        31,
        "the first server authenticates if necessary, asks the directory, accepts whom it is home to",
        Status::Built,
    ),
    row(
        32,
        "it names the home server as outbound proxy; the home server does all of it again, unaware",
        Status::Built,
    ),
    row(33, "introduces figure 2", Status::NoBehaviour),
    row(34, "DNS SRV, TLS, a REGISTER without credentials", Status::Built),
    row(35, "the 407 that offers NTLM", Status::Built),
    row(36, "the REGISTER with credentials", Status::Built),
    row(37, "credentials are checked, then the directory is asked", Status::Built),
    row(38, "the directory entry: user, service, assigned home server", Status::Built),
    row(39, "the signed 301", Status::Built),
    row(40, "the client verifies it, moves its outbound proxy and registers there", Status::Built),
    row(41, "the home server challenges", Status::Built),
    row(42, "the client proves itself there", Status::Built),
    row(43, "the signed 200", Status::Built),
    row(44, "the user is at the home server", Status::Built),
    row(45, "what this is good for", Status::NoBehaviour),
    row(46, "other protocols may carry it", Status::NoBehaviour),
    row(47, "the architecture of a computer", Status::NoBehaviour),
    row(48, "introduces the flowchart of figure 5", Status::NoBehaviour),
    row(49, "steps 500, 502: a request comes, its client is authenticated", Status::Built),
    row(50, "steps 504 to 508: the assigned home server accepts", Status::Built),
    row(51, "steps 510, 512, 516: one Via is redirected", Status::Built),
    row(52, "step 514: more than one is proxied; who redirects hears no more of the client", Status::Built),
    row(
        53,
        "a load distributor before the home servers; when one is lost, only the directory changes",
        Status::Built,
    ),
    row(54, "the load distributor authenticates, then redirects or proxies", Status::Built),
    row(55, "the load distributor is nobody's home", Status::Built),
    row(
        56,
        "figure 8: an edge server in front of home servers that DNS does not name",
        Status::Open(TOPOLOGIES),
    ),
    row(
        57,
        "the edge passes on without asking the directory; a home server proxies",
        Status::Open(TOPOLOGIES),
    ),
    row(58, "what proxying costs", Status::NoBehaviour),
    row(59, "figure 10: an internal edge server that proxies", Status::Open(TOPOLOGIES)),
    row(60, "edge and internal edge together", Status::Open(TOPOLOGIES)),
    row(61, "only the internal edge has access to the directory", Status::Open(TOPOLOGIES)),
    row(62, "figure 12: a forward proxy on the client's side; the load distributor proxies", Status::Built),
    row(63, "the topologies can be mixed", Status::NoBehaviour),
    row(64, "traffic is monitored and the directory changed when that helps", Status::Open(MONITOR)),
    row(
        65,
        "subscriptions that a change made wrong are invalidated, their watchers told",
        Status::Open(SUBSCRIPTIONS),
    ),
    row(66, "once the directory has changed, traffic is distributed anew", Status::Built),
    row(67, "the client: loops, more than five redirects, a redirect during a refresh", Status::Built),
    row(68, "how far the description reaches", Status::NoBehaviour),
];

const TREE_CLAIMS: &[Row] = &[
    row(
        1,
        "a loaded server finds another, creates a resource there and redirects clients to it",
        Status::Open(TREE),
    ),
    row(2, "… requests from web browsers", Status::Open(TREE)),
    row(3, "… by the load of the first server", Status::Open(TREE)),
    row(4, "… by the location of the clients", Status::Open(TREE)),
    row(5, "… by the domain of the clients", Status::Open(TREE)),
    row(6, "… the address from DNS", Status::Open(TREE)),
    row(7, "… the address from SLP", Status::Open(TREE)),
    row(8, "… SIP servers", Status::Open(TREE)),
    row(9, "… SUBSCRIBE or INVITE", Status::Open(TREE)),
    row(10, "… the SLP server from DNS", Status::Open(TREE)),
    row(11, "… subscriptions to a notification service", Status::Open(TREE)),
    row(12, "… of sports, news or finance", Status::Open(TREE)),
    row(13, "… invitations to a group", Status::Open(TREE)),
    row(14, "… a conference or a chat", Status::Open(TREE)),
    row(15, "… the second server does the same with a third", Status::Open(TREE)),
    row(16, "… from a list of known servers", Status::Open(TREE)),
    row(17, "… the load of the second servers is balanced", Status::Open(TREE)),
    row(18, "… clients are moved from a second server to a third", Status::Open(TREE)),
    row(19, "… the resource is a URL or a group identifier", Status::Open(TREE)),
    row(20, "a first server and a tree of servers, their load optimized", Status::Open(TREE)),
    row(21, "… with DNS", Status::Open(TREE)),
    row(22, "… with SLP", Status::Open(TREE)),
    row(23, "… of SIP servers", Status::Open(TREE)),
    row(24, "claim 1 as a program", Status::Open(TREE)),
    row(25, "… by load", Status::Open(TREE)),
    row(26, "… by location", Status::Open(TREE)),
    row(27, "… by domain", Status::Open(TREE)),
    row(28, "… from DNS", Status::Open(TREE)),
    row(29, "… from SLP", Status::Open(TREE)),
    row(30, "… SIP servers", Status::Open(TREE)),
    row(31, "… SUBSCRIBE or INVITE", Status::Open(TREE)),
    row(32, "… the SLP server from DNS", Status::Open(TREE)),
    row(33, "… a URL or a group identifier", Status::Open(TREE)),
    row(34, "claim 1 as a server", Status::Open(TREE)),
    row(35, "… by load", Status::Open(TREE)),
    row(36, "… by location", Status::Open(TREE)),
    row(37, "… by domain", Status::Open(TREE)),
    row(38, "… from DNS", Status::Open(TREE)),
    row(39, "… from SLP", Status::Open(TREE)),
    row(40, "… SIP servers", Status::Open(TREE)),
];
