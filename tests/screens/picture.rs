//! Pictures of screens for review: what changes from run to run is blanked, the rest is compared.

use std::path::Path;
use std::time::Duration;

use crate::terminal::Terminal;

const SOON: Duration = Duration::from_secs(40);

/// What is told at the foot of the screen has gone by then.
const LONGER_THAN_SENTENCES: Duration = Duration::from_secs(16);

/// Waits until the screen is its reviewed picture in `tests/screens/pictures`: how long a sentence of the moment stands,
/// and what comes first of what happens at once, is the load's matter. `HOMING_BLESS=1` writes the picture again.
/// Numbers that got longer may move the line's end, so runs of fill count once.
pub(crate) fn assert_picture(name: &str, terminal: &mut Terminal) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("screens/pictures").join(name);
    if std::env::var_os("HOMING_BLESS").is_some() {
        terminal.settle(LONGER_THAN_SENTENCES);
        std::fs::write(&path, picture(&terminal.contents())).expect("the pictures can be written");
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    let expected = squeeze(&reviewed);
    let came = terminal.wait_until(SOON, |screen| squeeze(&picture(screen)) == expected);
    let shown = picture(&came.err().unwrap_or_default());
    assert!(
        shown.is_empty(),
        "{name} is not as reviewed (HOMING_BLESS=1 writes it)\n{reviewed}\nbut\n{shown}"
    );
}

/// Holds the README's picture of the phone against a screen; `HOMING_BLESS=1` puts this screen there.
pub(crate) fn assert_readme_shows(terminal: &mut Terminal) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).expect("the README is there");
    let begin = readme.find(BEGIN).expect("the README has a place for the picture") + BEGIN.len();
    let end = begin + readme[begin..].find(END).expect("the picture ends");
    if std::env::var_os("HOMING_BLESS").is_some() {
        terminal.settle(LONGER_THAN_SENTENCES);
        let screen = terminal.contents();
        let shown: String = screen.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        let anew = format!("{}{shown}{}", &readme[..begin], &readme[end..]);
        return std::fs::write(&path, anew).expect("the README can be written");
    }
    let reviewed = picture(&readme[begin..end]);
    let expected = squeeze(&reviewed);
    let came = terminal.wait_until(SOON, |screen| squeeze(&picture(screen)) == expected);
    let shown = picture(&came.err().unwrap_or_default());
    assert!(shown.is_empty(), "the README shows another phone:\n{reviewed}\nthan\n{shown}");
}

const BEGIN: &str = "<!-- the phone at 100 × 34, as `homing demo` shows it -->\n```text\n";
const END: &str = "```\n<!-- the phone ends -->";

fn squeeze(picture: &str) -> String {
    let mut out = String::new();
    for c in picture.chars() {
        if !(matches!(c, ' ' | '#' | '─') && out.ends_with(c)) {
            out.push(c);
        }
    }
    out
}

/// The screen with every port, time and token replaced by `#`, so that lines keep their width.
pub(crate) fn picture(screen: &str) -> String {
    screen.lines().map(|line| blank_line(line).trim_end().to_owned() + "\n").collect()
}

fn blank_line(line: &str) -> String {
    // Frames of the sign of a running task.
    let turning = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
    let mut out: Vec<char> = line.chars().map(|c| if turning(c) { '#' } else { c }).collect();
    for start in 0..out.len() {
        let digits = |from: usize| out[from..].iter().take_while(|c| c.is_ascii_digit()).count();
        let count = digits(start);
        if count == 0 || (start > 0 && (out[start - 1].is_ascii_digit() || out[start - 1] == '#')) {
            continue;
        }
        let before: String =
            out[..start].iter().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect();
        let after: String = out[start + count..].iter().take(4).collect();
        if is_volatile(&before, &after, count) {
            out[start..start + count].fill('#');
        }
    }
    out.into_iter().collect()
}

/// Ports of loopback, clock times, spent milliseconds, what is left of an expiry.
fn is_volatile(before: &str, after: &str, count: usize) -> bool {
    // Of a name that is half covered its end is there.
    let port = before.ends_with("om:") || before.ends_with("0.0.1:");
    let time = after.starts_with(":") && count == 2 || before.ends_with("#:") || before.ends_with("#.");
    let spent = after.starts_with(" ms") || after.starts_with('.') && before.ends_with(' ');
    let left = after.starts_with(" min") || after.starts_with('m') && before.ends_with("exp ");
    port || time || spent || left
}

#[test]
fn what_changes_is_blanked_and_keeps_its_width() {
    let line = "│ 0.057 │ hs104.network.com:45227 401 ×2 → 200  2 ms│ exp 119m  01:32 UTC";
    let blank = picture(line);
    assert_eq!(blank, "│ #.### │ hs104.network.com:##### 401 ×2 → 200  # ms│ exp ###m  ##:## UTC\n");
}
