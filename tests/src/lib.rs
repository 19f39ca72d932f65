//! The harness: a world of agents, nodes and links in virtual time.
