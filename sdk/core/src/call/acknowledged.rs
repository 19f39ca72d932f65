//! The ACK for a 2xx to an INVITE of ours: stored for copies of the 2xx, signed again for one that was signed again
//! (decision 41).

use bytes::Bytes;
use homing_wire::{Message, Name};

use super::line::{CallContext, Sent};
use crate::description::Description;
use crate::dialog::Dialog;
use crate::ids::TxId;

/// What a 2xx was acknowledged with.
pub(crate) struct Acknowledged {
    pub(crate) tx: TxId,
    /// The INVITE: the ACK has its number, and its Digest credentials (RFC 3261 section 13.2.2.4).
    invite: Message,
    body: Option<Description>,
    /// None if it could not be signed, or there is no flow yet.
    bytes: Option<Bytes>,
}

impl Acknowledged {
    /// Sends the ACK for the first 2xx of a dialog.
    pub(crate) fn send(
        dialog: &Dialog,
        sent: Sent,
        body: Option<Description>,
        cc: &mut CallContext<'_, '_, '_>,
    ) -> Self {
        let mut this = Self { tx: sent.tx, invite: sent.message, body, bytes: None };
        this.renew(dialog, cc);
        this
    }

    /// Sends it with a new branch and signature.
    pub(crate) fn renew(&mut self, dialog: &Dialog, cc: &mut CallContext<'_, '_, '_>) {
        self.bytes = None;
        if !cc.line.is_up() {
            return;
        }
        let seq = self.invite.cseq().map_or(0, |cseq| cseq.seq);
        let via = cc.via();
        let mut ack = dialog.ack(seq, via);
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            if self.invite.auth(name).any(|auth| auth.is("Digest")) {
                ack = ack.copy_from(&self.invite, name);
            }
        }
        let ack = match &self.body {
            Some(body) => ack.body(&body.content_type, &body.body).message(),
            None => ack.message(),
        };
        self.bytes = cc.acknowledge(&ack);
    }

    /// True once it left.
    pub(crate) fn is_sent(&self) -> bool {
        self.bytes.is_some()
    }

    /// Sends the same octets.
    pub(crate) fn repeat(&self, cc: &mut CallContext<'_, '_, '_>) {
        if let Some(bytes) = self.bytes.clone() {
            cc.transmit(bytes);
        }
    }
}
