//! `homing trace` and `--trace`: what went over the wire, as a file.

use serde_json::json;

use crate::cli::args::{Trace, TraceFile};
use crate::config::{read, write};
use crate::messages::Problem;
use crate::report::{Console, Exit, Failure};
use crate::text::screen_text;
use crate::trace::{Record, json as json_lines};

/// Runs the verb.
///
/// # Errors
/// A file that cannot be read or written, or is no trace.
pub(crate) fn run(trace: &Trace, console: &Console) -> Result<Exit, Failure> {
    let Trace::Export { from, to } = trace;
    if !from.is_file() {
        let sentence = format!("{} does not exist", from.display());
        return Err(Failure::new(
            Exit::Config,
            "E0117",
            &sentence,
            "Save one with `homing login --trace FILE.jsonl`.",
        ));
    }
    let text = read(from).map_err(|fault| Failure::config(Problem::from(&fault)))?;
    let records = json_lines::read(&text).map_err(|fault| {
        let hint = "Give a trace as JSON lines; the phone and `--trace FILE.jsonl` save such.";
        Failure::new(Exit::Config, "E0118", &format!("{}: {fault}", from.display()), hint)
    })?;
    save(&records, to, console)?;
    Ok(Exit::Done)
}

/// Saves what was traced so far, where that was asked for.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep(trace: &homing::Trace, to: Option<&TraceFile>, console: &Console) -> Result<(), Failure> {
    let Some(to) = to else { return Ok(()) };
    let records: Vec<Record> = trace.entries(0).iter().map(Record::of).collect();
    save(&records, to, console)
}

/// Saves these records.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn save(records: &[Record], to: &TraceFile, console: &Console) -> Result<(), Failure> {
    let path = to.path.display();
    write(&to.path, crate::trace::write(records, to.form))
        .map_err(|fault| Failure::config(Problem::from(&fault)))?;
    let form = to.form.extension();
    console.event("trace-saved", json!({ "file": path.to_string(), "form": form, "entries": records.len() }));
    console.say(&screen_text!("{} entries of the trace are in {path}, {}", records.len(), to.form.purpose()));
    Ok(())
}
