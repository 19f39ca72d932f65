//! A name server that knows a script's records, and may be as old as a script says.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::script::texts;

/// A name server, and what it was asked.
pub(super) struct NameServer {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// What is answered to a question: its code and its records' data.
struct Answer {
    code: u8,
    data: Vec<Vec<u8>>,
}

impl NameServer {
    /// Answers with these records, such as `"sip_server A": ["127.0.0.1"]`; a question that carries an OPT record is
    /// refused where `with_opt` says so.
    pub(super) fn start(records: Map<String, Value>, port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port of loopback");
        let address = socket.local_addr().expect("it is bound");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
                let query = &buffer[..length];
                let Some((name, kind, end)) = question(query) else { continue };
                let kind_name = match kind {
                    1 => "A",
                    28 => "AAAA",
                    33 => "SRV",
                    35 => "NAPTR",
                    _ => "other",
                };
                let key = format!("{name} {kind_name}");
                log.lock().unwrap_or_else(PoisonError::into_inner).push(key.clone());
                let has_opt = query[11] > 0;
                let refusal = records.get("with_opt").and_then(Value::as_str).filter(|_| has_opt);
                let all = records.get(&key).map(texts).unwrap_or_default();
                let answer = match refusal {
                    Some("NOTIMP") => Answer { code: 4, data: Vec::new() },
                    Some(_) => Answer { code: 1, data: Vec::new() },
                    None => Answer { code: 0, data: all.iter().map(|text| data(text, port)).collect() },
                };
                // A client that left meanwhile hears nothing.
                let _ = socket.send_to(&reply(&query[..end], &answer, kind), peer);
            }
        });
        Self { address, asked }
    }

    /// Every question so far, as `name type`.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Name and type of the only question, and where it ends.
fn question(query: &[u8]) -> Option<(String, u16, usize)> {
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    Some((labels.join("."), kind, at + 4))
}

/// The data of one record: an address, or `priority weight port target`.
fn data(text: &str, port: u16) -> Vec<u8> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return address.octets().to_vec();
    }
    let text = text.replace("{server_port}", &port.to_string());
    let words: Vec<&str> = text.split_whitespace().collect();
    let [priority, weight, port, target] = words[..] else { panic!("an SRV record: {text}") };
    let mut data = Vec::new();
    for number in [priority, weight, port] {
        data.extend(number.parse::<u16>().expect("a number").to_be_bytes());
    }
    for label in target.split('.') {
        data.push(u8::try_from(label.len()).expect("a label"));
        data.extend(label.as_bytes());
    }
    data.push(0);
    data
}

fn reply(question: &[u8], answer: &Answer, kind: u16) -> Vec<u8> {
    let mut reply = question.to_vec();
    (reply[2], reply[3]) = (0x84, answer.code);
    reply[4..12].copy_from_slice(&[0, 1, 0, u8::try_from(answer.data.len()).expect("few"), 0, 0, 0, 0]);
    for data in &answer.data {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60]);
        reply.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
        reply.extend(data);
    }
    reply
}
