//! What goes wrong outside the phone: each has its code, sentence, next step and exit code, and tells no secret.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use homing_server_mock::estate::{Certificate, Transport};
use homing_server_mock::mischief::{Mischief, Rule};
use homing_server_mock::shell::dns::DnsFault;

use crate::place::{CANARY, Place, event, events};

const LOGIN: &str = "login alice@network.com --password-file password";

/// What must be said: exit code, code, words of the sentence, words of the next step.
struct Told<'t> {
    exit: i32,
    code: &'t str,
    sentence: &'t str,
    hint: &'t str,
}

/// Runs a login as sentences and as JSON, both at the same time; both say the same, and nothing is left at
/// a server.
fn tells(place: &Place, words: &str, told: &Told<'_>) {
    std::thread::scope(|threads| {
        threads.spawn(|| tells_programs(place, words, told));
        tells_people(place, words, told);
    });
    assert!(place.estate.bindings("alice").is_empty());
    for entry in place.estate.journal().entries() {
        assert!(!entry.text().unwrap_or_default().contains(CANARY), "the password went out");
    }
}

fn tells_people(place: &Place, words: &str, told: &Told<'_>) {
    let done = place.done(words);
    let Told { exit, code, sentence, hint } = *told;
    assert_eq!(done.code, exit, "{words}: {done:?}\n{}", place.estate.journal().ladder());
    let (first, second) = done.err.split_once("\nHint: ").unwrap_or_else(|| panic!("no hint: {done:?}"));
    assert!(first.starts_with(&format!("{code}: ")) && first.contains(sentence), "{words}: {done:?}");
    assert!(second.contains(hint), "{words}: {done:?}");
}

fn tells_programs(place: &Place, words: &str, told: &Told<'_>) {
    let done = place.done(&format!("{words} --json"));
    let Told { exit, code, sentence, hint } = *told;
    let told = events(&done.out);
    let error = event(&told, "error");
    let said = (error["code"].as_str(), error["exit"].as_i64(), done.code);
    assert_eq!(said, (Some(code), Some(exit.into()), exit), "{words}: {done:?}");
    assert!(error["sentence"].as_str().is_some_and(|text| text.contains(sentence)), "{error}");
    assert!(error["hint"].as_str().is_some_and(|text| text.contains(hint)), "{error}");
}

#[test]
fn wrong_certificates() {
    let rows = [
        (Certificate::expired(), "E0507", "expired", "clock"),
        (Certificate::not_yet_valid(), "E0507", "not valid yet", "clock"),
        (Certificate::default().naming(["hs999.network.com"]), "E0509", "names other servers", "server name"),
    ];
    for (number, (certificate, code, sentence, hint)) in rows.into_iter().enumerate() {
        let place = Place::with(&format!("cert-{number}"), |estate| estate.certificate("lb", certificate));
        tells(&place, LOGIN, &Told { exit: 5, code, sentence, hint });
    }
}

#[test]
fn an_authority_nobody_trusts() {
    let (place, other) = (Place::new("stranger"), Place::new("other"));
    place.write("ca.pem", other.estate.ca_pem(), 0o644);
    let told = Told { exit: 5, code: "E0506", sentence: "signed by nobody", hint: "--ca-file" };
    tells(&place, LOGIN, &told);
}

#[test]
fn clocks_that_differ() {
    const FAR: Duration = Duration::from_secs(20 * 60);
    let told = Told { exit: 6, code: "E0606", sentence: "differ by 20 minutes", hint: "clock" };
    tells(&Place::with("ahead", |estate| estate.clock_ahead(FAR)), LOGIN, &told);
    tells(&Place::with("behind", |estate| estate.clock_behind(FAR)), LOGIN, &told);
}

#[test]
fn name_servers_that_do_not_help() {
    let place = Place::new("names");
    let none = "no SIP server found for network.com";
    for (fault, code, hint) in
        [(DnsFault::NxDomain, "E0401", "spelling"), (DnsFault::ServerFailure, "E0403", "homing resolve")]
    {
        place.estate.dns_fault(fault);
        tells(&place, LOGIN, &Told { exit: 4, code, sentence: none, hint });
    }
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mute = Told { exit: 4, code: "E0402", sentence: none, hint: "name servers of this machine" };
    std::thread::scope(|threads| {
        for address in [silent.local_addr().unwrap(), closed_port()] {
            let words = format!("{LOGIN} --name-server {address}");
            let (place, mute) = (&place, &mute);
            threads.spawn(move || tells(place, &words, mute));
        }
    });
    place.estate.dns_fault(DnsFault::None);
    let unknown = LOGIN.replace("network.com", "nowhere.network.com");
    let sentence = "no SIP server found for nowhere.network.com: no such record";
    tells(&place, &unknown, &Told { exit: 4, code: "E0401", sentence, hint: "spelling" });
}

