//! What no estate can work with although every setting by itself can be read: each with its line and its cure.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Component, Path, PathBuf};

use homing_core::transport::Transport;
use homing_wire::Uri;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault_section::FaultSection;
use crate::fault::RuleError;

/// What is wrong, where, and what helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unworkable {
    /// In octets from the beginning of the file.
    pub(super) at: usize,
    pub(super) why: String,
    pub(super) cure: &'static str,
}

/// A value with its place.
type Value<'t> = Spanned<DeValue<'t>>;

/// A server as the file names it.
struct Server<'t> {
    name: &'t str,
    is_home: bool,
}

/// Finds the first thing that cannot work. What cannot be read at all is left to the reader.
pub(super) fn check(text: &str) -> Result<(), Unworkable> {
    let Ok(table) = DeTable::parse(text) else { return Ok(()) };
    let table = table.get_ref();
    let transports = transports(table)?;
    domain(table)?;
    authority(table)?;
    let servers = servers(table, &transports)?;
    users(table, &servers)?;
    faults(table, &servers)?;
    routing(table, &servers, &transports)?;
    registrar(table)?;
    calls(table)?;
    parties(table)
}

fn wrong<T>(at: &Value<'_>, why: impl Into<String>, cure: &'static str) -> Result<T, Unworkable> {
    Err(Unworkable { at: at.span().start, why: why.into(), cure })
}

fn text_of<'t>(value: &'t Value<'_>) -> Option<&'t str> {
    value.get_ref().as_str()
}

fn number_of(value: &Value<'_>) -> Option<u32> {
    let number = value.get_ref().as_integer()?;
    u32::from_str_radix(number.as_str(), number.radix()).ok()
}

fn entries<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> impl Iterator<Item = &'t DeTable<'i>> {
    let list = table.get(name).and_then(|value| value.get_ref().as_array());
    list.into_iter().flat_map(|list| list.iter()).filter_map(|value| value.get_ref().as_table())
}

fn transports(table: &DeTable<'_>) -> Result<Vec<Transport>, Unworkable> {
    let Some(value) = table.get("transports") else { return Ok(vec![Transport::SIPS]) };
    let list = value.get_ref().as_array().into_iter().flat_map(|list| list.iter());
    let list: Vec<Transport> = list.filter_map(text_of).filter_map(Transport::parse).collect();
    if list.is_empty() {
        return wrong(value, "no transport is left for clients", "Name at least one, such as \"tls\".");
    }
    Ok(list)
}

fn domain(table: &DeTable<'_>) -> Result<(), Unworkable> {
    let Some(value) = table.get("domain") else { return Ok(()) };
    let name = text_of(value).unwrap_or_default().trim_end_matches('.');
    if name.is_empty() {
        return wrong(value, "the domain is empty", "Write the SIP domain, such as \"network.com\".");
    }
    if name.parse::<IpAddr>().is_ok() || name.contains(['@', ':', '/', ' ']) {
        let why = format!("`{name}` is no domain");
        return wrong(value, why, "Write the bare name of the SIP domain, such as \"network.com\".");
    }
    Ok(())
}

/// Certificate and private key of the authority are two files: the one would be written over the other.
fn authority(table: &DeTable<'_>) -> Result<(), Unworkable> {
    let Some(value) = table.get("ca_file") else { return Ok(()) };
    let file = Path::new(text_of(value).unwrap_or_default());
    let named = table.get("ca_key_file");
    let key_file = match named.and_then(text_of) {
        Some(key_file) => PathBuf::from(key_file),
        None => key_file_beside(file),
    };
    if plain(file) == plain(&key_file) {
        let at = named.unwrap_or(value);
        let why = "certificate and private key of the authority would be one file";
        let cure = "Name another file in `ca_file`, such as \"estate-ca.pem\", or in `ca_key_file`.";
        return wrong(at, why, cure);
    }
    Ok(())
}

/// Where the private key is kept unless the configuration says it.
pub(super) fn key_file_beside(file: &Path) -> PathBuf {
    file.with_extension("key")
}

