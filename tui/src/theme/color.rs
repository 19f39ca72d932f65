//! Colours by role: four themes, four depths, and a face without any colour that says the same.

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColorMode {
    /// None: weight and reversal only (`NO_COLOR`).
    Never,
    /// The terminal's own sixteen.
    Sixteen,
    /// The 256-colour cube.
    Indexed,
    /// 24 bits.
    True,
}

/// The sets of colours that `ui.theme` chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThemeName {
    /// For dark terminals.
    Default,
    /// For light terminals.
    Light,
    /// Black, white and weight.
    HighContrast,
    /// Blue and orange instead of green and red.
    ColorBlind,
}

/// What a piece of text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    Dim,
    Title,
    Focus,
    Key,
    Accent,
    Good,
    Busy,
    Warn,
    Bad,
}

/// A theme at a depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ColorTheme {
    pub(crate) name: ThemeName,
    pub(crate) mode: ColorMode,
}

impl ColorMode {
    /// Reads `never`, `16`, `256` or `true`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "never" => Some(ColorMode::Never),
            "16" => Some(ColorMode::Sixteen),
            "256" => Some(ColorMode::Indexed),
            "true" => Some(ColorMode::True),
            _ => None,
        }
    }

    /// What the environment says: `NO_COLOR` and `CLICOLOR=0` first, then `COLORTERM` and `TERM`.
    pub(crate) fn detect(read: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| read(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let refused = set("NO_COLOR").is_some() || set("CLICOLOR").as_deref() == Some("0");
        if refused || term == "dumb" {
            ColorMode::Never
        } else if matches!(set("COLORTERM").as_deref(), Some("truecolor" | "24bit")) {
            ColorMode::True
        } else if term.contains("256") {
            ColorMode::Indexed
        } else {
            ColorMode::Sixteen
        }
    }
}

impl ThemeName {
    /// Reads the name of a theme as it stands in the settings.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "default" => Some(ThemeName::Default),
            "light" => Some(ThemeName::Light),
            "high-contrast" => Some(ThemeName::HighContrast),
            "colour-blind" => Some(ThemeName::ColorBlind),
            _ => None,
        }
    }
}

impl ColorTheme {
    /// The style of a role.
    pub(crate) fn style(self, role: Role) -> Style {
        let weight = match role {
            Role::Plain | Role::Accent | Role::Good | Role::Busy => Modifier::empty(),
            Role::Dim => Modifier::DIM,
            Role::Title | Role::Key | Role::Warn | Role::Bad => Modifier::BOLD,
            Role::Focus => Modifier::REVERSED,
        };
        let style = Style::new().add_modifier(weight);
        match self.color(role) {
            Some(color) => style.fg(color).remove_modifier(Modifier::DIM),
            None => style,
        }
    }

    fn color(self, role: Role) -> Option<Color> {
        if self.mode == ColorMode::Never || matches!(role, Role::Plain | Role::Focus) {
            return None;
        }
        let (sixteen, indexed, rgb) = match self.name {
            ThemeName::Default => dark(role),
            ThemeName::Light => light(role),
            ThemeName::HighContrast => return None,
            ThemeName::ColorBlind => blue_and_orange(role),
        };
        Some(match self.mode {
            ColorMode::Never | ColorMode::Sixteen => sixteen,
            ColorMode::Indexed => Color::Indexed(indexed),
            ColorMode::True => Color::Rgb(rgb.0, rgb.1, rgb.2),
        })
    }
}

/// One colour at three depths.
type Tint = (Color, u8, (u8, u8, u8));

fn dark(role: Role) -> Tint {
    match role {
        Role::Plain | Role::Focus => (Color::Reset, 7, (220, 220, 220)),
        Role::Dim => (Color::DarkGray, 245, (138, 138, 138)),
        Role::Title => (Color::White, 255, (238, 238, 238)),
        Role::Key => (Color::Yellow, 179, (215, 175, 95)),
        Role::Accent => (Color::Cyan, 80, (95, 215, 215)),
        Role::Good => (Color::Green, 114, (135, 215, 135)),
        Role::Busy => (Color::Blue, 75, (95, 175, 255)),
        Role::Warn => (Color::Yellow, 221, (255, 215, 95)),
        Role::Bad => (Color::Red, 203, (255, 95, 95)),
    }
}

fn light(role: Role) -> Tint {
    match role {
        Role::Plain | Role::Focus => (Color::Reset, 0, (20, 20, 20)),
        Role::Dim => (Color::DarkGray, 242, (108, 108, 108)),
        Role::Title => (Color::Black, 16, (0, 0, 0)),
        Role::Key => (Color::Magenta, 90, (135, 0, 135)),
        Role::Accent => (Color::Blue, 24, (0, 95, 135)),
        Role::Good => (Color::Green, 22, (0, 95, 0)),
        Role::Busy => (Color::Blue, 19, (0, 0, 175)),
        Role::Warn => (Color::Magenta, 130, (175, 95, 0)),
        Role::Bad => (Color::Red, 124, (175, 0, 0)),
    }
}

fn blue_and_orange(role: Role) -> Tint {
    match role {
        Role::Good => (Color::LightBlue, 75, (86, 180, 233)),
        Role::Busy => (Color::Cyan, 80, (95, 215, 215)),
        Role::Warn => (Color::Yellow, 221, (240, 228, 66)),
        Role::Bad => (Color::LightYellow, 208, (230, 159, 0)),
        Role::Plain | Role::Focus | Role::Dim | Role::Title | Role::Key | Role::Accent => dark(role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_color_means_no_color() {
        let theme = ColorTheme { name: ThemeName::Default, mode: ColorMode::Never };
        let roles = [Role::Good, Role::Bad, Role::Warn, Role::Key, Role::Title, Role::Accent];
        assert!(roles.iter().all(|&role| theme.style(role).fg.is_none()));
    }

    #[test]
    fn the_environment_decides_the_depth() {
        let with = |name: &'static str, value: &'static str| {
            ColorMode::detect(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(with("NO_COLOR", "1"), ColorMode::Never);
        assert_eq!(with("CLICOLOR", "0"), ColorMode::Never);
        assert_eq!(with("COLORTERM", "truecolor"), ColorMode::True);
        assert_eq!(with("TERM", "xterm-256color"), ColorMode::Indexed);
        assert_eq!(with("TERM", "vt100"), ColorMode::Sixteen);
        assert_eq!(with("TERM", "dumb"), ColorMode::Never);
    }
}
