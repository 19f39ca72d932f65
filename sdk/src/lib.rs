//! A SIP user agent that finds its home server.
