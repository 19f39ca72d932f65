//! Our estate as a process of its own, and the way to ask what it used.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use homing::Transport;
use homing_server_mock::estate::{EstateBuilder, NoAssociation, Schemes, User};

use crate::process::Usage;
use crate::{Fallible, Peer};

/// Whom the estate lets pass.
#[derive(Clone, Copy)]
pub(crate) enum Gate {
    /// Who answers a Digest challenge by MD5; its users live here.
    Digest,
    /// Who signs by NTLM; its users live elsewhere.
    Ntlm,
    /// Everybody; its users live elsewhere.
    Open,
    /// Everybody; its users live here.
    Trusting,
    /// Who proves who he is in any way; its users live here.
    Everything,
}

/// A running estate and its answers.
pub(crate) struct Server {
    child: Child,
    lines: BufReader<ChildStdout>,
    addresses: [SocketAddr; 3],
    ca_pem: String,
}

impl Gate {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Gate::Digest => "digest",
            Gate::Ntlm => "ntlm",
            Gate::Open => "open",
            Gate::Trusting => "trusting",
            Gate::Everything => "everything",
        }
    }

    fn schemes(word: &str) -> Schemes {
        match word {
            "digest" => Schemes::Md5,
            "ntlm" => Schemes::Ntlm,
            "everything" => Schemes::NtlmAndDigestMd5,
            _ => Schemes::None,
        }
    }
}

/// The estate itself: prints its addresses, then its usage whenever a line comes in.
pub(crate) fn serve(arguments: &[String]) -> Fallible<()> {
    let users: usize = arguments[0].parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let mut builder = EstateBuilder::new()
        .home("hs1")
        .home("hs2")
        .transports(all)
        .no_association(NoAssociation::Unsigned301)
        .schemes(Gate::schemes(&arguments[1]));
    let is_here =
        [Gate::Digest, Gate::Trusting, Gate::Everything].iter().any(|gate| gate.word() == arguments[1]);
    let home = if is_here { "hs1" } else { "hs2" };
    for number in 0..users {
        builder = builder.user(User::new(&format!("user{number}"), PASSWORD).assigned(home));
    }
    let estate = runtime.block_on(builder.start())?;
    let node = estate.node("hs1");
    let authority = std::env::temp_dir().join(format!("homing-figures-{}.pem", std::process::id()));
    std::fs::write(&authority, estate.ca_pem())?;
    let addresses = all.map(|transport| node.address(transport).to_string());
    println!("{} {}", addresses.join(" "), authority.display());
    for _ in std::io::stdin().lock().lines() {
        println!("{}", Usage::read()?);
    }
    Ok(())
}

impl Server {
    pub(crate) fn start(users: usize, gate: Gate) -> Fallible<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([SERVE, &users.to_string(), gate.word()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no output of the estate")?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let mut words = first.split_whitespace();
        let mut address =
            || -> Fallible<SocketAddr> { Ok(words.next().ok_or("an address is missing")?.parse()?) };
        let addresses = [address()?, address()?, address()?];
        let authority = words.next().ok_or("no certificate authority")?;
        let ca_pem = std::fs::read_to_string(authority)?;
        std::fs::remove_file(authority)?;
        Ok(Self { child, lines, addresses, ca_pem })
    }
}

impl Peer for Server {
    fn name(&self) -> &'static str {
        "home server"
    }

    fn address(&self, transport: Transport) -> SocketAddr {
        self.addresses[transport as usize]
    }

    fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    fn usage(&mut self) -> Fallible<Usage> {
        let input = self.child.stdin.as_mut().ok_or("the estate's input is closed")?;
        writeln!(input)?;
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) const SERVE: &str = "serve";
/// Everybody's.
pub(crate) const PASSWORD: &str = "Figures-1";
