//! Every form of a written trace, read back by the readers of this repository.

use std::path::Path;
use std::time::Duration;

use homing::Transport;

use super::*;
use crate::verify::messages_of;

/// A login with a redirect over TLS, the home server reached over IPv6, a keep-alive and the end.
fn login() -> Vec<Record> {
    let lb = |seq, seen, text: &str| record(seq, (7, "127.0.0.1:5061"), seen, text);
    let home = |seq, seen, text: &str| record(seq, (8, "[::1]:41877"), seen, text);
    vec![
        lb(1, Seen::Open, "TLS open, cert lb.network.com"),
        lb(2, Seen::Message, &request("lb", 1)),
        Record { outgoing: false, ..lb(3, Seen::Message, &answer("301 Moved Permanently", 1)) },
        lb(4, Seen::Close, "closed by us"),
        home(5, Seen::Open, "TLS open, cert hs104.network.com"),
        home(6, Seen::Message, &request("hs104", 2)),
        Record { outgoing: false, ..home(7, Seen::Message, &answer("200 OK", 2)) },
        Record { length: 4, ..home(8, Seen::KeepAlive, "keep-alive") },
        Record { length: 2, outgoing: false, ..home(9, Seen::KeepAlive, "keep-alive") },
        Record { length: 20, ..home(10, Seen::Other, "20 bytes that are no SIP") },
        Record { outgoing: false, ..home(11, Seen::Close, "closed: E0504 the connection was closed") },
    ]
}

fn record(seq: u64, (flow, peer): (u64, &str), seen: Seen, text: &str) -> Record {
    Record {
        seq,
        at: Duration::from_millis(seq * 7),
        wall: Duration::from_micros(1_705_564_800_000_000 + seq * 7_000),
        flow,
        outgoing: true,
        server: if flow == 7 { "lb.network.com:5061" } else { "hs104.network.com:41877" }.to_owned(),
        peer: peer.parse().expect("an address"),
        transport: Transport::Tls,
        seen,
        length: text.len(),
        text: text.to_owned(),
    }
}

fn request(server: &str, cseq: u32) -> String {
    format!(
        "REGISTER sip:network.com SIP/2.0\r\nVia: SIP/2.0/TLS {server};branch=z9hG4bK{cseq}\r\n\
         Call-ID: one\r\nCSeq: {cseq} REGISTER\r\nAuthorization: NTLM gssapi-data=\"••• (700 characters)\"\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn answer(words: &str, cseq: u32) -> String {
    format!(
        "SIP/2.0 {words}\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK{cseq}\r\nCall-ID: one\r\nCSeq: {cseq} REGISTER\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn text_of(form: TraceFormat, records: &[Record]) -> String {
    String::from_utf8(write(records, form)).expect("text")
}

#[test]
fn the_end_of_a_name_asks_for_the_form() {
    for form in TraceFormat::ALL {
        assert_eq!(TraceFormat::of(Path::new(&format!("a.b.{}", form.extension()))), Ok(form));
    }
    assert_eq!(TraceFormat::of(Path::new("A.PCAP")), Ok(TraceFormat::Pcap));
    let error = TraceFormat::of(Path::new("trace.doc")).expect_err("no form");
    assert_eq!(
        error.to_string(),
        "`trace.doc` does not say in which form; end the name in .pcap, .txt, .jsonl or .mmd"
    );
}

#[test]
fn json_lines_lose_nothing() {
    let mut records = login();
    records[1].text = "odd \u{1b}[2J \u{fffd} \"quoted\"\r\n\r\nbody\0".to_owned();
    let text = text_of(TraceFormat::JsonLines, &records);
    assert!(text.chars().all(|c| c == '\n' || (c.is_ascii() && !c.is_control())), "{text}");
    assert!(text.starts_with("{\"at_us\":7000,"), "{text}");
    assert!(text.contains("\"ts\":\"2024-01-18T08:00:00.007Z\""), "{text}");
    assert_eq!(json::read(&text), Ok(records));
    assert_eq!(json::read(&format!("{text}\n{{\"v\":1}}\n")), Err(json::NoRecord(13)));
}

#[test]
fn every_form_but_the_diagram_is_read_again_message_by_message() {
    let records = login();
    let expected: Vec<&str> =
        records.iter().filter(|record| record.seen == Seen::Message).map(|record| &*record.text).collect();
    for form in [TraceFormat::JsonLines, TraceFormat::Text, TraceFormat::Pcap] {
        assert_eq!(messages_of(&write(&records, form)), expected, "{form:?}");
    }
}

#[test]
fn text_is_harmless_on_a_terminal() {
    let mut records = login();
    records[2].text = "SIP/2.0 200 \u{1b}]0;title\u{7}\r\nX: \u{202e}\r\n\r\n".to_owned();
    for form in [TraceFormat::Text, TraceFormat::Mermaid] {
        let text = text_of(form, &records);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'), "{text}");
    }
    let text = text_of(TraceFormat::Text, &records);
    assert!(
        text.contains(
            "#1 2024-01-18T08:00:00.007Z +0.007 at lb.network.com:5061 over TLS (127.0.0.1:5061)\n"
        ),
        "{text}"
    );
}

#[test]
fn a_diagram_names_each_server_once_and_gives_no_orders() {
    let mut records = login();
    records[3].text = "closed: a;b #1 <script>".to_owned();
    let text = text_of(TraceFormat::Mermaid, &records);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "sequenceDiagram",
            "    participant P as phone",
            "    participant S1 as lb.network.com:5061",
            "    participant S2 as hs104.network.com:41877",
        ]
    );
    assert!(lines.contains(&"    P->>S1: REGISTER (1)") && lines.contains(&"    S2-->>P: 200 OK"), "{text}");
    assert!(lines.contains(&"    Note over P,S1: closed: a#59;b #35;1 #60;script#62;"), "{text}");
    assert_eq!(lines.len(), 4 + records.len());
}

