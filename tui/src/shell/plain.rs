//! The phone without a screen: one line per change, for screen readers, braille, serial lines and logs.

use std::io::{self, Write};

use crate::bridge::{Bridge, GRACE};
use crate::control::{Server, asked, snapshot};
use crate::effect::Effect;
use crate::model::Model;
use crate::msg::Msg;
use crate::screen::accounts::{self, Card};
use crate::shell::signals::{Signals, Wish};
use crate::text::ScreenText;
use crate::update::update;
use crate::words::{Weight, clock};

/// Prints changes until a signal or the end of the agent; everybody is signed out then.
///
/// # Errors
/// What the system says about signals or the output.
pub(crate) async fn run(mut bridge: Bridge, mut model: Model, mut server: Option<Server>) -> io::Result<()> {
    let mut signals = Signals::new()?;
    let mut lines = Lines::default();
    loop {
        let msg = tokio::select! {
            msg = bridge.next() => msg.unwrap_or(Msg::Ended),
            Some(wanted) = asked(&mut server) => {
                // Whoever wanted it may be gone.
                let _ = wanted.send(snapshot(&bridge, &model));
                continue;
            }
            wish = signals.next() => match wish {
                Wish::End => Msg::Ended,
                Wish::Reload => Msg::ReloadWanted,
                Wish::GoOn => Msg::Tick,
            },
        };
        let ended = matches!(msg, Msg::Ended);
        let changed = matches!(msg, Msg::Account(accounts::Msg::Happened { .. }));
        for effect in update(&mut model, msg, bridge.clock()) {
            if !matches!(effect, Effect::Leave) {
                bridge.perform(effect);
            }
        }
        lines.print_news(&model)?;
        if changed {
            lines.print_states(&model)?;
        }
        if ended {
            break;
        }
    }
    let closed = server.map(Server::close);
    tokio::select! {
        _ = bridge.agent().shutdown(GRACE) => {}
        () = signals.end() => {}
    }
    if let Some(closed) = closed {
        closed.ended().await;
    }
    Ok(())
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
                // Whoever wanted it may be gone.
                let _ = wanted.send(snapshot(&bridge, &model));
            }
        }
    }
}

/// What was printed last.
#[derive(Default)]
struct Lines {
    news: usize,
    standings: Vec<ScreenText>,
}

impl Lines {
    fn print_news(&mut self, model: &Model) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for line in model.tasks.since(self.news) {
            if line.news.weight == Weight::Detail {
                continue;
            }
            let code = line.news.code.map(|code| format!("{code} ")).unwrap_or_default();
            writeln!(out, "{} {code}{}", clock(line.wall), line.news.text)?;
            if !line.news.hint.is_empty() {
                writeln!(out, "      Hint: {}", line.news.hint)?;
            }
        }
        self.news = model.tasks.written();
        out.flush()
    }

    fn print_states(&mut self, model: &Model) -> io::Result<()> {
        let cards = &model.accounts.cards;
        let standings: Vec<ScreenText> = cards.iter().map(Card::standing).collect();
        let mut out = io::stdout().lock();
        for (index, card) in cards.iter().enumerate() {
            if self.standings.get(index) != standings.get(index) {
                writeln!(out, "{} {}", clock(model.clock.wall), card.change_line(model.clock.since_start))?;
            }
        }
        self.standings = standings;
        out.flush()
    }
}
