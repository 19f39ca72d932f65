//! What makes a body no session description.

/// Why a body is no session description.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SdpError {
    /// The first line is not `v=0`.
    #[error("does not begin with v=0")]
    Version,
    /// A line is not of the form `x=…`.
    #[error("malformed line")]
    Line,
    /// An `m=` line lacks a part, or its port is not a number.
    #[error("malformed m= line")]
    Media,
    /// More than 16 KiB, or more than 32 media.
    #[error("over the limit")]
    TooLarge,
}
