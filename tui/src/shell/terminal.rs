//! The terminal: entered once, drawn on, and left clean whatever happens.

use std::io::{self, IsTerminal, Stdout, Write};
use std::process::Command;
use std::sync::Once;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use crate::model::Model;
use crate::text::ScreenText;
use crate::view::{title, view};

/// The terminal while the phone has it. Dropping it gives it back.
pub(crate) struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Stdout>>,
    title: ScreenText,
    /// Clicks and the wheel are asked for.
    mouse: bool,
}

impl Terminal {
    /// Takes the terminal over; a panic anywhere gives it back first.
    pub(crate) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                restore();
                before(info);
            }));
        });
        take_over()?;
        let inner = ratatui::Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(Self { inner, title: ScreenText::default(), mouse: false })
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> (u16, u16) {
        self.inner.size().map_or((80, 24), |size| (size.width, size.height))
    }

    /// Draws the model, and the window's title if it reads differently now.
    pub(crate) fn draw(&mut self, model: &Model) -> io::Result<()> {
        let now = title(model);
        if now != self.title {
            execute!(io::stdout(), SetTitle(&now))?;
            self.title = now;
        }
        self.listen_to_mouse(model.pages.settings.config.flag("ui.mouse"))?;
        self.inner.draw(|frame| view(model, frame.area(), frame.buffer_mut()))?;
        Ok(())
    }

    fn listen_to_mouse(&mut self, wanted: bool) -> io::Result<()> {
        if wanted != self.mouse {
            self.mouse = wanted;
            match wanted {
                true => execute!(io::stdout(), EnableMouseCapture)?,
                false => execute!(io::stdout(), DisableMouseCapture)?,
            }
        }
        Ok(())
    }

    /// Forgets what was drawn, so that the next picture is drawn whole.
    pub(crate) fn forget(&mut self) {
        // Not `clear`: that one asks the terminal where its cursor stands and waits for the answer, which
        // some never give. A terminal that does not take this takes no picture either.
        let _ =
            self.inner.size().and_then(|size| self.inner.resize(Rect::new(0, 0, size.width, size.height)));
    }

    /// Puts text into the clipboard of the terminal (OSC 52); terminals that do not know it do nothing.
    pub(crate) fn copy(&mut self, text: &ScreenText) {
        let mut out = io::stdout();
        let _ = write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text.as_str()));
        let _ = out.flush();
    }

    /// Rests in the background of the shell until it is called to the front.
    pub(crate) fn suspend(&mut self) {
        restore();
        // SIGTSTP through kill(1): the process stops here and goes on after SIGCONT.
        let _ = Command::new("kill").args(["-TSTP", &std::process::id().to_string()]).status();
        self.mouse = false;
        if take_over().is_ok() {
            self.forget();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Says a sentence beside the screen: on standard error, or where that is the screen itself as a notice of
/// the terminal (OSC 9), which screen readers and desktops pick up.
pub(super) fn announce(text: &ScreenText) {
    let mut err = io::stderr();
    // Without a reader nothing is missed that the screen does not show.
    let _ = if err.is_terminal() { write!(err, "\x1b]9;{text}\x07") } else { writeln!(err, "{text}") };
    let _ = err.flush();
}

/// Has the desktop say it: as a notice of the terminal in the two forms that terminals know (OSC 9, OSC 777).
pub(super) fn attention(text: &ScreenText) {
    let mut out = io::stdout();
    // The second form parts its fields by semicolons.
    let plain = text.as_str().replace(';', ",");
    let _ = write!(out, "\x1b]9;{text}\x07\x1b]777;notify;Homing;{plain}\x07");
    let _ = out.flush();
}

/// Rings the bell.
pub(super) fn ring() {
    let mut out = io::stdout();
    let _ = out.write_all(b"\x07");
    let _ = out.flush();
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    // The window's title is the shell's: it is put aside (XTWINOPS 22) and brought back (23).
    execute!(io::stdout(), Print("\x1b[22;2t"), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
}

/// Gives the terminal back; each step is tried even if another failed.
fn restore() {
    let mut out = io::stdout();
    let _ = execute!(out, DisableMouseCapture);
    let _ = execute!(out, DisableBracketedPaste);
    let _ = execute!(out, LeaveAlternateScreen);
    let _ = execute!(out, cursor::Show);
    let _ = execute!(out, Print("\x1b[23;2t"));
    let _ = disable_raw_mode();
}
