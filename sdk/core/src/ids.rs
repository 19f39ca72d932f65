//! Names for what lives in the agent, and the seeded streams from which every random value is drawn.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use sha2::Sha256;
use siphasher::sip::SipHasher13;

/// One account of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

/// One request outside a dialog (OPTIONS, later MESSAGE and PUBLISH) of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// One call of an agent; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// Whose a transaction, a use of a flow, a question or a deadline is: one machine of the agent.
///
/// Every match names all kinds, so that a new kind is an addition the compiler leads through. Equal deadlines
/// go by this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// The registration of an account.
    Registration(AccountId),
    /// A request outside a dialog.
    Request(RequestId),
    /// A call, with all its dialogs.
    Call(CallId),
}

/// One connection, or one UDP association with a peer. Never reused within an agent's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

/// One question to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// One transaction (RFC 3261 section 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(pub u64);

/// Thirty-two bytes from which an agent or a node derives all its randomness.
///
/// The same seed and the same inputs give the same outputs, byte for byte. It is as secret as the
/// keys drawn from it and therefore does not print.
///
/// Nothing is drawn from the seed of an agent itself: each purpose has a [`stream`](Self::stream) of its
/// own, so that one more value for one purpose does not change the values of another. A value that
/// decides when or where something happens goes further: it is the only one of a stream numbered by
/// whom it is for and when, so that one more event of one account or connection does not change those
/// of another, nor its own at a later time.
#[derive(Clone)]
pub struct Seed(pub [u8; 32]);

/// What [`Seed::stream`] gives, with the key of the HMAC taken up once: for a source that is asked for each account
/// and instant.
#[derive(Clone)]
pub struct Streams(Hmac<Sha256>);

/// A seeded generator (ChaCha12) with the shapes SIP needs: the values of one purpose.
pub struct Rng(ChaCha12Rng);

impl Seed {
    /// A seed for tests and simulations, spread from a small number.
    pub fn from_number(number: u64) -> Self {
        let mut bytes = [0u8; 32];
        ChaCha12Rng::seed_from_u64(number).fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The seed of the stream that serves `purpose` for what `numbers` name: an account, a life, an instant.
    ///
    /// HMAC-SHA-256 keyed with the seed, over the purpose, an octet 0 and each number in eight octets, the
    /// highest first. A purpose holds no octet 0, so that no two pairs have the same input.
    pub fn stream(&self, purpose: &'static str, numbers: &[u64]) -> Self {
        self.streams().stream(purpose, numbers)
    }

    /// All streams of this seed.
    pub fn streams(&self) -> Streams {
        Streams(Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length"))
    }

    /// The generator of the stream that serves `purpose`.
    pub fn rng(&self, purpose: &'static str) -> Rng {
        Rng::new(&self.stream(purpose, &[]))
    }
}

impl Streams {
    /// As [`Seed::stream`].
    pub fn stream(&self, purpose: &'static str, numbers: &[u64]) -> Seed {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        for number in numbers {
            mac.update(&number.to_be_bytes());
        }
        Seed(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streams(…)")
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Rng {
    /// Starts the generator.
    pub fn new(seed: &Seed) -> Self {
        Self(ChaCha12Rng::from_seed(seed.0))
    }

    /// A seed for a part that has a generator of its own.
    pub fn fork(&mut self) -> Seed {
        let mut bytes = [0u8; 32];
        self.0.fill_bytes(&mut bytes);
        Seed(bytes)
    }

    /// Thirty-two random bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Sixty-four random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0u8; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number in `0..bound`, without bias that matters for back-off or weights; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.next_u64() % bound }
    }

    /// A duration drawn evenly from `least..=most`, in milliseconds.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX - 1);
        least + Duration::from_millis(self.below(span + 1))
    }

    /// `digits` lower-case hexadecimal digits, for tags, branches and Call-IDs.
    pub fn token(&mut self, digits: usize) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        (0..digits).map(|_| char::from(HEX[(self.0.next_u32() & 15) as usize])).collect()
    }
}

/// A map for look-up only, keyed by values a peer may choose: its hash is keyed from the seed.
///
/// There is no iteration on purpose: its order would be chance.
pub struct KeyedMap<K, V>(HashMap<K, V, KeyedState>);

/// Builds the keyed hasher of a [`KeyedMap`].
#[derive(Clone, Copy)]
pub struct KeyedState(u64, u64);

impl BuildHasher for KeyedState {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}

impl<K: Eq + Hash, V> KeyedMap<K, V> {
    /// An empty map with a key drawn from `rng`.
    pub fn new(rng: &mut Rng) -> Self {
        Self(HashMap::with_hasher(KeyedState(rng.next_u64(), rng.next_u64())))
    }

    /// The value of `key`.
    pub fn find<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get(key)
    }

    /// The value of `key`, to be changed.
    pub fn find_mut<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    /// Puts `value` under `key` and returns what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Takes out the value of `key`. Memory is given back after a flood.
    pub fn remove<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let value = self.0.remove(key);
        if self.0.capacity() > SPARE && self.0.len() < self.0.capacity() / 8 {
            self.0.shrink_to(self.0.len() * 2);
        }
        value
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {}", self.0)
    }
}

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flow {}", self.0)
    }
}

/// A map keeps this capacity.
const SPARE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_gives_memory_back_after_a_flood() {
        let mut map = KeyedMap::new(&mut Rng::new(&Seed::from_number(1)));
        (0..50_000u32).for_each(|n| assert_eq!(map.insert(n, n), None));
        (10..50_000).for_each(|n| assert_eq!(map.remove(&n), Some(n)));
        assert!(map.0.capacity() <= 2 * SPARE, "{}", map.0.capacity());
        assert!((0..10).all(|n| map.find(&n) == Some(&n)));
    }

    #[test]
    fn the_same_seed_draws_the_same_values() {
        let draw = |n| {
            let mut rng = Rng::new(&Seed::from_number(n));
            (rng.token(16), rng.next_u32(), rng.bytes::<8>())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn an_owner_fits_into_eight_bytes() {
        assert!(size_of::<Owner>() <= 8);
    }

    #[test]
    fn a_stream_is_the_hmac_of_its_purpose_and_numbers() {
        let seed = Seed([0x0b; 32]);
        let mut mac = Hmac::<Sha256>::new_from_slice(&[0x0b; 32]).unwrap();
        mac.update(b"refresh\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\x01\0");
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        assert_eq!(seed.stream("refresh", &[7, 256]).0, expected);
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_numbers() {
        let streams = [
            Seed::from_number(1).stream("a", &[]),
            Seed::from_number(2).stream("a", &[]),
            Seed::from_number(1).stream("b", &[]),
            Seed::from_number(1).stream("a", &[0]),
            Seed::from_number(1).stream("a", &[1]),
            Seed::from_number(1).stream("a", &[0, 1]),
            Seed::from_number(1).stream("a", &[1, 0]),
        ];
        let distinct: std::collections::BTreeSet<[u8; 32]> = streams.iter().map(|seed| seed.0).collect();
        assert_eq!(distinct.len(), streams.len());
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::new(&Seed::from_number(1));
        assert!((0..1_000).all(|_| rng.below(3) < 3));
        assert_eq!(rng.below(0), 0);
    }
}
