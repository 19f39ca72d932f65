//! SDP as lines: what is understood is typed, what is not is kept.
