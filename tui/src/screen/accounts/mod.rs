//! Accounts: am I reachable, as whom, through which server, and how did I get there.

mod card;
mod facts;
mod journey;
mod view;

pub(crate) use card::Card;

use std::time::Duration;

use homing::AccountId;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::effect::Effect;
use crate::keys::{Action, Chord, Held, Key};
use crate::messages::{Notification, Severity, notification};
use crate::msg::{AccountMsg, EstateMsg, Msg};
use crate::screen::{Hints, Outcome, Page, Scene, estate};
use crate::text::{ScreenText, screen_text};

/// All accounts, and what is shown of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) cards: Vec<Card>,
    selected: usize,
    /// The journey covers the whole screen.
    pub(crate) zoomed: bool,
    /// Lines of the journey scrolled up from its end.
    pub(crate) scroll: u16,
    /// The demo's estate, whose keys are pressed here.
    pub(crate) estate: Option<estate::State>,
}

impl State {
    /// The selected account.
    pub(crate) fn current(&self) -> Option<&Card> {
        self.cards.get(self.selected)
    }

    /// Its place in the list.
    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// Takes what the agent tells; what a person should hear of it comes back.
    fn take(&mut self, msg: &AccountMsg, now: Duration) -> Option<Notification> {
        match msg {
            AccountMsg::Added { id, aor } => {
                self.cards.push(Card::new(*id, aor));
                None
            }
            AccountMsg::Removed { id } => {
                let at = self.cards.iter().position(|card| card.id == *id)?;
                let card = self.cards.remove(at);
                self.choose(self.selected.min(self.cards.len().saturating_sub(1)));
                Some(Notification::plain(Severity::Info, screen_text!("{} is removed", card.aor)))
            }
            AccountMsg::Happened { id, what } => {
                self.card_mut(*id)?.handle(what, now);
                Some(self.named(*id, notification(what)?))
            }
            AccountMsg::Missed { id, state, what } => {
                self.card_mut(*id)?.enter(*state);
                Some(self.named(*id, Notification::plain(Severity::Warning, what.clone())))
            }
        }
    }

    /// With several accounts it is said whose news it is.
    fn named(&self, id: AccountId, mut notification: Notification) -> Notification {
        if let Some(card) = self.cards.iter().find(|card| card.id == id && self.cards.len() > 1) {
            notification.text = screen_text!("{}: {}", card.aor, notification.text);
        }
        notification
    }

    fn card_mut(&mut self, id: AccountId) -> Option<&mut Card> {
        self.cards.iter_mut().find(|card| card.id == id)
    }

    /// Takes what the demo reports of its estate.
    fn take_estate(&mut self, msg: &EstateMsg) {
        match msg {
            EstateMsg::Started(controls) => {
                self.estate = Some(estate::State { controls: controls.clone(), servers: Vec::new() });
            }
            EstateMsg::Servers(servers) => {
                if let Some(estate) = &mut self.estate {
                    estate.servers.clone_from(servers);
                }
            }
        }
    }

    /// What a command does that needs an account.
    fn act_on_account(&self, action: Action) -> Outcome {
        let Some(card) = self.current() else {
            return Outcome::refused(ScreenText::of("no account is selected"));
        };
        match action {
            Action::SignIn => Effect::SignIn(card.id).into(),
            Action::SignOut => card.sign_out(),
            Action::TestCredentials => Effect::TestCredentials(card.id).into(),
            Action::Options => card.options(),
            _ => card.who_am_i().into(),
        }
    }

    /// When a countdown in sight reads differently.
    pub(crate) fn next_change(&self, now: Duration) -> Option<Duration> {
        self.cards.iter().filter_map(|card| card.next_change(now)).min()
    }

    /// Shows another account.
    fn choose(&mut self, to: usize) {
        self.selected = to.min(self.cards.len().saturating_sub(1));
        self.scroll = 0;
    }

    fn longest(&self) -> u16 {
        let hops = self.current().map_or(0, |card| card.journey.len());
        u16::try_from(hops * 4 + 6).unwrap_or(u16::MAX)
    }
}

impl Page for State {
    fn keys(&self) -> &'static [(Chord, Action)] {
        KEYS
    }

    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        view::draw(scene, area, buf);
    }

    fn hints(&self) -> Hints {
        use Action as A;
        if self.cards.is_empty() {
            return Hints::Keys(&[A::AddAccount]);
        }
        Hints::Keys(&[A::SignIn, A::SignOut, A::Journey, A::Options, A::WhoAmI])
    }

    fn act(&mut self, action: Action, _rows: usize) -> Outcome {
        match action {
            Action::Up => self.choose(self.selected.saturating_sub(1)),
            Action::Down => self.choose(self.selected + 1),
            Action::Bottom => self.scroll = 0,
            Action::Top => self.scroll = self.longest(),
            Action::PageUp => self.scroll = self.scroll.saturating_add(5).min(self.longest()),
            Action::PageDown => self.scroll = self.scroll.saturating_sub(5),
            Action::Journey | Action::Open => self.zoomed = !self.zoomed,
            _ if self.carries_out(action) => return self.act_on_account(action),
            _ => {}
        }
        Outcome::done()
    }

    fn carries_out(&self, action: Action) -> bool {
        use Action as A;
        matches!(action, A::SignIn | A::SignOut | A::Options | A::WhoAmI | A::Journey | A::TestCredentials)
    }

    fn handle_key(&mut self, chord: Chord) -> Option<Outcome> {
        let (Key::Char(key), Held::Nothing) = (chord.key, chord.held) else { return None };
        self.estate.as_ref().filter(|estate| estate.knows(key)).map(|_| Effect::EstateKey(key).into())
    }

    fn handle(&mut self, msg: &Msg, now: Duration) -> Option<Notification> {
        match msg {
            Msg::Account(msg) => self.take(msg, now),
            Msg::Estate(msg) => {
                self.take_estate(msg);
                None
            }
            _ => None,
        }
    }

    fn select(&mut self, row: usize) -> bool {
        self.choose(row);
        false
    }

    /// Nothing lies before the first screen.
    fn back(&mut self) -> bool {
        self.zoomed = false;
        true
    }
}

const KEYS: &[(Chord, Action)] = &[
    (Chord::char('R'), Action::SignIn),
    (Chord::char('U'), Action::SignOut),
    (Chord::char('O'), Action::Options),
    (Chord::char('J'), Action::Journey),
    (Chord::char('w'), Action::WhoAmI),
    (Chord::char('+'), Action::AddAccount),
    (Chord::char('E'), Action::TestCredentials),
];