/// A path without the steps that lead nowhere. Links are left to who opens the files.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for step in path.components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            step => plain.push(step),
        }
    }
    plain
}

fn servers<'t>(table: &'t DeTable<'_>, transports: &[Transport]) -> Result<Vec<Server<'t>>, Unworkable> {
    let mut servers: Vec<Server<'t>> = Vec::new();
    let mut ports = BTreeSet::new();
    if let Some(value) = table.get("dns_port").filter(|value| number_of(value).is_some_and(|port| port > 0)) {
        // The name server answers by UDP and TCP.
        ports.extend([(true, number_of(value)), (false, number_of(value))]);
    }
    for entry in entries(table, "server") {
        let Some(value) = entry.get("name") else { continue };
        let name = text_of(value).unwrap_or_default();
        if name.is_empty() || name.contains('.') {
            let why = format!("`{name}` is no short name: servers are called NAME.domain");
            return wrong(value, why, "Write the first label only, such as \"hs102\".");
        }
        if servers.iter().any(|server| server.name.eq_ignore_ascii_case(name)) {
            return wrong(
                value,
                format!("there are two servers named `{name}`"),
                "Give each a name of its own.",
            );
        }
        for transport in Transport::ALL {
            let Some(value) = entry.get(transport.uri_token()) else { continue };
            if !transports.contains(&transport) && transport != Transport::SIPS {
                let why = format!("a port for {transport}, which no client may use");
                return wrong(value, why, "Add it to `transports`, or take the port out.");
            }
            let port = number_of(value).filter(|port| *port > 0);
            if port.is_some() && !ports.insert((transport.is_reliable(), port)) {
                let why = format!("port {} is taken already in this file", port.unwrap_or_default());
                return wrong(value, why, "Choose another port, or 0 to let the system choose.");
            }
        }
        let is_home = entry.get("role").and_then(text_of) == Some("home");
        servers.push(Server { name, is_home });
    }
    Ok(servers)
}

fn users(table: &DeTable<'_>, servers: &[Server<'_>]) -> Result<(), Unworkable> {
    let domain = table.get("domain").and_then(text_of).unwrap_or_default().to_ascii_lowercase();
    let mut names = BTreeSet::new();
    let persons = entries(table, "user").map(|entry| (entry, true));
    let parties = entries(table, "party").map(|entry| (entry, false));
    for (entry, signs_in) in persons.chain(parties) {
        let Some(value) = entry.get("name") else { continue };
        let name = text_of(value).unwrap_or_default();
        if name.is_empty() {
            return wrong(value, "a user without a name", "Write the part of the address before the @.");
        }
        if let Some((_, host)) = name.split_once('@') {
            let why = if host.eq_ignore_ascii_case(&domain) {
                format!("`{name}` names the domain, too")
            } else {
                format!("`{name}` is a user of another domain")
            };
            return wrong(value, why, "Write the part before the @; all users are of `domain`.");
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return wrong(value, format!("there are two users named `{name}`"), "Take one of the two out.");
        }
        if signs_in && entry.contains_key("password") == entry.contains_key("password_file") {
            let why = format!("user `{name}`: give either `password` or `password_file`");
            return wrong(value, why, "Give that user one of the two.");
        }
        if let Some(value) = entry.get("home") {
            home(value, servers)?;
        }
    }
    Ok(())
}

/// A name that must be a home server's.
fn home(value: &Value<'_>, servers: &[Server<'_>]) -> Result<(), Unworkable> {
    let name = text_of(value).unwrap_or_default();
    let cure = "Name a [[server]] whose role is \"home\", by its short name.";
    match servers.iter().find(|server| server.name.eq_ignore_ascii_case(name)) {
        Some(server) if server.is_home => Ok(()),
        Some(_) => wrong(value, format!("`{name}` is no home server"), cure),
        None => wrong(value, format!("there is no server named `{name}`"), cure),
    }
}

