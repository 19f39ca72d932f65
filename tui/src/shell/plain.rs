//! The phone without a screen: one line per change, for screen readers, braille, serial lines and logs.

use std::io::{self, Write};

use crate::bridge::{Bridge, LeftBehind};
use crate::control::{Server, asked, snapshot};
use crate::effect::Effect;
use crate::messages::{Severity, clock};
use crate::model::Model;
use crate::msg::{AccountMsg, Msg};
use crate::screen::accounts::Card;
use crate::shell::signals::{ProcessSignal, Signals, output_unread};
use crate::text::{ScreenText, ascii};
use crate::update::update;

/// Prints changes until a signal or the end of the agent; all accounts are signed out then. Those come back whose server
/// may still hold their binding.
///
/// # Errors
/// What the system says about signals or the output.
pub(crate) async fn run(
    mut bridge: Bridge,
    mut model: Model,
    mut server: Option<Server>,
) -> io::Result<Vec<LeftBehind>> {
    let mut signals = Signals::new()?;
    let mut lines = Lines::default();
    loop {
        let msg = tokio::select! {
            msg = bridge.next() => msg.unwrap_or(Msg::Ended),
            Some(wanted) = asked(&mut server) => {
                // The one who asked may be gone.
                let _ = wanted.send(snapshot(&bridge, &model));
                continue;
            }
            () = output_unread() => Msg::Ended,
            signal = signals.next() => match signal {
                ProcessSignal::Terminate => Msg::Ended,
                ProcessSignal::Reload => Msg::ReloadWanted,
                ProcessSignal::Resume => Msg::Tick,
            },
        };
        let mut ended = matches!(msg, Msg::Ended);
        let changed = matches!(msg, Msg::Account(AccountMsg::Happened { .. }));
        for effect in update(&mut model, msg, bridge.clock()) {
            if !matches!(effect, Effect::Leave) {
                bridge.perform(effect);
            }
        }
        ended |= is_unread(lines.print_notifications(&model))?;
        if changed {
            ended |= is_unread(lines.print_states(&model))?;
        }
        if ended {
            break;
        }
    }
    let closed = server.map(Server::close);
    let left = tokio::select! {
        left = bridge.sign_out() => left,
        () = signals.end() => Vec::new(),
    };
    if let Some(closed) = closed {
        closed.ended().await;
    }
    Ok(left)
}

/// True if the lines are not read any more.
fn is_unread(printed: io::Result<()>) -> io::Result<bool> {
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        printed => printed.map(|()| false),
    }
}

/// Prints nothing and answers on the control socket, until the agent ends.
pub(crate) async fn answer_only(mut bridge: Bridge, mut model: Model, server: &mut Option<Server>) {
    loop {
        tokio::select! {
            msg = bridge.next() => match msg {
                None | Some(Msg::Ended) => return,
                Some(msg) => for effect in update(&mut model, msg, bridge.clock()) {
                    bridge.perform(effect);
                },
            },
            Some(wanted) = asked(server) => {
                // The one who asked may be gone.
                let _ = wanted.send(snapshot(&bridge, &model));
            }
        }
    }
}

/// In ASCII where that is wanted.
fn spelt(model: &Model, line: String) -> String {
    if model.theme.glyphs.ascii { ascii(&line) } else { line }
}

/// What was printed last.
#[derive(Default)]
struct Lines {
    notification: usize,
    summaries: Vec<ScreenText>,
}

impl Lines {
    fn print_notifications(&mut self, model: &Model) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for line in model.pages.tasks.since(self.notification) {
            if line.notification.severity == Severity::Detail {
                continue;
            }
            let code = line.notification.code.map(|code| format!("{code} ")).unwrap_or_default();
            let text = spelt(model, format!("{} {code}{}", clock(line.wall), line.notification.text));
            writeln!(out, "{text}")?;
            if !line.notification.hint.is_empty() {
                writeln!(out, "{}", spelt(model, format!("      Hint: {}", line.notification.hint)))?;
            }
        }
        self.notification = model.pages.tasks.written();
        out.flush()
    }

    fn print_states(&mut self, model: &Model) -> io::Result<()> {
        let cards = &model.pages.accounts.cards;
        let summaries: Vec<ScreenText> = cards.iter().map(Card::summary).collect();
        let mut out = io::stdout().lock();
        for (index, card) in cards.iter().enumerate() {
            if self.summaries.get(index) != summaries.get(index) {
                let change = card.change_line(model.clock.since_start);
                writeln!(out, "{}", spelt(model, format!("{} {change}", clock(model.clock.wall))))?;
            }
        }
        self.summaries = summaries;
        out.flush()
    }
}
