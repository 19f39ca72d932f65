//! Master keys and the suites they are for (RFC 4568 section 6.2; RFC 7714 section 14).

use std::fmt;

use zeroize::Zeroizing;

/// How packets are encrypted and authenticated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`: counter mode, tag of 10 octets (RFC 4568 section 6.2.1).
    AesCm128HmacSha1Tag80,
    /// `AES_CM_128_HMAC_SHA1_32`: the same with a tag of 4 octets; reports keep 10 (RFC 4568 section 6.2.2).
    AesCm128HmacSha1Tag32,
    /// `AEAD_AES_128_GCM`: tag of 16 octets (RFC 7714 section 14.2).
    AeadAes128Gcm,
}

/// A master key of one direction. Wiped when dropped; its `Debug` shows the suite only.
#[derive(Clone, Eq, PartialEq)]
pub struct MasterKey {
    suite: Suite,
    key: Zeroizing<[u8; KEY]>,
    /// Filled up with zeros where the suite's salt is shorter.
    salt: Zeroizing<[u8; MAX_SALT]>,
    mki: Option<KeyId>,
}

/// The master key identifier that stands in each packet of a key, in the low octets (RFC 3711 section 3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct KeyId {
    pub(crate) value: u64,
    /// 1 to 8.
    pub(crate) octets: usize,
}

impl Suite {
    /// In the order in which we offer them: what every peer knows first.
    pub const ALL: [Suite; 3] =
        [Suite::AesCm128HmacSha1Tag80, Suite::AeadAes128Gcm, Suite::AesCm128HmacSha1Tag32];

    /// As it stands in `a=crypto`.
    pub fn name(self) -> &'static str {
        match self {
            Suite::AesCm128HmacSha1Tag80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128HmacSha1Tag32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::AeadAes128Gcm => "AEAD_AES_128_GCM",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }

    /// Octets of the master salt.
    pub(crate) fn salt_octets(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1Tag80 | Suite::AesCm128HmacSha1Tag32 => 14,
            Suite::AeadAes128Gcm => 12,
        }
    }
}

impl KeyId {
    /// None where packets would carry more octets than are read here, or fewer than the value needs.
    pub(crate) fn new(value: u64, octets: usize) -> Option<KeyId> {
        let fits = octets >= 8 || value >> (octets * 8) == 0;
        ((1..=8).contains(&octets) && fits).then_some(KeyId { value, octets })
    }
}

impl MasterKey {
    /// Octets of the longest key and salt.
    pub(crate) const MAX_OCTETS: usize = KEY + MAX_SALT;

    /// Takes as many octets as the suite needs.
    pub(crate) fn from_start(suite: Suite, octets: &[u8; Self::MAX_OCTETS]) -> MasterKey {
        let mut key = Zeroizing::new([0; KEY]);
        let mut salt = Zeroizing::new([0; MAX_SALT]);
        let mut from = octets.iter();
        key.iter_mut().zip(from.by_ref()).for_each(|(to, from)| *to = *from);
        salt.iter_mut().zip(from).take(suite.salt_octets()).for_each(|(to, from)| *to = *from);
        MasterKey { suite, key, salt, mki: None }
    }

    /// Key and salt as they stand in `a=crypto`.
    pub(crate) fn to_inline(&self, engine: &impl base64::Engine) -> Zeroizing<String> {
        let mut octets = Zeroizing::new([0; Self::MAX_OCTETS]);
        octets.iter_mut().zip(self.key.iter().chain(self.salt.iter())).for_each(|(to, from)| *to = *from);
        let length = KEY + self.suite.salt_octets();
        Zeroizing::new(engine.encode(octets.get(..length).unwrap_or(&octets[..])))
    }

    /// Takes key and salt as they stand one behind the other in an inline key; none if the length is another suite's.
    pub(crate) fn from_octets(suite: Suite, octets: &[u8]) -> Option<MasterKey> {
        let (key, salt) = octets.split_first_chunk::<KEY>()?;
        if salt.len() != suite.salt_octets() {
            return None;
        }
        let mut whole = Zeroizing::new([0; MAX_SALT]);
        whole.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
        Some(MasterKey { suite, key: Zeroizing::new(*key), salt: whole, mki: None })
    }

    pub(crate) fn with_id(mut self, mki: KeyId) -> MasterKey {
        self.mki = Some(mki);
        self
    }

    /// What the key is for.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    pub(crate) fn id(&self) -> Option<KeyId> {
        self.mki
    }

    pub(crate) fn key(&self) -> &[u8; KEY] {
        &self.key
    }

    /// All 14 octets; zeros behind a shorter salt, as the key derivation wants it (RFC 7714 section 11).
    pub(crate) fn salt(&self) -> &[u8; MAX_SALT] {
        &self.salt
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({} …)", self.suite.name())
    }
}

pub(crate) const KEY: usize = 16;
pub(crate) const MAX_SALT: usize = 14;
