//! A registrar of a few lines over TCP, for what no server of the estate does: it says yes, and ends as it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use bytes::Bytes;
use homing_wire::{Builder, Contact, Message, Name};

/// What it does beside saying yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Nothing.
    Plain,
    /// It answers a sign-out with this status.
    RefusesSignOut(u16),
    /// It closes the connection in place of an answer to a sign-out.
    LeavesSignOut,
    /// Each answer comes twice; the first time with the Via of somebody else.
    ForeignVia,
}

/// Starts one; it serves until the test program ends.
pub(crate) fn registrar(habit: Habit) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, habit));
        }
    });
    address
}

fn serve(mut stream: TcpStream, habit: Habit) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..length]);
        while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let message: Vec<u8> = bytes.drain(..end + 4).collect();
            if message == b"\r\n\r\n" {
                let _ = stream.write_all(b"\r\n");
                continue;
            }
            let request = Message::parse(Bytes::from(message)).unwrap();
            let Some(reply) = answer(&request, habit) else { return };
            if habit == Habit::ForeignVia {
                let foreign = String::from_utf8(reply.to_vec()).unwrap();
                let _ = stream.write_all(foreign.replacen("127.0.0.1", "192.0.2.1", 1).as_bytes());
            }
            let _ = stream.write_all(&reply);
        }
    }
}

/// None closes the connection.
fn answer(request: &Message, habit: Habit) -> Option<Bytes> {
    let yes = Builder::reply_to(request, 200, "OK").to_tag("r");
    let contact = request.get::<Contact<'_>>().ok().flatten();
    let asked = contact.and_then(|contact| contact.expires()).or(request.expires().unwrap()).unwrap_or(0);
    let is_register = request.method().is_some_and(|method| method.as_str() == "REGISTER");
    Some(match (is_register && asked == 0, habit) {
        (true, Habit::LeavesSignOut) => return None,
        (true, Habit::RefusesSignOut(status)) => {
            Builder::reply_to(request, status, "No").to_tag("r").finish()
        }
        (false, _) if is_register => {
            let contact = request.text(Name::Contact).unwrap_or_default().into_owned();
            let bare = contact.split_inclusive('>').next().unwrap_or_default();
            yes.header(Name::Contact, format!("{bare};expires=600")).finish()
        }
        _ => yes.finish(),
    })
}
