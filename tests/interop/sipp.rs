//! SIPp registers at our home server by Digest, over UDP and TCP, and unregisters.

use std::process::Command;

use homing_core::transport::Transport;
use homing_server_mock::estate::{Estate, Schemes};

use crate::peer::{beside, find, folder, free_port, runtime};
use crate::site::{alice, ladder};

#[test]
fn sipp_registers_and_unregisters_by_digest() {
    let Some(sipp) = find("sipp", "SIPp at our home server") else { return };
    let runtime = runtime();
    let estate = runtime.block_on(
        Estate::builder()
            .domain("network.com")
            .home("hs104")
            .user(alice())
            .schemes(Schemes::Md5)
            .transports([Transport::Tcp, Transport::Udp])
            .seed(4)
            .start(),
    );
    let estate = estate.expect("the estate starts");
    for (transport, flag) in [(Transport::Udp, "u1"), (Transport::Tcp, "t1")] {
        let server = estate.node("hs104").address(transport);
        let run = Command::new(&sipp)
            .current_dir(folder("sipp"))
            .args(["-sf".as_ref(), beside("sipp/register.xml").as_os_str()])
            .args([
                "-auth_uri",
                "network.com",
                "-t",
                flag,
                "-s",
                "alice",
                "-au",
                "alice",
                "-ap",
                "Secret-Pass1",
                "-m",
                "3",
                "-r",
                "20",
            ])
            .args(["-i", "127.0.0.1", "-p", &free_port().to_string(), "-timeout", "20s", "-nostdin"])
            .arg(server.to_string())
            .output()
            .expect("SIPp starts");
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success(), "{transport}: {said}\n{}", ladder(&estate));
    }
    assert!(estate.bindings("alice@network.com").is_empty(), "every binding was removed");
}
