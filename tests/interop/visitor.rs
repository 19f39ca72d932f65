//! How peers that know Digest are sent to a server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use homing_core::transport::Transport;

use crate::peer::{beside, folder, free_ports};

/// Alice, as a peer is told of her.
pub(crate) struct Visitor<'a> {
    pub(crate) domain: &'a str,
    pub(crate) password: &'a str,
    /// Whom the peer asks.
    pub(crate) server: SocketAddr,
    pub(crate) transport: Transport,
}

impl Visitor<'_> {
    /// SIPp: three calls of REGISTER, challenge, REGISTER, and the same to leave.
    pub(crate) fn sipp(&self, program: &Path) -> Command {
        let flag = if self.transport == Transport::Udp { "u1" } else { "t1" };
        let mut command = Command::new(program);
        command
            .current_dir(folder("sipp"))
            .args(["-sf".as_ref(), beside("sipp/register.xml").as_os_str()])
            .args(["-t", flag, "-auth_uri", self.domain, "-key", "domain", self.domain])
            .args(["-s", "alice", "-au", "alice", "-ap", self.password])
            .args(["-m", "3", "-r", "20", "-timeout", "20s", "-nostdin"])
            .args(["-i", "127.0.0.1", "-p", &free_ports::<1>()[0].to_string()])
            .arg(self.server.to_string());
        command
    }

    /// baresip: registered for three seconds.
    pub(crate) fn baresip(&self, program: &Path) -> Command {
        let folder = folder("baresip");
        std::fs::copy(beside("baresip/config"), folder.join("config")).unwrap();
        let accounts = std::fs::read_to_string(beside("baresip/accounts"))
            .unwrap()
            .replace("@USER@", "alice")
            .replace("@DOMAIN@", self.domain)
            .replace("@PASSWORD@", self.password)
            .replace("@TRANSPORT@", self.transport.uri_token())
            .replace("@PORT@", &self.server.port().to_string());
        std::fs::write(folder.join("accounts"), accounts).unwrap();
        let mut command = Command::new(program);
        command.arg("-f").arg(&folder).args(["-t", "3"]);
        command
    }

    /// linphonec: registered until it is told `quit`.
    pub(crate) fn linphone(&self, program: &Path) -> Command {
        let folder = folder("linphone");
        // It keeps its history there and says an error without.
        std::fs::create_dir_all(folder.join(".local/share/linphone")).unwrap();
        let [udp, tcp] = free_ports::<2>().map(|port| port.to_string());
        let account = std::fs::read_to_string(beside("linphone/linphonerc"))
            .unwrap()
            .replace("@UDPPORT@", &udp)
            .replace("@TCPPORT@", &tcp)
            .replace("@DOMAIN@", self.domain)
            .replace("@PASSWORD@", self.password)
            .replace("@TRANSPORT@", self.transport.uri_token())
            .replace("@SERVER@", &self.server.to_string());
        std::fs::write(folder.join("linphonerc"), account).unwrap();
        let mut command = Command::new(program);
        command.env("HOME", &folder).arg("-c").arg(folder.join("linphonerc"));
        command
    }
}
