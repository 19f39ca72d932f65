//! What goes wrong outside the phone: each has its code, sentence, next step and exit code, and tells no secret.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use homing_server_mock::estate::{Certificate, Transport};
use homing_server_mock::fault::{Fault, Rule};
use homing_server_mock::shell::dns::DnsFault;

use crate::setup::{bed, bed_with, event, events};
use homing_tests::test_bed::{CANARY, TestBed};

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
fn tells(bed: &TestBed, words: &str, told: &Told<'_>) {
    std::thread::scope(|threads| {
        threads.spawn(|| tells_programs(bed, words, told));
        tells_people(bed, words, told);
    });
    assert!(bed.estate.bindings("alice").is_empty());
    for entry in bed.estate.journal().entries() {
        assert!(!entry.text().unwrap_or_default().contains(CANARY), "the password went out");
    }
}

fn tells_people(bed: &TestBed, words: &str, told: &Told<'_>) {
    let done = bed.done(words);
    let Told { exit, code, sentence, hint } = *told;
    assert_eq!(done.code, exit, "{words}: {done:?}\n{}", bed.estate.journal().ladder());
    let (first, second) = done.err.split_once("\nHint: ").unwrap_or_else(|| panic!("no hint: {done:?}"));
    assert!(first.starts_with(&format!("{code}: ")) && first.contains(sentence), "{words}: {done:?}");
    assert!(second.contains(hint), "{words}: {done:?}");
}

fn tells_programs(bed: &TestBed, words: &str, told: &Told<'_>) {
    let done = bed.done(&format!("{words} --json"));
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
    for (certificate, code, sentence, hint) in rows {
        let bed = bed_with(|estate| estate.certificate("lb", certificate));
        tells(&bed, LOGIN, &Told { exit: 5, code, sentence, hint });
    }
}

#[test]
fn an_authority_nobody_trusts() {
    let (bed, other) = (bed(), bed());
    bed.write("ca.pem", other.estate.ca_pem(), 0o644);
    let told = Told { exit: 5, code: "E0506", sentence: "signed by nobody", hint: "--ca-file" };
    tells(&bed, LOGIN, &told);
}

#[test]
fn clocks_that_differ() {
    const FAR: Duration = Duration::from_secs(20 * 60);
    let told = Told { exit: 6, code: "E0606", sentence: "differ by 20 minutes", hint: "clock" };
    tells(&bed_with(|estate| estate.clock_ahead(FAR)), LOGIN, &told);
    tells(&bed_with(|estate| estate.clock_behind(FAR)), LOGIN, &told);
}

#[test]
fn name_servers_that_do_not_help() {
    let bed = bed();
    let none = "no SIP server found for network.com";
    for (fault, code, hint) in
        [(DnsFault::NxDomain, "E0401", "spelling"), (DnsFault::ServerFailure, "E0403", "homing resolve")]
    {
        bed.estate.dns_fault(fault);
        tells(&bed, LOGIN, &Told { exit: 4, code, sentence: none, hint });
    }
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mute = Told { exit: 4, code: "E0402", sentence: none, hint: "`homing doctor` says which" };
    std::thread::scope(|threads| {
        for address in [silent.local_addr().unwrap(), closed_port()] {
            let words = format!("{LOGIN} --name-server {address}");
            let (bed, mute) = (&bed, &mute);
            threads.spawn(move || tells(bed, &words, mute));
        }
    });
    // The check names whom it asked.
    let silent = silent.local_addr().unwrap();
    let done = bed.done(&format!("doctor alice@network.com --password-file password --name-server {silent}"));
    assert!(
        done.code == 4 && done.out.contains(&format!("no name server answered; asked: {silent}")),
        "{done:?}"
    );
    bed.estate.dns_fault(DnsFault::None);
    let unknown = LOGIN.replace("network.com", "nowhere.network.com");
    let sentence = "no SIP server found for nowhere.network.com: no such record";
    tells(&bed, &unknown, &Told { exit: 4, code: "E0401", sentence, hint: "spelling" });
    let named = format!("{LOGIN} --server nowhere.network.com");
    let told = Told { exit: 4, code: "E0401", sentence: "nowhere.network.com", hint: "homing resolve" };
    tells(&bed, &named, &told);
}

#[test]
fn ports_that_are_closed_and_servers_that_are_silent() {
    let bed = bed();
    let port = closed_port().port();
    let at = |port: u16| format!("{LOGIN} --server lb.network.com:{port}");
    let refused = Told { exit: 5, code: "E0501", sentence: "the connection was refused", hint: "restarting" };
    tells(&bed, &at(port), &refused);
    // The check says which server it was, and that is no `ok`.
    let done = bed.done(&at(port).replace("login ", "doctor "));
    let warned = done.out.lines().find(|line| line.starts_with("warn  server")).unwrap_or_default();
    let named = format!("lb.network.com:{port}");
    assert!(warned.contains(&named) && warned.ends_with("the connection was refused"), "{done:?}");

    let mute = serve(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let waits = Told { exit: 9, code: "E0902", sentence: "connecting", hint: "--timeout" };
    tells(&bed, &format!("{} --timeout 700ms", at(mute.port())), &waits);

    bed.estate.node("lb").inject_fault(Rule::always(Fault::Silence));
    let waits = Told { sentence: "registering", ..waits };
    tells(&bed, &format!("{LOGIN} --timeout 700ms"), &waits);
}

#[test]
fn wrong_passwords_and_users_nobody_knows() {
    let bed = bed();
    let refused =
        Told { exit: 6, code: "E0601", sentence: "does not accept this user name", hint: "password" };
    tells(&bed, &LOGIN.replace("--password-file password", "--password-file wrong"), &refused);
    tells(&bed, &LOGIN.replace("alice", "nobody"), &refused);
    bed.estate.node("lb").inject_fault(Rule::always(Fault::ChallengeForever));
    tells(&bed, LOGIN, &refused);
}

#[test]
fn bytes_that_are_nothing() {
    let bed = bed();
    bed.estate.node("lb").inject_fault(Rule::always(Fault::Garbage(u16::MAX)));
    let no_sip = Told { exit: 5, code: "E0805", sentence: "cannot be cut into messages", hint: "trace" };
    tells(&bed, LOGIN, &no_sip);
    let lost = Told { exit: 5, code: "E0504", sentence: "the connection was closed", hint: "tried again" };
    bed.estate.node("lb").clear_faults();
    bed.estate.node("lb").inject_fault(Rule::always(Fault::Cut));
    tells(&bed, LOGIN, &lost);

    let nothing = serve(|mut stream| {
        let _ = stream.write_all(&[0; 64 * 1024]);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let at = format!("{LOGIN} --server lb.network.com:{}", nothing.port());
    let no_tls =
        Told { exit: 5, code: "E0505", sentence: "TLS handshake failed", hint: "port and transport" };
    tells(&bed, &at, &no_tls);
    tells(&bed, &format!("{at} --transport tcp"), &no_sip);
}

/// A server of TLS 1.0: one kind answers in its own version, the other with the alert `protocol_version`.
#[test]
fn tls_that_is_too_old() {
    let bed = bed();
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
            &bed,
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
    let bed = bed_with(|estate| estate.listen(loopback));
    let done = bed.done(&format!("{LOGIN} --trace six.pcap"));
    assert_eq!(done.code, 0, "{done:?}");
    let lb = bed.estate.node("lb").address(Transport::Tls);
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
