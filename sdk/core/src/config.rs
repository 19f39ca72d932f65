//! What an agent and its accounts are told at birth. Built once, validated, then only read.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use homing_wire::Uri;

use crate::address::{WrittenAddress, windows_login};
pub use crate::fingerprint::{Fingerprint, FingerprintError};
use crate::identity::Expected;
pub use crate::identity::ServerNameRule;
use crate::limits::Limits;
pub use crate::remembered::{Remembered, RememberedLogin};
use crate::transport::Transport;

/// What all accounts of one agent share.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AgentConfig {
    /// The User-Agent header.
    pub user_agent: String,
    /// The computer's name as NTLM tells it to the server; may be empty.
    pub workstation: String,
    /// Bounds.
    pub limits: Limits,
    /// RFC 3261 T1, T2, T4.
    pub timers: Timers,
}

/// The base timers of RFC 3261 section 17.1.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timers {
    /// Round-trip estimate, 500 ms.
    pub t1: Duration,
    /// Cap of the non-INVITE retransmission interval, 4 s.
    pub t2: Duration,
    /// How long a message stays in the network, 5 s.
    pub t4: Duration,
}

/// One account: who signs in, where, how, and what it lets itself be told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccountConfig {
    /// The address of record.
    pub aor: Aor,
    /// Display name for From; empty for none.
    pub display: String,
    /// The endpoint's stable token (`epid`), 1 to 16 characters (MS-SIPRE).
    pub epid: String,
    /// Where the search for a server starts.
    pub server: ServerChoice,
    /// Transports allowed, in order of preference. A secure one is never replaced by a clear one.
    pub transports: Vec<Transport>,
    /// Which logins are answered.
    pub auth: AuthRules,
    /// What TLS shows and accepts where discovery or the account names the server.
    pub tls: TlsRules,
    /// What a redirect may do.
    pub redirect: RedirectRules,
    /// Expires asked for, in seconds.
    pub expires: u32,
    /// The home server of an earlier run, and what was learned about its login.
    pub remembered: Option<Remembered>,
    /// RFC 5626: the one flow registers as `reg-id` 1 and says that outbound is supported. A second flow
    /// is never opened.
    pub outbound: Outbound,
    /// Whom the Request-URI of a REGISTER names.
    pub register_uri: RegisterUri,
    /// How it places and takes calls. An account without places none, and answers an INVITE of its server with 405.
    pub calls: Option<Box<CallRules>>,
}

/// What an account does with calls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRules {
    /// Calls at once, whether they ring, are being placed or are answered; one more that comes in gets 486.
    pub most_calls: u16,
    /// Calls from one caller that may ring at once (T20): by asserted identity behind a server, by address where there is none.
    pub most_ringing_per_caller: u16,
    /// Whether calls that come in are told.
    pub do_not_disturb: DoNotDisturb,
    /// How long a call that comes in may ring, from 1 s to an hour; then it gets 480.
    pub ring_for: Duration,
    /// Whether responses before the answer are acknowledged (RFC 3262).
    pub reliable: ReliableRule,
    /// Session timers (RFC 4028).
    pub session_timers: SessionTimers,
    /// What becomes of calls when their home server sends the account to another (decision 8).
    pub on_move: OnMove,
    /// Whether a Digest challenge inside a dialog is answered (decision 44).
    pub answer_in_dialog: InDialogChallenge,
    /// Where an account without registrar is heard, by every transport it allows: what its Contact names. Without it
    /// nobody can call (decision 46). TLS and TCP cannot share a port.
    pub listen: Option<SocketAddr>,
}

/// What a caller hears while nobody wants to be disturbed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DoNotDisturb {
    /// Calls ring.
    #[default]
    Off,
    /// 480: not there now; a server may try another device.
    Unavailable,
    /// 486: busy here.
    Busy,
}

/// Whether responses before the answer are acknowledged (RFC 3262).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReliableRule {
    /// Where the caller requires it.
    #[default]
    Required,
    /// Wherever the caller is able to.
    Supported,
}

/// What is asked for and granted by session timers (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionTimers {
    /// Seconds between two refreshes, twice over; 0 asks for none, and still keeps to what the peer asks for.
    pub expires: u32,
    /// The least that is accepted, in seconds; 90 or more.
    pub least: u32,
}

