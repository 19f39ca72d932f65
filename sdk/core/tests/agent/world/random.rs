//! Random values that are not random: in order, as a recorded conversation has them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use homing_core::account::random::{Random, Wait};

/// Random values from lists; where a list is empty, from a counter.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) call_ids: VecDeque<String>,
    pub(crate) from_tag: Option<String>,
    pub(crate) branches: VecDeque<String>,
    pub(crate) salts: VecDeque<u32>,
    pub(crate) client_challenges: VecDeque<[u8; 8]>,
    pub(crate) session_keys: VecDeque<[u8; 16]>,
    pub(crate) count: u64,
    /// The same spread for every wait, in milliseconds; a counter without one.
    pub(crate) spread: Option<u64>,
    /// The last session key drawn: so a fake server knows it without reading the token.
    pub(crate) latest: Arc<Mutex<[u8; 16]>>,
}

impl Scripted {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

impl Random for Scripted {
    fn call_id(&mut self) -> String {
        let count = self.next();
        self.call_ids.pop_front().unwrap_or_else(|| format!("call{count}"))
    }

    fn caller_tag(&mut self) -> String {
        let count = self.next();
        self.from_tag.clone().unwrap_or_else(|| format!("from{count}"))
    }

    fn branch(&mut self) -> String {
        let count = self.next();
        self.branches.pop_front().unwrap_or_else(|| format!("z9hG4bK{count}"))
    }

    fn signature_salt(&mut self) -> u32 {
        let count = self.next();
        self.salts.pop_front().unwrap_or(u32::try_from(count).unwrap())
    }

    fn client_challenge(&mut self) -> [u8; 8] {
        self.client_challenges.pop_front().unwrap_or([0xaa; 8])
    }

    fn session_key(&mut self) -> [u8; 16] {
        let count = u8::try_from(self.next() % 251).unwrap();
        let key = self.session_keys.pop_front().unwrap_or([count; 16]);
        *self.latest.lock().unwrap() = key;
        key
    }

    fn cnonce(&mut self) -> String {
        format!("cnonce{}", self.next())
    }

    fn answer_tag(&mut self) -> String {
        format!("to{}", self.next())
    }

    fn rseq(&mut self) -> u32 {
        u32::try_from(self.next()).unwrap()
    }

    fn spread(&mut self, _wait: Wait, bound: u64) -> u64 {
        let spread = self.spread.unwrap_or_else(|| self.next());
        if bound == 0 { 0 } else { spread % bound }
    }
}
