//! Named counters: whatever is dropped, refused or capped is counted here, and tests read it.

use crate::error::SignatureFault;

/// One thing worth counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Counter {
    /// Messages that could not be parsed.
    Malformed,
    /// Responses that match no transaction.
    StrayResponse,
    /// Responses to requests of ours that are dropped: with a foreign Via or two, another From tag, version or length.
    UnusableResponse,
    /// Messages over a limit.
    OverLimit,
    /// Lines of responses that are no header and were passed over.
    SkippedLine,
    /// Responses of ours that came after the transaction had ended.
    LateResponse,
    /// Requests refused before a transaction was made.
    RefusedRequest,
    /// Messages without the signature an association demands.
    Unsigned,
    /// Requests, responses, ACKs and CANCELs not sent because their association could not sign them.
    NotSigned,
    /// Messages with a wrong signature.
    BadSignature,
    /// Digest servers that could not prove that they know the password (RFC 7616 `rspauth`).
    WrongProof,
    /// Signed messages seen before or below the window.
    Replayed,
    /// Unsigned 1xx, 401, 407, 408, 503 that were let through as decision 12 says.
    UnsignedTolerated,
    /// Challenges beyond the allowed rate.
    ChallengeRate,
    /// Challenges a client does not answer: broken, weak, for another server, or by a skewed clock.
    RefusedChallenge,
    /// Credentials none of which are meant for this server: another scheme, realm or target.
    ForeignCredentials,
    /// Credentials that contradict themselves or lack a part.
    BrokenCredentials,
    /// Registration tokens that cannot be read, are too long or ask for weak security.
    BadToken,
    /// Credentials that could be read and prove nothing: wrong user or password.
    WrongCredentials,
    /// Tokens and signatures for a challenge or association that is not open here, or is another endpoint's.
    UnknownAssociation,
    /// Digest nonces that have lapsed or were never given, and nonce counts that were used.
    StaleNonce,
    /// Users who proved who they are and asked for another user.
    NotEntitled,
    /// Requests beyond what one source may send.
    OverCap,
    /// Requests refused because too much is in hand.
    Overload,
    /// What strangers held and had to go for more of the same: challenges, associations, nonces, peers by UDP.
    Evicted,
    /// Credentials not looked at after too many wrong ones.
    GuessingPause,
    /// Responses to strangers by UDP not sent because they would be too large.
    Amplification,
    /// Connections closed because they were not authenticated, or not kept alive, in time.
    FlowTimedOut,
    /// Answers to questions that were taken back.
    LateAnswer,
    /// Inputs for flows that are gone.
    StrayFlow,
    /// Inputs and commands not taken because too many outputs wait to be drained.
    Undrained,
    /// Redirects refused by a rule.
    RedirectRefused,
    /// Redirects and preferred registrars that passed every rule, before any consent is asked.
    RedirectFollowed,
    /// Lingering transactions dropped to keep within bounds.
    LingeringDropped,
    /// How often the monotone and the wall clock ran apart by more than a second.
    ClockJump,
    /// Logins completed.
    Logins,
    /// Refreshes completed.
    Refreshes,
    /// Calls refused because the application did not take them: nothing read them, or too many waited to be read.
    CallNotTaken,
    /// Bindings taken back from servers that granted them after another had answered first.
    BindingWithdrawn,
}

/// The counters of one agent or node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters(std::collections::BTreeMap<Counter, u64>);

impl Counter {
    /// What a message counts as that was refused by its signature.
    pub fn of_refusal(why: SignatureFault) -> Self {
        match why {
            SignatureFault::Unsigned => Counter::Unsigned,
            SignatureFault::Replayed => Counter::Replayed,
            SignatureFault::BadSignature | SignatureFault::OtherAssociation => Counter::BadSignature,
        }
    }
}

impl Counters {
    /// Adds one.
    pub fn count(&mut self, counter: Counter) {
        *self.0.entry(counter).or_default() += 1;
    }

    /// Adds what others counted.
    pub fn add(&mut self, others: &Counters) {
        for (counter, n) in others.iter() {
            *self.0.entry(counter).or_default() += n;
        }
    }

    /// The count so far.
    pub fn of(&self, counter: Counter) -> u64 {
        self.0.get(&counter).copied().unwrap_or_default()
    }

    /// All counts that are not zero, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (Counter, u64)> + '_ {
        self.0.iter().map(|(counter, n)| (*counter, *n))
    }
}
