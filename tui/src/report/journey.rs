//! A journey in lines for people.

use homing::event::Journey;

use crate::report::Console;
use crate::text::{ScreenText, screen_text};
use crate::words::hops;

/// The hops of a journey, two lines each.
pub(crate) fn say_journey(journey: &Journey, console: &Console) {
    for (index, hop) in hops(journey).iter().enumerate() {
        console.say(&screen_text!(
            "{} REGISTER → {}  {}  {} ms",
            index + 1,
            hop.server,
            hop.said,
            hop.millis
        ));
        console.say(&screen_text!("    {}, {}", hop.how, hop.flow_ref));
        if hop.because != ScreenText::default() {
            console.say(&screen_text!("    {}; {}", hop.because, hop.price));
        }
    }
}
