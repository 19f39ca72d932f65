//! The shell around the model: one loop over keys, the agent's events, time and signals; draws only after one of them.

mod keyboard;
mod plain;
mod signals;
mod terminal;

pub(crate) use plain::{answer_only, run as run_plain};
pub(crate) use signals::{Signals, output_unread};

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use crossterm::event::{Event, MouseButton, MouseEventKind};
use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};

use crate::bridge::{Bridge, GRACE, LeftBehind};
use crate::control::{Server, asked, snapshot};
use crate::effect::Effect;
use crate::keys::Chord;
use crate::model::{Model, Overlay};
use crate::msg::Msg;
use crate::update::update;

use keyboard::Keyboard;
use signals::ProcessSignal;
use terminal::Terminal;

/// Runs the phone on the terminal until it is left; all accounts are signed out then, also after a panic.
///
/// Those come back whose server may still hold their binding.
///
/// # Errors
/// What the terminal says when it cannot be set up.
pub(crate) async fn run(
    bridge: Bridge,
    model: Model,
    server: Option<Server>,
) -> std::io::Result<Vec<LeftBehind>> {
    let agent = bridge.agent().clone();
    match AssertUnwindSafe(show(bridge, model, server)).catch_unwind().await {
        Ok(shown) => shown,
        Err(panic) => {
            agent.shutdown(GRACE).await;
            resume_unwind(panic)
        }
    }
}

async fn show(
    mut bridge: Bridge,
    mut model: Model,
    server: Option<Server>,
) -> std::io::Result<Vec<LeftBehind>> {
    let mut terminal = Terminal::enter()?;
    let mut shell = Shell { keyboard: Keyboard::new()?, signals: Signals::new()?, server, leaving: false };
    let (columns, rows) = terminal.size();
    step(&mut bridge, &mut model, &mut terminal, Msg::Resized { columns, rows });
    while !shell.leaving {
        // A terminal that is gone is noticed by its end of input.
        let _ = terminal.draw(&model);
        let msg = shell.wait(&mut bridge, &model).await;
        shell.leaving |= step(&mut bridge, &mut model, &mut terminal, msg);
        // What is there already is taken together: one picture for a burst of events.
        for _ in 0..BURST {
            let Some(msg) = bridge.next_now() else { break };
            shell.leaving |= step(&mut bridge, &mut model, &mut terminal, msg);
        }
    }
    model.overlays = vec![Overlay::Leaving];
    let _ = terminal.draw(&model);
    let closed = shell.server.take().map(Server::close);
    let left = shell.sign_out(&bridge).await;
    if let Some(closed) = closed {
        closed.ended().await;
    }
    Ok(left)
}

/// What the loop owns.
struct Shell {
    keyboard: Keyboard,
    signals: Signals,
    server: Option<Server>,
    leaving: bool,
}

impl Shell {
    async fn wait(&mut self, bridge: &mut Bridge, model: &Model) -> Msg {
        let now = bridge.clock().since_start;
        let change = model.next_change().map(|at| at.saturating_sub(now).max(SHORTEST));
        let wake = Instant::now() + change.unwrap_or(FOREVER);
        loop {
            tokio::select! {
                event = self.keyboard.next() => match event {
                    Some(event) => if let Some(msg) = message(event) { return msg },
                    None => return Msg::Ended,
                },
                msg = bridge.next() => return msg.unwrap_or(Msg::Ended),
                signal = self.signals.next() => return match signal {
                    ProcessSignal::Terminate => Msg::Ended,
                    ProcessSignal::Resume => Msg::Tick,
                    ProcessSignal::Reload => Msg::ReloadWanted,
                },
                Some(wanted) = asked(&mut self.server) => {
                    // The one who asked may be gone.
                    let _ = wanted.send(snapshot(bridge, model));
                }
                () = sleep_until(wake) => return Msg::Tick,
            }
        }
    }

    /// Signs all accounts out; a second wish to end does not wait for that.
    async fn sign_out(&mut self, bridge: &Bridge) -> Vec<LeftBehind> {
        tokio::select! {
            left = bridge.sign_out() => left,
            () = self.signals.end() => Vec::new(),
        }
    }
}

/// Takes one message; true if the phone is to be left.
fn step(bridge: &mut Bridge, model: &mut Model, terminal: &mut Terminal, msg: Msg) -> bool {
    let mut leave = false;
    for effect in update(model, msg, bridge.clock()) {
        match effect {
            Effect::Leave => leave = true,
            Effect::Redraw => terminal.forget(),
            Effect::Suspend => terminal.suspend(),
            Effect::Copy(text) => terminal.copy(&text),
            Effect::Announce(text) => terminal::announce(&text),
            Effect::Bell => terminal::ring(),
            Effect::Attention(text) => terminal::attention(&text),
            other => bridge.perform(other),
        }
    }
    leave
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) => Chord::from_event(key).map(Msg::Key),
        Event::Paste(text) => Some(Msg::Pasted(text)),
        Event::Resize(columns, rows) => Some(Msg::Resized { columns, rows }),
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => {
                Some(Msg::Clicked { column: mouse.column, row: mouse.row })
            }
            MouseEventKind::ScrollUp => Some(Msg::Scrolled { up: true }),
            MouseEventKind::ScrollDown => Some(Msg::Scrolled { up: false }),
            _ => None,
        },
        Event::FocusGained | Event::FocusLost => None,
    }
}

/// Messages taken for one picture.
const BURST: usize = 512;
/// Pictures are at least so far apart when only time passes.
const SHORTEST: Duration = Duration::from_millis(20);
const FOREVER: Duration = Duration::from_secs(3_600);
