//! The sound of one call of a party: its ports, and what offers and answers say of them.

use homing_core::time::{Moment, Now};
use homing_media::{Negotiation, Policy, Refusal, Security};

use crate::node::context::Context;
use crate::node::sound::{PartySound, SoundOrder, SoundPorts};

/// The sound of a call, from its INVITE to its end.
pub(super) struct CallSound {
    call: u64,
    /// Keys may be said: the other end's flow is TLS.
    is_secure: bool,
    ports: Ports,
}

/// How far its ports are.
enum Ports {
    /// Asked for; they are given up then.
    Asked {
        until: Moment,
    },
    Open(Box<Negotiation>),
    /// There are none.
    Refused,
}

/// Whether a call with sound can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    Waits(Moment),
    Ready,
    Failed,
}

impl CallSound {
    /// Asks for the ports of a call.
    pub(super) fn open(cx: &mut Context, call: u64, sound: PartySound, is_secure: bool, now: Now) -> Self {
        cx.order_sound(SoundOrder::Open { call, sound });
        Self { call, is_secure, ports: Ports::Asked { until: now.after(PATIENCE) } }
    }

    /// The ports are there, or there are none.
    pub(super) fn opened(&mut self, ports: Option<&SoundPorts>) {
        let security = Security::Optional;
        let policy = Policy { security, secure_signalling: self.is_secure, ..Policy::default() };
        self.ports = match ports {
            Some(ports) => Ports::Open(Box::new(Negotiation::new(policy, ports.local(), &ports.seed.0))),
            None => Ports::Refused,
        };
    }

    pub(super) fn readiness(&self, now: Now) -> Readiness {
        match &self.ports {
            Ports::Asked { until } if now.reached(*until) => Readiness::Failed,
            Ports::Asked { until } => Readiness::Waits(*until),
            Ports::Open(_) => Readiness::Ready,
            Ports::Refused => Readiness::Failed,
        }
    }

    /// What answers this offer; an offer of ours where there is none.
    pub(super) fn describe(&mut self, cx: &mut Context, offer: &[u8]) -> Result<String, Refusal> {
        if offer.is_empty() {
            return self.offer();
        }
        let Ports::Open(negotiation) = &mut self.ports else { return Err(Refusal::NoAudio) };
        let answer = negotiation.answer(offer, false)?;
        cx.order_sound(SoundOrder::Agree { call: self.call, agreed: Box::new(answer.agreed) });
        Ok(answer.body)
    }

    pub(super) fn offer(&mut self) -> Result<String, Refusal> {
        let Ports::Open(negotiation) = &mut self.ports else { return Err(Refusal::NoAudio) };
        negotiation.offer(false)
    }

    /// Takes the answer to an offer of ours. One that does not fit leaves everything as it was.
    pub(super) fn take_answer(&mut self, cx: &mut Context, answer: &[u8]) {
        if answer.is_empty() {
            return;
        }
        if let Ports::Open(negotiation) = &mut self.ports
            && let Ok(agreed) = negotiation.take_answer(answer)
        {
            cx.order_sound(SoundOrder::Agree { call: self.call, agreed: Box::new(agreed) });
        }
    }

    /// The call is over.
    pub(super) fn close(self, cx: &mut Context) {
        cx.order_sound(SoundOrder::Close { call: self.call });
    }
}

/// How long a call waits for its ports: the world opens them at once or not.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
