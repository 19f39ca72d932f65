//! The companion estate of SIP servers.
