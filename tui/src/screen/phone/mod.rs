//! Phone: dial, answer, hold, hang up; the calls that are under way and the last ones that ended.

mod call_card;
mod sound;
mod view;

pub(crate) use call_card::{Began, CallCard};
pub(crate) use sound::Measured;

use std::collections::VecDeque;
use std::time::Duration;

use homing::AccountId;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::effect::{CallOrder, Effect};
use crate::keys::{Action, Chord, Held, Key};
use crate::messages::{Notification, Severity};
use crate::msg::{AccountMsg, CallMsg, Msg};
use crate::screen::{Hints, Outcome, Page, Scene};
use crate::text::{ScreenText, screen_text};
use crate::widget::Filter;

/// The calls, and the address that is being dialled.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The newest first; those that ended lie behind those that did not.
    calls: VecDeque<CallCard>,
    selected: usize,
    /// What is dialled.
    dial: Filter,
    /// Accounts that calls can be placed from, in the order of their ids.
    accounts: Vec<Line>,
    /// Which of them is used.
    line: usize,
    /// When the bell rings next.
    bell_at: Option<Duration>,
    /// Keys are digits for the call.
    pressing: bool,
    /// Until then a second wish to leave is meant.
    leave_by: Option<Duration>,
    /// A call began to ring, and that was not told beside the screen yet.
    untold: Option<ScreenText>,
}

/// An account as the dial field names it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    id: AccountId,
    pub(crate) aor: ScreenText,
    pub(crate) disturb: bool,
}

impl State {
    /// The calls, in the order of the list.
    pub(crate) fn calls(&self) -> impl Iterator<Item = &CallCard> {
        self.calls.iter()
    }

    /// The place of the cursor.
    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// The call under the cursor.
    pub(crate) fn current(&self) -> Option<&CallCard> {
        self.calls.get(self.selected)
    }

    /// The field that is dialled from.
    pub(crate) fn dialled(&self) -> &Filter {
        &self.dial
    }

    /// The account that calls are placed from.
    pub(crate) fn line(&self) -> Option<&Line> {
        self.accounts.get(self.line)
    }

    /// How many accounts could place a call.
    pub(crate) fn lines(&self) -> usize {
        self.accounts.len()
    }

    /// The address of an account.
    pub(crate) fn address_of(&self, id: AccountId) -> ScreenText {
        self.accounts.iter().find(|line| line.id == id).map(|line| line.aor.clone()).unwrap_or_default()
    }

    /// The call that waits for an answer longest.
    pub(crate) fn ringing(&self) -> Option<&CallCard> {
        self.calls.iter().rev().find(|call| call.rings_here())
    }

