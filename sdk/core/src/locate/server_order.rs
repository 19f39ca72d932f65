//! What draws the order of servers of one priority (RFC 2782).

use crate::ids::{Rng, Seed, Streams};

/// The source of one search's draws. Most searches meet no two servers of one priority, so that its generator is
/// started by the first draw.
pub struct ServerOrder {
    source: Source,
    started: Option<Rng>,
}

enum Source {
    Seed(Seed),
    /// The stream of a search, for what the numbers name.
    Search(Streams, [u64; 2]),
}

impl ServerOrder {
    /// Draws from `seed`.
    pub fn new(seed: Seed) -> Self {
        Self { source: Source::Seed(seed), started: None }
    }

    /// Draws from the stream for a search that is named by `numbers`.
    pub(crate) fn of_search(streams: &Streams, numbers: [u64; 2]) -> Self {
        Self { source: Source::Search(streams.clone(), numbers), started: None }
    }

    /// The generator.
    pub(super) fn rng(&mut self) -> &mut Rng {
        self.started.get_or_insert_with(|| match &self.source {
            Source::Seed(seed) => forked(seed),
            Source::Search(streams, numbers) => forked(&streams.stream("search", numbers)),
        })
    }
}

/// The second generation, as every recorded order was drawn.
fn forked(seed: &Seed) -> Rng {
    Rng::new(&Rng::new(seed).fork())
}
