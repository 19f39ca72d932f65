//! Registrations by Digest and without a gate.