    /// How many calls are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.calls.iter().filter(|call| !call.is_over()).count()
    }

    /// True if the phone may be left: no call is under way, or it is wished for the second time within seconds.
    pub(crate) fn is_to_be_left(&mut self, now: Duration) -> bool {
        let meant = self.under_way() == 0 || self.leave_by.is_some_and(|until| now <= until);
        self.leave_by = Some(now + SECOND_THOUGHT);
        meant
    }

    /// The words that are to be told beside the screen, once for each call that begins to ring.
    pub(crate) fn take_untold(&mut self) -> Option<ScreenText> {
        self.untold.take()
    }

    /// True if the bell is to ring now: while a call waits for an answer, every few seconds.
    pub(crate) fn take_bell(&mut self, now: Duration) -> bool {
        if self.ringing().is_none() {
            self.bell_at = None;
            return false;
        }
        let due = self.bell_at.is_none_or(|at| at <= now);
        if due {
            self.bell_at = Some(now + BELL);
        }
        due
    }

    /// When something reads or sounds differently without any message.
    pub(crate) fn next_change(&self, now: Duration) -> Option<Duration> {
        let fresh = self.current().and_then(|call| call.over_since(now)).is_some_and(|over| over < FRESH);
        let counts = fresh || self.under_way() > 0;
        // Whole seconds are shown.
        let second = counts.then(|| Duration::from_secs(now.as_secs() + 1));
        second.into_iter().chain(self.bell_at).min()
    }

    fn take(&mut self, msg: &CallMsg, now: Duration) -> Option<Notification> {
        match msg {
            CallMsg::Began(began) => {
                let card = CallCard::new(began.clone(), now);
                let told = card.rings_here().then(|| screen_text!("{} calls", card.who()));
                self.calls.push_front(card);
                self.selected = 0;
                self.forget();
                self.untold = told.clone();
                Some(Notification::plain(Severity::Info, told?))
            }
            CallMsg::NotPlaced { key, problem } => {
                self.find(*key)?.fail(problem.clone(), now);
                self.sort();
                Some(Notification::from(problem))
            }
            CallMsg::Happened { key, what } => {
                let told = self.find(*key)?.handle(what, now);
                self.sort();
                told
            }
            CallMsg::Measured { key, measured } => {
                self.find(*key)?.sound.measure(**measured);
                None
            }
            CallMsg::Sounded { key, what } => self.find(*key)?.handle_sound(what),
            CallMsg::Disturb { account, on } => {
                let line = self.accounts.iter_mut().find(|line| line.id == *account)?;
                line.disturb = *on;
                let words = if *on { "calls ring again" } else { "calls are refused: do not disturb" };
                Some(Notification::plain(Severity::Success, screen_text!("{}: {words}", line.aor)))
            }
        }
    }

    fn take_account(&mut self, msg: &AccountMsg) {
        match msg {
            AccountMsg::Added { id, aor } => {
                let aor = screen_text!("{}@{}", aor.user, aor.domain);
                self.accounts.push(Line { id: *id, aor, disturb: true });
            }
            AccountMsg::Removed { id } => {
                self.accounts.retain(|line| line.id != *id);
                self.line = self.line.min(self.accounts.len().saturating_sub(1));
            }
            AccountMsg::Happened { .. } | AccountMsg::Missed { .. } => {}
        }
    }

    fn find(&mut self, key: u64) -> Option<&mut CallCard> {
        self.calls.iter_mut().find(|call| call.key == key)
    }

    /// What ended goes behind what did not; the cursor stays on its call.
    fn sort(&mut self) {
        let at_cursor = self.current().map(|call| call.key);
        self.calls.make_contiguous().sort_by_key(CallCard::is_over);
        let place = self.calls.iter().position(|call| Some(call.key) == at_cursor);
        self.selected = place.unwrap_or(0);
        self.forget();
    }

    /// Only so many that ended are kept.
    fn forget(&mut self) {
        while self.calls.len() > KEPT && self.calls.back().is_some_and(CallCard::is_over) {
            self.calls.pop_back();
        }
        self.selected = self.selected.min(self.calls.len().saturating_sub(1));
    }

    fn place(&mut self, to: &str) -> Outcome {
        let to = to.trim();
        let Some(line) = self.line() else {
            return Outcome::refused(ScreenText::of("no account can place a call; + adds one"));
        };
        if to.is_empty() {
            return Outcome::refused(ScreenText::of("nobody is dialled: type an address first"));
        }
        let order = CallOrder::Place { account: line.id, to: whole_address(to, &line.aor) };
        self.dial.clear();
        Effect::Call(order).into()
    }

    fn answer(&mut self) -> Outcome {
        let chosen = self.current().filter(|call| call.rings_here()).or(self.ringing()).map(|call| call.key);
        let Some(key) = chosen else {
            return Outcome::refused(ScreenText::of("no call waits for an answer"));
        };
        let talking: Vec<u64> = self
            .calls
            .iter()
            .filter(|call| call.is_connected() && !call.is_held())
            .map(|call| call.key)
            .collect();
        if let Some(call) = self.find(key) {
            call.answer();
        }
        self.choose_call(key);
        let mut outcome = Outcome::from(Effect::Call(CallOrder::Answer(key)));
        // One person speaks with one other at a time.
        outcome
            .effects
            .extend(talking.into_iter().map(|key| Effect::Call(CallOrder::Hold { key, on: true })));
        outcome
    }

    fn hang_up(&mut self) -> Outcome {
        let chosen = self.current().filter(|call| !call.is_over()).or(self.ringing());
        let chosen = chosen.or_else(|| self.calls.iter().find(|call| !call.is_over())).map(|call| call.key);
        let Some(call) = chosen.and_then(|key| self.find(key)) else {
            return Outcome::refused(ScreenText::of("no call is under way"));
        };
        call.hang_up();
        Effect::Call(CallOrder::HangUp(call.key)).into()
    }

    fn hold(&mut self) -> Outcome {
        let chosen = self.current().filter(|call| call.is_connected());
        let Some(call) = chosen.or_else(|| self.calls.iter().find(|call| call.is_connected())) else {
            return Outcome::refused(ScreenText::of("no call is connected"));
        };
        Effect::Call(CallOrder::Hold { key: call.key, on: !call.is_held() }).into()
    }

    fn mute(&mut self) -> Outcome {
        let Some(call) = self.talking() else {
            return Outcome::refused(ScreenText::of("no call is connected"));
        };
        call.is_muted = !call.is_muted;
        Effect::Call(CallOrder::Mute { key: call.key, on: call.is_muted }).into()
    }

    /// From now on keys are digits for the call, until Esc.
    fn begin_pressing(&mut self) -> Outcome {
        if self.talking().is_none() {
            return Outcome::refused(ScreenText::of("no call is connected that could take digits"));
        }
        self.pressing = true;
        Outcome::done()
    }

    fn press(&mut self, digit: char) -> Outcome {
        let Some(call) = self.talking() else {
            self.pressing = false;
            return Outcome::refused(ScreenText::of("the call is over"));
        };
        call.pressed.push(digit);
        Effect::Call(CallOrder::Digit { key: call.key, digit }).into()
    }

    /// The selected call if it is connected, else the first that is.
    fn talking(&mut self) -> Option<&mut CallCard> {
        let at = self.current().filter(|call| call.is_connected()).map(|call| call.key);
        let key = at.or_else(|| self.calls.iter().find(|call| call.is_connected()).map(|call| call.key))?;
        self.find(key)
    }

    /// True while keys are digits.
    pub(crate) fn is_pressing(&self) -> bool {
        self.pressing
    }

    fn disturb(&self) -> Outcome {
        match self.line() {
            Some(line) => Effect::Call(CallOrder::Disturb { account: line.id, on: !line.disturb }).into(),
            None => Outcome::refused(ScreenText::of("no account is there to be disturbed")),
        }
    }

    /// Enter: dials again what ended, answers what rings.
    fn open(&mut self) -> Outcome {
        let Some(call) = self.current().cloned() else { return self.begin_dialling() };
        if call.rings_here() {
            return self.answer();
        }
        if call.is_over() {
            self.dial = Filter::typing(call.address().as_str());
            let of_call = self.accounts.iter().position(|line| line.id == call.account);
            self.line = of_call.unwrap_or(self.line);
        }
        Outcome::done()
    }

    fn begin_dialling(&mut self) -> Outcome {
        self.dial = Filter::typing(self.dial.value());
        Outcome::done()
    }

    fn choose_call(&mut self, key: u64) {
        if let Some(at) = self.calls.iter().position(|call| call.key == key) {
            self.selected = at;
        }
    }

    /// The next account places calls.
    fn next_line(&mut self) -> Outcome {
        if !self.accounts.is_empty() {
            self.line = (self.line + 1) % self.accounts.len();
        }
        Outcome::done()
    }
}