fn faults(table: &DeTable<'_>, servers: &[Server<'_>]) -> Result<(), Unworkable> {
    let list = table.get("fault").and_then(|value| value.get_ref().as_array());
    for fault in list.into_iter().flat_map(|list| list.iter()) {
        let Some(section) = fault.get_ref().as_table() else { continue };
        if let Some(server) = section.get("server") {
            let name = text_of(server).unwrap_or_default();
            if !servers.iter().any(|one| one.name == name) {
                let why = format!("there is no server named `{name}`");
                return wrong(server, why, "Name a [[server]] by its short name.");
            }
        }
        let read = FaultSection::deserialize(fault.clone().into_deserializer());
        if let Ok(Err(why)) = read.map(|section| section.rule()) {
            let key = match why {
                RuleError::NoTimes => "times",
                RuleError::RegisterOnly => "method",
                RuleError::Status | RuleError::Header => "play",
            };
            let at = section.get(key).unwrap_or(fault);
            return wrong(at, why.to_string(), "The README lists the faults, and what each is played to.");
        }
    }
    Ok(())
}

fn routing(table: &DeTable<'_>, servers: &[Server<'_>], transports: &[Transport]) -> Result<(), Unworkable> {
    let Some(section) = table.get("routing").and_then(|value| value.get_ref().as_table()) else {
        return Ok(());
    };
    if let Some(value) = section.get("backup") {
        home(value, servers)?;
    }
    match section.get("no_association") {
        Some(value)
            if text_of(value) == Some("unsigned_301") && !transports.iter().any(|one| one.is_secure()) =>
        {
            let why = "unsigned redirects are sent over TLS only, which no client may use";
            wrong(value, why, "Add \"tls\" to `transports`, or choose \"proxy\" or \"403\".")
        }
        _ => Ok(()),
    }
}

fn registrar(table: &DeTable<'_>) -> Result<(), Unworkable> {
    let Some(section) = table.get("registrar").and_then(|value| value.get_ref().as_table()) else {
        return Ok(());
    };
    for key in ["expires", "min_expires", "max_expires", "keep_alive", "flow_timer"] {
        if let Some(value) = section.get(key).filter(|value| number_of(value) == Some(0)) {
            let why = format!("`{key}` is 0: nobody could stay registered");
            return wrong(value, why, "Give it a number of seconds, or leave it out.");
        }
    }
    let of = |key: &str, default: u32| section.get(key).and_then(number_of).unwrap_or(default);
    let (least, most) = (of("min_expires", MIN_EXPIRES), of("max_expires", MAX_EXPIRES));
    let written = |keys: [&str; 2]| keys.into_iter().find_map(|key| section.get(key));
    if least > most
        && let Some(value) = written(["min_expires", "max_expires"])
    {
        let why = format!("the least expiry, {least} s, is longer than the most, {most} s");
        return wrong(value, why, "Lower `min_expires` or raise `max_expires`.");
    }
    let granted = of("expires", EXPIRES);
    if !(least..=most).contains(&granted)
        && let Some(value) = section.get("expires").or_else(|| written(["min_expires", "max_expires"]))
    {
        let why = format!("`expires`, {granted} s, does not lie between {least} s and {most} s");
        return wrong(value, why, "Choose `expires` between `min_expires` and `max_expires`.");
    }
    Ok(())
}

fn calls(table: &DeTable<'_>) -> Result<(), Unworkable> {
    let Some(section) = table.get("calls").and_then(|value| value.get_ref().as_table()) else {
        return Ok(());
    };
    for (key, most) in [
        ("requests", 100_000),
        ("requests_of_user", 100_000),
        ("breadth", 256),
        ("unanswered_from_user", 10_000),
        ("unanswered_to_user", 10_000),
        ("calls_of_device", 10_000),
        ("calls", 1_000_000),
    ] {
        let Some(value) = section.get(key) else { continue };
        // What is no number at all is the reader's to say.
        let is_number = value.get_ref().as_integer().is_some();
        if is_number && number_of(value).is_none_or(|number| number > most) {
            let why = format!("`{key}` does not lie between 1 and {most}");
            return wrong(value, why, "Give it a number between them, or leave it out.");
        }
    }
    Ok(())
}

