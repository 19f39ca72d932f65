//! What a failed login asks for: whether another attempt by itself can help, and how soon at best.

use std::time::Duration;

use crate::error::{AuthError, LoginError, RedirectError};

/// False where the same attempt would only fail again until a person does something.
pub(super) fn helps(error: &LoginError) -> bool {
    !matches!(
        error,
        LoginError::Auth(AuthError::Rejected { .. } | AuthError::NoCredentials { .. })
            | LoginError::Redirect(RedirectError::Declined { .. })
            | LoginError::Refused { status: 403, .. }
            | LoginError::Deregistered(_)
    )
}

/// True for failures of the server itself. A password that does not fit is none, a redirect that was
/// ignored leaves everything as it was (decision 1), and what is unsigned may be another sender's.
pub(super) fn is_the_servers(error: &LoginError) -> bool {
    helps(error) && !matches!(error, LoginError::Redirect(_) | LoginError::Unbelieved { .. })
}

/// After a redirect that was refused no attempt begins by itself sooner than 30 s (decision 1).
pub(super) fn least(error: &LoginError) -> Duration {
    match error {
        LoginError::Redirect(_) => Duration::from_secs(30),
        _ => Duration::ZERO,
    }
}