/// A name without a domain is one of the account's own.
fn whole_address(to: &str, aor: &ScreenText) -> String {
    let domain = aor.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
    let has_scheme = to.contains(':');
    if to.contains('@') || has_scheme || domain.is_empty() { to.to_owned() } else { format!("{to}@{domain}") }
}

fn is_digit(c: char) -> bool {
    matches!(c, '0'..='9' | '*' | '#' | 'A'..='D')
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
        if self.dial.typing {
            return Hints::Typing(" Enter calls, Esc clears, Tab takes another account");
        }
        if self.pressing {
            return Hints::Typing(" 0-9 * # A-D are sent to the other side, Esc ends");
        }
        if self.ringing().is_some() {
            return Hints::Keys(&[A::Answer, A::HangUp, A::Dial]);
        }
        if self.under_way() > 0 {
            return Hints::Keys(&[A::HangUp, A::Hold, A::Mute, A::Digits, A::Dial]);
        }
        Hints::Keys(&[A::Dial, A::NextLine, A::DoNotDisturb])
    }

    fn act(&mut self, action: Action, rows: usize) -> Outcome {
        let last = self.calls.len().saturating_sub(1);
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(last),
            Action::PageUp => self.selected = self.selected.saturating_sub(rows),
            Action::PageDown => self.selected = (self.selected + rows).min(last),
            Action::Top => self.selected = 0,
            Action::Bottom => self.selected = last,
            Action::Dial => return self.begin_dialling(),
            Action::Answer => return self.answer(),
            Action::HangUp => return self.hang_up(),
            Action::Hold => return self.hold(),
            Action::Mute => return self.mute(),
            Action::Digits => return self.begin_pressing(),
            Action::DoNotDisturb => return self.disturb(),
            Action::NextLine => return self.next_line(),
            Action::Open => return self.open(),
            _ => {}
        }
        Outcome::done()
    }

    fn carries_out(&self, action: Action) -> bool {
        use Action as A;
        matches!(
            action,
            A::Dial | A::Answer | A::HangUp | A::Hold | A::Mute | A::Digits | A::DoNotDisturb | A::NextLine
        )
    }

    fn handle_key(&mut self, chord: Chord) -> Option<Outcome> {
        if self.pressing && chord.held == Held::Nothing {
            match chord.key {
                Key::Char(c) if is_digit(c) => return Some(self.press(c.to_ascii_uppercase())),
                Key::Esc => {
                    self.pressing = false;
                    return Some(Outcome::done());
                }
                // What is no digit means what it always does.
                _ => self.pressing = false,
            }
        }
        if !self.dial.typing {
            return None;
        }
        match chord.key {
            Key::Enter => {
                let to = self.dial.value().to_owned();
                Some(self.place(&to))
            }
            Key::Esc => {
                self.dial.clear();
                Some(Outcome::done())
            }
            Key::Tab => Some(self.next_line()),
            _ => self.dial.handle(chord).then(Outcome::done),
        }
    }

    fn field(&mut self) -> Option<&mut Filter> {
        if !self.dial.typing {
            self.dial = Filter::typing("");
        }
        Some(&mut self.dial)
    }

    fn handle(&mut self, msg: &Msg, now: Duration) -> Option<Notification> {
        match msg {
            Msg::Call(msg) => self.take(msg, now),
            Msg::Account(msg) => {
                self.take_account(msg);
                None
            }
            _ => None,
        }
    }

    fn select(&mut self, row: usize) -> bool {
        let there = self.selected == row;
        self.selected = row.min(self.calls.len().saturating_sub(1));
        there
    }
}

const KEYS: &[(Chord, Action)] = &[
    (Chord::char('d'), Action::Dial),
    (Chord::char('a'), Action::Answer),
    (Chord::char('x'), Action::HangUp),
    (Chord::char('h'), Action::Hold),
    (Chord::char('m'), Action::Mute),
    (Chord::char('k'), Action::Digits),
    (Chord::char('n'), Action::DoNotDisturb),
    (Chord::char('l'), Action::NextLine),
];
/// Calls that are kept in the list.
const KEPT: usize = 50;
/// So long it is said by the second how long ago a call ended.
const FRESH: Duration = Duration::from_secs(120);
/// How long the second wish to leave may take.
const SECOND_THOUGHT: Duration = Duration::from_secs(6);
/// Between two rings of the bell.
const BELL: Duration = Duration::from_secs(4);
