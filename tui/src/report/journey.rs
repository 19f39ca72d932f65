//! A journey in lines for people.

use homing::event::Journey;

use crate::messages::hops;
use crate::text::{ScreenText, screen_text};

/// The hops of a journey, three lines at most each.
pub(crate) fn journey_lines(journey: &Journey) -> Vec<ScreenText> {
    let mut lines = Vec::new();
    for (index, hop) in hops(journey).iter().enumerate() {
        let (number, millis) = (index + 1, hop.millis);
        lines.push(screen_text!("{number} REGISTER → {}  {}  {millis} ms", hop.server, hop.said));
        lines.push(screen_text!("    {}, {}", hop.how, hop.connection));
        if hop.because != ScreenText::default() {
            lines.push(screen_text!("    {}; {}", hop.because, hop.price));
        }
    }
    lines
}