/// What becomes of the calls over a home server that sends the account to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMove {
    /// They go on over it.
    #[default]
    Keep,
    /// They are hung up.
    End,
}

/// Whether a Digest challenge inside a dialog is answered (decision 44): a peer may copy the realm of a server, and is
/// not told apart from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InDialogChallenge {
    /// For a realm that was answered before over the same link, once per request.
    #[default]
    OwnRealm,
    /// For no realm at all.
    Never,
}

/// Whether a registration says that outbound is supported (RFC 5626).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outbound {
    /// It does; a server that refuses it with 439 is asked without, until the account signs out.
    #[default]
    Auto,
    /// It does not.
    Off,
}

/// Whom the Request-URI of a REGISTER names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterUri {
    /// The domain (RFC 3261 section 10.2).
    #[default]
    Domain,
    /// The server as dialled, as the messages of the patent have it.
    Server,
}

/// Whether a Digest challenge without a quality of protection is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum QopRule {
    /// With MD5, where that is allowed, as many branch exchanges have it; never with SHA-2.
    #[default]
    Optional,
    /// Never.
    Required,
}

/// What a wrong proof of a Digest server (`rspauth`, RFC 7616 section 3.5) does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rspauth {
    /// The login fails and the binding is removed.
    #[default]
    Check,
    /// It is counted and told, and changes nothing else.
    Ignore,
}

/// An address of record: `sip:user@domain`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aor {
    /// The user part as a URI writes it, escapes included; [`Aor::login_user`] undoes them.
    pub user: String,
    /// The SIP domain: lower case, A-labels, an IPv6 address in brackets.
    pub domain: String,
    /// Written as `sips:`: the account allows TLS and nothing else.
    pub secure: bool,
}

/// Where the search for a server starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerChoice {
    /// DNS for the account's domain: the Microsoft names first, then RFC 3263.
    Discover,
    /// This server; no port means SRV for the host, then the default port.
    Fixed {
        /// Host name or IP literal.
        host: String,
        /// Port, if written.
        port: Option<u16>,
        /// UDP only with [`AuthRules::udp_register`].
        transport: Transport,
    },
    /// There is no registrar: the account calls and is called directly.
    NoRegistrar,
}

/// What TLS shows and accepts where discovery or the account names the server. A remembered home and every target
/// of a redirect are verified by their certificate authority alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsRules {
    /// Whom the hello names.
    pub server_name: ServerNameRule,
    /// Certificates that are accepted in place of chain, name and dates; empty for none.
    pub pins: Vec<Fingerprint>,
}

/// Which logins are answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthRules {
    /// Schemes allowed, the preferred first: the first that the server offers too is taken, whatever
    /// the server's order.
    pub schemes: Vec<Scheme>,
    /// Digest with MD5, off unless the account says so (decision 23).
    pub allow_md5: bool,
    /// Whether a Digest challenge without `qop` is answered.
    pub qop: QopRule,
    /// What a wrong proof of the server does.
    pub rspauth: Rspauth,
    /// REGISTER over UDP, off unless the account says so (decision 23).
    pub udp_register: bool,
    /// Which server a challenge may name.
    pub target_name: TargetNameRule,
    /// NTLM channel binding and target name (decision 14).
    pub extended_protection: ExtendedProtection,
    /// Where signatures are looked for beyond the standard places.
    pub signature_places: SignaturePlaces,
}

/// Authentication schemes this user agent knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// NTLMv2 in datagram mode, messages signed (MS-SIPAE).
    Ntlm,
    /// HTTP Digest (RFC 7616, RFC 8760).
    Digest,
}

/// Which server a challenge may name, over TLS: an answer to a challenge is a proof for the server
/// it names, so a stranger's challenge must not be passed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetNameRule {
    /// One of the names the verified certificate carries, in whichever place and order.
    #[default]
    Verified,
    /// Also any host inside the SIP domain: a proxy passes on its home server's challenges (decision 15).
    InDomain,
}

/// Use of NTLM's protection against relaying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtendedProtection {
    /// Neither target name nor channel binding is sent.
    Off,
    /// Both are sent; their absence on the other side is accepted.
    Accept,
    /// Both are sent and a server that does not take them is refused.
    Require,
}

