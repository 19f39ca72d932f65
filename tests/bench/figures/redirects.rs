//! What a redirect costs the server: unsigned 301s to pipelined REGISTERs on one TCP connection.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::{Fallible, OPEN, Server};

/// Sends [`REDIRECTS`] REGISTERs of a user who belongs elsewhere and prints the server's CPU per 301.
pub(crate) fn measure() -> Fallible<()> {
    let mut server = Server::start(1, OPEN)?;
    let mut stream = TcpStream::connect(server.tcp())?;
    stream.set_nodelay(true)?;
    exchange(&mut stream, 0, WINDOW)?;
    let before = server.usage()?;
    for start in (WINDOW..WINDOW + REDIRECTS).step_by(WINDOW) {
        exchange(&mut stream, start, WINDOW)?;
    }
    let after = server.usage()?;
    println!("TCP: {REDIRECTS} unsigned redirects, {WINDOW} in flight");
    println!("  home server  {:>6.1} µs CPU per 301", after.cpu_since(&before, REDIRECTS));
    Ok(())
}

/// Sends a window of requests at once and reads as many final answers.
fn exchange(stream: &mut TcpStream, start: usize, count: usize) -> Fallible<()> {
    let requests: String = (start..start + count).map(request).collect();
    stream.write_all(requests.as_bytes())?;
    let (mut seen, mut tail) = (0, Vec::new());
    let mut buffer = [0u8; 65_536];
    while seen < count {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err("the server closed the connection".into());
        }
        tail.extend_from_slice(&buffer[..read]);
        let (found, rest) = answers(&tail)?;
        seen += found;
        tail.drain(..rest);
    }
    Ok(())
}

/// Counts whole answers and says where the rest begins; every one must be a 301.
fn answers(bytes: &[u8]) -> Fallible<(usize, usize)> {
    let (mut found, mut at) = (0, 0);
    while let Some(end) = bytes[at..].windows(4).position(|four| four == b"\r\n\r\n") {
        if !bytes[at..].starts_with(b"SIP/2.0 301 ") {
            return Err(String::from_utf8_lossy(&bytes[at..at + end]).into());
        }
        found += 1;
        at += end + 4;
    }
    Ok((found, at))
}

fn request(number: usize) -> String {
    format!(
        "REGISTER sip:network.com SIP/2.0\r\n\
         Via: SIP/2.0/TCP 127.0.0.1:5999;branch=z9hG4bKf{number}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:user0@network.com>;tag=f{number};epid=01010101\r\n\
         To: <sip:user0@network.com>\r\n\
         Call-ID: figures-{number}\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: <sip:user0@127.0.0.1:5999;transport=tcp>\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

const REDIRECTS: usize = 51_200;
const WINDOW: usize = 64;
