//! Keys while something lies above the screen.

use crate::effect::Effect;
use crate::keys::{Action, Chord};
use crate::model::{Model, Overlay};
use crate::screen::{palette, save, wizard};

/// What a key or a click leads to.
pub(super) enum Next {
    Effects(Vec<Effect>),
    /// As if the key of this action was pressed.
    Act(Action),
}

/// Hands a key to what lies on top; it comes back on top unless the key closed it.
pub(super) fn handle_key(model: &mut Model, overlay: Overlay, chord: Chord) -> Next {
    let mut effects = Vec::new();
    let stays = match overlay {
        Overlay::Leaving => Some(Overlay::Leaving),
        Overlay::Palette(mut state) => match state.handle(chord) {
            palette::Verdict::Stay => Some(Overlay::Palette(state)),
            chosen => return run(chosen),
        },
        Overlay::Save(state) => match state.handle(chord) {
            save::Verdict::Stay => Some(Overlay::Save(state)),
            save::Verdict::Close => None,
            save::Verdict::Save(effect) => {
                effects.push(effect);
                None
            }
        },
        Overlay::Consent(request) => {
            effects.extend(request.handle(chord));
            effects.is_empty().then_some(Overlay::Consent(request))
        }
        Overlay::Password(mut state) => {
            effects.extend(state.handle(chord));
            effects.is_empty().then_some(Overlay::Password(state))
        }
        Overlay::Wizard(mut state) => match state.handle_key(chord) {
            wizard::Verdict::Close => None,
            wizard::Verdict::Stay => Some(Overlay::Wizard(state)),
            wizard::Verdict::Finish(request) => {
                effects.push(Effect::Wizard(request));
                None
            }
            wizard::Verdict::Again(id) => {
                effects.push(Effect::SignIn(id));
                Some(Overlay::Wizard(state))
            }
            wizard::Verdict::Ask(request) => {
                effects.push(Effect::Wizard(request));
                Some(Overlay::Wizard(state))
            }
        },
    };
    model.overlays.extend(stays);
    Next::Effects(effects)
}

/// Runs what was chosen in the palette.
pub(super) fn run(chosen: palette::Verdict) -> Next {
    match chosen {
        palette::Verdict::Stay | palette::Verdict::Close => Next::Effects(Vec::new()),
        palette::Verdict::Run(palette::Command::Action(action)) => Next::Act(action),
        palette::Verdict::Run(palette::Command::EstateKey(key)) => {
            Next::Effects(vec![Effect::EstateKey(key)])
        }
    }
}
