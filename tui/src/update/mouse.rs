//! The mouse: a click does what the thing under it says.

use crate::effect::Effect;
use crate::keys::Action;
use crate::model::{Model, Overlay};
use crate::place::Screen;
use crate::screen::{Target, palette};

/// What a click comes to.
pub(super) enum Click {
    /// The model took it.
    Taken,
    /// As if the key of this action was pressed.
    Act(Action),
    /// A command of the palette was chosen.
    Chosen(palette::Verdict),
    Effect(Effect),
}

/// A click on a cell.
pub(super) fn click(model: &mut Model, column: u16, row: u16) -> Click {
    match crate::view::target_at(model, column, row) {
        Some(Target::Screen(screen)) => model.place.go(screen),
        Some(Target::Action(action)) => return Click::Act(action),
        Some(Target::Stage(key)) => return Click::Effect(Effect::Stage(key)),
        Some(Target::Row(row)) => return select(model, row),
        Some(Target::Choice(row)) => {
            if let Some(Overlay::Palette(state)) = model.overlays.last() {
                let chosen = state.run(row);
                model.overlays.pop();
                return Click::Chosen(chosen);
            }
        }
        Some(Target::Nothing) | None => {}
    }
    Click::Taken
}

/// Puts the cursor on a row; on a row that has it already a click is Enter.
fn select(model: &mut Model, row: usize) -> Click {
    let again = match model.place.screen() {
        Screen::Accounts => {
            model.accounts.select(row);
            false
        }
        Screen::Trace => model.trace.select(row),
        Screen::Tasks => {
            model.tasks.select(row);
            false
        }
        Screen::Settings => model.settings.select(row),
        Screen::Help => false,
    };
    if again { Click::Act(Action::Open) } else { Click::Taken }
}
