//! Writes a first corpus from the recorded conversations and vectors of `tests/data`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use homing_wire::{Message, Name};
use serde_json::Value;

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut corpus = Corpus { folder: here.join("../corpus"), written: 0 };
    let data = here.join("../../data");
    for entry in fs::read_dir(data.join("vectors"))? {
        let text = fs::read_to_string(entry?.path())?;
        let value: Value = serde_json::from_str(&text).map_err(io::Error::other)?;
        corpus.take(&value)?;
    }
    for entry in fs::read_dir(data.join("bench"))? {
        corpus.message(&fs::read(entry?.path())?)?;
    }
    for script in SCRIPTS {
        corpus.write("agent", script)?;
    }
    for offer in OFFERS {
        corpus.write("negotiation", offer)?;
    }
    for datagrams in DATAGRAMS {
        corpus.write("sound", datagrams)?;
    }
    println!("{} seeds in {}", corpus.written, corpus.folder.display());
    Ok(())
}

struct Corpus {
    folder: PathBuf,
    written: usize,
}

impl Corpus {
    /// Every text of a vector file, for whatever it looks like.
    fn take(&mut self, value: &Value) -> io::Result<()> {
        match value {
            Value::Array(all) => all.iter().try_for_each(|one| self.take(one)),
            Value::Object(all) => all.values().try_for_each(|one| self.take(one)),
            Value::String(text) => self.text(text),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        let first = text.lines().next().unwrap_or_default();
        if text.starts_with("SIP/2.0 ") || first.ends_with("SIP/2.0") {
            return self.message(text.as_bytes());
        }
        if text.starts_with("NTLM ") || text.starts_with("Digest ") {
            return self.write("auth", text.as_bytes());
        }
        let token = STANDARD.decode(text).ok().or_else(|| unhex(text));
        match token.filter(|token| token.starts_with(b"NTLMSSP")) {
            Some(token) => self.write("ntlm", &token),
            None => Ok(()),
        }
    }

    fn message(&mut self, octets: &[u8]) -> io::Result<()> {
        self.write("message", octets)?;
        self.write("framer", &[b"\x10", octets].concat())?;
        let Ok(message) = Message::parse(octets.to_vec()) else { return Ok(()) };
        for name in AUTH {
            for line in message.lines(name) {
                self.write("auth", line)?;
            }
        }
        if message.body().starts_with(b"v=0") {
            self.write("sdp", message.body())?;
            self.write("negotiation", message.body())?;
        }
        if let Some(content_type) =
            message.lines(Name::ContentType).find(|line| line.starts_with(b"multipart"))
        {
            self.write("multipart", &[content_type, b"\r\n", message.body()].concat())?;
        }
        Ok(())
    }

    fn write(&mut self, target: &str, octets: &[u8]) -> io::Result<()> {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        self.written += 1;
        fs::write(folder.join(format!("seed-{:04}", self.written)), octets)
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}

const AUTH: [Name<'static>; 6] = [
    Name::Authorization,
    Name::ProxyAuthorization,
    Name::WwwAuthenticate,
    Name::ProxyAuthenticate,
    Name::AuthenticationInfo,
    Name::ProxyAuthenticationInfo,
];

/// Scripts of an agent: DNS, connection, handshake, and then a grant, a redirect, a forced ending, a call
/// that is placed, held and hung up by the peer, a call that comes in and is hung up.
const SCRIPTS: [&[u8]; 5] = [
    b"\x00\x08\x01\x01\x02aa\x08\x00\x08\x01\x01\x08\x01\x01\x0a\x0e\x00\x00\x08\x01\x0e\x01\x00\x0f\x02\x0cExpires: 60\r\n\x00\x04",
    b"\x00\x08\x01\x01\x02aa\x08\x00\x08\x01\x01\x08\x01\x01\x0a\x0e\x00\x00\x08\x01\x0e\x01\x00\x0f\x05\x35Contact: <sip:hs104.network.com:5061;transport=tls>\r\n\x00\x08\x01\x01\x0a\x0e\x00\x00",
    b"\x00\x08\x01\x01\x02aa\x08\x00\x08\x01\x01\x08\x01\x01\x0a\x0e\x00\x00\x08\x01\x0e\x01\x00\x0f\x02\x0eExpires: 600\r\n\x00\x12\x00\x1ederegistered;event=deactivated\x00\x04",
    b"\x00\x08\x01\x01\x02aa\x08\x00\x08\x01\x01\x08\x01\x01\x0a\x0e\x00\x00\x08\x01\x0e\x01\x00\x0f\x02\x0eExpires: 600\r\n\x00\x14\x08\x01\x17\x00\x00\x00\x17\x02\x00\x00\x15\x00\x04\x08\x01\x17\x02\x00\x00\x19\x01\x00\x00",
    b"\x00\x08\x01\x01\x02aa\x08\x00\x08\x01\x01\x08\x01\x01\x0a\x0e\x00\x00\x08\x01\x0e\x01\x00\x0f\x02\x0eExpires: 600\r\n\x00\x16\x00\x00\x15\x00\x02\x08\x01\x19\x00\x00\x00\x15\x00\x08\x17\x02\x08\x00",
];

/// Offers of sound: in the clear with all that may be said, and with a key.
const OFFERS: [&[u8]; 2] = [
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=video 9 RTP/AVP 31\r\nm=audio 9 RTP/AVPF 97 8 98\r\na=rtpmap:97 PCMU/8000\r\na=rtpmap:98 telephone-event/8000\r\na=ptime:30\r\na=maxptime:60\r\na=rtcp:6000 IN IP4 192.0.2.8\r\na=sendonly\r\n",
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 9 RTP/SAVP 0\r\na=rtcp-mux\r\na=crypto:7 AES_CM_128_HMAC_SHA1_32 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA|2^31|1:1\r\n",
];

/// Datagrams behind their lengths: sound, an event, a report, a goodbye.
const DATAGRAMS: [&[u8]; 2] = [
    b"\x14\x80\x00\x00\x01\x00\x00\x00\xa0\x00\x00\x00\x05aaaaaaaa\x10\x80\xe5\x00\x02\x00\x00\x01\x40\x00\x00\x00\x05\x07\x8a\x03\x20",
    b"\x88\x80\xc9\x00\x01\x00\x00\x00\x05\x90\x80\xc9\x00\x01\x00\x00\x00\x05\x81\xcb\x00\x01\x00\x00\x00\x05",
];
