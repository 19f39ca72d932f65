//! Verifying recordings: real conversations, damaged ones, and bytes that are nothing at all.

mod capture;
mod damage;
mod digest;
mod noise;
mod sessions;

use homing::Password;
use serde_json::Value;

use super::render::first_obstacle;
use super::report::{Cause, Difference, Finding, Report, Verdict};
use super::source::{self, ReadError};
use super::{check, events, lines};

/// One recorded conversation.
struct Session {
    name: String,
    password: String,
    steps: Vec<Step>,
}

/// One of its messages.
#[derive(Clone)]
struct Step {
    from_client: bool,
    server: String,
    text: String,
}

/// The transcripts of a real client, and the golden conversations in three dialects.
fn sessions() -> Vec<Session> {
    let read = |name: &str| -> Value {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/vectors/");
        serde_json::from_slice(&std::fs::read(format!("{folder}{name}")).unwrap()).unwrap()
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let steps = |messages: &Value| -> Vec<Step> {
        let step = |message: &Value| Step {
            from_client: text(&message["direction"]).starts_with('c'),
            server: text(&message["server"]),
            text: text(&message["message"]),
        };
        messages.as_array().unwrap().iter().map(step).collect()
    };
    let real = read("pidgin_sipe_sessions.json");
    let mut all: Vec<Session> = Vec::new();
    for session in real["sessions"].as_array().unwrap() {
        all.push(Session {
            name: text(&session["name"]),
            password: text(&session["password"]),
            steps: steps(&session["messages"]),
        });
    }
    assert_eq!(all.len(), 11);
    let golden = read("patent_and_golden_flows.json");
    for (name, messages) in golden["golden"].as_object().unwrap() {
        all.push(Session { name: name.clone(), password: "Secret-Pass1".into(), steps: steps(messages) });
    }
    assert_eq!(all.len(), 14);
    all
}

fn session(name: &str) -> Session {
    sessions().into_iter().find(|session| session.name == name).unwrap()
}

impl Session {
    /// The conversation as a client's debug log writes it.
    fn log(&self) -> String {
        let mut log = String::from("(10:00:00) account: connecting\n");
        for step in &self.steps {
            let arrows = if step.from_client { ">>>>>>>>>>" } else { "<<<<<<<<<<" };
            log += &format!("MESSAGE START {arrows} SIP {} - 2026-11-20\n", step.server);
            log += &step.text;
            log += "\nMESSAGE END\n\n";
        }
        log
    }

    fn judge(&self) -> Report {
        judge(self.log().as_bytes(), &self.password)
    }

    /// Replaces text in one message, which must be there.
    fn altered(mut self, step: usize, old: &str, new: &str) -> Self {
        let text = &mut self.steps[step].text;
        assert!(text.contains(old), "{old:?} is not in {text}");
        *text = text.replacen(old, new, 1);
        self
    }
}

fn judge(bytes: &[u8], password: &str) -> Report {
    check::judge(source::read_bytes(bytes).unwrap(), &Password::new(password))
}

fn read_error(bytes: &[u8]) -> ReadError {
    source::read_bytes(bytes).unwrap_err()
}

/// The number of the message and the difference.
fn first(report: &Report) -> (usize, Difference) {
    let (number, difference) = report.first_difference().unwrap_or_else(|| panic!("{}", shown(report)));
    (number, difference.clone())
}

fn shown(report: &Report) -> String {
    let lines: Vec<_> = lines(report).iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Everything that anybody can see of a report.
fn all_output(report: &Report) -> String {
    let events = events(report);
    assert_eq!(events.last().unwrap().0, "verify.summary");
    let events: Vec<_> = events.iter().map(|(name, fields)| format!("{name} {fields}")).collect();
    format!("{}\n{}\n{report:?}", shown(report), events.join("\n"))
}

fn notes(report: &Report) -> Vec<String> {
    let findings = report.judged.iter().flat_map(|judged| &judged.findings);
    findings
        .filter_map(|finding| match finding {
            Finding::Note(note) => Some(note.to_string()),
            _ => None,
        })
        .collect()
}

fn is_altered(cause: &Cause) -> bool {
    matches!(cause, Cause::Altered | Cause::SignatureAltered { .. })
}

#[test]
fn a_file_that_cannot_be_read_says_what_to_do() {
    let error = read_error(b"\x1f\x8b\x08\x00 compressed");
    assert!(matches!(error, ReadError::Compressed));
    assert_eq!((error.code(), error.hint()), ("E0122", "Unpack it first."));
    assert!(matches!(read_error(b"no message at all"), ReadError::NoMessages));
    let gone = super::run(std::path::Path::new("no such file"), &Password::new("x")).unwrap_err();
    assert!(matches!(gone, ReadError::Io(std::io::ErrorKind::NotFound)));
}
