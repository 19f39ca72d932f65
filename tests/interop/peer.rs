//! A peer: another program, its lines, and the folder it may write to.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A running program whose output is read line by line.
pub(crate) struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Peer {
    /// Starts `program`; both its output streams are heard.
    pub(crate) fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (tell, lines) = channel();
        for stream in [
            child.stdout.take().map(|s| Box::new(s) as Box<dyn std::io::Read + Send>),
            child.stderr.take().map(|s| Box::new(s) as Box<dyn std::io::Read + Send>),
        ]
        .into_iter()
        .flatten()
        {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut line = Vec::new();
                while matches!(reader.read_until(b'\n', &mut line), Ok(n) if n > 0) {
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    line.clear();
                    if tell.send(text).is_err() {
                        break;
                    }
                }
            });
        }
        let input = child.stdin.take();
        Ok(Self { child, input, lines, heard: Vec::new() })
    }

    /// Writes one line to the program.
    pub(crate) fn say(&mut self, line: &str) {
        if let Some(input) = &mut self.input {
            let written = input.write_all(line.as_bytes()).and_then(|()| input.write_all(b"\n"));
            written.and_then(|()| input.flush()).expect("the peer listens");
        }
    }

    /// The next line that contains one of `wanted`, or all that was heard instead.
    pub(crate) fn wait_for(&mut self, wanted: &[&str], within: Duration) -> Result<String, String> {
        let end = Instant::now() + within;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.heard.push(line.clone());
                    if wanted.iter().any(|word| line.contains(word)) {
                        return Ok(line);
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(format!("waited for {wanted:?}, heard:\n{}", self.heard.join("\n")));
                }
            }
        }
    }

    /// Waits for the end of the program.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.input = None;
        self.child.wait().expect("the peer was started by us")
    }

    /// Ends it at once.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where a program of this name lies; says clearly that it is skipped where there is none.
pub(crate) fn find(program: &str, purpose: &str) -> Option<PathBuf> {
    let built = built(program);
    let places = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&places)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(program))
        .chain([built])
        .find(|path| path.is_file());
    if found.is_none() {
        skipped(purpose, &format!("{program} is not here"));
    }
    found
}

/// Says that something was not proved, and why; the script repeats it at the end.
pub(crate) fn skipped(what: &str, why: &str) {
    println!("SKIPPED {what}: {why}");
}

/// A fresh folder for one peer.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = out().join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the build folder can be written");
    path
}

/// A file beside these tests.
pub(crate) fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop").join(name)
}

/// Ports that were free a moment ago, for TCP and UDP. All are held until the last is known: one after the
/// other may be the same one twice.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let held: [_; N] = std::array::from_fn(|_| hold_port());
    held.map(|(tcp, _)| tcp.local_addr().expect("it is bound").port())
}

fn hold_port() -> (std::net::TcpListener, std::net::UdpSocket) {
    loop {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let port = tcp.local_addr().expect("it is bound").port();
        if let Ok(udp) = std::net::UdpSocket::bind(("127.0.0.1", port)) {
            return (tcp, udp);
        }
    }
}

/// A runtime for one test.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts")
}

/// Asks until `found` says yes, at most for `within`.
pub(crate) fn eventually(within: Duration, mut found: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + within;
    while !found() {
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn built(program: &str) -> PathBuf {
    out().join(program)
}

fn out() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/interop");
    std::env::var_os("HOMING_INTEROP_FOLDER").map_or_else(default, PathBuf::from)
}
