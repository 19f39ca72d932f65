//! How the phone looks follows from settings and window.

use crate::model::{Model, Window};
use crate::theme::{ColorMode, ColorTheme, Theme, ThemeName, Tier};

/// Colours, signs, motion and layout as the settings say now.
pub(crate) fn apply_theme(model: &mut Model) {
    let config = &model.pages.settings.config;
    let detected = model.theme.detected;
    let mode = ColorMode::parse(&config.text("ui.color")).unwrap_or(detected);
    let name = ThemeName::parse(&config.text("ui.theme")).unwrap_or(ThemeName::Default);
    model.theme = Theme::new(ColorTheme { name, mode }, config.flag("ui.ascii"));
    model.theme.detected = detected;
    model.theme.reduced_motion = config.flag("ui.reduced_motion");
    model.theme.most = Tier::at_most(&config.text("ui.layout"));
    resize(model, model.window.columns, model.window.rows);
}

/// The window has another size.
pub(super) fn resize(model: &mut Model, columns: u16, rows: u16) {
    model.window = Window { columns, rows };
    model.theme.tier = Tier::of(columns, rows).min(model.theme.most);
}
