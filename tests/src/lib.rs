//! The world in which phone, SDK and estate meet.
