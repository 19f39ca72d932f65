//! Where a sound server may listen, and the cookie that it knows this user by: as PulseAudio's own clients find both.

use std::fmt;
use std::io::Read;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use super::super::choice::Devices;

/// What of the environment says where the server is.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `PULSE_SERVER`.
    pub(super) server: Option<String>,
    /// `PULSE_RUNTIME_PATH`.
    pub(super) runtime_path: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub(super) runtime_folder: Option<PathBuf>,
    /// `PULSE_COOKIE`.
    pub(super) cookie: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, else `.config` below `HOME`.
    pub(super) config: Option<PathBuf>,
    /// `HOME`, for the cookie of old servers.
    pub(super) home: Option<PathBuf>,
}

/// One place where a server may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    /// A name or an address, and a port.
    Tcp(String, u16),
}

/// 256 octets that the server and its user's programs share; never printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Cookie(Vec<u8>);

impl Environment {
    /// That of this process.
    pub(super) fn read() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = path("HOME");
        Self {
            server: std::env::var("PULSE_SERVER").ok().filter(|value| !value.is_empty()),
            runtime_path: path("PULSE_RUNTIME_PATH"),
            runtime_folder: path("XDG_RUNTIME_DIR"),
            cookie: path("PULSE_COOKIE"),
            config: path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config"))),
            home,
        }
    }

    /// Where to dial, in order, at most eight places.
    pub(super) fn addresses(&self, devices: &Devices) -> Vec<Address> {
        if let Some(server) = devices.server.as_ref().or(self.server.as_ref()) {
            return server.split_whitespace().filter_map(Address::parse).take(MOST_ADDRESSES).collect();
        }
        let runtime = self.runtime_path.as_ref().map(|path| path.join("native"));
        let user = self.runtime_folder.as_ref().map(|path| path.join("pulse/native"));
        let system = Some(PathBuf::from("/run/pulse/native"));
        [runtime, user, system].into_iter().flatten().map(Address::Unix).collect()
    }

    /// The cookie that is there first. Without any it is zeros, and the server goes by the user of the socket.
    pub(super) fn cookie(&self, devices: &Devices) -> Cookie {
        let named = devices.cookie.as_ref().or(self.cookie.as_ref()).cloned();
        let user = self.config.as_ref().map(|path| path.join("pulse/cookie"));
        let old = self.home.as_ref().map(|path| path.join(".pulse-cookie"));
        let found = match named {
            Some(named) => Cookie::read(&named),
            None => [user, old].into_iter().flatten().find_map(|path| Cookie::read(&path)),
        };
        found.unwrap_or_else(|| Cookie(vec![0; COOKIE]))
    }
}

impl Address {
    /// One word of `PULSE_SERVER`: `unix:/path`, `/path`, `tcp:host:port`, each after `{machine}` or not.
    fn parse(word: &str) -> Option<Self> {
        let word = match word.strip_prefix('{') {
            Some(rest) => rest.split_once('}')?.1,
            None => word,
        };
        if let Some(path) = word.strip_prefix("unix:") {
            return Some(Address::Unix(path.into()));
        }
        if word.starts_with('/') {
            return Some(Address::Unix(word.into()));
        }
        let host = ["tcp:", "tcp4:", "tcp6:"].iter().find_map(|kind| word.strip_prefix(kind)).unwrap_or(word);
        if let Ok(address) = host.parse::<SocketAddr>() {
            return Some(Address::Tcp(address.ip().to_string(), address.port()));
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<IpAddr>().is_ok() {
            return Some(Address::Tcp(bare.into(), PORT));
        }
        match host.rsplit_once(':') {
            Some((name, port)) => Some(Address::Tcp(name.into(), port.parse().ok()?)),
            None if host.is_empty() => None,
            None => Some(Address::Tcp(host.into(), PORT)),
        }
    }

    /// The first address of a host. A name is looked up by the system, which may take its time.
    pub(super) fn resolve(host: &str, port: u16) -> Option<SocketAddr> {
        (host, port).to_socket_addrs().ok()?.next()
    }
}

impl Cookie {
    fn read(path: &Path) -> Option<Self> {
        let mut octets = Vec::new();
        let length = std::fs::File::open(path).ok()?.take(COOKIE as u64).read_to_end(&mut octets).ok()?;
        (length == COOKIE).then_some(Self(octets))
    }

    /// For the one message that carries it.
    pub(super) fn to_octets(&self) -> Vec<u8> {
        self.0.clone()
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(…)")
    }
}

const MOST_ADDRESSES: usize = 8;
/// The length of every cookie.
const COOKIE: usize = 256;
/// The registered port of PulseAudio.
const PORT: u16 = 4713;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_where_its_own_clients_look() {
        let named = |server: &str| {
            let environment = Environment { server: Some(server.into()), ..Environment::default() };
            environment.addresses(&Devices::default())
        };
        let unix = |path: &str| Address::Unix(path.into());
        let tcp = |host: &str, port| Address::Tcp(host.into(), port);
        assert_eq!(named("unix:/a {0123}unix:/b /c"), [unix("/a"), unix("/b"), unix("/c")]);
        assert_eq!(
            named("tcp:host:1 tcp4:host tcp6:[::1]:2"),
            [tcp("host", 1), tcp("host", PORT), tcp("::1", 2)]
        );
        assert_eq!(
            named("tcp6:[::1] 192.0.2.1 {broken tcp: tcp:host:none"),
            [tcp("::1", PORT), tcp("192.0.2.1", PORT)]
        );
        assert_eq!(named(&"/x ".repeat(100)).len(), MOST_ADDRESSES);
        let environment = Environment {
            runtime_path: Some("/r".into()),
            runtime_folder: Some("/run/user/1".into()),
            ..Environment::default()
        };
        let found = environment.addresses(&Devices::default());
        assert_eq!(found, [unix("/r/native"), unix("/run/user/1/pulse/native"), unix("/run/pulse/native")]);
        let devices = Devices { server: Some("/own".into()), ..Devices::default() };
        assert_eq!(environment.addresses(&devices), [unix("/own")]);
    }

    #[test]
    fn a_cookie_is_read_whole_or_not_at_all_and_is_never_printed() {
        let path = std::env::temp_dir().join(format!("homing-cookie-{}", std::process::id()));
        let environment = Environment { cookie: Some(path.clone()), ..Environment::default() };
        let zeros = Cookie(vec![0; COOKIE]);
        std::fs::write(&path, [7; 255]).unwrap();
        assert!(environment.cookie(&Devices::default()) == zeros);
        std::fs::write(&path, [7; 300]).unwrap();
        let cookie = environment.cookie(&Devices::default());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(cookie.to_octets(), [7; COOKIE]);
        assert_eq!(format!("{cookie:?}"), "Cookie(…)");
        assert!(environment.cookie(&Devices::default()) == zeros);
    }
}
