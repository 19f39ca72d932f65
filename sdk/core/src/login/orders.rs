//! What a login can be told to do.

use super::desk::Desk;
use super::machine::{Login, State};
use super::resting::Resting;
use super::seeking::Seeking;
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
        self.state = Seeking::start(cause, &mut self.account, desk);
        self.tell(desk);
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
        let off = State::Resting(Resting::new(AccountState::LoggedOff));
        self.step(desk, |state, account, desk| match state {
            State::Registered(registered) => registered.leave(account, desk),
            State::Seeking(seeking) => {
                seeking.stop(desk);
                off
            }
            State::Joining(joining) => {
                joining.stop(desk);
                off
            }
            State::Deciding(deciding) => {
                deciding.stop(desk);
                off
            }
            State::Resting(_) => off,
            leaving @ State::Leaving(_) => leaving,
        });
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
            State::Registered(registered) => registered.refresh(account, desk),
            other => other,
        });
        Ok(())
    }

    /// Asks the home server whether it is there.
    ///
    /// # Errors
    /// [`Misuse::WrongState`] unless signed in, or while another such question is open.
    pub fn options(&mut self, desk: &mut Desk<'_>) -> Result<(), Misuse> {
        let State::Registered(registered) = &mut self.state else { return Err(Misuse::WrongState) };
        if registered.probe(&self.account, desk) { Ok(()) } else { Err(Misuse::WrongState) }
    }
}
