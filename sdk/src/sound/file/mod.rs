//! Sound files: WAV read at any usual encoding and rate, and written so that a crash leaves a readable file.

mod law;
mod reader;
mod writer;

pub(super) use reader::WavReader;
pub(super) use writer::WavWriter;
