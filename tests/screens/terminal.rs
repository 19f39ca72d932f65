//! A terminal of our own: a program under test in a pty, its screen kept by a VT emulator.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// A running program and what it shows.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    pieces: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    /// Starts `program` on a screen of `columns` × `rows` with a home folder of its own.
    pub(crate) fn start(program: &str, args: &[&str], columns: u16, rows: u16, home: &Path) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("COLORTERM", "truecolor")] {
            command.env(name, value);
        }
        Self::open(command, columns, rows, home)
    }

    /// The same on a screen of the usual size, with this environment and no other; an empty value is none.
    pub(crate) fn start_with(
        program: &str,
        args: &[&str],
        environment: &[(&str, &str)],
        home: &Path,
    ) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for (name, value) in environment.iter().filter(|(_, value)| !value.is_empty()) {
            command.env(name, value);
        }
        Self::open(command, 100, 30, home)
    }

    fn open(mut command: CommandBuilder, columns: u16, rows: u16, home: &Path) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("the system has terminals");
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
            command.env(name, home);
        }
        command.cwd(home);
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("the terminal can be read");
        let keys = pair.master.take_writer().expect("the terminal can be written");
        let (tell, pieces) = channel();
        std::thread::spawn(move || {
            let mut piece = [0u8; 8192];
            while let Ok(n) = reader.read(&mut piece) {
                if n == 0 || tell.send(piece[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(at_least_one(rows), at_least_one(columns), 0);
        Self { child, master: pair.master, keys, pieces, screen, raw: Vec::new() }
    }

    /// Types.
    pub(crate) fn press(&mut self, keys: &str) {
        let typed = self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush());
        typed.expect("keys are taken");
    }

    /// Changes the size, as a window manager would.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("the terminal can be resized");
        self.screen.screen_mut().set_size(at_least_one(rows), at_least_one(columns));
    }

    /// Reads until the screen holds `text`; the screen, if it does not come to that.
    pub(crate) fn wait_for(&mut self, text: &str, within: Duration) -> Result<(), String> {
        self.wait_until(within, |screen| screen.contains(text))
            .map_err(|screen| format!("waited for {text:?}, the screen shows:\n{screen}"))
    }

    /// Reads until `fits` likes the screen.
    pub(crate) fn wait_until(&mut self, within: Duration, fits: impl Fn(&str) -> bool) -> Result<(), String> {
        let end = Instant::now() + within;
        loop {
            if fits(&self.contents()) {
                return Ok(());
            }
            match self.pieces.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.take(&piece),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return if fits(&self.contents()) { Ok(()) } else { Err(self.contents()) };
                }
            }
        }
    }

    /// Reads what is there until nothing came for `quiet`, or ten times so long where something turns.
    pub(crate) fn settle(&mut self, quiet: Duration) {
        let end = Instant::now() + quiet * 10;
        while Instant::now() < end
            && let Ok(piece) = self.pieces.recv_timeout(quiet)
        {
            self.take(&piece);
        }
    }

    /// The screen as text.
    pub(crate) fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Everything the program ever wrote.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// True if the program left the terminal as it found it: main screen, cursor shown, no mouse.
    pub(crate) fn is_clean(&self) -> bool {
        let screen = self.screen.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    /// The program's process number.
    pub(crate) fn process(&self) -> u32 {
        self.child.process_id().expect("it was started")
    }

    /// Waits for the end of the program and reads the rest; its exit code.
    pub(crate) fn end(&mut self, within: Duration) -> Option<u32> {
        let end = Instant::now() + within;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.settle(Duration::from_millis(100));
                return Some(status.exit_code());
            }
            if Instant::now() > end {
                return None;
            }
            if let Ok(piece) = self.pieces.recv_timeout(Duration::from_millis(20)) {
                self.take(&piece);
            }
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.screen.process(piece);
        self.raw.extend_from_slice(piece);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn at_least_one(size: u16) -> NonZero<u16> {
    NonZero::new(size).unwrap_or(NonZero::<u16>::MIN)
}
