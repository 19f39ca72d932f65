//! SIP and SDP messages: bytes and values, nothing else.
