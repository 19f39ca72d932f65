//! How the phone looks follows from settings and window.

use crate::look::{ColorMode, Look, Theme, ThemeName, Tier};
use crate::model::Model;

/// Theme, signs, motion and layout as the settings say now.
pub(crate) fn apply_look(model: &mut Model) {
    let config = &model.settings.config;
    let detected = model.look.detected;
    let mode = ColorMode::parse(&config.text("ui.color")).unwrap_or(detected);
    let name = ThemeName::parse(&config.text("ui.theme")).unwrap_or(ThemeName::Default);
    model.look = Look::new(Theme { name, mode }, config.flag("ui.ascii"));
    model.look.detected = detected;
    model.look.reduced_motion = config.flag("ui.reduced_motion");
    model.look.most = Tier::at_most(&config.text("ui.layout"));
    resize(model, model.place.columns, model.place.rows);
}

/// The window has another size.
pub(super) fn resize(model: &mut Model, columns: u16, rows: u16) {
    model.place.columns = columns;
    model.place.rows = rows;
    model.look.tier = Tier::of(columns, rows).min(model.look.most);
}