#[test]
fn a_masked_body_has_the_length_it_has_now() {
    let body = "v=0\r\na=crypto:1 AES inline:•••\r\n";
    let text = format!("INVITE sip:b SIP/2.0\r\nCall-ID: 1\r\nl: 99\r\nCSeq: 1 INVITE\r\n\r\n{body}");
    let records = [
        record(1, (1, "127.0.0.1:5060"), Seen::Message, &text),
        record(2, (1, "127.0.0.1:5060"), Seen::Message, &request("b", 2)),
    ];
    for transport in [Transport::Tcp, Transport::Udp] {
        let records: Vec<Record> =
            records.iter().map(|record| Record { transport, ..record.clone() }).collect();
        let read = messages_of(&write(&records, TraceFormat::Pcap));
        assert_eq!(read.len(), 2, "{read:?}");
        assert!(read[0].ends_with(body) && read[0].contains(&format!("l: {}\r\n", body.len())), "{read:?}");
    }
}

#[test]
fn connections_to_one_server_at_a_time_are_told_apart() {
    let large = request("b", 1).replace("one", &"x".repeat(50_000));
    let at = |seq, flow| record(seq, (flow, "127.0.0.1:5061"), Seen::Open, "TLS open");
    let message = |seq, flow, text: &str| record(seq, (flow, "127.0.0.1:5061"), Seen::Message, text);
    let records = [
        at(1, 1),
        at(2, 2),
        message(3, 1, &large),
        message(4, 2, &request("b", 2)),
        Record { seen: Seen::Close, ..at(5, 1) },
        at(6, 3),
        message(7, 3, &request("b", 3)),
    ];
    let read = messages_of(&write(&records, TraceFormat::Pcap));
    assert!(read == [large.as_str(), &request("b", 2), &request("b", 3)], "{} messages", read.len());
}

#[test]
fn anything_can_be_written_in_any_form() {
    for (seq, seen) in (1..).zip(Seen::ALL) {
        for text in ["", "\r\n", "SIP/2.0 \u{fffd}", "INVITE", &"é".repeat(70_000)] {
            for (transport, peer) in [(Transport::Udp, "[2001:db8::9]:1"), (Transport::Tcp, "10.0.0.1:65535")]
            {
                let record = Record { transport, ..record(seq, (1, peer), seen, text) };
                for form in TraceFormat::ALL {
                    assert!(!write(std::slice::from_ref(&record), form).is_empty());
                }
            }
        }
    }
}
