//! What is said after a sign-out that may have left a binding at the server.

use homing::event::UnregisterOutcome;

use crate::messages::Problem;

/// Why this device may still be called, and until when; none where no server holds its binding.
pub(crate) fn sign_out_problem(outcome: UnregisterOutcome) -> Option<Problem> {
    let code = match outcome {
        UnregisterOutcome::Refused { .. } => "E0808",
        UnregisterOutcome::Unanswered => "E0904",
        _ => return None,
    };
    let hint = "Until then calls are still sent here; sign in and out once more to remove it.";
    Some(Problem::new(code, &format!("signed out, but {outcome}"), hint))
}