/// Header fields in which a server's signature is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignaturePlaces {
    /// Authentication-Info and Proxy-Authentication-Info.
    Standard,
    /// Also Proxy-Authenticate of a 3xx and (Proxy-)Authorization of a 2xx or 3xx, as the patent prints them.
    PatentToo,
}

/// What a redirect of a REGISTER may do (patent paragraph 67, decisions 1 to 6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedirectRules {
    /// Redirects followed within one login, 0 to 5; 0 follows none.
    pub limit: u8,
    /// What counts as a loop.
    pub loops: LoopRule,
    /// What to do with a redirect that no security association signs.
    pub unsigned: UnsignedRule,
    /// Status codes followed besides 301.
    pub also_302: bool,
    /// Domains besides the account's own that may be led to.
    pub domains: Vec<String>,
    /// Networks whose addresses may stand in a Contact; empty refuses every literal.
    pub ip_literals: Vec<IpNetwork>,
    /// Whether TLS is needed to follow at all; a downgrade is refused in any case.
    pub require_tls: bool,
    /// Who has the last word on a redirect that passed every rule.
    pub consent: Consent,
}

/// What counts as a loop (decision 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoopRule {
    /// A target already visited in this login.
    Visited,
    /// Any redirect from a server one was redirected to: the patent read literally.
    StrictPatent,
}

/// What to do with an unsigned redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsignedRule {
    /// Not followed, also where no association exists that could sign (Digest).
    Refuse,
    /// Follow it over verified TLS where no association exists that could sign (Digest, decision 6).
    FollowOverTls,
}

/// Who has the last word on a redirect that passed every rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consent {
    /// Followed without a question.
    Rules,
    /// The world is asked (`Question::Redirect`).
    Ask,
}

/// An address block, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNetwork {
    /// Any address inside the block.
    pub address: IpAddr,
    /// Leading bits that are fixed.
    pub prefix: u8,
}

/// Why a configuration is not usable: the caller's mistake, told at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The address is not `user@domain`.
    #[error("`{0}` is no SIP address; write user@domain")]
    Aor(String),
    /// A Windows login name stands where the address belongs.
    #[error("`{0}` is a Windows login name; write the address as user@domain and this name as `user`")]
    LoginName(String),
    /// A `sips:` address beside a transport without TLS.
    #[error("a sips: address asks for TLS, but the account allows {0}; leave tls alone, or write sip:")]
    NotSecure(Transport),
    /// Another account of this agent is the same endpoint: each would remove the other's binding.
    #[error("{aor} with the epid {epid} is an account already")]
    Duplicate {
        /// The address of both.
        aor: String,
        /// The endpoint of both.
        epid: String,
    },
    /// The epid is not 1 to 16 letters or digits.
    #[error("an epid has 1 to 16 letters or digits")]
    Epid,
    /// No transport is allowed, or only UDP and REGISTER over UDP is not.
    #[error("no transport is allowed; allow at least one of tls, tcp, udp (for udp also `udp_register`)")]
    NoTransport,
    /// Redirect limits run from 0 to 5.
    #[error("a redirect limit lies between 0 and 5")]
    RedirectLimit,
    /// Expires is out of range.
    #[error("expires lies between 60 and 86400 seconds")]
    Expires,
}

impl AccountConfig {
    /// The rules of its calls; those nobody set where it makes none.
    pub(crate) fn call_rules(&self) -> &CallRules {
        static UNSET: CallRules = CallRules::DEFAULT;
        self.calls.as_deref().unwrap_or(&UNSET)
    }

    /// An account with the project's defaults: discovery, TLS only, NTLM and SHA-2 Digest, five signed
    /// redirects inside the domain.
    pub fn new(aor: Aor, epid: impl Into<String>) -> Self {
        Self {
            aor,
            display: String::new(),
            epid: epid.into(),
            server: ServerChoice::Discover,
            transports: vec![Transport::SIPS],
            auth: AuthRules::default(),
            tls: TlsRules::default(),
            redirect: RedirectRules::default(),
            expires: 7200,
            remembered: None,
            outbound: Outbound::Auto,
            register_uri: RegisterUri::Domain,
            calls: None,
        }
    }

    /// The transports a REGISTER may use: all that are allowed, UDP only where it is allowed for that.
    pub fn allowed_transports(&self) -> Vec<Transport> {
        let udp = self.auth.udp_register;
        self.transports.iter().copied().filter(|transport| udp || transport.is_reliable()).collect()
    }

