//! The terminal phone and its command line.
