//! baresip registers at our home server by Digest, over UDP, TCP and TLS.

use std::process::Command;
use std::time::Duration;

use homing_core::transport::Transport;
use homing_server_mock::estate::{Estate, Schemes};

use crate::peer::{Peer, beside, find, folder, runtime};
use crate::site::{alice, ladder};

#[test]
fn baresip_registers_by_digest() {
    let Some(baresip) = find("baresip", "baresip at our home server") else { return };
    let runtime = runtime();
    let estate = runtime.block_on(
        Estate::builder()
            .domain("network.com")
            .home("hs104")
            .user(alice())
            .schemes(Schemes::Md5)
            .transports([Transport::Tls, Transport::Tcp, Transport::Udp])
            .seed(5)
            .start(),
    );
    let estate = estate.expect("the estate starts");
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let folder = folder("baresip");
        std::fs::copy(beside("baresip/config"), folder.join("config")).unwrap();
        let port = estate.node("hs104").address(transport).port();
        let accounts = std::fs::read_to_string(beside("baresip/accounts"))
            .unwrap()
            .replace("@USER@", "alice")
            .replace("@PASSWORD@", "Secret-Pass1")
            .replace("@TRANSPORT@", transport.uri_token())
            .replace("@PORT@", &port.to_string());
        std::fs::write(folder.join("accounts"), accounts).unwrap();

        let mut peer = Peer::start(Command::new(&baresip).arg("-f").arg(&folder).args(["-t", "3"])).unwrap();
        let heard = peer.wait_for(&["200 OK"], Duration::from_secs(5));
        assert!(heard.is_ok(), "{transport}: {heard:?}\n{}", ladder(&estate));
        assert_eq!(estate.bindings("alice@network.com").len(), 1, "{}", ladder(&estate));
        peer.wait();
        assert!(estate.bindings("alice@network.com").is_empty(), "baresip unregisters when it ends");
    }
}