fn parties(table: &DeTable<'_>) -> Result<(), Unworkable> {
    for entry in entries(table, "party") {
        let plays = entry.get("plays").and_then(|value| value.get_ref().as_table());
        let Some(value) = plays.and_then(|plays| plays.get("redirects")) else { continue };
        let Some(text) = text_of(value) else { continue };
        if !Uri::parse(text).is_ok_and(|uri| matches!(uri.scheme(), "sip" | "sips" | "tel")) {
            let why = format!("`{}` is no address to redirect a call to", text.escape_debug());
            return wrong(value, why, "Write a whole URI, such as \"sip:bob@network.com\".");
        }
    }
    Ok(())
}

/// What is meant where nothing is written; the configuration of a server says the same.
const EXPIRES: u32 = 7_200;
const MIN_EXPIRES: u32 = 60;
const MAX_EXPIRES: u32 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::config::RegistrarConfig;

    /// A file that works, with one line replaced or added by each case.
    const GOOD: &str = r#"domain = "network.com"
transports = ["tls", "tcp", "udp"]
dns_port = 5300
[routing]
backup = "hs102"
no_association = "unsigned_301"
[registrar]
expires = 600
min_expires = 60
max_expires = 3600
keep_alive = 300
flow_timer = 120
[[server]]
name = "lb"
role = "distributor"
tls = 5061
tcp = 5060
udp = 5060
[[server]]
name = "hs102"
role = "home"
tls = 5071
[[user]]
name = "alice"
password = "a"
home = "hs102"
[[user]]
name = "bob"
password = "b"
"#;

    fn line_of(text: &str, at: usize) -> usize {
        text[..at].matches('\n').count() + 1
    }

    #[test]
    fn the_file_without_a_fault_is_taken_and_defaults_are_those_of_the_servers() {
        assert_eq!(check(GOOD), Ok(()));
        assert_eq!(check("domain = \"network.com\"\n"), Ok(()));
        let fresh = RegistrarConfig::default();
        assert_eq!(
            (fresh.default_expires, fresh.min_expires, fresh.max_expires),
            (EXPIRES, MIN_EXPIRES, MAX_EXPIRES)
        );
    }

    #[test]
    fn each_fault_is_refused_with_its_line_a_reason_and_a_cure() {
        let cases: &[(&str, &str, &str)] = &[
            ("domain = \"network.com\"", "domain = \"\"", "is empty"),
            ("domain = \"network.com\"", "domain = \".\"", "is empty"),
            ("domain = \"network.com\"", "domain = \"192.0.2.1\"", "is no domain"),
            ("domain = \"network.com\"", "domain = \"2001:db8::1\"", "is no domain"),
            ("domain = \"network.com\"", "domain = \"sip:network.com\"", "is no domain"),
            ("domain = \"network.com\"", "domain = \"alice@network.com\"", "is no domain"),
            ("domain = \"network.com\"", "domain = \"network com\"", "is no domain"),
            ("transports = [\"tls\", \"tcp\", \"udp\"]", "transports = []", "no transport"),
            ("tcp = 5060", "tcp = 5061", "port 5061 is taken"),
            ("tls = 5061", "tls = 5300", "port 5300 is taken"),
            ("udp = 5060", "udp = 5300", "port 5300 is taken"),
            ("tls = 5071", "tls = 5061", "port 5061 is taken"),
            ("tls = 5071", "tcp = 5060", "port 5060 is taken"),
            ("tls = 5071", "udp = 5060", "port 5060 is taken"),
            ("name = \"hs102\"", "name = \"hs102.network.com\"", "no short name"),
            ("name = \"lb\"", "name = \"\"", "no short name"),
            ("name = \"lb\"", "name = \"10.0.0.1\"", "no short name"),
            ("name = \"hs102\"", "name = \"lb\"", "two servers named `lb`"),
            ("name = \"hs102\"", "name = \"LB\"", "two servers named `LB`"),
            ("name = \"alice\"", "name = \"\"", "without a name"),
            ("name = \"alice\"", "name = \"alice@other.com\"", "another domain"),
            ("name = \"alice\"", "name = \"alice@network.com\"", "names the domain"),
            ("name = \"bob\"", "name = \"alice\"", "two users named `alice`"),
            ("name = \"bob\"", "name = \"Alice\"", "two users named `Alice`"),
            ("home = \"hs102\"", "home = \"lb\"", "`lb` is no home server"),
            ("home = \"hs102\"", "home = \"hs109\"", "no server named `hs109`"),
            ("home = \"hs102\"", "home = \"hs102.network.com\"", "no server named"),
            ("home = \"hs102\"", "home = \"\"", "no server named"),
            ("backup = \"hs102\"", "backup = \"lb\"", "`lb` is no home server"),
            ("backup = \"hs102\"", "backup = \"hs109\"", "no server named `hs109`"),
            ("backup = \"hs102\"", "backup = \"hs102.network.com\"", "no server named"),
            ("expires = 600", "expires = 0", "`expires` is 0"),
            ("min_expires = 60", "min_expires = 0", "`min_expires` is 0"),
            ("max_expires = 3600", "max_expires = 0", "`max_expires` is 0"),
            ("keep_alive = 300", "keep_alive = 0", "`keep_alive` is 0"),
            ("flow_timer = 120", "flow_timer = 0", "`flow_timer` is 0"),
            ("min_expires = 60", "min_expires = 7200", "longer than the most"),
            ("expires = 600", "expires = 30", "does not lie between"),
            ("expires = 600", "expires = 7200", "does not lie between"),
        ];
        for (good, bad, why) in cases {
            let line = GOOD.lines().position(|line| line == *good).expect(good);
            let lines = GOOD.lines().enumerate().map(|(at, text)| if at == line { bad } else { text });
            let text: String = lines.map(|line| format!("{line}\n")).collect();
            let found = check(&text).expect_err(bad);
            assert!(found.why.contains(why) && !found.cure.is_empty(), "{bad}: {found:?}");
            let told = line_of(&text, found.at);
            // Of two that contradict each other the later one is named.
            assert!(told == line + 1 || told == line + 2, "{bad}: line {told} instead of {}", line + 1);
        }
    }

    #[test]
    fn a_party_is_a_user_of_a_home_server_without_a_password() {
        let party =
            |name: &str, home: &str| format!("{GOOD}\n[[party]]\nname = \"{name}\"\nhome = \"{home}\"\n");
        assert_eq!(check(&party("echo", "hs102")), Ok(()));
        for (name, home, why) in
            [("alice", "hs102", "two users named `alice`"), ("echo", "lb", "`lb` is no home server")]
        {
            assert!(check(&party(name, home)).unwrap_err().why.contains(why), "{name} {home}");
        }
    }

    #[test]
    fn the_certificate_of_the_authority_is_never_its_key() {
        for (lines, line) in [
            ("ca_file = \"estate.key\"", Some(2)),
            ("ca_file = \"./estate.key\"", Some(2)),
            ("ca_file = \"ca.pem\"\nca_key_file = \"ca.pem\"", Some(3)),
            ("ca_file = \"ca.pem\"\nca_key_file = \"keys/.././ca.pem\"", Some(3)),
            ("ca_file = \"ca.pem\"", None),
            ("ca_file = \"../ca.pem\"\nca_key_file = \"ca.pem\"", None),
            ("ca_file = \"estate.key\"\nca_key_file = \"private.key\"", None),
        ] {
            let text = format!("domain = \"network.com\"\n{lines}\n");
            let found = check(&text).err();
            assert_eq!(found.as_ref().map(|found| line_of(&text, found.at)), line, "{lines}: {found:?}");
            assert!(found.is_none_or(|found| found.why.contains("one file") && !found.cure.is_empty()));
        }
    }

    #[test]
    fn what_goes_unused_or_cannot_be_sent_is_refused() {
        let tcp_only = GOOD.replace("[\"tls\", \"tcp\", \"udp\"]", "[\"tcp\", \"udp\"]");
        let found = check(&tcp_only).unwrap_err();
        assert!(found.why.contains("over TLS only"), "{found:?}");
        let no_udp = GOOD.replace(", \"udp\"]", "]");
        let found = check(&no_udp).unwrap_err();
        assert!(found.why.contains("a port for UDP"), "{found:?}");
        assert_eq!(line_of(&no_udp, found.at), 18);
    }
}
