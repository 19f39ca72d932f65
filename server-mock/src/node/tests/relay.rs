//! Requests that pass through one server to another.
