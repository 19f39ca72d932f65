//! The final responses of a request's branches, and which of them goes back (RFC 3261 16.7 step 6).

use homing_wire::{Builder, Message, Name};

/// What the branches of one request ended with so far.
#[derive(Default)]
pub(super) struct Finals {
    best: Option<Ended>,
    /// Every challenge of every branch: the client answers them together.
    challenges: Vec<(Name<'static>, String)>,
}

/// How a branch ended.
pub(super) enum Ended {
    /// By a response of the other end.
    Response {
        /// As received.
        response: Box<Message>,
        /// Its client proved by a signature that it is its own, so that the credentials in it are taken off.
        proved: bool,
    },
    /// By no answer in time, or because there is no way there.
    Locally(u16),
}

impl Ended {
    pub(super) fn status(&self) -> u16 {
        match self {
            Ended::Response { response, .. } => response.status().unwrap_or(500),
            Ended::Locally(status) => *status,
        }
    }
}

impl Finals {
    /// Takes the end of one branch.
    pub(super) fn add(&mut self, ended: Ended) {
        if let Ended::Response { response, .. } = &ended
            && matches!(ended.status(), 401 | 407)
        {
            for name in [Name::WwwAuthenticate, Name::ProxyAuthenticate] {
                let lines = response.lines(name).map(|line| String::from_utf8_lossy(line).into_owned());
                let room = MOST_CHALLENGES.saturating_sub(self.challenges.len());
                self.challenges.extend(lines.take(room).map(|line| (name, line)));
            }
        }
        let is_better = self.best.as_ref().is_none_or(|best| rank(ended.status()) < rank(best.status()));
        if is_better {
            self.best = Some(ended);
        }
    }

    /// The one that goes back; a challenge carries those of all branches.
    pub(super) fn take_best(&mut self) -> Option<Ended> {
        let best = self.best.take()?;
        let challenges = std::mem::take(&mut self.challenges);
        match best {
            Ended::Response { response, proved } if matches!(response.status(), Some(401 | 407)) => {
                let bare = Builder::from_message(&response)
                    .remove(Name::WwwAuthenticate)
                    .remove(Name::ProxyAuthenticate);
                let all = challenges.into_iter().fold(bare, |built, (name, value)| built.header(name, value));
                Some(Ended::Response { response: Box::new(all.message()), proved })
            }
            best => Some(best),
        }
    }
}

/// A refusal everywhere first, then the lowest class; of 4xx those first that the caller can do something about, and
/// last those that only say that one device was not there.
fn rank(status: u16) -> (u16, u8) {
    let class = if status >= 600 { 0 } else { status / 100 };
    let within = match status {
        401 | 407 => 0,
        415 | 420 | 484 => 1,
        408 | 430 | 480 | 481 | 487 => 3,
        _ => 2,
    };
    (class, within)
}

/// Challenges of all branches together.
const MOST_CHALLENGES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, more: &str) -> Ended {
        let text = format!("SIP/2.0 {status} X\r\n{more}Content-Length: 0\r\n\r\n");
        Ended::Response { response: Box::new(Message::parse(text).unwrap()), proved: false }
    }

    fn best(statuses: &[u16]) -> u16 {
        let mut finals = Finals::default();
        statuses.iter().for_each(|status| finals.add(response(*status, "")));
        finals.take_best().unwrap().status()
    }

    #[test]
    fn the_best_response_is_chosen_as_rfc_3261_16_7_says() {
        assert_eq!(best(&[486, 603, 401]), 603, "a decline is everywhere");
        assert_eq!(best(&[500, 404, 503]), 404);
        assert_eq!(best(&[404, 302]), 302);
        assert_eq!(best(&[404, 407, 486]), 407);
        assert_eq!(best(&[408, 486]), 486);
        assert_eq!(best(&[486, 404]), 486, "of equals the first");
        assert_eq!(best(&[408, 500]), 408);
    }

    #[test]
    fn the_challenges_of_all_branches_go_back_together() {
        let mut finals = Finals::default();
        finals.add(response(401, "WWW-Authenticate: Digest realm=\"a\"\r\n"));
        finals.add(response(486, ""));
        finals.add(response(407, "Proxy-Authenticate: Digest realm=\"b\"\r\n"));
        for n in 0..100 {
            finals.add(response(401, &format!("WWW-Authenticate: Digest realm=\"{n}\"\r\n")));
        }
        let Some(Ended::Response { response, .. }) = finals.take_best() else { panic!("a response") };
        assert_eq!(response.status(), Some(401));
        assert_eq!(response.lines(Name::WwwAuthenticate).count(), MOST_CHALLENGES - 1);
        assert_eq!(response.lines(Name::ProxyAuthenticate).count(), 1);
        assert!(finals.take_best().is_none());
    }
}
