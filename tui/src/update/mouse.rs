//! The mouse: a click does what the thing under it says.

use crate::effect::Effect;
use crate::keys::Action;
use crate::model::{Model, Overlay};
use crate::screen::Target;
use crate::update::overlay::{Next, run};

/// A click on a cell.
pub(super) fn click(model: &mut Model, column: u16, row: u16) -> Next {
    match crate::view::target_at(model, column, row) {
        Some(Target::Screen(screen)) => model.navigation.go(screen),
        Some(Target::Action(action)) => return Next::Act(action),
        Some(Target::EstateKey(key)) => return Next::Effects(vec![Effect::EstateKey(key)]),
        Some(Target::Row(row)) => {
            let page = model.pages.page_mut(model.navigation.screen());
            // On a row that has the cursor already a click is Enter.
            if page.select(row) {
                return Next::Act(Action::Open);
            }
        }
        Some(Target::Choice(row)) => {
            if let Some(Overlay::Palette(state)) = model.overlays.last() {
                let chosen = state.run(row);
                model.overlays.pop();
                return run(chosen);
            }
        }
        Some(Target::Nothing) | None => {}
    }
    Next::Effects(Vec::new())
}
