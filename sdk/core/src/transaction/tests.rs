//! The four transactions played against a scripted peer, timer by timer.
