//! The CHALLENGE message: what the server is called and what it offers (MS-NLMP 2.2.1.2).

use super::crypto::utf16;
use super::{av, flag};

/// What a server calls itself in its challenges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerNames {
    /// NetBIOS name of the domain, such as `NETWORK`.
    pub netbios_domain: String,
    /// NetBIOS name of the machine.
    pub netbios_computer: String,
    /// DNS name of the domain, which is also given as the forest.
    pub dns_domain: String,
    /// DNS name of the machine.
    pub dns_computer: String,
}

/// One challenge as sent; kept until it is answered once, or lapses.
#[derive(Clone, Debug)]
pub struct Challenge {
    bytes: Vec<u8>,
    nonce: [u8; 8],
    timestamp: Option<u64>,
}

impl ServerNames {
    /// The names of the machine `fqdn` in `domain`; NetBIOS names are first labels, upper-cased and
    /// cut to 15 characters.
    ///
    /// ```
    /// use homing_server_mock::node::authenticator::acceptor::ServerNames;
    /// let names = ServerNames::of("hs104.network.com", "network.com");
    /// assert_eq!((names.netbios_domain.as_str(), names.netbios_computer.as_str()), ("NETWORK", "HS104"));
    /// ```
    pub fn of(fqdn: &str, domain: &str) -> Self {
        Self {
            netbios_domain: netbios(domain),
            netbios_computer: netbios(fqdn),
            dns_domain: domain.to_owned(),
            dns_computer: fqdn.to_owned(),
        }
    }
}

impl Challenge {
    /// A challenge with the offer of a real server: flags `E29882F3`, no target name, pairs 2, 1, 4,
    /// 3, 5 and, where given, 7.
    pub fn new(names: &ServerNames, nonce: [u8; 8], timestamp: Option<u64>) -> Self {
        let mut pairs = Vec::with_capacity(160);
        av::write(&mut pairs, av::NETBIOS_DOMAIN, &utf16(&names.netbios_domain));
        av::write(&mut pairs, av::NETBIOS_COMPUTER, &utf16(&names.netbios_computer));
        av::write(&mut pairs, av::DNS_DOMAIN, &utf16(&names.dns_domain));
        av::write(&mut pairs, av::DNS_COMPUTER, &utf16(&names.dns_computer));
        av::write(&mut pairs, av::DNS_TREE, &utf16(&names.dns_domain));
        if let Some(ticks) = timestamp {
            av::write(&mut pairs, av::TIMESTAMP, &ticks.to_le_bytes());
        }
        av::write(&mut pairs, av::END, &[]);
        let length = u16::try_from(pairs.len()).expect("a handful of DNS names fits 64 KiB");

        let mut bytes = Vec::with_capacity(PAYLOAD + pairs.len());
        bytes.extend(b"NTLMSSP\0");
        bytes.extend(2u32.to_le_bytes());
        bytes.extend([0, 0, 0, 0]);
        bytes.extend(PAYLOAD_AT.to_le_bytes());
        bytes.extend(flag::OFFER.to_le_bytes());
        bytes.extend(nonce);
        bytes.extend([0; 8]);
        bytes.extend(length.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(PAYLOAD_AT.to_le_bytes());
        bytes.extend(VERSION);
        bytes.extend(&pairs);
        Self { bytes, nonce, timestamp }
    }

    /// The message.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The server's eight random bytes.
    pub(super) fn nonce(&self) -> &[u8; 8] {
        &self.nonce
    }

    /// The time that was offered, in FILETIME ticks.
    pub(super) fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }

    /// The pairs that were offered.
    pub(super) fn pairs(&self) -> &[u8] {
        &self.bytes[PAYLOAD..]
    }
}

fn netbios(name: &str) -> String {
    name.split('.').next().unwrap_or_default().chars().take(15).collect::<String>().to_uppercase()
}

/// Where names and pairs begin: the header with version field.
const PAYLOAD: usize = 56;
const PAYLOAD_AT: u32 = 56;

/// 5.2.3790, NTLM revision 15: what the servers of the golden conversations call themselves.
const VERSION: [u8; 8] = [0x05, 0x02, 0xCE, 0x0E, 0, 0, 0, 0x0F];
