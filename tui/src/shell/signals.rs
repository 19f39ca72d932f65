//! Signals that end the phone, have it read its configuration again, or wake it; and an output that is not read any more.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The signals the phone listens to.
pub(crate) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    go_on: Signal,
    /// There was a terminal when listening began.
    had_terminal: bool,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            go_on: signal(SignalKind::from_raw(SIGCONT))?,
            had_terminal: io::stdin().is_terminal(),
        })
    }

    /// Returns when the program is to end; where there is nothing to read again, SIGHUP says that too.
    pub(crate) async fn end(&mut self) {
        while self.next().await == ProcessSignal::Resume {}
    }

    /// What the system or another program wants.
    pub(crate) async fn next(&mut self) -> ProcessSignal {
        tokio::select! {
            _ = self.terminate.recv() => ProcessSignal::Terminate,
            _ = self.interrupt.recv() => ProcessSignal::Terminate,
            _ = self.go_on.recv() => ProcessSignal::Resume,
            _ = self.hang_up.recv() => self.hung_up(),
        }
    }

    /// SIGHUP says that the terminal is gone; where it is still there, or never was, another program sent it
    /// to have the configuration read again.
    fn hung_up(&self) -> ProcessSignal {
        if self.had_terminal && !io::stdin().is_terminal() {
            ProcessSignal::Terminate
        } else {
            ProcessSignal::Reload
        }
    }
}

/// What a signal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessSignal {
    /// End the program.
    Terminate,
    /// The program goes on after it was stopped; the screen is to be drawn again.
    Resume,
    /// Read the configuration again.
    Reload,
}

/// Returns once standard output is not read any more, as after `homing attach | head -1`: a verb that prints until it is
/// ended has ended then. Never returns where it goes into a file.
pub(crate) async fn output_unread() {
    static UNREAD: OnceLock<watch::Receiver<bool>> = OnceLock::new();
    let mut unread = UNREAD.get_or_init(watch_output).clone();
    if unread.wait_for(|unread| *unread).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A thread waits for the hang-up: nothing need be written to notice it.
fn watch_output() -> watch::Receiver<bool> {
    let (sender, unread) = watch::channel(false);
    let work = move || {
        let stdout = io::stdout();
        loop {
            let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
            match poll(&mut asked, None) {
                Ok(_) if asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) => {
                    // It is not waited for any more, then.
                    let _ = sender.send(true);
                    return;
                }
                Err(rustix::io::Errno::INTR) => {}
                // A system that cannot watch its output.
                Ok(_) | Err(_) => return,
            }
        }
    };
    // Without a thread nothing is noticed, and a signal ends the program.
    drop(thread::Builder::new().name("output".to_owned()).spawn(work));
    unread
}

const SIGCONT: i32 = if cfg!(target_os = "linux") { 18 } else { 19 };