#[test]
fn ports_that_are_closed_and_servers_that_are_silent() {
    let place = Place::new("ports");
    let port = closed_port().port();
    let at = |port: u16| format!("{LOGIN} --server lb.network.com:{port}");
    let refused = Told { exit: 5, code: "E0501", sentence: "the connection was refused", hint: "restarting" };
    tells(&place, &at(port), &refused);

    let mute = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let waits = Told { exit: 9, code: "E0902", sentence: "connecting", hint: "--timeout" };
    tells(&place, &format!("{} --timeout 700ms", at(mute.port())), &waits);

    place.estate.node("lb").mischief(Rule::always(Mischief::Silence));
    let waits = Told { sentence: "registering", ..waits };
    tells(&place, &format!("{LOGIN} --timeout 700ms"), &waits);
}

#[test]
fn wrong_passwords_and_users_nobody_knows() {
    let place = Place::new("users");
    let refused =
        Told { exit: 6, code: "E0601", sentence: "does not accept this user name", hint: "password" };
    tells(&place, &LOGIN.replace("--password-file password", "--password-file wrong"), &refused);
    tells(&place, &LOGIN.replace("alice", "nobody"), &refused);
    place.estate.node("lb").mischief(Rule::always(Mischief::ChallengeForever));
    tells(&place, LOGIN, &refused);
}

#[test]
fn bytes_that_are_nothing() {
    let place = Place::new("nothing");
    place.estate.node("lb").mischief(Rule::always(Mischief::Garbage(u16::MAX)));
    let lost = Told { exit: 5, code: "E0504", sentence: "the connection was closed", hint: "tried again" };
    tells(&place, LOGIN, &lost);
    place.estate.node("lb").behave();
    place.estate.node("lb").mischief(Rule::always(Mischief::Cut));
    tells(&place, LOGIN, &lost);

    let nothing = serve(|mut stream| {
        let _ = stream.write_all(&[0; 64 * 1024]);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let at = format!("{LOGIN} --server lb.network.com:{}", nothing.port());
    let no_tls =
        Told { exit: 5, code: "E0505", sentence: "TLS handshake failed", hint: "port and transport" };
    tells(&place, &at, &no_tls);
    tells(&place, &format!("{at} --transport tcp"), &lost);
}

/// A server of TLS 1.0: one kind answers in its own version, the other with the alert `protocol_version`.
#[test]
fn tls_that_is_too_old() {
    let place = Place::new("old");
    let hello = || {
        let mut hello = vec![0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
        hello.extend([7; 32]);
        hello.extend([0, 0x00, 0x2f, 0]);
        hello
    };
    for answer in [hello(), vec![0x15, 3, 1, 0, 2, 2, 70]] {
        let old = serve(move |mut stream| {
            let mut asked = [0; 5];
            let _ = stream.read_exact(&mut asked).and_then(|()| stream.write_all(&answer));
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let at = format!("{LOGIN} --server lb.network.com:{}", old.port());
        tells(
            &place,
            &at,
            &Told { exit: 5, code: "E0511", sentence: "no TLS newer than 1.1", hint: "TLS 1.2" },
        );
    }
}

#[test]
fn a_login_over_ipv6_alone() {
    let loopback: std::net::IpAddr = "::1".parse().unwrap();
    if let Err(why) = TcpListener::bind((loopback, 0)) {
        println!("SKIPPED: this machine has no ::1 ({why}); nothing of IPv6 was tested");
        return;
    }
    let place = Place::with("ipv6", |estate| estate.listen(loopback));
    let done = place.done(&format!("{LOGIN} --trace six.pcap"));
    assert_eq!(done.code, 0, "{done:?}");
    let lb = place.estate.node("lb").address(Transport::Tls);
    assert!(lb.is_ipv6() && done.out.contains(&format!("TLS {lb}")), "{done:?}");
}

fn closed_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Serves every connection in a thread of its own until the test program ends.
fn serve(answer: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}
