//! The size tiers: what fits decides how much is shown, never what is true.

/// How much room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Below 50 columns or 14 rows: a few lines, no borders.
    Mini,
    /// 50 to 79 columns: one pane.
    Narrow,
    /// 80 to 119 columns: list and detail.
    Normal,
    /// 120×30 and more: three panes and a lower area.
    Wide,
}

impl Tier {
    /// The tier of a terminal of this size.
    pub(crate) fn of(columns: u16, rows: u16) -> Self {
        if columns < 50 || rows < 14 {
            Tier::Mini
        } else if columns < 80 {
            Tier::Narrow
        } else if columns < 120 || rows < 30 {
            Tier::Normal
        } else {
            Tier::Wide
        }
    }
}

impl Tier {
    /// The tier a layout setting allows at most.
    pub(crate) fn at_most(layout: &str) -> Self {
        match layout {
            "two-panes" => Tier::Normal,
            "one-pane" => Tier::Narrow,
            "mini" => Tier::Mini,
            _ => Tier::Wide,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_into_their_tiers() {
        let table = [
            ((120, 30), Tier::Wide),
            ((120, 29), Tier::Normal),
            ((119, 40), Tier::Normal),
            ((80, 24), Tier::Normal),
            ((79, 24), Tier::Narrow),
            ((50, 14), Tier::Narrow),
            ((49, 40), Tier::Mini),
            ((200, 13), Tier::Mini),
            ((1, 1), Tier::Mini),
        ];
        for ((columns, rows), tier) in table {
            assert_eq!(Tier::of(columns, rows), tier, "{columns}x{rows}");
        }
    }
}
