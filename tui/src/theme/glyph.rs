//! The signs the phone draws with, and their ASCII twins.

use ratatui::symbols::border;

/// One complete set of signs; no view writes a sign of its own.
#[derive(Debug)]
pub(crate) struct Glyphs {
    pub(crate) ascii: bool,
    pub(crate) focus: &'static str,
    pub(crate) arrow: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) cut: &'static str,
    pub(crate) yes: &'static str,
    pub(crate) no: &'static str,
    pub(crate) warn: &'static str,
    pub(crate) ladder: LadderSigns,
    pub(crate) spinner: &'static [&'static str],
    /// Levels from nothing to full.
    pub(crate) bars: &'static [&'static str; 9],
    pub(crate) border: border::Set<'static>,
}

/// Columns and arrows between them.
#[derive(Debug)]
pub(crate) struct LadderSigns {
    pub(crate) rail: &'static str,
    pub(crate) line: &'static str,
    pub(crate) right: &'static str,
    pub(crate) left: &'static str,
}

impl Glyphs {
    /// For terminals that show Unicode.
    pub(crate) const UNICODE: Glyphs = Glyphs {
        ascii: false,
        focus: "▶",
        arrow: "→",
        dot: "·",
        cut: "…",
        yes: "✓",
        no: "✖",
        warn: "!",
        ladder: LadderSigns { rail: "│", line: "─", right: "▶", left: "◀" },
        spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
        bars: &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        border: border::ROUNDED,
    };

    /// For terminals, fonts and braille lines that show ASCII only.
    pub(crate) const ASCII: Glyphs = Glyphs {
        ascii: true,
        focus: ">",
        arrow: "->",
        dot: "-",
        cut: "..",
        yes: " ok",
        no: "x",
        warn: "!",
        ladder: LadderSigns { rail: "|", line: "-", right: ">", left: "<" },
        spinner: &["-", "\\", "|", "/"],
        bars: &[" ", ".", ".", ":", "-", "=", "+", "*", "#"],
        border: border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        },
    };
}
