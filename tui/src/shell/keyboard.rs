//! Keys, clicks and sizes from the terminal, and the moment the terminal is gone.
//!
//! Two threads stand beside the loop. One reads, because a reader whose terminal is gone may never return:
//! a hung-up terminal reads as an endless row of nothing. The other waits for that hang-up, so that the
//! loop hears of it at once and the program ends, whatever the reader does.

use std::io;
use std::thread;

use crossterm::event::{Event, read};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// What comes from the terminal. It is drained by [`Keyboard::next`].
pub(crate) struct Keyboard {
    events: Receiver<Event>,
    /// Closed once the terminal is gone.
    attached: Receiver<()>,
}

impl Keyboard {
    /// Listens from now on.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn new() -> io::Result<Self> {
        let (sender, events) = channel(WAITING);
        let (present, attached) = channel(1);
        thread::Builder::new().name("keyboard".into()).spawn(move || read_events(&sender))?;
        thread::Builder::new().name("hang-up".into()).spawn(move || await_hang_up(present))?;
        Ok(Self { events, attached })
    }

    /// The next event; nothing once the terminal is gone.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        tokio::select! {
            biased;
            _ = self.attached.recv() => None,
            event = self.events.recv() => event,
        }
    }
}

fn read_events(sender: &Sender<Event>) {
    while let Ok(event) = read() {
        if sender.blocking_send(event).is_err() {
            return;
        }
    }
}

/// Returns, and so drops `_present`, when the terminal hangs up; asking for no event at all leaves just that.
fn await_hang_up(_present: Sender<()>) {
    let stdin = io::stdin();
    loop {
        let mut asked = [PollFd::new(&stdin, PollFlags::empty())];
        match poll(&mut asked, None) {
            Ok(_) if asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => return,
            Err(rustix::io::Errno::INTR) => {}
            // A system that cannot watch a terminal: the reader alone will tell.
            Ok(_) | Err(_) => loop {
                thread::park();
            },
        }
    }
}

/// Events that may wait for the loop; the terminal keeps the rest.
const WAITING: usize = 256;
