//! The ways the estate's name server fails on purpose.

/// What the name server does with questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DnsFault {
    /// It answers.
    #[default]
    None,
    /// It denies every name.
    NxDomain,
    /// It answers SERVFAIL.
    ServerFailure,
    /// It says nothing.
    Silence,
}
