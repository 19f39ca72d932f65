//! Alice and Bob, each signed in at a home server of their own, with a describer that agrees to everything.

use std::time::Duration;

use homing::call::{
    Call, CallEnd, Description, DescriptionQuestion, DescriptionRefusal, IncomingCall, IncomingCalls, Turn,
};
use homing::{
    Account, AccountConfig, Aor, Password, Resolver, Roots, StaticCredentials, UserAgent, UserAgentBuilder,
};
use homing_server_mock::estate::{Estate, User};
use homing_server_mock::node::config::NodeConfig;
use homing_tests::test_bed::CANARY;

use crate::client::{estate, register};

/// The estate, Alice at hs104 and Bob at hs102, each with a user agent of her or his own.
pub(crate) struct Phones {
    pub(crate) estate: Estate,
    pub(crate) alice: Phone,
    pub(crate) bob: Phone,
}

/// One person's user agent, account and calls that come in.
pub(crate) struct Phone {
    pub(crate) ua: UserAgent,
    pub(crate) account: Account,
    pub(crate) calls: IncomingCalls,
}

impl Phones {
    pub(crate) async fn new(seed: u64) -> Self {
        Self::with(seed, |_| {}).await
    }

    /// The same, with a change to both accounts.
    pub(crate) async fn with(seed: u64, change: impl Fn(&mut AccountConfig)) -> Self {
        Self::built(seed, |builder| builder.session_describer(agrees), change).await
    }

    /// The same, with the sound of the SDK in place of a describer.
    pub(crate) async fn with_sound(seed: u64, change: impl Fn(&mut AccountConfig)) -> Self {
        Self::built(seed, |builder| builder, change).await
    }

    async fn built(
        seed: u64,
        build: impl Fn(UserAgentBuilder) -> UserAgentBuilder,
        change: impl Fn(&mut AccountConfig),
    ) -> Self {
        let much = |node: &mut NodeConfig| {
            node.calls.from_user = 100;
            node.calls.to_user = 100;
        };
        let people = ["bob", "carol", "dave"].map(|name| User::new(name, CANARY).assigned("hs102"));
        let builder = people.into_iter().fold(estate(seed), |estate, user| estate.user(user));
        let estate = builder.configure(much).start().await.unwrap();
        let alice = Phone::new(&estate, "alice", &build, &change).await;
        let bob = Phone::new(&estate, "bob", &build, &change).await;
        Self { estate, alice, bob }
    }

    /// Alice calls Bob; his phone hears of it.
    pub(crate) async fn ringing(&mut self) -> (Call, IncomingCall) {
        let call = self.alice.account.call(BOB).place().await.unwrap();
        (call, self.incoming().await)
    }

    /// The next call that comes in for Bob.
    pub(crate) async fn incoming(&mut self) -> IncomingCall {
        within(&self.estate, self.bob.calls.next()).await.unwrap()
    }

    /// Alice calls Bob, and he answers: her call and his.
    pub(crate) async fn talking(&mut self) -> (Call, Call) {
        let (hers, incoming) = self.ringing().await;
        let his = self.within(incoming.answer()).await.unwrap();
        self.within(hers.answered()).await.unwrap();
        (hers, his)
    }

    /// What happens within half a minute.
    pub(crate) async fn within<T>(&self, happening: impl Future<Output = T>) -> T {
        within(&self.estate, happening).await
    }

    pub(crate) async fn end(&self, call: &Call) -> CallEnd {
        self.within(call.ended()).await
    }
}

impl Phone {
    async fn new(
        estate: &Estate,
        user: &str,
        build: impl Fn(UserAgentBuilder) -> UserAgentBuilder,
        change: impl FnOnce(&mut AccountConfig),
    ) -> Self {
        let builder = UserAgent::builder()
            .resolver(Resolver::name_server(estate.dns_address()))
            .roots(Roots::pem(estate.ca_pem()).unwrap());
        let ua = build(builder).build().unwrap();
        let account = account(&ua, user, change);
        let calls = account.incoming();
        register(estate, &account).await.unwrap();
        Self { ua, account, calls }
    }
}

/// An account with calls, at rest.
pub(crate) fn account(ua: &UserAgent, user: &str, change: impl FnOnce(&mut AccountConfig)) -> Account {
    let mut config = AccountConfig::new(Aor::parse(&format!("{user}@network.com")).unwrap(), "01010101");
    config.calls = Some(Box::default());
    change(&mut config);
    ua.account(config, StaticCredentials::new(user, "NETWORK", Password::new(CANARY))).unwrap()
}

/// Describes a session for whoever asks.
pub(crate) fn agrees(question: &DescriptionQuestion) -> Result<Description, DescriptionRefusal> {
    let direction = match (&question.turn, question.hold) {
        (_, true) => "sendonly",
        (Turn::Answer(offer), false) if is_held(offer) => "recvonly",
        _ => "sendrecv",
    };
    Ok(Description::sdp(format!(
        "v=0\r\no=- {} 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 49170 RTP/AVP 0\r\na={direction}\r\n",
        question.call.0
    )))
}

fn is_held(description: &Description) -> bool {
    description.body.windows(8).any(|octets| octets == b"sendonly")
}

pub(crate) async fn within<T>(estate: &Estate, happening: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), happening).await {
        Ok(happened) => happened,
        Err(_) => panic!("nothing within half a minute\n{}", estate.journal().ladder()),
    }
}

pub(crate) const BOB: &str = "sip:bob@network.com";