    /// A transport without TLS by which the account could be reached or sign in.
    fn clear_transport(&self) -> Option<Transport> {
        let fixed = match self.server {
            ServerChoice::Fixed { transport, .. } => Some(transport),
            ServerChoice::Discover | ServerChoice::NoRegistrar => None,
        };
        self.transports.iter().copied().chain(fixed).find(|transport| !transport.is_secure())
    }

    /// Checks what the types cannot hold.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), ConfigError> {
        let epid_ok =
            (1..=16).contains(&self.epid.len()) && self.epid.bytes().all(|b| b.is_ascii_alphanumeric());
        if !epid_ok {
            return Err(ConfigError::Epid);
        }
        if self.aor.secure
            && let Some(clear) = self.clear_transport()
        {
            return Err(ConfigError::NotSecure(clear));
        }
        let fixed_udp =
            matches!(self.server, ServerChoice::Fixed { transport, .. } if !transport.is_reliable());
        // Only a registrar forbids UDP (decision 23); what is asked directly goes by any transport.
        let usable = match self.server {
            ServerChoice::NoRegistrar => !self.transports.is_empty(),
            ServerChoice::Discover | ServerChoice::Fixed { .. } => !self.allowed_transports().is_empty(),
        };
        if !usable || fixed_udp && !self.auth.udp_register {
            return Err(ConfigError::NoTransport);
        }
        if self.redirect.limit > 5 {
            return Err(ConfigError::RedirectLimit);
        }
        if !(60..=86_400).contains(&self.expires) {
            return Err(ConfigError::Expires);
        }
        Ok(())
    }
}

impl Aor {
    /// Reads `user@domain`, `sip:user@domain` or `sips:user@domain`; the domain may be an address.
    ///
    /// # Errors
    /// [`ConfigError::Aor`] with the text, if it is none of these, or names a server by its port.
    ///
    /// ```
    /// use homing_core::config::Aor;
    /// let aor = Aor::parse("alice@Network.com").unwrap();
    /// assert_eq!(aor.to_string(), "sip:alice@network.com");
    /// ```
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let address = Self::read(text)?;
        if address.port.is_some() {
            return Err(ConfigError::Aor(shown(text)));
        }
        Ok(Self::from(address))
    }

    /// Reads an address as a person writes it, with the server and the transport that may stand beside it.
    ///
    /// # Errors
    /// [`ConfigError::Aor`] with the text, or [`ConfigError::LoginName`] where a login name was written.
    pub fn read(text: &str) -> Result<WrittenAddress, ConfigError> {
        match WrittenAddress::parse(text) {
            Some(address) => Ok(address),
            None if windows_login(text).is_some() => Err(ConfigError::LoginName(shown(text))),
            None => Err(ConfigError::Aor(shown(text))),
        }
    }

    /// The user part with its escapes undone: the name that a login is answered with.
    pub fn login_user(&self) -> String {
        Uri::unescape(&self.user).into_owned()
    }
}

/// As much of a text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

impl From<WrittenAddress> for Aor {
    /// Who is meant, without the server and the transport that may be written beside it.
    fn from(address: WrittenAddress) -> Self {
        Self { user: address.user, domain: address.domain, secure: address.secure }
    }
}

impl std::fmt::Display for Aor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sip:{}@{}", self.user, self.domain)
    }
}

impl TlsRules {
    /// What a server must prove, under these rules, to an account of `domain`.
    pub fn apply(&self, expected: Expected, domain: &str) -> Expected {
        expected.under(self.server_name, domain, &self.pins)
    }
}

impl RedirectRules {
    /// True for a status that is followed: 301, and 300 and 302 where the account allows them.
    pub fn follows_status(&self, status: u16) -> bool {
        status == 301 || self.also_302 && matches!(status, 300 | 302)
    }

    /// True if a redirect that came by `transport` is followed although no association exists that could
    /// have signed it.
    pub fn follows_unsigned(&self, transport: Transport) -> bool {
        self.unsigned == UnsignedRule::FollowOverTls && transport.is_secure()
    }
}

