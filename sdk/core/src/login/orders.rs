//! What a login can be told to do.

use super::desk::Desk;
use super::machine::{Login, State};
use super::sequel::{Sequel, Turn};
use crate::config::ServerChoice;
use crate::error::Misuse;
use crate::event::MoveCause;
use crate::state::AccountState;

impl Login {
    /// Signs in and stays signed in.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if that is under way or done, or the account has no registrar.
    pub fn login(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        let idle = matches!(self.state, State::Resting(_));
        if !idle || self.account.config.server == ServerChoice::NoRegistrar {
            return Err(Misuse::WrongState);
        }
        let cause = if self.account.last_home.is_some() { MoveCause::Failover } else { MoveCause::First };
        self.step(desk, |_, _, _| Sequel::Login(cause).into());
        Ok(())
    }

    /// Signs out, or stops trying.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] if there is nothing to end.
    pub fn logout(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        if matches!(&self.state, State::Resting(resting) if !resting.is_waiting())
            || matches!(self.state, State::Leaving(_))
        {
            return Err(Misuse::WrongState);
        }
        let off = Sequel::Rest(AccountState::LoggedOff);
        self.step(desk, |state, account, desk| match state {
            State::Registered(registered) => registered.leave(desk).into(),
            State::Seeking(seeking) => {
                seeking.stop(desk);
                off.into()
            }
            State::Joining(joining) => {
                joining.stop(account, desk);
                off.into()
            }
            State::Deciding(deciding) => {
                deciding.stop(desk);
                off.into()
            }
            State::Resting(_) => off.into(),
            leaving @ State::Leaving(_) => Turn::Stays(leaving),
        });
        self.account.drop_prompt(desk);
        Ok(())
    }

    /// Refreshes the registration now.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in.
    pub fn refresh(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        if !matches!(self.state, State::Registered(_)) {
            return Err(Misuse::WrongState);
        }
        self.step(desk, |state, account, desk| match state {
            State::Registered(registered) => registered.refresh(account, desk).map(State::from),
            other => Turn::Stays(other),
        });
        Ok(())
    }

    /// Asks the home server whether it is there, or through it the owner of a SIP URI.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in, or while another such question is open;
    /// [`Misuse::BadMessage`] for what is no SIP URI.
    pub fn options(&mut self, uri: Option<&str>, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        let State::Registered(registered) = &mut self.state else { return Err(Misuse::WrongState) };
        registered.probe(uri, &self.account, desk)
    }
}
