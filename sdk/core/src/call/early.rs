//! One fork of an INVITE that is out: an early dialog, its provisional responses in order, what it described so far.

use homing_wire::header::RSeq;
use homing_wire::{Message, Name};

use super::body;
use super::line::CallContext;
use super::usage::InviteUsage;
use crate::call_event::CallEvent;
use crate::description::Description;

/// An early dialog of the caller.
pub(crate) struct Early {
    pub(crate) usage: InviteUsage,
    /// The last reliable response (RFC 3262 section 4).
    rseq: Option<u32>,
    /// What a response without acknowledgement described: it counts if nothing better comes.
    preview: Option<Description>,
}

impl Early {
    /// Before anything of it was read but its tag.
    pub(crate) fn new(usage: InviteUsage) -> Self {
        Self { usage, rseq: None, preview: None }
    }

    /// What a response without acknowledgement described last.
    pub(crate) fn preview(&self) -> Option<&Description> {
        self.preview.as_ref()
    }

    /// A provisional response that may say more than that it rings.
    pub(crate) fn handle_provisional(&mut self, response: &Message, cc: &mut CallContext<'_, '_, '_>) {
        let description = body::description(response).ok().flatten();
        let rseq = response.get::<RSeq>().ok().flatten().map(|rseq| rseq.0);
        match rseq.filter(|_| response.has_token(Name::Require, "100rel")) {
            Some(rseq) if self.is_next(rseq) && !self.usage.is_crowded() => {
                self.rseq = Some(rseq);
                self.handle_reliable(rseq, response, description, cc);
            }
            // A copy, one after a gap, or one too many: its sender repeats it (RFC 3262 section 4).
            Some(_) => {}
            None => self.note_preview(description, cc),
        }
    }

    fn is_next(&self, rseq: u32) -> bool {
        self.rseq.is_none_or(|last| last.checked_add(1) == Some(rseq))
    }

    fn handle_reliable(
        &mut self,
        rseq: u32,
        response: &Message,
        description: Option<Description>,
        cc: &mut CallContext<'_, '_, '_>,
    ) {
        let Ok(cseq) = response.cseq() else { return };
        let rack = format!("{rseq} {cseq}");
        let usage = &mut self.usage;
        let is_open = usage.media.is_free() && usage.media.agreed().is_none();
        match description {
            Some(answer) if usage.media.take_answer() => {
                usage.prack(rack, cc);
                usage.note_described(answer, cc);
            }
            Some(offer) if is_open && usage.media.take_offer() => usage.ask_for_prack(rack, offer, cc),
            Some(_) | None => usage.prack(rack, cc),
        }
    }

    fn note_preview(&mut self, description: Option<Description>, cc: &mut CallContext<'_, '_, '_>) {
        let Some(description) = description.filter(|_| self.usage.media.awaits_answer()) else { return };
        if self.preview.as_ref() == Some(&description) {
            return;
        }
        self.preview = Some(description.clone());
        cc.tell(CallEvent::Described { fork: self.usage.fork(), preview: true, description });
    }
}
