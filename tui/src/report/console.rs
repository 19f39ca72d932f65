//! Output of the command line: sentences for people or JSON lines for programs, never both.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::messages::timestamp;
use crate::report::Failure;
use crate::report::output::Output;
use crate::text::{self, ScreenText};

/// Where verbs print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Console {
    /// For people.
    Sentences,
    /// The same where only ASCII can be shown.
    Ascii,
    /// For programs.
    Json,
    /// Errors only.
    Quiet,
}

impl Console {
    /// A sentence for people.
    pub(crate) fn say(self, text: &ScreenText) {
        match self {
            Console::Sentences => put(text.as_str()),
            Console::Ascii => put(&text::ascii(text.as_str())),
            Console::Json | Console::Quiet => {}
        }
    }

    /// Sentences for people, one per line.
    pub(crate) fn say_all(self, lines: &[ScreenText]) {
        for line in lines {
            self.say(line);
        }
    }

    /// An event for programs: one line with version, time and name.
    pub(crate) fn event(self, name: &str, fields: Value) {
        if self == Console::Json {
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            put(&json_line(name, wall, fields));
        }
    }

    /// One thing, for programs or for people.
    pub(crate) fn tell(self, told: &Output) {
        self.event(told.name, told.fields.clone());
        self.say_all(&told.say);
    }

    /// An event that another process of this program made, as it came; `say` are its sentences.
    pub(crate) fn relay(self, event: &Value, say: &[ScreenText]) {
        if self == Console::Json {
            put(&ascii(&event.to_string()));
        }
        self.say_all(say);
    }

    /// Text that is the whole output of a verb, such as a manual page: as it is for people, in a field of an
    /// event for programs. Quiet does not suppress what was asked for.
    pub(crate) fn document(self, name: &str, fields: Value, text: &str) {
        if self == Console::Json {
            self.event(name, fields);
        } else {
            // A closed pipe ends the reader's interest, not this program's work.
            let _ = io::stdout().lock().write_all(text.as_bytes());
        }
    }

    /// What went wrong: JSON on standard output, sentences on standard error.
    pub(crate) fn failure(self, failure: &Failure) {
        self.event("error", failure.fields());
        let problem = &failure.problem;
        self.complain(problem.code, &problem.sentence, &failure.excerpt, &problem.hint);
    }

    /// A failure that another process of this program told, as it came.
    pub(crate) fn relay_failure(self, event: &Value) {
        self.relay(event, &[]);
        let text = |name: &str| ScreenText::of(event[name].as_str().unwrap_or_default());
        self.complain(text("code").as_str(), &text("sentence"), &[], &text("hint"));
    }

    fn complain(self, code: &str, sentence: &ScreenText, excerpt: &[ScreenText], hint: &ScreenText) {
        if self != Console::Json {
            let excerpt: String = excerpt.iter().map(|line| format!("{line}\n")).collect();
            // The reader may have gone.
            let whole = format!("{code}: {sentence}\n{excerpt}Hint: {hint}");
            let whole = if self == Console::Ascii { text::ascii(&whole) } else { whole };
            let _ = writeln!(io::stderr(), "{whole}");
        }
    }
}

fn put(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// The version of names and fields. It changes when one of them is renamed or goes.
pub(crate) const VERSION: u64 = 2;

/// One event of the instant `wall` (since 1970-01-01 UTC) as a line of JSON.
pub(crate) fn json_line(name: &str, wall: Duration, fields: Value) -> String {
    let mut object = Map::new();
    object.insert("v".to_owned(), json!(VERSION));
    object.insert("ts".to_owned(), json!(timestamp(wall)));
    object.insert("event".to_owned(), json!(name));
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    ascii(&Value::Object(object).to_string())
}

/// JSON in ASCII: what a terminal could take as an order is written as an escape.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && !c.is_control() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_object_with_version_time_and_name_whatever_it_carries() {
        let line = json_line(
            "state",
            Duration::ZERO,
            json!({ "server": "a\nb\u{1b}[2J\u{9b}\u{202e}\u{7f}\u{e0041}" }),
        );
        assert_eq!(line.lines().count(), 1);
        assert!(line.chars().all(|c| c.is_ascii() && !c.is_control()), "{line}");
        let value: Value = serde_json::from_str(&line).expect("valid JSON");
        assert_eq!((&value["v"], &value["event"]), (&json!(VERSION), &json!("state")));
    }
}
