//! Storage by name: names are never used again, places are, and memory is given back after a flood.

use crate::ids::TxId;

/// Values under names that tell their place and their birth.
///
/// A name is the number of the birth in the upper 40 bits and the place in the lower 24, so that names
/// sort by age and a name that outlived its value finds nothing.
#[derive(Debug)]
pub(super) struct Slab<T> {
    places: Vec<Option<(TxId, T)>>,
    free: Vec<u32>,
    next_id: u64,
    len: usize,
}

impl<T> Slab<T> {
    pub(super) fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), next_id: 0, len: 0 }
    }

    pub(super) fn insert(&mut self, value: T) -> TxId {
        let place = self.free_place();
        let id = TxId((self.next_id << PLACE_BITS) | place as u64);
        self.next_id += 1;
        self.len += 1;
        self.places[place] = Some((id, value));
        id
    }

    pub(super) fn find(&self, id: TxId) -> Option<&T> {
        self.places.get(place(id))?.as_ref().filter(|(name, _)| *name == id).map(|(_, value)| value)
    }

    pub(super) fn find_mut(&mut self, id: TxId) -> Option<&mut T> {
        self.places.get_mut(place(id))?.as_mut().filter(|(name, _)| *name == id).map(|(_, value)| value)
    }

    pub(super) fn remove(&mut self, id: TxId) -> Option<T> {
        self.find(id)?;
        let (_, value) = self.places.get_mut(place(id))?.take()?;
        self.len -= 1;
        self.free.push(u32::try_from(place(id)).unwrap_or(u32::MAX));
        self.give_back();
        Some(value)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn free_place(&mut self) -> usize {
        while let Some(place) = self.free.pop() {
            // Places behind the end were given back since.
            if (place as usize) < self.places.len() {
                return place as usize;
            }
        }
        self.places.push(None);
        self.places.len() - 1
    }

    fn give_back(&mut self) {
        while self.places.last().is_some_and(Option::is_none) {
            self.places.pop();
        }
        if self.places.capacity() > SPARE && self.places.len() < self.places.capacity() / 4 {
            self.places.shrink_to(self.places.len() * 2);
            let end = self.places.len();
            self.free.retain(|place| (*place as usize) < end);
            self.free.shrink_to(end);
        }
    }
}

fn place(id: TxId) -> usize {
    (id.0 & ((1 << PLACE_BITS) - 1)) as usize
}

/// Sixteen million at once.
const PLACE_BITS: u32 = 24;

/// This capacity is kept.
const SPARE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Rng, Seed};

    #[test]
    fn it_behaves_as_a_map_whose_names_are_never_used_again() {
        for seed in 0..100 {
            let mut rng = Rng::new(&Seed::from_number(seed));
            let mut slab = Slab::new();
            let mut model = std::collections::BTreeMap::new();
            let mut gone = Vec::new();
            for n in 0..3_000u64 {
                let grows = rng.below(3) < if n < 1_500 { 2 } else { 1 };
                if grows {
                    assert_eq!(model.insert(slab.insert(n), n), None, "seed {seed}");
                } else if let Some(id) =
                    model.keys().nth(usize::try_from(rng.below(model.len() as u64)).unwrap()).copied()
                {
                    assert_eq!(slab.remove(id), model.remove(&id), "seed {seed}");
                    gone.push(id);
                }
            }
            assert!(gone.iter().all(|id| slab.find(*id).is_none()), "seed {seed}");
            assert!(model.iter().all(|(id, n)| slab.find(*id) == Some(n)), "seed {seed}");
            assert_eq!(slab.len(), model.len(), "seed {seed}");
        }
    }

    #[test]
    fn memory_is_given_back() {
        let mut slab = Slab::new();
        let ids: Vec<TxId> = (0..100_000).map(|n| slab.insert(n)).collect();
        ids.iter().for_each(|id| assert!(slab.remove(*id).is_some()));
        assert!(slab.places.capacity() <= SPARE && slab.free.capacity() <= SPARE);
        let id = slab.insert(1);
        assert!(!ids.contains(&id));
    }
}
