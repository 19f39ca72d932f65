//! Roads for SIP: sockets carrying framed messages.