impl IpNetwork {
    /// True if `address` lies in the block.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let shift = 32u32.saturating_sub(u32::from(self.prefix));
                u64::from(a.to_bits()) >> shift == u64::from(b.to_bits()) >> shift
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let shift = 128u32.saturating_sub(u32::from(self.prefix));
                shift >= 128 || a.to_bits() >> shift == b.to_bits() >> shift
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("Homing/", env!("CARGO_PKG_VERSION")).to_owned(),
            workstation: String::new(),
            limits: Limits::default(),
            timers: Timers::default(),
        }
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl CallRules {
    const DEFAULT: Self = Self {
        most_calls: 2,
        most_ringing_per_caller: 1,
        do_not_disturb: DoNotDisturb::Off,
        ring_for: Duration::from_secs(180),
        reliable: ReliableRule::Required,
        session_timers: SessionTimers { expires: 1_800, least: 90 },
        on_move: OnMove::Keep,
        answer_in_dialog: InDialogChallenge::OwnRealm,
        listen: None,
    };
}

impl Default for CallRules {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for AuthRules {
    fn default() -> Self {
        Self {
            schemes: vec![Scheme::Ntlm, Scheme::Digest],
            allow_md5: false,
            qop: QopRule::Optional,
            rspauth: Rspauth::Check,
            udp_register: false,
            target_name: TargetNameRule::Verified,
            extended_protection: ExtendedProtection::Accept,
            signature_places: SignaturePlaces::Standard,
        }
    }
}

impl Default for RedirectRules {
    fn default() -> Self {
        Self {
            limit: 5,
            loops: LoopRule::Visited,
            unsigned: UnsignedRule::Refuse,
            also_302: false,
            domains: Vec::new(),
            ip_literals: Vec::new(),
            require_tls: true,
            consent: Consent::Rules,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        assert_eq!(Aor::parse("sip:alice@Corp.Example").unwrap().domain, "corp.example");
        for bad in ["alice", "@corp.example", "a b@c.d", "a@", "a@b c", "a<@b.c", "a@b\r\n"] {
            assert!(Aor::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_login_name_is_the_user_without_escapes() {
        for (text, user, login) in [
            ("9901#1@b.c", "9901%231", "9901#1"),
            ("a%2fb@b.c", "a%2fb", "a/b"),
            ("100%@b.c", "100%25", "100%"),
        ] {
            let aor = Aor::parse(text).unwrap();
            assert_eq!((aor.user.as_str(), aor.login_user().as_str()), (user, login), "{text}");
        }
        assert_eq!(Aor::parse("NET\\alice"), Err(ConfigError::LoginName("NET\\alice".to_owned())));
        assert!(Aor::parse("alice@b.c:5070").is_err(), "a port names a server, not a domain");
    }

    #[test]
    fn a_sips_address_allows_tls_and_nothing_else() {
        let with = |text: &str, transports: &[Transport], server| {
            let mut config = AccountConfig::new(Aor::parse(text).unwrap(), "01ab");
            config.transports = transports.to_vec();
            config.server = server;
            config.check()
        };
        let fixed = |transport| ServerChoice::Fixed { host: "h".into(), port: None, transport };
        use Transport::{Tcp, Tls};
        let refused = Err(ConfigError::NotSecure(Tcp));
        assert_eq!(with("sips:a@b.c", &[Tls], ServerChoice::Discover), Ok(()));
        assert_eq!(with("sips:a@b.c", &[Tls, Tcp], ServerChoice::Discover), refused);
        assert_eq!(with("sips:a@b.c", &[Tcp], ServerChoice::NoRegistrar), refused);
        assert_eq!(with("sips:a@b.c", &[Tls], fixed(Tcp)), refused);
        assert_eq!(with("sip:a@b.c", &[Tls, Tcp], ServerChoice::Discover), Ok(()));
    }

    #[test]
    fn networks_cover_their_addresses() {
        let ten = IpNetwork { address: "10.0.0.0".parse().unwrap(), prefix: 8 };
        assert!(ten.contains("10.200.1.1".parse().unwrap()));
        assert!(!ten.contains("11.0.0.1".parse().unwrap()));
        assert!(!ten.contains("::1".parse().unwrap()));
        let all = IpNetwork { address: "::".parse().unwrap(), prefix: 0 };
        assert!(all.contains("2001:db8::1".parse().unwrap()));
    }
}
