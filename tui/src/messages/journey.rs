//! A journey in words: one hop is one server, how it was come by, what it said, what it cost.

use homing::account::Scheme;
use homing::event::{FoundBy, Hop, HopVerdict, Journey};

use crate::text::{ScreenText, screen_text};

/// One hop, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HopText {
    /// The server as dialled.
    pub(crate) server: ScreenText,
    /// How it was come by: `SRV _sipinternaltls._tcp.network.com 10/60`.
    pub(crate) how: ScreenText,
    /// How it was reached: `TLS 10.0.1.7:5061, cert ok (name)`.
    pub(crate) connection: ScreenText,
    /// What it said, in short: `301 signed`, `200`, `503`, `…`.
    pub(crate) said: ScreenText,
    /// The sentence under it: signature and where it led, or why it was not believed.
    pub(crate) because: ScreenText,
    /// Round trips by kind.
    pub(crate) price: ScreenText,
    /// Milliseconds.
    pub(crate) millis: u32,
    /// How it ended.
    pub(crate) status: HopStatus,
}

impl HopText {
    /// The login ended while nothing was decided here.
    pub(crate) fn give_up(&mut self) {
        if self.status == HopStatus::Pending {
            self.status = HopStatus::Failed;
            self.said = ScreenText::of("given up");
            self.because = ScreenText::default();
        }
    }
}

/// How a hop stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HopStatus {
    /// Nothing decided yet.
    Pending,
    /// The home server.
    Home,
    /// It sent us on and we went.
    Redirected,
    /// Not followed, not reached or refused.
    Failed,
}

/// All hops of a journey.
pub(crate) fn hops(journey: &Journey) -> Vec<HopText> {
    let mut status = 301;
    let told = journey.hops.iter().map(|hop| {
        let words = hop_after(hop, status);
        if let HopVerdict::Redirected { status: followed, .. } = &hop.verdict {
            status = *followed;
        }
        words
    });
    told.collect()
}

/// One hop alone.
pub(crate) fn hop(hop: &Hop) -> HopText {
    hop_after(hop, 301)
}

/// One hop; `status` is that of the redirect that led there, if one did.
fn hop_after(hop: &Hop, status: u16) -> HopText {
    HopText {
        server: ScreenText::from_display(&hop.server),
        how: how(hop, status),
        connection: connection(hop),
        said: said(hop),
        because: because(hop),
        price: price(hop),
        millis: hop.price.millis,
        status: match &hop.verdict {
            HopVerdict::Pending => HopStatus::Pending,
            HopVerdict::Accepted { .. } => HopStatus::Home,
            HopVerdict::Redirected { .. } => HopStatus::Redirected,
            _ => HopStatus::Failed,
        },
    }
}

fn how(hop: &Hop, status: u16) -> ScreenText {
    match &hop.how {
        FoundBy::Remembered => ScreenText::of("remembered"),
        FoundBy::Configured => ScreenText::of("configured"),
        FoundBy::Discovered(record) => ScreenText::of(record),
        FoundBy::Redirected { candidate: 0 } => screen_text!("named by the {status}"),
        FoundBy::Redirected { candidate } => screen_text!("choice {} of the {status}", candidate + 1),
        FoundBy::Preferred => ScreenText::of("named by the server"),
        _ => ScreenText::default(),
    }
}

fn connection(hop: &Hop) -> ScreenText {
    let address = hop.address.map(|address| format!(" {address}")).unwrap_or_default();
    let pinned = if hop.pinned { " pinned" } else { "" };
    let proof = match (&hop.verified_as, hop.transport) {
        (Some(_), _) if hop.pinned => String::new(),
        (Some(name), _) => format!(", cert ok ({name})"),
        (None, transport) if transport.is_secure() => String::new(),
        (None, _) => ", in the clear".to_owned(),
    };
    screen_text!("{}{pinned}{address}{proof}", hop.transport)
}

fn said(hop: &Hop) -> ScreenText {
    let challenges = match hop.price.register.saturating_sub(1) {
        0 => String::new(),
        1 => "401 → ".to_owned(),
        n => format!("401 ×{n} → "),
    };
    match &hop.verdict {
        HopVerdict::Pending => screen_text!("{challenges}waiting"),
        HopVerdict::Accepted { .. } => screen_text!("{challenges}200"),
        HopVerdict::Redirected { status, .. } => screen_text!("{challenges}{status}"),
        HopVerdict::RedirectRefused(error) => screen_text!("{challenges}{}", error.code()),
        HopVerdict::Unreachable(error) => ScreenText::of(error.code()),
        HopVerdict::Refused { status } => screen_text!("{challenges}{status}"),
        HopVerdict::Superseded => ScreenText::of("another answered first"),
        _ => ScreenText::of(&challenges),
    }
}

fn because(hop: &Hop) -> ScreenText {
    let scheme = hop.scheme.map(scheme_word);
    let signature = |signed: bool| match (signed, scheme) {
        (true, Some(scheme)) => format!("signed ({scheme})"),
        (true, None) => "signed".to_owned(),
        (false, _) => "not signed".to_owned(),
    };
    let remarks: String = hop.remarks.iter().map(|remark| format!("; {remark}")).collect();
    match &hop.verdict {
        HopVerdict::Pending => {
            scheme.map_or_else(ScreenText::default, |scheme| screen_text!("answering with {scheme}"))
        }
        HopVerdict::Accepted { expires, signed } => {
            screen_text!("{}; granted {} min{remarks}", signature(*signed), expires / 60)
        }
        HopVerdict::Redirected { signed, to, .. } => {
            let to: Vec<_> = to.iter().map(|contact| target(contact)).collect();
            screen_text!("{}; Contact {}", signature(*signed), to.join(", "))
        }
        HopVerdict::RedirectRefused(error) => ScreenText::from_display(error),
        HopVerdict::Unreachable(error) => screen_text!("{error}{remarks}"),
        HopVerdict::Refused { status } => screen_text!("refused with {status}"),
        _ => ScreenText::default(),
    }
}

/// A Contact as people say it: without brackets and scheme.
fn target(contact: &str) -> &str {
    let inside = contact.split_once('<').map_or(contact, |(_, rest)| rest.split('>').next().unwrap_or(rest));
    inside.strip_prefix("sip:").unwrap_or(inside)
}

fn price(hop: &Hop) -> ScreenText {
    let parts = [
        (hop.price.dns, "DNS"),
        (hop.price.tcp, "TCP"),
        (hop.price.tls, "TLS"),
        (hop.price.register, "REGISTER"),
    ];
    let spent: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    screen_text!("{}", spent.join(" + "))
}

/// The name of a login scheme.
pub(crate) fn scheme_word(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Ntlm => "NTLM",
        Scheme::Digest => "Digest",
        _ => "another login",
    }
}
