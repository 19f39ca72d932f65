//! Attacks on the gate, made from the recorded conversations.
