//! Accounts: am I reachable, as whom, through which server, and how did I get there.

mod card;
mod facts;
mod journey;
mod view;

pub(crate) use card::Card;
pub(crate) use view::{draw, draw_mini};

use std::time::Duration;

use homing::{AccountEvent, AccountId, Aor};

use crate::effect::Effect;
use crate::keys::Action;
use crate::words::{News, Weight, news};

/// All accounts and what is looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) cards: Vec<Card>,
    selected: usize,
    /// The journey covers the whole screen.
    pub(crate) zoomed: bool,
    /// Lines of the journey scrolled up from its end.
    pub(crate) scroll: u16,
}

/// What the agent tells of accounts.
#[derive(Clone, Debug)]
pub(crate) enum Msg {
    /// An account is there now.
    Added { id: AccountId, aor: Aor },
    /// It is no longer there.
    Removed { id: AccountId },
    /// Something happened to it.
    Happened { id: AccountId, what: AccountEvent },
}

impl State {
    /// The account in sight.
    pub(crate) fn current(&self) -> Option<&Card> {
        self.cards.get(self.selected)
    }

    /// Its place in the list.
    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// Takes what the agent tells; what a person should hear of it comes back.
    pub(crate) fn handle(&mut self, msg: Msg, now: Duration) -> Option<News> {
        match msg {
            Msg::Added { id, aor } => {
                self.cards.push(Card::new(id, &aor));
                None
            }
            Msg::Removed { id } => {
                let at = self.cards.iter().position(|card| card.id == id)?;
                let card = self.cards.remove(at);
                self.select(self.selected.min(self.cards.len().saturating_sub(1)));
                Some(News::plain(Weight::Notice, crate::text::screen_text!("{} is taken out", card.aor)))
            }
            Msg::Happened { id, what } => {
                let told = news(&what);
                let many = self.cards.len() > 1;
                let card = self.cards.iter_mut().find(|card| card.id == id)?;
                card.handle(&what, now);
                told.map(|mut told| {
                    if many {
                        told.text = crate::text::screen_text!("{}: {}", card.aor, told.text);
                    }
                    told
                })
            }
        }
    }

    /// Does what a key asked for, or says why it makes no sense now.
    pub(crate) fn act(&mut self, action: Action) -> Result<Vec<Effect>, News> {
        let why_not = || News::plain(Weight::Warning, crate::text::ScreenText::of("no account is selected"));
        match action {
            Action::Up => self.select(self.selected.saturating_sub(1)),
            Action::Down => self.select(self.selected + 1),
            Action::Bottom => self.scroll = 0,
            Action::Top => self.scroll = self.longest(),
            Action::PageUp => self.scroll = self.scroll.saturating_add(5).min(self.longest()),
            Action::PageDown => self.scroll = self.scroll.saturating_sub(5),
            Action::Journey | Action::Open => self.zoomed = !self.zoomed,
            Action::SignIn => return Ok(vec![Effect::SignIn(self.current().ok_or_else(why_not)?.id)]),
            Action::SignOut => {
                let card = self.current().ok_or_else(why_not)?;
                return card.sign_out();
            }
            Action::TestCredentials => {
                return Ok(vec![Effect::TestCredentials(self.current().ok_or_else(why_not)?.id)]);
            }
            Action::Options => {
                let card = self.current().ok_or_else(why_not)?;
                return card.options();
            }
            Action::WhoAmI => return Err(self.current().ok_or_else(why_not)?.who_am_i()),
            _ => {}
        }
        Ok(Vec::new())
    }

    /// When a countdown in sight reads differently.
    pub(crate) fn next_change(&self, now: Duration) -> Option<Duration> {
        self.cards.iter().filter_map(|card| card.next_change(now)).min()
    }

    /// Looks at another account.
    pub(crate) fn select(&mut self, to: usize) {
        self.selected = to.min(self.cards.len().saturating_sub(1));
        self.scroll = 0;
    }

    fn longest(&self) -> u16 {
        let hops = self.current().map_or(0, |card| card.journey.len());
        u16::try_from(hops * 4 + 6).unwrap_or(u16::MAX)
    }
}
