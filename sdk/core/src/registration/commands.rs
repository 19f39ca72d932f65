//! What a login can be told to do.

use super::context::Context;
use super::machine::{Registration, State};
use super::transition::{Step, Transition};
use crate::config::ServerChoice;
use crate::error::Misuse;
use crate::event::MoveCause;
use crate::state::AccountState;

impl Registration {
    /// Signs in and stays signed in.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if that is under way or done, or the account has no registrar.
    pub fn login(&mut self, cx: &mut Context<'_>) -> Result<(), Misuse> {
        let idle = matches!(self.state, State::Idle(_));
        if !idle || self.account.config.server == ServerChoice::NoRegistrar {
            return Err(Misuse::WrongState);
        }
        let cause = if self.account.last_home.is_some() { MoveCause::Failover } else { MoveCause::First };
        self.step(cx, |_, _, _| Transition::Login(cause).into());
        Ok(())
    }

    /// Signs out, or stops trying.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if there is nothing to end.
    pub fn logout(&mut self, cx: &mut Context<'_>) -> Result<(), Misuse> {
        if matches!(&self.state, State::Idle(idle) if !idle.is_waiting())
            || matches!(self.state, State::Unregistering(_))
        {
            return Err(Misuse::WrongState);
        }
        let off = Transition::Rest(AccountState::LoggedOff);
        self.step(cx, |state, account, cx| match state {
            State::Registered(registered) => registered.leave(cx).into(),
            State::Locating(locating) => {
                locating.stop(cx);
                off.into()
            }
            State::Registering(registering) => {
                registering.stop(account, cx);
                off.into()
            }
            State::AwaitingConsent(awaiting_consent) => {
                awaiting_consent.stop(cx);
                off.into()
            }
            State::Idle(_) => off.into(),
            unregistering @ State::Unregistering(_) => Step::Stays(unregistering),
        });
        self.account.drop_prompt(cx);
        Ok(())
    }

    /// Refreshes the registration now.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in.
    pub fn refresh(&mut self, cx: &mut Context<'_>) -> Result<(), Misuse> {
        if !matches!(self.state, State::Registered(_)) {
            return Err(Misuse::WrongState);
        }
        self.step(cx, |state, account, cx| match state {
            State::Registered(registered) => registered.refresh(account, cx).map(State::from),
            other => Step::Stays(other),
        });
        Ok(())
    }

    /// Asks the home server whether it is there, or through it the owner of a SIP URI.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in, or while another such question is open;
    /// [`Misuse::BadMessage`] for what is no SIP URI.
    pub fn options(&mut self, uri: Option<&str>, cx: &mut Context<'_>) -> Result<(), Misuse> {
        let State::Registered(registered) = &mut self.state else { return Err(Misuse::WrongState) };
        registered.probe(uri, &self.account, cx)
    }
}
